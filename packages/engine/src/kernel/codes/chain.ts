import type { CodeEntry } from './remedy.ts'

/** Codes of the area `chain`. */
export const CHAIN_CODES = {} as const satisfies Record<string, CodeEntry>
