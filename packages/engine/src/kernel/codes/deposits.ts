import type { CodeEntry } from './remedy.ts'

/** Codes of orders and payments. */
export const DEPOSITS_CODES = {
  ORDER_NOT_FOUND: { remedy: 'caller', title: 'No order has this id' },
  ORDER_AMOUNT_DUST: { remedy: 'caller', title: 'The amount is too small to be paid on chain' },
  ORDER_AMOUNT_CONFLICT: { remedy: 'caller', title: 'The order has an amount and a price' },
  ORDER_PRICE_INVALID: { remedy: 'caller', title: 'The price cannot be used' },
  RATE_UNAVAILABLE: { remedy: 'retry', title: 'No rate for the currency can be used now' },
  ORDER_THRESHOLDS_INVALID: { remedy: 'caller', title: 'The confirmation levels cannot be used' },
  ORDER_TOLERANCE_INVALID: { remedy: 'caller', title: 'The tolerance cannot be used' },
  ORDER_EXPIRY_INVALID: { remedy: 'caller', title: 'The time to expiry cannot be used' },
  ORDER_METADATA_INVALID: { remedy: 'caller', title: 'The metadata cannot be kept' },
  ORDER_CUSTOMER_INVALID: { remedy: 'caller', title: 'The customer id cannot be used' },
  ORDER_EXTERNAL_ID_INVALID: { remedy: 'caller', title: 'The external id cannot be used' },
  ORDER_EXTERNAL_ID_REUSED: {
    remedy: 'caller',
    title: 'The external id belongs to an order with other contents',
  },
  ORDER_HAS_PAYMENTS: { remedy: 'caller', title: 'The order has received money' },
  ORDER_ALREADY_CLOSED: { remedy: 'caller', title: 'The order has ended' },
  ORDER_REASON_MISSING: { remedy: 'caller', title: 'A decision by hand needs a reason' },
} as const satisfies Record<string, CodeEntry>
