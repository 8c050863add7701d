import { sql } from 'kysely'
import type {
  DepositRows,
  NewestPaymentsFilter,
  PaymentRecord,
} from '../../capabilities/deposits/index.ts'
import { fromHex, type OrderId, type WalletId } from '../../kernel/index.ts'
import { type Doors, int } from './doors.ts'
import { walletsOf } from './order-list.ts'
import { paymentRecord, pointOfPayment } from './payment-rows.ts'
import type { PaymentRow } from './schema.ts'
import { transactionRecord } from './transaction-rows.ts'

/** Word for word the condition of the index `payments_coins`. */
const UNSPENT = sql<boolean>`spender is null`
/** Word for word the condition of the index `payments_leaving`. */
const LEAVING = sql<boolean>`spender is not null and spend_booked = 0`

/** Word for word the condition of the index `transactions_mempool`. */
const IN_MEMPOOL = sql<boolean>`state = 'mempool'`

type Purpose = PaymentRecord['purpose']
type Booked = PaymentRecord['booked']['state']
/** One run of an index: rows of one purpose in one state of the books stand there in the order of the list. */
interface Run {
  readonly purpose: Purpose
  readonly booked: Booked
  /** States of transactions that count; undefined: the books say it already. */
  readonly views?: readonly ('mempool' | 'mined' | 'gone')[]
}

const PURPOSES: readonly Purpose[] = ['order', 'unassigned', 'change']
const BOOKED: readonly Booked[] = ['none', 'pending', 'credited']

/** Of payments that are neither credited nor gone. */
const YOUNG = ['mempool', 'mined'] as const

/**
 * The runs in which payments of these statuses stand. Income that is neither credited nor gone is booked as pending: that run
 * is as short as the present is. Change of ours is not booked then, and would stand among all change that ever vanished:
 * see `youngChange`.
 */
function runsOf({ purposes = PURPOSES, statuses }: NewestPaymentsFilter): readonly Run[] {
  const asked = [...new Set(purposes)]
  if (statuses === undefined)
    return asked.flatMap((purpose) => BOOKED.map((booked) => ({ purpose, booked })))
  const young = YOUNG.filter((status) => statuses.includes(status))
  return asked.flatMap((purpose): readonly Run[] => [
    ...(statuses.includes('credited') ? [{ purpose, booked: 'credited' } as const] : []),
    ...(statuses.includes('gone') ? [{ purpose, booked: 'none', views: ['gone'] } as const] : []),
    ...(young.length > 0 ? [{ purpose, booked: 'pending', views: young } as const] : []),
  ])
}
/** The same of change that is neither credited nor gone, one state at a time. */
const youngChangeOf = ({ purposes = PURPOSES, statuses }: NewestPaymentsFilter) =>
  statuses === undefined || !purposes.includes('change')
    ? []
    : YOUNG.filter((status) => statuses.includes(status))

export const paymentListDoors = (doors: Doors) =>
  ({
    newestPayments: (filter) => newestPayments(doors, filter),
    leavingPayments: (wallet) => leavingPayments(doors, wallet),
    walletTransactions: (filter) => walletTransactions(doors, filter),
  }) satisfies Partial<DepositRows>

async function newestPayments(
  doors: Doors,
  filter: NewestPaymentsFilter,
): Promise<readonly PaymentRecord[]> {
  if (filter.limit <= 0) return []
  const rows: PaymentRow[] = []
  if (filter.order !== undefined) rows.push(...(await ofOrder(doors, filter, filter.order)))
  else
    for (const wallet of walletsOf(filter)) {
      const queries = [
        ...runsOf(filter).map((run) => runQuery(doors, filter, run, wallet)),
        ...youngChangeOf(filter).map((state) => youngChange(doors, filter, state, wallet)),
      ]
      const [first, ...others] = queries
      if (!first) continue
      // One statement for all runs of a wallet, each no longer than the page.
      const all = others.reduce(
        (query, next) => query.unionAll(doors.db.selectFrom(next.as('run')).selectAll()),
        doors.db.selectFrom(first.as('run')).selectAll(),
      )
      rows.push(...(await all.execute()))
    }
  return rows
    .map(paymentRecord)
    .sort((a, b) => b.firstSeenAt - a.firstSeenAt || byPointDown(a, b))
    .slice(0, filter.limit)
}
const byPointDown = ({ point: a }: PaymentRecord, { point: b }: PaymentRecord): number =>
  a.txid === b.txid ? b.vout - a.vout : a.txid < b.txid ? 1 : -1

/** What every list of payments has: its time, its cursor, its order and its page. */
function page(
  { db }: Doors,
  { unspent, seenFrom, seenUntil, before, limit }: NewestPaymentsFilter,
) {
  let query = db.selectFrom('payments').selectAll('payments')
  if (unspent === true) query = query.where(UNSPENT)
  if (seenFrom !== undefined) query = query.where('first_seen_at', '>=', int(seenFrom))
  if (seenUntil !== undefined) query = query.where('first_seen_at', '<', int(seenUntil))
  if (before !== undefined) {
    const [hash, vout] = pointOfPayment(before.id)
    query = query.where(({ eb, refTuple, tuple }) =>
      eb(
        refTuple('first_seen_at', 'txid', 'vout'),
        '<',
        tuple(int(before.firstSeenAt), hash, vout),
      ),
    )
  }
  return query
    .orderBy('first_seen_at', 'desc')
    .orderBy('txid', 'desc')
    .orderBy('vout', 'desc')
    .limit(limit)
}
const STATE = sql<string>`(select state from transactions t where t.txid = payments.txid)`

function runQuery(
  doors: Doors,
  filter: NewestPaymentsFilter,
  { purpose, booked, views }: Run,
  wallet: string | undefined,
) {
  let query = page(doors, filter).where('purpose', '=', purpose).where('booked', '=', booked)
  if (wallet !== undefined) query = query.where('payments.wallet', '=', wallet)
  return views === undefined ? query : query.where(STATE, 'in', views)
}

/** Keeps a column out of the planner's sight: what leads to the rows is named beside it, and there are few of them. */
const hidden = (column: string) => sql<string>`coalesce(${sql.ref(column)}, '')`

/**
 * Change in the mempool, or in a block and not credited. Found by where the chain has it, and sorted: that much change is
 * under way at one moment, however much there was.
 */
function youngChange(
  doors: Doors,
  filter: NewestPaymentsFilter,
  state: (typeof YOUNG)[number],
  wallet: string | undefined,
) {
  let query = page(doors, filter)
    .where(hidden('purpose'), '=', 'change')
    .where(hidden('booked'), '=', 'none')
  if (wallet !== undefined) query = query.where(hidden('payments.wallet'), '=', wallet)
  if (state === 'mined') return query.where('due_height', '>', -1n).where(STATE, '=', 'mined')
  const inMempool = doors.db.selectFrom('transactions').select('txid').where(IN_MEMPOOL)
  return query.where('payments.txid', 'in', inMempool)
}

/** The payments of one order are few: everything else is looked at row by row, hidden from the planner. */
async function ofOrder(
  doors: Doors,
  filter: NewestPaymentsFilter,
  order: OrderId,
): Promise<readonly PaymentRow[]> {
  const change = { purpose: 'change', booked: 'none', views: youngChangeOf(filter) } as const
  const runs = [...runsOf(filter), ...(change.views.length > 0 ? [change] : [])]
  const wallets = walletsOf(filter).filter((wallet) => wallet !== undefined)
  const limited = filter.wallets !== undefined || filter.wallet !== undefined
  if (runs.length === 0 || (limited && wallets.length === 0)) return []
  let query = page(doors, filter).where('order_id', '=', order)
  if (limited) query = query.where(hidden('payments.wallet'), 'in', wallets)
  query = query.where(({ or, and, eb }) =>
    or(
      runs.map(({ purpose, booked, views }) =>
        and([
          eb(hidden('purpose'), '=', purpose),
          eb(hidden('booked'), '=', booked),
          ...(views === undefined ? [] : [eb(STATE, 'in', views)]),
        ]),
      ),
    ),
  )
  return query.execute()
}

async function leavingPayments({ db }: Doors, wallet: WalletId): Promise<readonly PaymentRecord[]> {
  const rows = await db
    .selectFrom('payments')
    .selectAll()
    .where('wallet', '=', wallet)
    .where(LEAVING)
    .where('booked', '=', 'credited')
    .orderBy('txid')
    .orderBy('vout')
    .execute()
  return rows.map(paymentRecord)
}

async function walletTransactions(
  { db }: Doors,
  { wallet, before, limit }: Parameters<DepositRows['walletTransactions']>[0],
) {
  let query = db
    .selectFrom('wallet_transactions as mine')
    .innerJoin('transactions', 'transactions.txid', 'mine.txid')
    .selectAll('transactions')
    .where('mine.wallet', '=', wallet)
  if (before !== undefined)
    query = query.where(({ eb, refTuple, tuple }) =>
      eb(
        refTuple('mine.first_seen_at', 'mine.txid'),
        '<',
        tuple(int(before.firstSeenAt), fromHex(before.txid)),
      ),
    )
  const newest = query.orderBy('mine.first_seen_at', 'desc').orderBy('mine.txid', 'desc')
  return (await newest.limit(limit).execute()).map(transactionRecord)
}
