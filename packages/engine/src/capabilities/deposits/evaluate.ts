import {
  assert,
  type BlockRef,
  type Metrics,
  type OrderId,
  paymentId,
  type Sat,
} from '../../kernel/index.ts'
import { raiseAlerts } from '../alerts/index.ts'
import { appendAudit } from '../audit/index.ts'
import { loweredBy, overdrawn, type Posting } from '../ledger/index.ts'
import {
  type Announcement,
  announceOrder,
  announcePayment,
  type PaymentChange,
  silence,
} from './announce.ts'
import { book } from './books.ts'
import { countOrder, countPayment } from './counts.ts'
import { deriveOrder, dueHeightOf, levelsBetween, type Standing } from './machine.ts'
import type { OrderRecord, PaymentRecord, Thresholds } from './ports.ts'
import type { DepositsTx } from './transaction.ts'
import type { Unit } from './unit.ts'

/** What evaluating needs besides the facts. */
export interface Evaluator {
  readonly tx: DepositsTx
  readonly unit: Unit
  /** For payments without an order. */
  readonly thresholds: Thresholds
  readonly largeDeposit: Sat | undefined
  /** Of this transaction: what is counted reaches nobody unless it is committed. */
  readonly metrics: Metrics
  /** Tells a platform that keeps its own orders, in this commit. */
  readonly changed: (
    tx: DepositsTx,
    order: OrderRecord,
    payments: readonly Standing[],
  ) => Promise<void>
}

/** Everything the touched facts can have an influence on is in the unit afterwards; returns the orders among it. */
async function gather({ tx, unit }: Evaluator, tip: BlockRef, orders: ReadonlySet<OrderId>) {
  unit.meetPayments(await tx.deposits.duePayments(tip.height))
  const stored = unit.touchedBefore()
  if (stored.length > 0) unit.meetPayments(await tx.deposits.paymentsOfTransactions(stored))
  const inputs = [...unit.touched()].flatMap((txid) => unit.transaction(txid)?.inputs ?? [])
  await unit.loadPayments(inputs.map(paymentId))
  const ids = new Set(orders)
  for (const payment of unit.payments()) if (payment.order !== undefined) ids.add(payment.order)
  const locked = await unit.lockOrders(ids)
  if (locked.length > 0)
    unit.meetPayments(await tx.deposits.paymentsOfOrders(locked.map((order) => order.id)))
  const payments = unit.payments()
  await unit.loadTransactions(payments.map((payment) => payment.point.txid))
  await unit.loadTransactions(payments.flatMap((p) => (p.spender === undefined ? [] : [p.spender])))
  return locked
}

/** Books one payment and leaves it, as booked, in the unit. */
function settle(
  { unit, thresholds }: Evaluator,
  payment: PaymentRecord,
  order: OrderRecord | undefined,
  tip: BlockRef,
  postings: Posting[],
): PaymentChange {
  const levels = order?.thresholds ?? thresholds
  const standing = unit.standing(payment)
  const booking = book(standing, order, levels, tip)
  const { dueHeight: _, ...booked } = booking.payment
  const due = dueHeightOf(standing, levels, tip)
  const next: PaymentRecord = { ...booked, ...(due === undefined ? {} : { dueHeight: due }) }
  postings.push(...booking.postings)
  const change = {
    before: unit.paymentBefore(payment.id),
    viewBefore: unit.viewBefore(payment.point.txid),
    after: { ...standing, payment: next },
  }
  if (booking.postings.length > 0 || due !== payment.dueHeight || unit.isNew(payment.id))
    unit.putPayment(next)
  return change
}

/** The order as its payments make it. The same object when nothing about it changed. */
function advance(
  order: OrderRecord,
  standings: readonly Standing[],
  tip: BlockRef,
  at: number,
): OrderRecord {
  const state = deriveOrder(order, standings, tip)
  const same =
    state.status === order.state.status &&
    state.failureReason === order.state.failureReason &&
    state.verdict === order.state.verdict &&
    state.late === order.state.late &&
    state.received === order.state.received &&
    state.confirmed === order.state.confirmed &&
    state.credited === order.state.credited
  if (same) return order
  const passed = [state.status, ...levelsBetween(order.state.status, state.status)]
  const reached = state.status === order.state.status ? [] : passed
  return {
    ...order,
    state,
    reachedAt: { ...order.reachedAt, ...Object.fromEntries(reached.map((level) => [level, at])) },
  }
}

/** Two records of one order, before this commit and with the facts of this commit (expired, cancelled, settled). */
export interface OrderEdit {
  readonly before: OrderRecord
  readonly after: OrderRecord
}

/**
 * Derives what the facts in the unit mean under `tip`, and commits the difference: bookings, order states, events,
 * alerts, audit entries. Nothing here depends on how often or in what steps the facts arrived.
 */
export async function evaluate(
  evaluator: Evaluator,
  tip: BlockRef,
  edits: readonly OrderEdit[] = [],
): Promise<void> {
  const { tx, unit } = evaluator
  const edited = new Map(edits.map((edit) => [edit.after.id, edit]))
  const locked = await gather(evaluator, tip, new Set(edited.keys()))
  const postings: Posting[] = []
  const say = silence()
  const saved: OrderRecord[] = []
  // In one order whatever way the facts came in: events and entries of two runs are then the same.
  const payments = unit.payments().toSorted((a, b) => (a.id < b.id ? -1 : 1))
  const byOrder = Map.groupBy(payments, (payment) => payment.order)
  for (const payment of byOrder.get(undefined) ?? []) {
    const change = settle(evaluator, payment, undefined, tip, postings)
    announcePayment(say, change, undefined, evaluator.largeDeposit)
    countPayment(evaluator.metrics, change)
  }
  for (const stored of locked) {
    const before = edited.get(stored.id)?.before ?? stored
    const given = edited.get(stored.id)?.after ?? stored
    const changes = (byOrder.get(stored.id) ?? []).map((payment) =>
      settle(evaluator, payment, given, tip, postings),
    )
    const standings = changes.map((change) => change.after)
    const after = advance(given, standings, tip, unit.at)
    for (const change of changes) {
      announcePayment(say, change, after, evaluator.largeDeposit)
      countPayment(evaluator.metrics, change)
    }
    announceOrder(say, before, after)
    countOrder(evaluator.metrics, before, after, standings, unit.at)
    if (after === before) continue
    saved.push(after)
    await evaluator.changed(tx, after, standings)
  }
  if (saved.length > 0) await tx.deposits.saveOrders(saved)
  await commitBooks(evaluator, postings, say)
  await unit.flush()
}

async function commitBooks(
  { tx, unit }: Evaluator,
  postings: readonly Posting[],
  say: Announcement,
): Promise<void> {
  if (postings.length > 0) {
    await tx.ledger.post(unit.at, postings)
    await judgeBooks(tx, postings, say)
  }
  if (say.audits.length > 0) await appendAudit(tx, unit.at, say.audits)
  if (say.alerts.length > 0) await raiseAlerts(tx, unit.at, say.alerts)
  if (say.events.length > 0) await tx.events.append(unit.at, say.events)
}

/**
 * Holds the accounts against zero (I7). What a customer has withdrawn cannot be taken back when a reorganisation takes the
 * deposit that it came from: that is a fact of the chain, and people are told; nothing else could be followed if it undid the
 * transaction.
 */
async function judgeBooks(
  tx: DepositsTx,
  postings: readonly Posting[],
  say: Announcement,
): Promise<void> {
  for (const { account, by } of await overdrawn(tx, loweredBy(postings))) {
    const cause = postings.find(({ kind, debit }) => kind === 'reversal' && debit === account)
    assert(cause, `I7: account ${account} would be ${by} sat below zero`)
    say.alerts.push({
      key: `account_overdrawn/${account}/${cause.key}`,
      kind: 'account_overdrawn',
      severity: 'critical',
      subject: account,
      message: `A deposit left the best chain after its money was paid out: account ${account} lacks ${by} sat`,
      data: { account, missing_sat: Number(by), wallet: cause.wallet },
    })
  }
}
