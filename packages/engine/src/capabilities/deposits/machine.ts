import { type BlockRef, type Sat, sat, sumSat, ZERO } from '../../kernel/index.ts'
import { COINBASE_MATURITY, leastOf, verdictOf } from './policy.ts'
import type {
  OrderRecord,
  OrderState,
  OrderStatus,
  PaymentRecord,
  Thresholds,
  TxView,
} from './ports.ts'

/** A payment together with where the best chain has it, and where it has the transaction that spends it. */
export interface Standing {
  readonly payment: PaymentRecord
  readonly view: TxView
  readonly spenderView?: TxView
}

/** Confirmations under a tip: 0 in the mempool, -1 when the view does not have it. Computed, never stored. */
export function depthOf(view: TxView, tip: BlockRef): number {
  if (view.state === 'gone') return -1
  return view.state === 'mempool' ? 0 : tip.height - view.block.height + 1
}

/** The depth from which the ledger credits a payment. */
export const creditDepth = (thresholds: Thresholds, coinbase: boolean): number =>
  coinbase ? Math.max(thresholds.fullConfirmed, COINBASE_MATURITY) : thresholds.fullConfirmed

/** What the ledger should have booked for a payment under this tip: the whole rule of crediting (I3). */
export function bookingOf(
  { payment, view }: Standing,
  thresholds: Thresholds,
  tip: BlockRef,
): PaymentRecord['booked'] {
  if (view.state === 'gone') return { state: 'none' }
  const deep = depthOf(view, tip) >= creditDepth(thresholds, payment.coinbase)
  if (view.state === 'mined' && deep) return { state: 'credited', block: view.block }
  return payment.purpose === 'change' ? { state: 'none' } : { state: 'pending' }
}

/** Whether the spending of a credited payment is deep enough to leave the books. */
export const spendingIsDeep = (
  { spenderView }: Standing,
  thresholds: Thresholds,
  tip: BlockRef,
): boolean => spenderView !== undefined && depthOf(spenderView, tip) >= thresholds.fullConfirmed

/** The next tip height at which depth alone changes something: a level, the credit, the booking of a spend. */
export function dueHeightOf(
  standing: Standing,
  thresholds: Thresholds,
  tip: BlockRef,
): number | undefined {
  const { payment, view, spenderView } = standing
  const heights: number[] = []
  if (view.state === 'mined') {
    const levels = [thresholds.confirmed, thresholds.fullConfirmed, thresholds.finalized]
    for (const level of [...levels, creditDepth(thresholds, payment.coinbase)])
      heights.push(view.block.height + level - 1)
  }
  if (spenderView?.state === 'mined')
    heights.push(spenderView.block.height + thresholds.fullConfirmed - 1)
  const ahead = heights.filter((height) => height > tip.height)
  return ahead.length === 0 ? undefined : Math.min(...ahead)
}

const LEVELS: readonly OrderStatus[] = [
  'pending',
  'unconfirmed',
  'confirmed',
  'full_confirmed',
  'finalized',
]
/** How far a status is on the way from `pending` to `finalized`; -1 for `failed`. */
export const levelOf = (status: OrderStatus): number => LEVELS.indexOf(status)
/** The statuses passed on the way up from one to another, each once and in order, also when blocks were missed. */
export const levelsBetween = (from: OrderStatus, to: OrderStatus): readonly OrderStatus[] =>
  LEVELS.slice(Math.max(levelOf(from), 0) + 1, levelOf(to) + 1)

function statusAt(depth: number, thresholds: Thresholds): OrderStatus {
  if (depth >= thresholds.finalized) return 'finalized'
  if (depth >= thresholds.fullConfirmed) return 'full_confirmed'
  return depth >= thresholds.confirmed ? 'confirmed' : 'unconfirmed'
}

/** The depth a payment counts with for its order: an immature coinbase output has not been credited, so it is not deep. */
function levelDepthOf({ payment, view }: Standing, thresholds: Thresholds, tip: BlockRef): number {
  const depth = depthOf(view, tip)
  const immature = payment.coinbase && depth < COINBASE_MATURITY
  return immature ? Math.min(depth, thresholds.fullConfirmed - 1) : depth
}

/** Least depth of the deepest payments that together cover the order; when nothing covers it, of all that came in time. */
function depthOfOrder(order: OrderRecord, counted: readonly Standing[], tip: BlockRef): number {
  const inTime = counted
    .filter((standing) => !standing.payment.late)
    .map((s) => levelDepthOf(s, order.thresholds, tip))
  // Folded, not spread: an open address may have more payments than a call has room for arguments.
  const shallowest = inTime.reduce(
    (least, depth) => Math.min(least, depth),
    Number.POSITIVE_INFINITY,
  )
  if (order.amount === undefined) return shallowest
  const least = leastOf(order.amount, order.tolerance)
  const deepestFirst = counted
    .map((standing) => ({
      depth: levelDepthOf(standing, order.thresholds, tip),
      amount: standing.payment.amount,
    }))
    .sort((a, b) => b.depth - a.depth)
  let covered = 0n
  for (const { depth, amount } of deepestFirst) {
    covered += amount
    if (covered >= least) return depth
  }
  return shallowest
}

function statusOf(
  order: OrderRecord,
  counted: readonly Standing[],
  tip: BlockRef,
): Pick<OrderState, 'status' | 'failureReason'> {
  if (order.settled) return { status: 'finalized' }
  if (order.cancelledAt !== undefined) return { status: 'failed', failureReason: 'cancelled' }
  // Late money never reopens an order at its old price; it is credited and a person is told.
  if (counted.every((standing) => standing.payment.late))
    return order.expiredAt === undefined
      ? { status: 'pending' }
      : { status: 'failed', failureReason: 'expired' }
  return { status: statusAt(depthOfOrder(order, counted, tip), order.thresholds) }
}

/** Payments that count for the order now: its own, and in the mempool or the best chain. */
export const countedOf = (standings: readonly Standing[]): readonly Standing[] =>
  standings.filter(({ payment, view }) => payment.purpose === 'order' && view.state !== 'gone')

/** What the facts say of an order. Total and pure: no earlier state goes in, so no order of events can spoil it. */
export function deriveOrder(
  order: OrderRecord,
  standings: readonly Standing[],
  tip: BlockRef,
): OrderState {
  const counted = countedOf(standings)
  const sumAt = (depth: number): Sat =>
    sumSat(counted.filter((s) => depthOf(s.view, tip) >= depth).map((s) => s.payment.amount))
  const received = sumAt(0)
  const credited = sumSat(
    standings
      .filter(({ payment }) => payment.purpose === 'order' && payment.booked.state === 'credited')
      .map(({ payment }) => payment.amount),
  )
  return {
    ...statusOf(order, counted, tip),
    verdict: verdictOf(order.amount, order.tolerance, received),
    late: counted.some(({ payment }) => payment.late),
    received,
    confirmed: sumAt(order.thresholds.confirmed),
    credited,
  }
}

/** What still has to come; zero when covered or when the order has no amount. */
export const missingOf = (order: OrderRecord): Sat =>
  order.amount === undefined || order.state.received >= leastOf(order.amount, order.tolerance)
    ? ZERO
    : sat(order.amount - order.state.received)

export const FRESH: OrderState = {
  status: 'pending',
  verdict: 'none',
  late: false,
  received: ZERO,
  confirmed: ZERO,
  credited: ZERO,
}
/** No later payment is taken for it: it reached its last level, or an operator closed it. Open addresses never close. */
export const isClosed = (order: OrderRecord): boolean =>
  order.settled !== undefined || (order.amount !== undefined && order.state.status === 'finalized')
