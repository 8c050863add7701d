import type { Metrics } from '../../kernel/index.ts'
import { credited, moved, type PaymentChange, reversed } from './announce.ts'
import { levelsBetween, type Standing } from './machine.ts'
import type { OrderRecord } from './ports.ts'

/** Payments by what became of them. Change is no income: it is not counted. */
export function countPayment(metrics: Metrics, { before, after }: PaymentChange): void {
  const { payment, view } = after
  if (payment.purpose === 'change') return
  const volume = (kind: 'seen' | 'credited' | 'reversed') =>
    metrics.count('kaccy_payment_volume_sat_total', Number(payment.amount), { kind })
  if (before === undefined && view.state !== 'gone') {
    metrics.count('kaccy_payments_seen_total')
    volume('seen')
  }
  if (reversed(before, payment) || moved(before, payment)) volume('reversed')
  if (credited(before, payment) || moved(before, payment)) {
    metrics.count('kaccy_payments_credited_total')
    volume('credited')
  }
}

/** How long the customer of an order waited for each level that it passes now. A decision by hand passes none. */
export function countOrder(
  metrics: Metrics,
  before: OrderRecord,
  after: OrderRecord,
  standings: readonly Standing[],
  at: number,
): void {
  if (after.settled) return
  const passed = levelsBetween(before.state.status, after.state.status)
  const levels = passed.filter((level) => level !== 'unconfirmed')
  if (levels.length === 0) return
  const seen = standings
    .filter(({ payment, view }) => payment.purpose === 'order' && view.state !== 'gone')
    .map(({ payment }) => payment.firstSeenAt)
  const first = seen.reduce((least, time) => Math.min(least, time), at)
  for (const level of levels)
    metrics.observe('kaccy_order_confirmation_seconds', (at - first) / 1000, { level })
}
