import type { CodeEntry } from './remedy.ts'

/** Codes of spends: planning, committing, replacing and sending transactions. */
export const SPENDING_CODES = {
  COINS_TAKEN: { remedy: 'retry', title: 'A chosen coin is no longer free' },
  SPEND_NOT_FOUND: { remedy: 'caller', title: 'No spend has this id' },
  SPEND_NOT_OPEN: { remedy: 'caller', title: 'The spend is mined, settled, dropped or lost' },
  SPEND_NOT_REPLACEABLE: { remedy: 'caller', title: 'The spend cannot be replaced now' },
  SPEND_HAS_CHILDREN: {
    remedy: 'caller',
    title: 'Another payout spends the change of the transaction',
  },
  SPEND_HAS_NO_CHANGE: {
    remedy: 'caller',
    title: 'The transaction has no change that a child could spend',
  },
  BUMP_NOT_NEEDED: { remedy: 'caller', title: 'The transaction pays that rate already' },
  FEE_SOURCE_MISSING: { remedy: 'retry', title: 'No source knows what a transaction has to pay' },
  PREVIOUS_MISSING: {
    remedy: 'retry',
    title: 'The transaction that made a coin cannot be read from the node',
  },
} as const satisfies Record<string, CodeEntry>
