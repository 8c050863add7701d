import type { CodeEntry } from './remedy.ts'

/** Codes of the area `store`. */
export const STORE_CODES = {
} as const satisfies Record<string, CodeEntry>
