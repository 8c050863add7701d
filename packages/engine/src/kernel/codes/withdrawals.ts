import type { CodeEntry } from './remedy.ts'

/** Codes of payouts and of the coins that they spend. */
export const WITHDRAWAL_CODES = {
  WITHDRAWAL_NOT_FOUND: { remedy: 'caller', title: 'No withdrawal has this id' },
  WITHDRAWAL_CONFLICT: {
    remedy: 'caller',
    title: 'The external id belongs to a withdrawal with other contents',
  },
  WITHDRAWAL_AMOUNT_DUST: {
    remedy: 'caller',
    title: 'The amount is too small to be paid on chain',
  },
  WITHDRAWAL_ADDRESS_OWN: { remedy: 'caller', title: 'The address belongs to the paying wallet' },
  WITHDRAWAL_FEE_LIMIT: { remedy: 'caller', title: 'The ceiling of the fee cannot be used' },
  WITHDRAWAL_STATE: { remedy: 'caller', title: 'The withdrawal is past the point for this' },
  WITHDRAWAL_REASON_MISSING: { remedy: 'caller', title: 'A decision needs a reason' },
  BALANCE_INSUFFICIENT: { remedy: 'caller', title: "The customer's account has too little" },
  COIN_UNKNOWN: { remedy: 'caller', title: 'The wallet has no such unspent coin' },
  COIN_REASON_INVALID: { remedy: 'caller', title: 'A coin is frozen for a reason' },
  COINS_TOO_MANY: { remedy: 'caller', title: 'Too many coins for one request' },
  PAYOUTS_NOT_CONFIGURED: {
    remedy: 'human',
    title: 'This process was not given what paying out needs',
  },
} as const satisfies Record<string, CodeEntry>
