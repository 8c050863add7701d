import type { CodeEntry } from './remedy.ts'

/** Codes of the area `server`. */
export const SERVER_CODES = {} as const satisfies Record<string, CodeEntry>
