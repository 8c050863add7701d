import { sha256d, toHex, toReversedHex } from '../chain/bytes.ts'
import type { Transaction, TransactionInput, TransactionOutput } from '../chain/transaction.ts'
import type { KeyOrigin } from '../descriptor/keypath.ts'
import { encodeTransaction } from '../chain/transaction.ts'
import { PsbtError } from './psbt.ts'

const MAX_SIZE = 0x02000000n

/** Reads like Core's streams do, and fails in their words. */
export class Reader {
  readonly bytes: Uint8Array
  readonly #name: string
  at = 0

  constructor(bytes: Uint8Array, name = 'DataStream') {
    this.bytes = bytes
    this.#name = name
  }
  get empty(): boolean {
    return this.at >= this.bytes.length
  }
  take(length: number): Uint8Array {
    if (this.at + length > this.bytes.length) {
      throw new PsbtError(`${this.#name}::read(): end of data`)
    }
    const part = this.bytes.slice(this.at, this.at + length)
    this.at += length
    return part
  }
  number(width: number): bigint {
    let value = 0n
    for (const byte of this.take(width).reverse()) value = (value << 8n) | BigInt(byte)
    return value
  }
  u8(): number {
    return Number(this.number(1))
  }
  u32(): number {
    return Number(this.number(4))
  }
  /** CompactSize in its shortest form. */
  size(): number {
    const first = this.u8()
    if (first < 0xfd) return first
    const value = this.number(first === 0xfd ? 2 : first === 0xfe ? 4 : 8)
    const least = first === 0xfd ? 0xfdn : first === 0xfe ? 0x10000n : 0x100000000n
    if (value < least) throw new PsbtError('non-canonical ReadCompactSize()')
    if (value > MAX_SIZE) throw new PsbtError('ReadCompactSize(): size too large')
    return Number(value)
  }
  vector(): Uint8Array {
    return this.take(this.size())
  }
  /** A value with its size in front, which must be exactly what is read. */
  sized<T>(read: (reader: Reader) => T): T {
    const expected = this.size()
    const start = this.at
    const value = read(this)
    if (this.at - start !== expected) {
      throw new PsbtError('Size of value was not the stated size')
    }
    return value
  }
  origin(length: number): KeyOrigin {
    if (length % 4 !== 0 || length === 0) {
      throw new PsbtError('Invalid length for HD key path')
    }
    const fingerprint = toHex(this.take(4))
    const path: number[] = []
    for (let at = 4; at < length; at += 4) path.push(this.u32())
    return { fingerprint, path }
  }
  stack(): Uint8Array[] {
    const items: Uint8Array[] = []
    for (let left = this.size(); left > 0; left--) items.push(this.vector())
    return items
  }
  output(): TransactionOutput {
    return { value: BigInt.asIntN(64, this.number(8)), script: this.vector() }
  }
  #inputs(count: number): TransactionInput[] {
    const inputs: TransactionInput[] = []
    for (let left = count; left > 0; left--) {
      const txid = toReversedHex(this.take(32))
      const vout = this.u32()
      const script = this.vector()
      inputs.push({ txid, vout, key: `${txid}:${vout}`, script, sequence: this.u32(), witness: [] })
    }
    return inputs
  }
  #outputs(): TransactionOutput[] {
    const outputs: TransactionOutput[] = []
    for (let left = this.size(); left > 0; left--) outputs.push(this.output())
    return outputs
  }
  /** One transaction; `witness` false reads the form without marker, as the unsigned one stands in a PSBT. */
  transaction(witness: boolean): Transaction {
    const version = this.u32()
    let inputs = this.#inputs(this.size())
    let outputs: TransactionOutput[] = []
    let flags = 0
    if (inputs.length === 0 && witness) {
      flags = this.u8()
      if (flags !== 0) {
        inputs = this.#inputs(this.size())
        outputs = this.#outputs()
      }
    } else outputs = this.#outputs()
    if ((flags & 1) !== 0) {
      inputs = inputs.map((input) => ({ ...input, witness: this.stack() }))
      if (inputs.every((input) => input.witness.length === 0)) {
        throw new PsbtError('Superfluous witness record')
      }
    }
    if (flags > 1) throw new PsbtError('Unknown transaction optional data')
    return whole({ version, inputs, outputs, locktime: this.u32() })
  }
}
function whole(parts: {
  readonly version: number
  readonly inputs: readonly TransactionInput[]
  readonly outputs: readonly TransactionOutput[]
  readonly locktime: number
}): Transaction {
  const raw = encodeTransaction(parts)
  const stripped = encodeTransaction(parts, false)
  const weight = stripped.length * 3 + raw.length
  const [first] = parts.inputs
  const none = '0'.repeat(64)
  return {
    ...parts,
    raw,
    txid: toReversedHex(sha256d(stripped)),
    wtxid: toReversedHex(sha256d(raw)),
    strippedSize: stripped.length,
    weight,
    vsize: Math.ceil(weight / 4),
    hasWitness: raw.length !== stripped.length,
    isCoinbase: parts.inputs.length === 1 && first?.txid === none && first.vout === 0xffffffff,
  }
}
