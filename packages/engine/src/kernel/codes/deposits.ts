import type { CodeEntry } from './remedy.ts'

/** Codes of the area `deposits`. */
export const DEPOSITS_CODES = {} as const satisfies Record<string, CodeEntry>
