import { sql } from 'kysely'
import type {
  DepositRows,
  StoredFact,
  TxFact,
  TxRecord,
  TxView,
} from '../../capabilities/deposits/index.ts'
import {
  AssertionError,
  assert,
  type BlockRef,
  blockHash,
  fromHex,
  type OutPoint,
  satPerKvB,
  toHex,
  txid,
} from '../../kernel/index.ts'
import { among, amongPoints, chunksOf, insertRows, lastOfEach } from './batch.ts'
import { FACTS, TRANSACTION_INPUTS, TRANSACTIONS } from './columns.ts'
import { newestNumber, takeNumbers } from './counters.ts'
import { type Doors, flag, int, maybeInt, num, present } from './doors.ts'
import type { FactRow, TransactionInputRow, TransactionRow } from './schema.ts'

/** Word for word the condition of the index `transactions_mempool`. */
const IN_MEMPOOL = sql<boolean>`state = 'mempool'`
const POINT_BYTES = 36
/** Outpoints one after the other: 32 bytes of hash as people read it, 4 bytes of index, little-endian. */
function packPoints(points: readonly OutPoint[]): Uint8Array {
  const packed = new Uint8Array(points.length * POINT_BYTES)
  const view = new DataView(packed.buffer)
  for (const [i, point] of points.entries()) {
    packed.set(fromHex(point.txid), i * POINT_BYTES)
    view.setUint32(i * POINT_BYTES + 32, point.vout, true)
  }
  return packed
}
function unpackPoints(packed: Uint8Array): OutPoint[] {
  assert(packed.length % POINT_BYTES === 0, 'a list of outpoints has a wrong length')
  const view = new DataView(packed.buffer, packed.byteOffset, packed.byteLength)
  return Array.from({ length: packed.length / POINT_BYTES }, (_, i) => ({
    txid: txid(toHex(packed.subarray(i * POINT_BYTES, i * POINT_BYTES + 32))),
    vout: view.getUint32(i * POINT_BYTES + 32, true),
  }))
}

const blockOf = (height: bigint | null, hash: Uint8Array | null): BlockRef | undefined =>
  height === null || hash === null
    ? undefined
    : { height: num(height), hash: blockHash(toHex(hash)) }

/** Where a transaction is, or where the one is that made it impossible. */
const blockIn = (view: TxView): BlockRef | undefined =>
  view.state === 'mempool' ? undefined : view.block
const maybeBytes = (hex: string | undefined) => (hex === undefined ? null : fromHex(hex))

const viewColumns = (view: TxView) => ({
  state: view.state,
  missing_since: view.state === 'mempool' ? maybeInt(view.missingSince) : null,
  block_height: maybeInt(blockIn(view)?.height),
  block_hash: maybeBytes(blockIn(view)?.hash),
  gone_reason: view.state === 'gone' ? view.reason : null,
  gone_by: view.state === 'gone' && view.by !== undefined ? fromHex(view.by) : null,
})
function viewOf(row: TransactionRow): TxView {
  const since = row.missing_since === null ? null : num(row.missing_since)
  if (row.state === 'mempool') return { state: 'mempool', ...present('missingSince', since) }
  const block = blockOf(row.block_height, row.block_hash)
  if (row.state === 'mined' && block) return { state: 'mined', block }
  if (row.state !== 'gone') throw new AssertionError(`transaction row in state ${row.state}`)
  const by = row.gone_by === null ? null : txid(toHex(row.gone_by))
  return {
    state: 'gone',
    reason: row.gone_reason as 'replaced' | 'conflicted' | 'evicted',
    ...present('by', by),
    ...present('block', block),
  }
}
const transactionRow = (record: TxRecord): TransactionRow => ({
  txid: fromHex(record.txid),
  coinbase: flag(record.coinbase),
  inputs: packPoints(record.inputs),
  vsize: int(record.vsize),
  fee_rate: record.feeRate ?? null,
  first_seen_at: int(record.firstSeenAt),
  ...viewColumns(record.view),
})
const transactionRecord = (row: TransactionRow): TxRecord => ({
  txid: txid(toHex(row.txid)),
  coinbase: row.coinbase !== 0n,
  inputs: unpackPoints(row.inputs),
  vsize: num(row.vsize),
  ...present('feeRate', row.fee_rate === null ? null : satPerKvB(row.fee_rate)),
  firstSeenAt: num(row.first_seen_at),
  view: viewOf(row),
})
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
