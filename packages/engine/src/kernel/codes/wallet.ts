import type { CodeEntry } from './remedy.ts'

/** Codes of the area `wallet`. */
export const WALLET_CODES = {} as const satisfies Record<string, CodeEntry>
