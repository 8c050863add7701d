import { type Explanation, missingOf, type OrderRecord } from '@kaccy/bitcoin/deposits'
import { formatPaymentUri } from '@kaccy/bitcoin/protocol/uri'
import type { ExplanationJson, OrderJson } from '../schemas/orders.ts'
import { satoshi, satoshiOrNull, time, timeOrNull } from './basics.ts'
import { factJson, paymentJson, standingOf } from './payments.ts'

/** What a wallet opens. Source: BIP 21. */
export const paymentUriOf = (order: OrderRecord): string =>
  formatPaymentUri({
    address: order.address,
    ...(order.amount === undefined ? {} : { amount: order.amount }),
    ...(order.description === undefined ? {} : { message: order.description }),
  })

/**
 * An order as the API shows it.
 * @param publicUrl address of the server that clients know; without it there is no link to the checkout page
 */
export function orderJson(order: OrderRecord, publicUrl?: string): OrderJson {
  const { state, thresholds, tolerance, settled, price } = order
  return {
    id: order.id,
    wallet: order.wallet,
    address: order.address,
    bip21: paymentUriOf(order),
    pay_url: publicUrl === undefined ? null : `${publicUrl.replace(/\/+$/, '')}/pay/${order.id}`,
    external_id: order.externalId ?? null,
    customer: order.customer ?? null,
    amount_sat: satoshiOrNull(order.amount),
    price: price ? { ...price, at: time(price.at) } : null,
    status: state.status,
    failure_reason: state.failureReason ?? null,
    amount_verdict: state.verdict,
    late: state.late,
    received_sat: satoshi(state.received),
    confirmed_sat: satoshi(state.confirmed),
    credited_sat: satoshi(state.credited),
    missing_sat: satoshi(missingOf(order)),
    confirmations: {
      confirmed: thresholds.confirmed,
      full_confirmed: thresholds.fullConfirmed,
      finalized: thresholds.finalized,
    },
    tolerance:
      tolerance.kind === 'absolute' ? { sat: satoshi(tolerance.sat) } : { ppm: tolerance.ppm },
    description: order.description ?? null,
    metadata: { ...order.metadata },
    created_at: time(order.createdAt),
    expires_at: timeOrNull(order.expiresAt),
    expired_at: timeOrNull(order.expiredAt),
    cancelled_at: timeOrNull(order.cancelledAt),
    settled: settled ? { at: time(settled.at), by: settled.by, reason: settled.reason } : null,
  }
}

/** Why an order is what it is, as the API shows it. */
export const explanationJson = (
  { order, tip, because, next, payments }: Explanation,
  publicUrl?: string,
): ExplanationJson => ({
  order: orderJson(order, publicUrl),
  tip: { height: tip.height, hash: tip.hash },
  because: [...because],
  next: [...next],
  payments: payments.map(({ standing, depth, counts, creditedAt, facts }) => ({
    payment: paymentJson(standingOf(standing.payment, standing.view, depth)),
    counts,
    credited_at: creditedAt,
    facts: facts.map(factJson),
  })),
})
