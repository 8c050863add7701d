import type { CodeEntry } from './remedy.ts'

/** Codes of the area `coins`: what a choice of coins can answer instead of a choice. */
export const COINS_CODES = {
  FUNDS_INSUFFICIENT: { remedy: 'caller', title: 'The coins do not reach payments and fee' },
  FEE_CEILING_EXCEEDED: { remedy: 'caller', title: 'The fee would be above a ceiling' },
  FEE_BELOW_MINIMUM: { remedy: 'caller', title: 'Nodes would not relay at this fee rate' },
  TRANSACTION_TOO_HEAVY: { remedy: 'caller', title: 'The transaction would be too heavy' },
  AMOUNT_IS_DUST: { remedy: 'caller', title: 'Nodes do not relay an output this small' },
} as const satisfies Record<string, CodeEntry>
