import { ByteReader, ByteWriter, hashBytes, toReversedHex } from '../chain/bytes.ts'
import type { FailureMark, TransactionPlace } from '../chain/chain.ts'
import { readTransaction } from '../chain/transaction.ts'
import type { EntryFacts } from '../mempool/pool.ts'

/** What one frame of the log holds: everything that one call changed, so that it is on disk as a whole or not at all. */
export type LogRecord =
  | { readonly kind: 'home'; readonly home: HomeRecord }
  | { readonly kind: 'block'; readonly raw: Uint8Array }
  | { readonly kind: 'header'; readonly bytes: Uint8Array }
  | { readonly kind: 'tip'; readonly hash: string }
  | { readonly kind: 'marks'; readonly marks: readonly (readonly [string, FailureMark])[] }
  | { readonly kind: 'places'; readonly places: readonly (readonly [string, TransactionPlace])[] }
  | { readonly kind: 'pruned'; readonly height: number }
  | { readonly kind: 'entered'; readonly entry: EntryFacts }
  | { readonly kind: 'left'; readonly txid: string }
  | { readonly kind: 'known'; readonly raw: Uint8Array }
  | { readonly kind: 'part'; readonly name: string; readonly text: string }
  | { readonly kind: 'row'; readonly table: string; readonly key: string; readonly text: string }

/** What a folder holds, written once when it is made. */
export interface HomeRecord {
  /** `kaccy-devnet` */
  readonly format: string
  readonly version: number
  readonly network: string
  readonly seed: string
  readonly start: 'funded' | 'genesis'
  /** Seconds since the epoch of the start chain's tip, from which it can be built again. */
  readonly startTime: number
  readonly startHash: string
  readonly verifySignatures: boolean
}
/** Numbers of the kinds in the file. They never change their meaning: a new kind takes a new number. */
const KINDS = {
  home: 1,
  block: 2,
  header: 3,
  tip: 4,
  marks: 5,
  places: 6,
  pruned: 7,
  entered: 8,
  left: 9,
  known: 10,
  part: 11,
  row: 12,
} as const

const utf8 = new TextEncoder()
const text = new TextDecoder()
const json = (value: unknown): Uint8Array => utf8.encode(JSON.stringify(value))
/** A bigint as `"12n"`: amounts of any size come back as they were. */
const withAmounts = (_: string, value: unknown): unknown =>
  typeof value === 'bigint' ? `${value}n` : value
const toAmounts = (_: string, value: unknown): unknown =>
  typeof value === 'string' && /^-?\d+n$/.test(value) ? BigInt(value.slice(0, -1)) : value

function bodyOf(record: LogRecord): Uint8Array {
  switch (record.kind) {
    case 'home':
      return json(record.home)
    case 'block':
    case 'known':
      return record.raw
    case 'header':
      return record.bytes
    case 'tip':
      return hashBytes(record.hash)
    case 'left':
      return hashBytes(record.txid)
    case 'marks':
      return json(record.marks)
    case 'places':
      return json(record.places)
    case 'pruned':
      return new ByteWriter().u32(record.height).done()
    case 'part':
      return new ByteWriter().script(utf8.encode(record.name)).put(utf8.encode(record.text)).done()
    case 'row': {
      const writer = new ByteWriter().script(utf8.encode(record.table))
      return writer.script(utf8.encode(record.key)).put(utf8.encode(record.text)).done()
    }
    case 'entered': {
      const { transaction, fee, time, height, sigops, unbroadcast } = record.entry
      const facts = { fee, time, height, sigops, unbroadcast }
      const meta = utf8.encode(JSON.stringify(facts, withAmounts))
      return new ByteWriter().script(meta).put(transaction.raw).done()
    }
  }
}
function recordOf(kind: number, body: Uint8Array): LogRecord | undefined {
  switch (kind) {
    case KINDS.home:
      return { kind: 'home', home: JSON.parse(text.decode(body)) }
    case KINDS.block:
      return { kind: 'block', raw: body }
    case KINDS.known:
      return { kind: 'known', raw: body }
    case KINDS.header:
      return { kind: 'header', bytes: body }
    case KINDS.tip:
      return { kind: 'tip', hash: toReversedHex(body) }
    case KINDS.left:
      return { kind: 'left', txid: toReversedHex(body) }
    case KINDS.marks:
      return { kind: 'marks', marks: JSON.parse(text.decode(body)) }
    case KINDS.places:
      return { kind: 'places', places: JSON.parse(text.decode(body)) }
    case KINDS.pruned:
      return { kind: 'pruned', height: new ByteReader(body).u32() }
    case KINDS.part: {
      const reader = new ByteReader(body)
      const name = text.decode(reader.script())
      return { kind: 'part', name, text: text.decode(body.subarray(reader.at)) }
    }
    case KINDS.row: {
      const reader = new ByteReader(body)
      const table = text.decode(reader.script())
      const key = text.decode(reader.script())
      return { kind: 'row', table, key, text: text.decode(body.subarray(reader.at)) }
    }
    case KINDS.entered: {
      const reader = new ByteReader(body)
      const meta = JSON.parse(text.decode(reader.script()), toAmounts)
      return { kind: 'entered', entry: { ...meta, transaction: readTransaction(reader) } }
    }
    default:
      return undefined
  }
}

export function encodeRecords(records: readonly LogRecord[]): Uint8Array {
  const writer = new ByteWriter()
  for (const record of records) {
    const body = bodyOf(record)
    writer.u8(KINDS[record.kind]).u32(body.length).put(body)
  }
  return writer.done()
}
/** @throws TruncatedError or SyntaxError for a payload that nobody wrote like this; TypeError for a kind of a later release. */
export function decodeRecords(payload: Uint8Array): LogRecord[] {
  const reader = new ByteReader(payload)
  const records: LogRecord[] = []
  while (reader.at < payload.length) {
    const kind = reader.u8()
    const record = recordOf(kind, reader.take(reader.u32()))
    if (!record) throw new TypeError(`a record of kind ${kind}`)
    records.push(record)
  }
  return records
}
