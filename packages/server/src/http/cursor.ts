import type { PaymentCursor, TransactionCursor } from '@kaccy/bitcoin/deposits'
import { type PaymentId, txid } from '@kaccy/bitcoin/kernel'

/*
 * Cursors of lists that are ordered by time and id: `<milliseconds>.<id>`. Their form has been checked by the schema of the
 * query before they come here.
 */

export const writePaymentCursor = ({ firstSeenAt, id }: PaymentCursor): string =>
  `${firstSeenAt}.${id}`

export function readPaymentCursor(text: string): PaymentCursor {
  const dot = text.indexOf('.')
  return { firstSeenAt: Number(text.slice(0, dot)), id: text.slice(dot + 1) as PaymentId }
}

export function readTransactionCursor(text: string): TransactionCursor {
  const dot = text.indexOf('.')
  return { firstSeenAt: Number(text.slice(0, dot)), txid: txid(text.slice(dot + 1)) }
}
