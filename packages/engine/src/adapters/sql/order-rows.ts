import type { OrderPrice, OrderRecord, Tolerance } from '../../capabilities/deposits/index.ts'
import { type OrderId, sat, type WalletId } from '../../kernel/index.ts'
import { flag, int, maybeInt, num, ownBytes, present } from './doors.ts'
import type { OrderRow } from './schema.ts'

/** When an order waits for its time to pass; null once that has happened or no longer matters. */
const dueAt = (order: OrderRecord): bigint | null =>
  order.expiredAt === undefined && order.cancelledAt === undefined && order.settled === undefined
    ? maybeInt(order.expiresAt)
    : null

export const orderRow = (order: OrderRecord): OrderRow => ({
  id: order.id,
  wallet: order.wallet,
  branch: int(order.branch),
  idx: int(order.index),
  address: order.address,
  script: order.script,
  external_id: order.externalId ?? null,
  customer: order.customer ?? null,
  amount: order.amount ?? null,
  price_currency: order.price?.currency ?? null,
  price_amount: order.price?.amount ?? null,
  price_rate: order.price?.rate ?? null,
  price_source: order.price?.source ?? null,
  price_at: maybeInt(order.price?.at),
  tolerance_kind: order.tolerance.kind,
  tolerance: order.tolerance.kind === 'absolute' ? order.tolerance.sat : int(order.tolerance.ppm),
  confirmed_depth: int(order.thresholds.confirmed),
  full_confirmed_depth: int(order.thresholds.fullConfirmed),
  finalized_depth: int(order.thresholds.finalized),
  description: order.description ?? null,
  metadata: JSON.stringify(order.metadata),
  created_at: int(order.createdAt),
  expires_at: maybeInt(order.expiresAt),
  expired_at: maybeInt(order.expiredAt),
  cancelled_at: maybeInt(order.cancelledAt),
  settled_at: maybeInt(order.settled?.at),
  settled_by: order.settled?.by ?? null,
  settled_reason: order.settled?.reason ?? null,
  reached_at: JSON.stringify(order.reachedAt),
  due_at: dueAt(order),
  status: order.state.status,
  failure_reason: order.state.failureReason ?? null,
  verdict: order.state.verdict,
  late: flag(order.state.late),
  received: order.state.received,
  confirmed: order.state.confirmed,
  credited: order.state.credited,
})

const time = (value: bigint | null): number | null => (value === null ? null : num(value))
const toleranceOf = (row: OrderRow): Tolerance =>
  row.tolerance_kind === 'absolute'
    ? { kind: 'absolute', sat: sat(row.tolerance) }
    : { kind: 'relative', ppm: num(row.tolerance) }
function priceOf(row: OrderRow): OrderPrice | null {
  const { price_currency: currency, price_amount: amount, price_rate: rate, price_at: at } = row
  if (currency === null || amount === null || rate === null || at === null) return null
  return { currency, amount, rate, source: row.price_source ?? '', at: num(at) }
}
const settledOf = ({ settled_at: at, settled_by: by, settled_reason: reason }: OrderRow) =>
  at === null ? null : { at: num(at), by: by ?? '', reason: reason ?? '' }
const stateOf = (row: OrderRow): OrderRecord['state'] => ({
  status: row.status as OrderRecord['state']['status'],
  ...present('failureReason', row.failure_reason as 'expired' | 'cancelled' | null),
  verdict: row.verdict as OrderRecord['state']['verdict'],
  late: row.late !== 0n,
  received: sat(row.received),
  confirmed: sat(row.confirmed),
  credited: sat(row.credited),
})

export const orderRecord = (row: OrderRow): OrderRecord => ({
  id: row.id as OrderId,
  wallet: row.wallet as WalletId,
  branch: num(row.branch),
  index: num(row.idx),
  address: row.address,
  script: ownBytes(row.script),
  ...present('externalId', row.external_id),
  ...present('customer', row.customer),
  ...present('amount', row.amount === null ? null : sat(row.amount)),
  ...present('price', priceOf(row)),
  tolerance: toleranceOf(row),
  thresholds: {
    confirmed: num(row.confirmed_depth),
    fullConfirmed: num(row.full_confirmed_depth),
    finalized: num(row.finalized_depth),
  },
  ...present('description', row.description),
  metadata: JSON.parse(row.metadata),
  createdAt: num(row.created_at),
  ...present('expiresAt', time(row.expires_at)),
  ...present('expiredAt', time(row.expired_at)),
  ...present('cancelledAt', time(row.cancelled_at)),
  ...present('settled', settledOf(row)),
  reachedAt: JSON.parse(row.reached_at),
  state: stateOf(row),
})
