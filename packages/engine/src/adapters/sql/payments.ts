import { sql } from 'kysely'
import type {
  DepositRows,
  PaymentFilter,
  PaymentRecord,
} from '../../capabilities/deposits/index.ts'
import { fromHex } from '../../kernel/index.ts'
import { among, amongPoints, chunksOf, insertRows, lastOfEach } from './batch.ts'
import { PAYMENTS } from './columns.ts'
import { type Doors, int } from './doors.ts'
import { paymentListDoors } from './payment-list.ts'
import { paymentRecord, paymentRow, pointOfPayment } from './payment-rows.ts'
import type { PaymentRow } from './schema.ts'

const byPlace = (a: PaymentRecord, b: PaymentRecord): number =>
  a.point.txid === b.point.txid ? a.point.vout - b.point.vout : a.point.txid < b.point.txid ? -1 : 1

export function paymentDoors(doors: Doors) {
  const { db, dialect, session } = doors
  const all = () => db.selectFrom('payments').selectAll()
  const whereAmong = async (
    column: 'txid' | 'order_id',
    kind: 'bytes' | 'text',
    values: readonly (string | Uint8Array)[],
  ) => {
    const found: PaymentRow[] = []
    for (const chunk of chunksOf(values))
      found.push(
        ...(await all()
          .where(among(dialect, column, kind, chunk))
          .execute()),
      )
    return found.map(paymentRecord).sort(byPlace)
  }
  return {
    ...paymentListDoors(doors),
    async savePayments(payments) {
      session.requireWriter()
      const rows = lastOfEach(payments, (payment) => payment.id).map(paymentRow)
      await insertRows(doors, 'payments', PAYMENTS, rows, { replaceBy: ['txid', 'vout'] })
      await noteTransactions(doors, payments)
      await viewChange(doors, payments)
    },
    async payments(ids) {
      const found: PaymentRow[] = []
      for (const chunk of chunksOf(ids.map(pointOfPayment)))
        found.push(
          ...(await all()
            .where(amongPoints(dialect, ['txid', 'vout'], chunk))
            .execute()),
        )
      return found.map(paymentRecord).sort(byPlace)
    },
    paymentsOfTransactions: (txids) =>
      whereAmong('txid', 'bytes', [...new Set(txids)].map(fromHex)),
    paymentsOfOrders: (orders) => whereAmong('order_id', 'text', [...new Set(orders)]),
    async duePayments(height) {
      const rows = await all().where('due_height', '<=', int(height)).execute()
      return rows.map(paymentRecord).sort(byPlace)
    },
    listPayments: (filter) => listPayments(doors, filter),
  } satisfies Partial<DepositRows>
}

async function listPayments(
  { db }: Doors,
  { wallet, order, purpose, unspentOnly, after, limit }: PaymentFilter,
): Promise<readonly PaymentRecord[]> {
  let query = db.selectFrom('payments').selectAll()
  if (wallet !== undefined) query = query.where('wallet', '=', wallet)
  if (order !== undefined) query = query.where('order_id', '=', order)
  if (purpose !== undefined) query = query.where('purpose', '=', purpose)
  if (unspentOnly === true) query = query.where('spender', 'is', null)
  if (after !== undefined) {
    const [hash, vout] = pointOfPayment(after)
    query = query.where(({ eb, refTuple, tuple }) =>
      eb(refTuple('txid', 'vout'), '>', tuple(hash, vout)),
    )
  }
  const rows = await query.orderBy('txid').orderBy('vout').limit(limit).execute()
  return rows.map(paymentRecord)
}

/** Remembers which transactions pay a wallet or spend from it, also when the spend vanishes from its payment later. */
async function noteTransactions(
  { db, dialect }: Doors,
  payments: readonly PaymentRecord[],
): Promise<void> {
  const pairs = new Map<string, readonly [string, Uint8Array]>()
  for (const { wallet, point, spender } of payments)
    for (const txid of [point.txid, spender])
      if (txid !== undefined) pairs.set(`${wallet} ${txid}`, [wallet, fromHex(txid)])
  const columns = [
    ['wallet', 'text'],
    ['txid', 'bytes'],
  ] as const
  for (const chunk of chunksOf([...pairs.values()]))
    await sql`insert into wallet_transactions (wallet, txid, first_seen_at)
      select fresh.wallet, t.txid, t.first_seen_at
      from (${dialect.select(columns, chunk)}) as fresh join transactions t on t.txid = fresh.txid
      where true
      on conflict do nothing`.execute(db)
}

/** Remembers of change whether the present view has it: in the mempool and not missing there, or in a block. */
async function viewChange(
  { db, dialect }: Doors,
  payments: readonly PaymentRecord[],
): Promise<void> {
  const change = payments.filter(({ purpose }) => purpose === 'change')
  for (const chunk of chunksOf(change.map(({ id }) => pointOfPayment(id))))
    await sql`update payments set in_view = case when exists (select 1 from transactions t
        where t.txid = payments.txid
          and (t.state = 'mined' or (t.state = 'mempool' and t.missing_since is null)))
        then 1 else 0 end
      where ${amongPoints(dialect, ['txid', 'vout'], chunk)}`.execute(db)
}
