import type { Engine, Store } from '@kaccy/bitcoin'
import {
  explainOrder,
  missingOf,
  type OrderRecord,
  type PaymentExplanation,
} from '@kaccy/bitcoin/deposits'
import type { OrderId } from '@kaccy/bitcoin/kernel'
import type {
  Account,
  Books,
  Entry,
  EventView,
  OrderView,
  PaymentView,
  Snapshot,
} from '../view/model.ts'

const ORDERS = 8
const PAGE = 1_000
/** More open alerts than this are not counted for the screen. */
const ALERTS = 1_000

export const orderView = (order: OrderRecord): OrderView => {
  const { state } = order
  return {
    id: order.id,
    ...(order.externalId === undefined ? {} : { externalId: order.externalId }),
    address: order.address,
    ...(order.amount === undefined ? {} : { amount: order.amount }),
    status: state.status,
    ...(state.failureReason === undefined ? {} : { failureReason: state.failureReason }),
    verdict: state.verdict,
    late: state.late,
    received: state.received,
    credited: state.credited,
    missing: missingOf(order),
    thresholds: order.thresholds,
  }
}

const paymentView = ({ standing, depth, creditedAt }: PaymentExplanation): PaymentView => {
  const { payment, view } = standing
  return {
    txid: payment.point.txid,
    vout: payment.point.vout,
    amount: payment.amount,
    place: view.state === 'mined' ? 'block' : view.state,
    ...(view.state === 'gone' ? { reason: view.reason } : {}),
    ...(view.state === 'mined' ? { height: view.block.height } : {}),
    depth,
    creditedAt,
    booked: payment.booked.state,
    late: payment.late,
  }
}

/** What the screen shows now. @param events how many of the newest events */
export async function readSnapshot(
  engine: Engine,
  store: Store,
  focus: OrderId | undefined,
  events: number,
): Promise<Snapshot> {
  const explained =
    focus === undefined ? undefined : await store.read((tx) => explainOrder(tx, focus))
  const alone = focus !== undefined && !explained ? await engine.orders.get(focus) : undefined
  const tip = await engine.tip()
  const head = await store.read((tx) => tx.events.head())
  const newest = await engine.events({ after: Math.max(0, head - events), limit: events })
  const orders = focus === undefined ? await engine.orders.list({ limit: ORDERS }) : []
  const order = explained?.order ?? alone
  const open = await engine.alerts.list({ open: true, limit: ALERTS })
  const byTime = [...(explained?.payments ?? [])].sort(
    (a, b) => a.standing.payment.firstSeenAt - b.standing.payment.firstSeenAt,
  )
  return {
    network: engine.network,
    ...(tip === undefined ? {} : { tip: { height: tip.height, hash: tip.hash } }),
    ...(order === undefined ? {} : { order: orderView(order) }),
    payments: byTime.map(paymentView),
    events: newest,
    openAlerts: open.length,
    orders: orders.map(orderView),
  }
}

/** Every event after a sequence number, a page at a time. */
export async function eventsAfter(engine: Engine, after: number): Promise<readonly EventView[]> {
  const all: EventView[] = []
  for (;;) {
    const page = await engine.events({ after: all.at(-1)?.seq ?? after, limit: PAGE })
    all.push(...page)
    if (page.length < PAGE) return all
  }
}

/** Two differences never cancel each other out. */
const distance = (a: bigint, b: bigint): bigint => (a > b ? a - b : b - a)

/** Accounts and entries, counted again; with `everything` the audit trail too, and each coin held against the node. */
export async function readBooks(
  engine: Engine,
  depth: 'books only' | 'everything',
): Promise<Books> {
  const books = {
    accounts: await allPages((last: Account | undefined) =>
      engine.ledger.accounts('', last?.account, PAGE),
    ),
    entries: await allPages((last: Entry | undefined) =>
      engine.ledger.entries({ limit: PAGE, ...(last ? { after: last.number } : {}) }),
    ),
    verified: (await engine.ledger.verify()).ok,
  }
  if (depth === 'books only')
    return { ...books, auditEntries: 0, auditHead: '', drift: 0n, coins: 0 }
  const audit = await engine.audit.verify()
  let drift = 0n
  let coins = 0
  for (const { id } of await engine.wallets.wallets()) {
    const result = await engine.reconcile(id)
    for (const { ours, node } of result.drifts) drift += distance(ours, node)
    drift += distance(result.booked, result.bookable)
    coins += result.coins
  }
  const auditEntries = audit.ok ? audit.entries : 0
  return { ...books, auditEntries, auditHead: audit.ok ? audit.head.hash : '', drift, coins }
}

async function allPages<T>(page: (last: T | undefined) => Promise<readonly T[]>): Promise<T[]> {
  const all: T[] = []
  for (;;) {
    const next = await page(all.at(-1))
    all.push(...next)
    if (next.length < PAGE) return all
  }
}
