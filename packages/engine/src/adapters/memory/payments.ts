import type {
  DepositRows,
  PaymentFilter,
  PaymentRecord,
} from '../../capabilities/deposits/index.ts'
import { AssertionError, type PaymentId } from '../../kernel/index.ts'
import { compareKeys, type SortKey } from './order.ts'
import type { Session } from './session.ts'
import { firstOf, GroupIndex, SortedIndex, Table } from './table.ts'

/** Payments are ordered by (txid, output number), as their rows stand in a database. */
const place = ({ point }: PaymentRecord): SortKey => [point.txid, point.vout]
function placeOfId(id: PaymentId): SortKey {
  const match = /^pay_([0-9a-f]{64})_(\d+)$/.exec(id)
  if (!match) throw new AssertionError(`not a payment id: ${id.slice(0, 80)}`)
  return [match[1] ?? '', Number(match[2])]
}

export function paymentTables() {
  const byPlace = new SortedIndex<PaymentRecord>(place)
  const byTxid = new GroupIndex<PaymentRecord>((row) => [row.point.txid])
  const byOrder = new GroupIndex<PaymentRecord>((row) =>
    row.order === undefined ? [] : [row.order],
  )
  const byDue = new SortedIndex<PaymentRecord>((row) =>
    row.dueHeight === undefined ? undefined : [row.dueHeight, ...place(row)],
  )
  return {
    byPlace,
    byTxid,
    byOrder,
    byDue,
    payments: new Table<PaymentRecord>('payments', (row) => row.id, [
      byPlace,
      byTxid,
      byOrder,
      byDue,
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

export function paymentDoors(
  { payments, byPlace, byTxid, byOrder, byDue }: ReturnType<typeof paymentTables>,
  session: Session,
) {
  const inOrder = (keys: Iterable<string>) =>
    [...payments.rows([...new Set(keys)])].sort((a, b) => compareKeys(place(a), place(b)))
  return {
    savePayments: async (rows) => {
      for (const row of rows) payments.put(session, row)
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
