export { mayUpgrade, rewriteUrl } from './handshake.ts'
export { addStream } from './plugin.ts'
export type { StreamSettings } from './policy.ts'
