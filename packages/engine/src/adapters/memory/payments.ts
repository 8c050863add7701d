import {
  type DepositRows,
  type NewestPaymentsFilter,
  type PaymentFilter,
  type PaymentRecord,
  paymentStatusOf,
  type TxRecord,
} from '../../capabilities/deposits/index.ts'
import { AssertionError, type PaymentId, type Txid, type WalletId } from '../../kernel/index.ts'
import { compareKeys, type SortKey } from './order.ts'
import type { Session } from './session.ts'
import { firstOf, GroupIndex, SortedIndex, Table, takeWhile } from './table.ts'

/** Payments are ordered by (txid, output number), as their rows stand in a database. */
const place = ({ point }: PaymentRecord): SortKey => [point.txid, point.vout]
/** The place of a payment by its id. @throws AssertionError when it is none. */
export function placeOfId(id: PaymentId): SortKey {
  const match = /^pay_([0-9a-f]{64})_(\d+)$/.exec(id)
  if (!match) throw new AssertionError(`not a payment id: ${id.slice(0, 80)}`)
  return [match[1] ?? '', Number(match[2])]
}

/** A transaction that pays a wallet or was seen to spend from it. */
interface WalletTransaction {
  readonly wallet: WalletId
  readonly txid: Txid
  readonly firstSeenAt: number
}
const seenPlace = (row: PaymentRecord): SortKey => [row.firstSeenAt, ...place(row)]

export function paymentTables() {
  const bySeen = new SortedIndex<PaymentRecord>(seenPlace)
  const byLeaving = new SortedIndex<PaymentRecord>((row) =>
    row.booked.state === 'credited' && row.spender !== undefined && !row.spendBooked
      ? [row.wallet, ...place(row)]
      : undefined,
  )
  /** What may be a coin: credited, or change whose transaction decides. */
  const byCoin = new SortedIndex<PaymentRecord>((row) =>
    row.spender === undefined && (row.booked.state === 'credited' || row.purpose === 'change')
      ? [row.wallet, ...place(row)]
      : undefined,
  )
  const byWalletSeen = new SortedIndex<WalletTransaction>((row) => [
    row.wallet,
    row.firstSeenAt,
    row.txid,
  ])
  const byPlace = new SortedIndex<PaymentRecord>(place)
  const byTxid = new GroupIndex<PaymentRecord>((row) => [row.point.txid])
  const byOrder = new GroupIndex<PaymentRecord>((row) =>
    row.order === undefined ? [] : [row.order],
  )
  const byDue = new SortedIndex<PaymentRecord>((row) =>
    row.dueHeight === undefined ? undefined : [row.dueHeight, ...place(row)],
  )
  return {
    bySeen,
    byLeaving,
    byCoin,
    byWalletSeen,
    walletTransactions: new Table<WalletTransaction>(
      'wallet transactions',
      (row) => `${row.wallet} ${row.txid}`,
      [byWalletSeen],
    ),
    byPlace,
    byTxid,
    byOrder,
    byDue,
    payments: new Table<PaymentRecord>('payments', (row) => row.id, [
      byPlace,
      byTxid,
      byOrder,
      byDue,
      bySeen,
      byLeaving,
      byCoin,
    ]),
  }
}

const matches =
  (filter: PaymentFilter) =>
  (row: PaymentRecord): boolean =>
    (filter.wallet === undefined || row.wallet === filter.wallet) &&
    (filter.order === undefined || row.order === filter.order) &&
    (filter.purpose === undefined || row.purpose === filter.purpose) &&
    (filter.unspentOnly !== true || row.spender === undefined)

const isAmongNewest =
  (filter: NewestPaymentsFilter, transactionOf: (txid: Txid) => TxRecord | undefined) =>
  (row: PaymentRecord): boolean => {
    const { statuses, seenFrom, seenUntil } = filter
    const transaction = transactionOf(row.point.txid)
    return (
      (filter.wallet === undefined || row.wallet === filter.wallet) &&
      (filter.wallets === undefined || filter.wallets.includes(row.wallet)) &&
      (filter.order === undefined || row.order === filter.order) &&
      (filter.purposes === undefined || filter.purposes.includes(row.purpose)) &&
      (filter.unspent !== true || row.spender === undefined) &&
      (seenFrom === undefined || row.firstSeenAt >= seenFrom) &&
      (seenUntil === undefined || row.firstSeenAt < seenUntil) &&
      (statuses === undefined ||
        (transaction !== undefined && statuses.includes(paymentStatusOf(row, transaction.view))))
    )
  }

function listDoors(
  {
    payments,
    bySeen,
    byLeaving,
    walletTransactions,
    byWalletSeen,
  }: ReturnType<typeof paymentTables>,
  transactionOf: (txid: Txid) => TxRecord | undefined,
) {
  return {
    newestPayments: async (filter) => {
      const { before } = filter
      const from = before && [before.firstSeenAt, ...placeOfId(before.id)]
      return firstOf(
        payments.rows(bySeen.descending(from)),
        filter.limit,
        isAmongNewest(filter, transactionOf),
      )
    },
    leavingPayments: async (wallet) => [
      ...takeWhile(payments.rows(byLeaving.ascending([wallet])), (row) => row.wallet === wallet),
    ],
    walletTransactions: async ({ wallet, before, limit }) => {
      const from = before
        ? [wallet, before.firstSeenAt, before.txid]
        : [wallet, Number.POSITIVE_INFINITY]
      const rows = takeWhile(
        walletTransactions.rows(byWalletSeen.descending(from)),
        (row) => row.wallet === wallet,
      )
      return firstOf(rows, limit).flatMap(({ txid }) => transactionOf(txid) ?? [])
    },
  } satisfies Partial<DepositRows>
}

export function paymentDoors(
  tables: ReturnType<typeof paymentTables>,
  session: Session,
  transactionOf: (txid: Txid) => TxRecord | undefined,
) {
  const { payments, byPlace, byTxid, byOrder, byDue, walletTransactions } = tables
  const note = (wallet: WalletId, txid: Txid | undefined) => {
    const transaction = txid === undefined ? undefined : transactionOf(txid)
    if (!transaction || walletTransactions.has(`${wallet} ${transaction.txid}`)) return
    const { firstSeenAt } = transaction
    walletTransactions.insert(session, { wallet, txid: transaction.txid, firstSeenAt })
  }
  const inOrder = (keys: Iterable<string>) =>
    [...payments.rows([...new Set(keys)])].sort((a, b) => compareKeys(place(a), place(b)))
  return {
    ...listDoors(tables, transactionOf),
    savePayments: async (rows) => {
      for (const row of rows) payments.put(session, row)
      for (const { wallet, point, spender } of rows) {
        note(wallet, point.txid)
        note(wallet, spender)
      }
    },
    payments: async (ids) => inOrder(ids),
    paymentsOfTransactions: async (txids) =>
      inOrder(txids.flatMap((txid) => [...byTxid.keys(txid)])),
    paymentsOfOrders: async (orders) =>
      inOrder(orders.flatMap((order) => [...byOrder.keys(order)])),
    duePayments: async (height) => {
      const due: string[] = []
      for (const row of payments.rows(byDue.ascending())) {
        if ((row.dueHeight ?? 0) > height) break
        due.push(row.id)
      }
      return inOrder(due)
    },
    listPayments: async (filter) =>
      firstOf(
        payments.rows(
          byPlace.ascending(filter.after === undefined ? undefined : placeOfId(filter.after)),
        ),
        filter.limit,
        matches(filter),
      ),
  } satisfies Partial<DepositRows>
}
