import type { CodeEntry } from './remedy.ts'

/** Codes of the area `chain`. */
export const CHAIN_CODES = {
  CHAIN_TRANSACTION_INVALID: { remedy: 'caller', title: 'The bytes are no valid transaction' },
  CHAIN_BLOCK_INVALID: { remedy: 'human', title: 'The bytes are no valid block' },
} as const satisfies Record<string, CodeEntry>
