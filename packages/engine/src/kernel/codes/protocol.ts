import type { CodeEntry } from './remedy.ts'

/** Codes of the area `protocol`. */
export const PROTOCOL_CODES = {} as const satisfies Record<string, CodeEntry>
