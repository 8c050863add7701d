import { schnorr } from '@noble/curves/secp256k1.js'
import { sha256 } from '@noble/hashes/sha2.js'
import { ByteWriter, hashBytes, sha256d } from '../chain/bytes.ts'
import type { Transaction, TransactionInput, TransactionOutput } from '../chain/transaction.ts'

const ANYONE_CAN_PAY = 0x80
const NONE = 2
const SINGLE = 3

const outpoints = (inputs: readonly TransactionInput[]): Uint8Array => {
  const writer = new ByteWriter()
  for (const input of inputs) writer.put(hashBytes(input.txid)).u32(input.vout)
  return writer.done()
}
const sequences = (inputs: readonly TransactionInput[]): Uint8Array => {
  const writer = new ByteWriter()
  for (const input of inputs) writer.u32(input.sequence)
  return writer.done()
}
const outputBytes = (outputs: readonly TransactionOutput[]): Uint8Array => {
  const writer = new ByteWriter()
  for (const output of outputs) writer.u64(output.value).script(output.script)
  return writer.done()
}

/** What a signature commits to; the shared middle hashes of one transaction are computed once. */
export class SignatureHasher {
  readonly #transaction: Transaction
  readonly #spent: readonly TransactionOutput[]
  readonly #kept = new Map<string, Uint8Array>()

  constructor(transaction: Transaction, spent: readonly TransactionOutput[]) {
    this.#transaction = transaction
    this.#spent = spent
  }
  #keep(name: string, make: () => Uint8Array): Uint8Array {
    const known = this.#kept.get(name)
    if (known) return known
    const made = make()
    this.#kept.set(name, made)
    return made
  }

  /** The original algorithm, with the flaw that SINGLE without its output signs the number one. */
  legacy(index: number, scriptCode: Uint8Array, type: number): Uint8Array {
    const { inputs, outputs, version, locktime } = this.#transaction
    const base = type & 0x1f
    if (base === SINGLE && index >= outputs.length) {
      return Uint8Array.from({ length: 32 }, (_, i) => (i === 0 ? 1 : 0))
    }
    const alone = (type & ANYONE_CAN_PAY) !== 0
    const writer = new ByteWriter().u32(version).size(alone ? 1 : inputs.length)
    inputs.forEach((input, i) => {
      if (alone && i !== index) return
      writer.put(hashBytes(input.txid)).u32(input.vout)
      writer.script(i === index ? scriptCode : new Uint8Array())
      writer.u32(i !== index && (base === NONE || base === SINGLE) ? 0 : input.sequence)
    })
    if (base === NONE) writer.size(0)
    else if (base === SINGLE) {
      writer.size(index + 1)
      for (let i = 0; i < index; i++) writer.u64(-1n).script(new Uint8Array())
      writer.put(outputBytes(outputs.slice(index, index + 1)))
    } else writer.size(outputs.length).put(outputBytes(outputs))
    return sha256d(writer.u32(locktime).u32(type).done())
  }

  /** Segwit version 0. Source: BIP 143. */
  segwit(index: number, scriptCode: Uint8Array, amount: bigint, type: number): Uint8Array {
    const { inputs, outputs, version, locktime } = this.#transaction
    const input = inputs[index] as TransactionInput
    const base = type & 0x1f
    const alone = (type & ANYONE_CAN_PAY) !== 0
    const zero = new Uint8Array(32)
    const single = base === SINGLE && index < outputs.length
    const plain = base !== NONE && base !== SINGLE
    return sha256d(
      new ByteWriter()
        .u32(version)
        .put(alone ? zero : this.#keep('prevouts', () => sha256d(outpoints(inputs))))
        .put(alone || !plain ? zero : this.#keep('sequences', () => sha256d(sequences(inputs))))
        .put(hashBytes(input.txid))
        .u32(input.vout)
        .script(scriptCode)
        .u64(amount)
        .u32(input.sequence)
        .put(
          plain
            ? this.#keep('outputs', () => sha256d(outputBytes(outputs)))
            : single
              ? sha256d(outputBytes(outputs.slice(index, index + 1)))
              : zero,
        )
        .u32(locktime)
        .u32(type)
        .done(),
    )
  }

  /** Taproot key path; undefined for a hash type that is not allowed. Source: BIP 341. */
  taproot(index: number, type: number, annex?: Uint8Array): Uint8Array | undefined {
    const { inputs, outputs, version, locktime } = this.#transaction
    const input = inputs[index] as TransactionInput
    const base = type & 3
    const alone = (type & ANYONE_CAN_PAY) !== 0
    if (type > 3 && (type < 0x81 || type > 0x83)) return undefined
    if (base === SINGLE && index >= outputs.length) return undefined
    const writer = new ByteWriter().u8(0).u8(type).u32(version).u32(locktime)
    if (!alone) {
      writer.put(this.#keep('taproot prevouts', () => sha256(outpoints(inputs))))
      writer.put(this.#keep('taproot amounts', () => sha256(this.#amounts())))
      writer.put(this.#keep('taproot scripts', () => sha256(this.#scripts())))
      writer.put(this.#keep('taproot sequences', () => sha256(sequences(inputs))))
    }
    if (base !== NONE && base !== SINGLE) {
      writer.put(this.#keep('taproot outputs', () => sha256(outputBytes(outputs))))
    }
    writer.u8(annex ? 1 : 0)
    if (alone) {
      const coin = this.#spent[index] as TransactionOutput
      writer.put(hashBytes(input.txid)).u32(input.vout).u64(coin.value).script(coin.script)
      writer.u32(input.sequence)
    } else writer.u32(index)
    if (annex) writer.put(sha256(new ByteWriter().script(annex).done()))
    if (base === SINGLE) writer.put(sha256(outputBytes(outputs.slice(index, index + 1))))
    return schnorr.utils.taggedHash('TapSighash', writer.done())
  }
  #amounts(): Uint8Array {
    const writer = new ByteWriter()
    for (const coin of this.#spent) writer.u64(coin.value)
    return writer.done()
  }
  #scripts(): Uint8Array {
    const writer = new ByteWriter()
    for (const coin of this.#spent) writer.script(coin.script)
    return writer.done()
  }
}
