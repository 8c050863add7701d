import type { Json, Sat } from '../../kernel/index.ts'
import type { NewAlert } from '../alerts/index.ts'
import type { NewAuditEntry } from '../audit/index.ts'
import type { NewEvent } from '../events/index.ts'
import { levelOf, levelsBetween, missingOf, type Standing } from './machine.ts'
import type { OrderRecord, OrderStatus, PaymentRecord, TxView } from './ports.ts'

/** What has to be told after a commit: events for programs, alerts for people, entries for the audit trail. */
export interface Announcement {
  readonly events: NewEvent[]
  readonly alerts: NewAlert[]
  readonly audits: NewAuditEntry[]
}
export const silence = (): Announcement => ({ events: [], alerts: [], audits: [] })

const satoshis = (amount: Sat): number => Number(amount)

/** The order as events show it: enough to act on without asking back. */
export function orderSnapshot(order: OrderRecord): Record<string, Json> {
  const { state } = order
  return {
    order: order.id,
    wallet: order.wallet,
    external_id: order.externalId ?? null,
    customer: order.customer ?? null,
    address: order.address,
    amount_sat: order.amount === undefined ? null : satoshis(order.amount),
    price: order.price ? { ...order.price, at: new Date(order.price.at).toISOString() } : null,
    status: state.status,
    failure_reason: state.failureReason ?? null,
    amount_verdict: state.verdict,
    late: state.late,
    received_sat: satoshis(state.received),
    confirmed_sat: satoshis(state.confirmed),
    credited_sat: satoshis(state.credited),
    missing_sat: satoshis(missingOf(order)),
  }
}
function paymentSnapshot({ payment, view }: Standing): Record<string, Json> {
  return {
    payment: payment.id,
    txid: payment.point.txid,
    vout: payment.point.vout,
    amount_sat: satoshis(payment.amount),
    address: payment.address,
    wallet: payment.wallet,
    block: view.state === 'mined' ? { height: view.block.height, hash: view.block.hash } : null,
  }
}

const gone = (view: TxView | undefined): boolean => view === undefined || view.state === 'gone'
export const reversed = (before: PaymentRecord | undefined, after: PaymentRecord): boolean =>
  before?.booked.state === 'credited' && after.booked.state !== 'credited'
export const credited = (before: PaymentRecord | undefined, after: PaymentRecord): boolean =>
  before?.booked.state !== 'credited' && after.booked.state === 'credited'
/** Credited before and after, on another block: the books reversed one credit and made another. */
export const moved = (before: PaymentRecord | undefined, after: PaymentRecord): boolean =>
  before?.booked.state === 'credited' &&
  after.booked.state === 'credited' &&
  before.booked.block.hash !== after.booked.block.hash

/** One payment before and after a commit. */
export interface PaymentChange {
  readonly before: PaymentRecord | undefined
  readonly viewBefore: TxView | undefined
  readonly after: Standing
}

/** How a payment came, went, moved to another block, was credited or reversed. */
export function announcePayment(
  say: Announcement,
  { before, viewBefore, after }: PaymentChange,
  order: OrderRecord | undefined,
  largeDeposit: Sat | undefined,
): void {
  const { payment, view } = after
  if (payment.purpose === 'change') return
  const mine = payment.purpose === 'order' && order ? order : undefined
  const data = { ...(mine ? orderSnapshot(mine) : {}), ...paymentSnapshot(after) }
  const tell = (type: string) =>
    say.events.push({
      type,
      subject: type.startsWith('order.') && mine ? mine.id : payment.id,
      data,
    })
  // A transaction that we knew already can hold a payment that is new to us: its script was watched only later.
  const known = before !== undefined && !gone(viewBefore)
  if (!known && !gone(view)) {
    if (mine) tell('order.payment_seen')
    if (before === undefined) announceArrival(say, after, order, tell, data, largeDeposit)
    else if (mine?.cancelledAt !== undefined && !payment.late)
      announceLate(say, payment, mine, tell, data)
  } else if (known && view.state === 'gone' && mine)
    tell(view.reason === 'evicted' ? 'order.payment_evicted' : 'order.payment_replaced')
  const wasMined = viewBefore?.state === 'mined' ? viewBefore.block.hash : undefined
  if (wasMined !== undefined && !(view.state === 'mined' && view.block.hash === wasMined) && mine)
    tell('order.reorged')
  const entry = (action: string) =>
    say.audits.push({ actor: 'engine', action, subject: payment.id, details: data })
  if (moved(before, payment)) {
    entry('deposit.reverse')
    entry('deposit.credit')
  }
  if (credited(before, payment)) {
    tell('payment.credited')
    entry('deposit.credit')
  }
  if (reversed(before, payment)) {
    tell('payment.reversed')
    entry('deposit.reverse')
    say.alerts.push({
      key: `reversed/${payment.id}/${payment.posted}`,
      kind: 'deposit_reversed',
      severity: 'critical',
      subject: mine?.id ?? payment.id,
      message: `A credited payment of ${payment.amount} sat left the best chain; the credit was reversed`,
      data,
    })
  }
}

function announceLate(
  say: Announcement,
  payment: PaymentRecord,
  order: OrderRecord | undefined,
  tell: (type: string) => void,
  data: Record<string, Json>,
): void {
  tell('order.late_payment')
  say.alerts.push({
    key: `late_payment/${payment.id}`,
    kind: 'late_payment',
    severity: 'warning',
    subject: order?.id ?? payment.id,
    message: `${payment.amount} sat came after the order had ended; credited, the order stays closed`,
    data,
  })
}

/** The first sight of a payment that a person may want to know of. */
function announceArrival(
  say: Announcement,
  { payment }: Standing,
  order: OrderRecord | undefined,
  tell: (type: string) => void,
  data: Record<string, Json>,
  largeDeposit: Sat | undefined,
): void {
  const alert = (
    kind: NewAlert['kind'],
    message: string,
    severity: NewAlert['severity'] = 'warning',
  ) =>
    say.alerts.push({
      key: `${kind}/${payment.id}`,
      kind,
      severity,
      subject: order?.id ?? payment.id,
      message,
      data,
    })
  const amount = `${payment.amount} sat`
  if (payment.late) announceLate(say, payment, order, tell, data)
  if (payment.purpose === 'unassigned') {
    tell('payment.unmatched')
    if (order)
      alert(
        'address_reuse',
        `${amount} came to the address of an order that is complete; booked as unassigned`,
      )
    else
      alert(
        'unmatched_payment',
        `${amount} came to an address that belongs to no order; booked as unassigned`,
      )
  }
  if (largeDeposit !== undefined && payment.amount >= largeDeposit)
    alert(
      'large_deposit',
      `${amount} is at or above the limit for unusually large deposits`,
      'info',
    )
}

const LEVEL_EVENT: Partial<Record<OrderStatus, string>> = {
  confirmed: 'order.confirmed',
  full_confirmed: 'order.full_confirmed',
  finalized: 'order.finalized',
}

/** Levels passed, verdict, failure: the difference between two states of one order. */
export function announceOrder(say: Announcement, before: OrderRecord, after: OrderRecord): void {
  const data = orderSnapshot(after)
  const tell = (type: string) => say.events.push({ type, subject: after.id, data })
  const was = before.state
  const is = after.state
  // Settling by hand passes no level: nothing was confirmed that was not confirmed before.
  const byHand = before.settled === undefined && after.settled !== undefined
  const byHandTo = was.status === 'finalized' ? [] : (['finalized'] as const)
  const levels = byHand ? byHandTo : levelsBetween(was.status, is.status)
  for (const level of levels) {
    const type = LEVEL_EVENT[level]
    if (type) say.events.push({ type, subject: after.id, data: { ...data, status: level } })
  }
  if (is.verdict !== was.verdict && is.verdict === 'underpaid') tell('order.underpaid')
  if (is.verdict !== was.verdict && is.verdict === 'overpaid') tell('order.overpaid')
  // For an order that is paid, the end of its time is no news.
  const unpaid = is.status === 'failed' || after.amount === undefined || missingOf(after) > 0n
  if (before.expiredAt === undefined && after.expiredAt !== undefined && unpaid) {
    tell('order.expired')
    say.audits.push({ actor: 'engine', action: 'order.expired', subject: after.id, details: data })
  }
  if (is.status === 'failed' && was.status !== 'failed') tell('order.failed')
  const wrong = is.verdict === 'underpaid' || is.verdict === 'overpaid'
  const decided = levelOf(is.status) >= levelOf('full_confirmed') || after.expiredAt !== undefined
  if (wrong && decided)
    say.alerts.push({
      key: `discrepancy/${after.id}/${is.verdict}`,
      kind: 'discrepancy',
      severity: 'warning',
      subject: after.id,
      message: `The order is ${is.verdict}: ${is.received} sat came for ${after.amount ?? 0n} sat`,
      data,
    })
}
