export { createApp } from './app.ts'
export type { AppParts, HttpSettings } from './parts.ts'
export type { Principal } from './principal.ts'
