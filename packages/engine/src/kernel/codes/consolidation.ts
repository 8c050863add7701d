import type { CodeEntry } from './remedy.ts'

/** Codes of putting coins together. */
export const CONSOLIDATION_CODES = {
  CONSOLIDATION_NOT_FOUND: { remedy: 'caller', title: 'No consolidation has this id' },
  CONSOLIDATION_NOT_NEEDED: { remedy: 'caller', title: 'Too few coins may be put together' },
  CONSOLIDATION_WITHDRAWALS_WAIT: { remedy: 'caller', title: 'Requests to pay come first' },
  CONSOLIDATION_UNDER_WAY: { remedy: 'caller', title: 'The wallet is being consolidated already' },
  CONSOLIDATION_RATE_TOO_HIGH: {
    remedy: 'caller',
    title: 'Fees are too high for putting coins together',
  },
  CONSOLIDATION_DISTURBED: { remedy: 'retry', title: 'Coins moved while a run was planned' },
  CONSOLIDATION_STATE: { remedy: 'caller', title: 'The consolidation is past the point for this' },
} as const satisfies Record<string, CodeEntry>
