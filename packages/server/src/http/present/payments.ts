import {
  type PaymentRecord,
  type PaymentStatus,
  type PaymentView,
  paymentStatusOf,
  type StoredFact,
  type TxView,
} from '@kaccy/bitcoin/deposits'
import type { FactJson, PaymentJson } from '../schemas/payments.ts'
import { satoshi, time } from './basics.ts'

/** A payment under one view of the chain. */
export interface StandingPayment {
  readonly payment: PaymentRecord
  readonly view: TxView
  readonly status: PaymentStatus
  readonly confirmations: number
}

/** The payment as the view of its transaction and the tip have it. @param depth of its transaction, -1 when it is gone */
export const standingOf = (
  payment: PaymentRecord,
  view: TxView,
  depth: number,
): StandingPayment => ({
  payment,
  view,
  status: paymentStatusOf(payment, view),
  confirmations: Math.max(0, depth),
})
export const standingOfView = ({
  payment,
  transaction,
  status,
  confirmations,
}: PaymentView): StandingPayment => ({ payment, view: transaction.view, status, confirmations })

/** A payment as the API shows it. */
export const paymentJson = ({
  payment,
  view,
  status,
  confirmations,
}: StandingPayment): PaymentJson => ({
  id: payment.id,
  wallet: payment.wallet,
  order: payment.order ?? null,
  purpose: payment.purpose,
  txid: payment.point.txid,
  vout: payment.point.vout,
  address: payment.address,
  amount_sat: satoshi(payment.amount),
  status,
  confirmations,
  block: view.state === 'mined' ? { height: view.block.height, hash: view.block.hash } : null,
  gone: view.state === 'gone' ? { reason: view.reason, by: view.by ?? null } : null,
  booked: payment.booked.state,
  late: payment.late,
  coinbase: payment.coinbase,
  spent_by: payment.spender ?? null,
  first_seen_at: time(payment.firstSeenAt),
})

export const factJson = ({ kind, at, txid, block, by }: StoredFact): FactJson => ({
  kind,
  at: time(at),
  txid,
  block: block ? { height: block.height, hash: block.hash } : null,
  by: by ?? null,
})
