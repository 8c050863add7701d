import { sha256 } from '@noble/hashes/sha2.js'
import { type Txid, toReversedHex, type Weight, type Wtxid, weight } from '../../kernel/index.ts'

/** One input as it stands in the bytes. */
export interface SeenInput {
  /** The 36 bytes of the outpoint. */
  readonly outpoint: Uint8Array
  readonly txid: Txid
  readonly vout: number
  readonly script: Uint8Array
  readonly sequence: number
  readonly witness: readonly Uint8Array[]
}
export interface SeenOutput {
  /** Any unsigned 64 bits: the check of the range comes later. */
  readonly amount: bigint
  readonly script: Uint8Array
}
export interface SeenTransaction {
  readonly version: number
  readonly inputs: readonly SeenInput[]
  readonly outputs: readonly SeenOutput[]
  readonly lockTime: number
  readonly txid: Txid
  readonly wtxid: Wtxid
  /** The id with every input script emptied: what was planned before anyone signed. */
  readonly unsignedTxid: Txid
  readonly strippedSize: number
  readonly weight: Weight
}

export const hash256 = (bytes: Uint8Array): Uint8Array => sha256(sha256(bytes))

/** More is never relayed, and no honest count or length comes near. */
const MOST = 400_000

/** Reads forward and never past the end; `failed` stays set once something was not there. */
class Reader {
  readonly #bytes: Uint8Array
  at = 0
  failed = false

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes
  }
  get left(): number {
    return this.#bytes.length - this.at
  }
  take(length: number): Uint8Array {
    if (this.failed || length > this.left) {
      this.failed = true
      return new Uint8Array(0)
    }
    this.at += length
    return this.#bytes.slice(this.at - length, this.at)
  }
  /** An unsigned number in `length` bytes, little endian. */
  number(length: number): number {
    return this.take(length).reduceRight((value, byte) => value * 256 + byte, 0)
  }
  u32(): number {
    return this.number(4)
  }
  u64(): bigint {
    const low = this.u32()
    return BigInt(this.u32()) * 0x1_0000_0000n + BigInt(low)
  }
  /** Only the shortest form, and only sizes that a relayed transaction can have. */
  size(): number {
    const first = this.number(1)
    if (first < 0xfd) return first
    const value = first === 0xfd ? this.number(2) : first === 0xfe ? this.u32() : MOST + 1
    if (value > MOST || value < (first === 0xfd ? 0xfd : 0x1_0000)) this.failed = true
    return this.failed ? 0 : value
  }
  sized(): Uint8Array {
    return this.take(this.size())
  }
  list<T>(read: () => T): T[] {
    const count = this.size()
    const items: T[] = []
    for (let i = 0; i < count && !this.failed; i++) items.push(read())
    return items
  }
}

/** Little-endian unsigned integers and sized bytes, written one after the other. */
export class Writer {
  readonly #parts: Uint8Array[] = []

  raw(bytes: Uint8Array): this {
    this.#parts.push(bytes)
    return this
  }
  #number(value: bigint, length: number): this {
    const bytes = new Uint8Array(length)
    for (let i = 0; i < length; i++) bytes[i] = Number((value >> BigInt(8 * i)) & 0xffn)
    return this.raw(bytes)
  }
  u8(value: number): this {
    return this.#number(BigInt(value), 1)
  }
  u32(value: number): this {
    return this.#number(BigInt(value), 4)
  }
  u64(value: bigint): this {
    return this.#number(value, 8)
  }
  size(value: number): this {
    if (value < 0xfd) return this.u8(value)
    return value <= 0xffff ? this.u8(0xfd).#number(BigInt(value), 2) : this.u8(0xfe).u32(value)
  }
  sized(bytes: Uint8Array): this {
    return this.size(bytes.length).raw(bytes)
  }
  output({ amount, script }: SeenOutput): this {
    return this.u64(amount).sized(script)
  }
  bytes(): Uint8Array {
    let length = 0
    for (const part of this.#parts) length += part.length
    const all = new Uint8Array(length)
    let at = 0
    for (const part of this.#parts) {
      all.set(part, at)
      at += part.length
    }
    return all
  }
}

type Body = Pick<SeenTransaction, 'version' | 'inputs' | 'outputs' | 'lockTime'>

function stripped({ version, inputs, outputs, lockTime }: Body, scripts: 'kept' | 'emptied') {
  const writer = new Writer().u32(version).size(inputs.length)
  for (const { outpoint, script, sequence } of inputs) {
    writer
      .raw(outpoint)
      .sized(scripts === 'kept' ? script : new Uint8Array(0))
      .u32(sequence)
  }
  writer.size(outputs.length)
  for (const output of outputs) writer.output(output)
  return writer.u32(lockTime).bytes()
}

/**
 * Reads a final transaction with or without witness (BIP 144); undefined for anything that is not one in its only form: cut, with bytes
 * behind the end, with a number that is not in its shortest form, with a witness that is announced and empty.
 */
export function readFinal(bytes: Uint8Array): SeenTransaction | undefined {
  const reader = new Reader(bytes)
  const version = reader.u32()
  const isSegwit = bytes[4] === 0
  if (isSegwit && (reader.number(1) !== 0 || reader.number(1) !== 1)) return undefined
  const bare = reader.list(() => {
    const outpoint = reader.take(36)
    return { outpoint, script: reader.sized(), sequence: reader.u32() }
  })
  const outputs = reader.list(() => ({ amount: reader.u64(), script: reader.sized() }))
  const inputs: SeenInput[] = bare.map((input) => ({
    ...input,
    txid: toReversedHex(input.outpoint.subarray(0, 32)) as Txid,
    vout: new Reader(input.outpoint.subarray(32)).u32(),
    witness: isSegwit ? reader.list(() => reader.sized()) : [],
  }))
  const lockTime = reader.u32()
  if (reader.failed || reader.left !== 0) return undefined
  if (isSegwit && inputs.every(({ witness }) => witness.length === 0)) return undefined
  const body = { version, inputs, outputs, lockTime }
  const base = stripped(body, 'kept')
  return {
    ...body,
    txid: toReversedHex(hash256(base)) as Txid,
    wtxid: toReversedHex(hash256(bytes)) as Wtxid,
    unsignedTxid: toReversedHex(hash256(stripped(body, 'emptied'))) as Txid,
    strippedSize: base.length,
    weight: weight(3 * base.length + bytes.length),
  }
}
