import type { CodeEntry } from './remedy.ts'

/** Codes of the area `ledger`. */
export const LEDGER_CODES = {} as const satisfies Record<string, CodeEntry>
