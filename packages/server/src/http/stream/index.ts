export { mayUpgrade, rewriteUrl } from './handshake.ts'
export { addStream, type Enter } from './plugin.ts'
export type { StreamSettings } from './policy.ts'
