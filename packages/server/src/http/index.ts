export { createApp } from './app.ts'
export { type Commits, createCommits } from './commits.ts'
export type { AppParts, HttpSettings } from './parts.ts'
export type { Principal } from './principal.ts'
