import { sql } from 'kysely'
import type {
  DepositRows,
  StoredFact,
  TxFact,
  TxRecord,
} from '../../capabilities/deposits/index.ts'
import { fromHex, toHex, txid } from '../../kernel/index.ts'
import { among, amongPoints, chunksOf, insertRows, lastOfEach } from './batch.ts'
import { FACTS, TRANSACTION_INPUTS, TRANSACTIONS } from './columns.ts'
import { newestNumber, takeNumbers } from './counters.ts'
import { type Doors, flag, int, maybeInt, num, present } from './doors.ts'
import type { FactRow, TransactionInputRow, TransactionRow } from './schema.ts'
import { blockOf, transactionRecord, transactionRow } from './transaction-rows.ts'

/** Word for word the condition of the index `transactions_mempool`. */
const IN_MEMPOOL = sql<boolean>`state = 'mempool'`
const inputRows = (record: TxRecord): TransactionInputRow[] =>
  record.inputs.map((point) => ({
    prev_txid: fromHex(point.txid),
    prev_vout: int(point.vout),
    spender: fromHex(record.txid),
  }))
const inTxidOrder = (rows: readonly TransactionRow[]): TxRecord[] =>
  rows.map(transactionRecord).sort((a, b) => (a.txid < b.txid ? -1 : 1))

const factRow = (fact: TxFact, number: number): FactRow => ({
  number: int(number),
  txid: fromHex(fact.txid),
  kind: fact.kind,
  at: int(fact.at),
  block_height: maybeInt(fact.block?.height),
  block_hash: fact.block ? fromHex(fact.block.hash) : null,
  by_txid: fact.by === undefined ? null : fromHex(fact.by),
})
const factRecord = (row: FactRow): StoredFact => ({
  number: num(row.number),
  txid: txid(toHex(row.txid)),
  kind: row.kind as TxFact['kind'],
  at: num(row.at),
  ...present('block', blockOf(row.block_height, row.block_hash)),
  ...present('by', row.by_txid === null ? null : txid(toHex(row.by_txid))),
})

export const transactionDoors = (doors: Doors) => ({ ...viewDoors(doors), ...factDoors(doors) })

function viewDoors(doors: Doors) {
  const { db, dialect, session } = doors
  const all = () => db.selectFrom('transactions').selectAll()
  return {
    async transactions(txids) {
      const found: TransactionRow[] = []
      for (const chunk of chunksOf(txids.map(fromHex)))
        found.push(
          ...(await all()
            .where(among(dialect, 'txid', 'bytes', chunk))
            .execute()),
        )
      return inTxidOrder(found)
    },
    async saveTransactions(records) {
      session.requireWriter()
      const last = lastOfEach(records, (record) => record.txid)
      const key = { replaceBy: ['txid'] }
      await insertRows(doors, 'transactions', TRANSACTIONS, last.map(transactionRow), key)
      const inputs = last.flatMap(inputRows)
      await insertRows(doors, 'transaction_inputs', TRANSACTION_INPUTS, inputs, 'keep')
      await viewChange(doors, last)
    },
    async spendersOf(points) {
      const found = new Map<string, TransactionRow>()
      const keys = points.map((point) => [fromHex(point.txid), int(point.vout)] as const)
      for (const chunk of chunksOf(keys)) {
        const spenders = db
          .selectFrom('transaction_inputs')
          .select('spender')
          .where(amongPoints(dialect, ['prev_txid', 'prev_vout'], chunk))
        for (const row of await all().where('txid', 'in', spenders).execute())
          found.set(toHex(row.txid), row)
      }
      return inTxidOrder([...found.values()])
    },
    async minedFrom(height) {
      const above = all().where('block_height', '>=', int(height))
      return inTxidOrder(await above.where('state', '=', 'mined').execute())
    },
    async unconfirmed() {
      return inTxidOrder(await all().where(IN_MEMPOOL).execute())
    },
  } satisfies Partial<DepositRows>
}

/**
 * Change follows the view of its transaction: what is unconfirmed is found without looking at what vanished. The purpose is
 * hidden from the planner: the transaction leads to the payments, not their purpose.
 */
async function viewChange({ db, dialect }: Doors, records: readonly TxRecord[]): Promise<void> {
  const columns = [
    ['txid', 'bytes'],
    ['in_view', 'int'],
  ] as const
  const rows = records.map(({ txid, view }) => {
    const there =
      view.state === 'mined' || (view.state === 'mempool' && view.missingSince === undefined)
    return [fromHex(txid), flag(there)] as const
  })
  for (const chunk of chunksOf(rows))
    await sql`update payments set in_view = fresh.in_view
      from (${dialect.select(columns, chunk)}) as fresh
      where payments.txid = fresh.txid and coalesce(payments.purpose, '') = 'change'
        and payments.in_view <> fresh.in_view`.execute(db)
}

function factDoors(doors: Doors) {
  const { db, dialect, session } = doors
  return {
    async appendFacts(facts) {
      session.requireWriter()
      if (facts.length === 0) return
      const first = await takeNumbers(doors, 'facts', facts.length)
      const rows = facts.map((fact, i) => factRow(fact, first + i))
      await insertRows(doors, 'facts', FACTS, rows)
    },
    async facts(txids) {
      const found: FactRow[] = []
      for (const chunk of chunksOf([...new Set(txids)].map(fromHex)))
        found.push(
          ...(await db
            .selectFrom('facts')
            .selectAll()
            .where(among(dialect, 'txid', 'bytes', chunk))
            .execute()),
        )
      return found.map(factRecord).sort((a, b) => a.number - b.number)
    },
    async factsAfter(number, limit) {
      const query = db.selectFrom('facts').selectAll().where('number', '>', int(number))
      return (await query.orderBy('number').limit(limit).execute()).map(factRecord)
    },
    newestFact: () => newestNumber(doors, 'facts'),
  } satisfies Partial<DepositRows>
}
