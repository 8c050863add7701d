import type { TxRecord, TxView } from '../../capabilities/deposits/index.ts'
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
import { flag, int, maybeInt, num, present } from './doors.ts'
import type { TransactionRow } from './schema.ts'

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

export const blockOf = (height: bigint | null, hash: Uint8Array | null): BlockRef | undefined =>
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
export const transactionRow = (record: TxRecord): TransactionRow => ({
  txid: fromHex(record.txid),
  coinbase: flag(record.coinbase),
  inputs: packPoints(record.inputs),
  vsize: int(record.vsize),
  fee_rate: record.feeRate ?? null,
  first_seen_at: int(record.firstSeenAt),
  ...viewColumns(record.view),
})
export const transactionRecord = (row: TransactionRow): TxRecord => ({
  txid: txid(toHex(row.txid)),
  coinbase: row.coinbase !== 0n,
  inputs: unpackPoints(row.inputs),
  vsize: num(row.vsize),
  ...present('feeRate', row.fee_rate === null ? null : satPerKvB(row.fee_rate)),
  firstSeenAt: num(row.first_seen_at),
  view: viewOf(row),
})
