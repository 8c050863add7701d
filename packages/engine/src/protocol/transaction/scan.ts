import {
  AssertionError,
  MAX_SAT,
  ok,
  type Refusal,
  type Result,
  refuse,
} from '../../kernel/index.ts'
import { compactSize, compactSizeLength, uint64 } from './compact-size.ts'

export type TransactionRefusal = Refusal<'CHAIN_TRANSACTION_INVALID'>

/** The fault of an amount that no coin can have. */
export const OUTSIDE_MONEY = 'has an output outside 0 to 21 million BTC'

/** No serialised block or transaction is larger: its weight is at least its size (BIP 141). */
export const MAX_SERIALIZED_SIZE = 4_000_000

const OUTPOINT = 36
/** Outpoint, empty script, sequence. */
const LEAST_INPUT = OUTPOINT + 1 + 4
/** Value, empty script. */
const LEAST_OUTPUT = 8 + 1
const MOST_VALUE = Number(MAX_SAT)

const doubled = (column: Uint32Array, needed: number): Uint32Array<ArrayBuffer> => {
  const larger = new Uint32Array(Math.max(needed, column.length * 2))
  larger.set(column)
  return larger
}

/** The offset behind a length and that many bytes, which may lie beyond the end; -1 for a bad length. */
function behindSized(bytes: Uint8Array, at: number): number {
  const length = compactSize(bytes, at)
  return length < 0 ? -1 : at + compactSizeLength(length) + length
}

/**
 * Where everything stands in a run of serialised transactions, as columns of offsets: one pass, no object per
 * transaction. It may be used again for the next bytes; columns are replaced when they grow, so read them after a scan.
 * Entries past the counts are left over from earlier scans.
 *
 * Transaction `t` is `bytes[start[t]..end[t])`, its inputs are `firstInput[t]..firstInput[t + 1]`, its outputs
 * `firstOutput[t]..firstOutput[t + 1]`.
 */
export class TransactionScan {
  bytes: Uint8Array = new Uint8Array(0)
  transactionCount = 0
  inputCount = 0
  outputCount = 0
  start: Uint32Array
  end: Uint32Array
  /** Offset behind the outputs: there the witness begins, or the lock time when there is no witness. */
  body: Uint32Array
  firstInput: Uint32Array
  firstOutput: Uint32Array
  /** Per input: offset of the 36 bytes (txid in wire order, then vout). */
  outpoint: Uint32Array
  /** Per output: offset and length of its script. */
  script: Uint32Array
  scriptLength: Uint32Array
  /** What is wrong with the bytes, after a step answered -1. */
  fault = ''

  /** @param transactions how many to make room for; it grows by itself. */
  constructor(transactions = 1) {
    this.start = new Uint32Array(transactions)
    this.end = new Uint32Array(transactions)
    this.body = new Uint32Array(transactions)
    this.firstInput = new Uint32Array(transactions + 1)
    this.firstOutput = new Uint32Array(transactions + 1)
    this.outpoint = new Uint32Array(transactions * 2)
    this.script = new Uint32Array(transactions * 3)
    this.scriptLength = new Uint32Array(transactions * 3)
  }

  /** Forgets the last scan and points at new bytes. */
  reset(bytes: Uint8Array): void {
    this.bytes = bytes
    this.transactionCount = 0
    this.inputCount = 0
    this.outputCount = 0
    this.fault = ''
  }

  /** Reads the transaction that begins at `from` (BIP 144) and answers its end; -1 with `fault` set when there is none. */
  step(from: number): number {
    const { bytes } = this
    const t = this.transactionCount
    if (t === this.start.length) this.#growTransactions()
    this.start[t] = from
    this.firstInput[t] = this.inputCount
    this.firstOutput[t] = this.outputCount
    let at = from + 4
    if (at + 2 > bytes.length) return this.#no('is cut off')
    // Without inputs the marker and the empty list look alike; a flag behind it decides.
    const isSegwit = bytes[at] === 0 && bytes[at + 1] !== 0
    if (isSegwit && bytes[at + 1] !== 1) return this.#no('has an unknown kind of extra data')
    at = this.#inputs(isSegwit ? at + 2 : at)
    if (at >= 0) at = this.#outputs(at)
    if (at < 0) return -1
    this.body[t] = at
    if (isSegwit) at = this.#witnesses(at, this.inputCount - (this.firstInput[t] as number))
    if (at < 0) return -1
    at += 4
    if (at > bytes.length) return this.#no('is cut off')
    this.end[t] = at
    this.transactionCount = t + 1
    this.firstInput[t + 1] = this.inputCount
    this.firstOutput[t + 1] = this.outputCount
    return at
  }

  #no(fault: string): -1 {
    this.fault = fault
    return -1
  }

  #inputs(from: number): number {
    const { bytes } = this
    const count = compactSize(bytes, from)
    if (count < 0) return this.#no('has a bad count of inputs')
    let at = from + compactSizeLength(count)
    if (count > (bytes.length - at) / LEAST_INPUT) return this.#no('has fewer inputs than it says')
    let next = this.inputCount
    if (next + count > this.outpoint.length) this.outpoint = doubled(this.outpoint, next + count)
    const { outpoint } = this
    for (let i = 0; i < count; i++) {
      outpoint[next++] = at
      // A length in one byte that is there: the outpoint before it is there as well. Beyond the end there is no byte.
      const length = bytes[at + OUTPOINT] as number
      if (length < 0xfd) at += OUTPOINT + 1 + length + 4
      else {
        at = behindSized(bytes, at + OUTPOINT)
        if (at < 0) return this.#no('has a bad input script')
        at += 4
      }
    }
    if (at > bytes.length) return this.#no('is cut off in an input')
    this.inputCount = next
    return at
  }

  #outputs(from: number): number {
    const { bytes } = this
    const count = compactSize(bytes, from)
    if (count < 0) return this.#no('has a bad count of outputs')
    let at = from + compactSizeLength(count)
    if (count > (bytes.length - at) / LEAST_OUTPUT)
      return this.#no('has fewer outputs than it says')
    let next = this.outputCount
    if (next + count > this.script.length) {
      this.script = doubled(this.script, next + count)
      this.scriptLength = doubled(this.scriptLength, next + count)
    }
    const { script, scriptLength } = this
    for (let i = 0; i < count; i++) {
      // The usual output has a length in one byte and a value far below the limit; all others go the careful way.
      const length = bytes[at + 8] as number
      if (length < 0xfd && bytes[at + 7] === 0 && (bytes[at + 6] as number) < 7) {
        script[next] = at + 9
        scriptLength[next++] = length
        at += 9 + length
        continue
      }
      const behind = this.#outputBehind(at)
      if (behind < 0) return -1
      script[next] = at + 8 + compactSizeLength(compactSize(bytes, at + 8))
      scriptLength[next] = behind - (script[next++] as number)
      at = behind
    }
    if (at > bytes.length) return this.#no('is cut off in an output')
    this.outputCount = next
    return at
  }

  /** Checks one output in full and answers the offset behind it. */
  #outputBehind(at: number): number {
    const { bytes } = this
    if (at + LEAST_OUTPUT > bytes.length) return this.#no('is cut off in an output')
    if (bytes[at + 7] !== 0 || uint64(bytes, at) > MOST_VALUE) {
      return this.#no(OUTSIDE_MONEY)
    }
    const behind = behindSized(bytes, at + 8)
    return behind < 0 ? this.#no('has a bad output script') : behind
  }

  #witnesses(from: number, inputs: number): number {
    const { bytes } = this
    let at = from
    for (let i = 0; i < inputs; i++) {
      const items = compactSize(bytes, at)
      if (items < 0) return this.#no('has a bad witness')
      at += compactSizeLength(items)
      for (let item = 0; item < items; item++) {
        const length = bytes[at] as number
        at = length < 0xfd ? at + 1 + length : behindSized(bytes, at)
        if (at < 0) return this.#no('has a bad witness')
      }
    }
    // One empty stack is one zero byte: nothing but those means that the marker has nothing to announce.
    return at === from + inputs ? this.#no('announces a witness and has none') : at
  }

  #growTransactions(): void {
    const needed = this.start.length + 1
    this.start = doubled(this.start, needed)
    this.end = doubled(this.end, needed)
    this.body = doubled(this.body, needed)
    this.firstInput = doubled(this.firstInput, this.start.length + 1)
    this.firstOutput = doubled(this.firstOutput, this.start.length + 1)
  }
}

/**
 * Scans one serialised transaction (BIP 144), for the mempool: the same columns as a block, with one transaction.
 * Bytes behind it are refused.
 */
export function scanTransaction(
  bytes: Uint8Array,
  into: TransactionScan = new TransactionScan(),
): Result<TransactionScan, TransactionRefusal> {
  into.reset(bytes)
  const no = (fault: string) => {
    into.reset(new Uint8Array(0))
    return refuse('CHAIN_TRANSACTION_INVALID', `the transaction ${fault}`, {
      details: { bytes: bytes.length, fault },
    })
  }
  if (bytes.length > MAX_SERIALIZED_SIZE) return no('is larger than a block')
  const end = into.step(0)
  if (end < 0) return no(into.fault)
  if (end !== bytes.length) return no('has bytes behind its end')
  return ok(into)
}

/** The entry of a column that a scan has filled. @throws AssertionError for an index beyond it. */
export function entry(column: Uint32Array, index: number, count: number): number {
  const value = index < count ? column[index] : undefined
  if (value === undefined) throw new AssertionError(`no entry ${index} of ${count} in the scan`)
  return value
}
