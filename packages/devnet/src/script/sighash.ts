import { createHash, type Hash } from 'node:crypto'
import { schnorr } from '@noble/curves/secp256k1.js'
import { sha256 } from '@noble/hashes/sha2.js'
import { ByteWriter, hashBytes, sha256d } from '../chain/bytes.ts'
import type { Transaction, TransactionInput, TransactionOutput } from '../chain/transaction.ts'
import { writeWithoutSeparators } from './scriptcode.ts'

/** The low five bits of a hash type say which outputs are signed; this bit, that other inputs are not. */
export const SIGHASH = { DEFAULT: 0, ALL: 1, NONE: 2, SINGLE: 3, ANYONECANPAY: 0x80 } as const

const EMPTY = new Uint8Array(0)
const ZERO = new Uint8Array(32)
/** What an input without what it signs signs: the number one. */
const ONE = Uint8Array.from({ length: 32 }, (_, i) => (i === 0 ? 1 : 0))
/** Outpoint, empty script, sequence. */
const BLANK_INPUT_SIZE = 41

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

/** What a taproot signature commits to besides the transaction. */
export interface TaprootContext {
  /** SHA256 of the annex with its length in front. */
  readonly annexHash?: Uint8Array | undefined
  /** The leaf that runs; absent on the key path. */
  readonly leafHash?: Uint8Array | undefined
  /** Position of the last OP_CODESEPARATOR that ran, counted in opcodes. */
  readonly codeSeparator?: number
}
const NO_SEPARATOR = 0xffffffff

/** Hash of an annex as signatures commit to it. Source: BIP 341. */
export const annexHashOf = (annex: Uint8Array): Uint8Array =>
  sha256(new ByteWriter().script(annex).done())

/**
 * A block may have its outputs hashed 20,000 times over, a megabyte each, by the legacy algorithm: Node's own SHA256 does that eight
 * times as fast as one in JavaScript.
 */
const startHash = (): Hash => createHash('sha256')

interface LegacyPrefix {
  readonly hash: Hash
  inputs: number
}

/** What a signature commits to; the hashes that the inputs of one transaction share are computed once. */
export class SignatureHasher {
  readonly #transaction: Transaction
  readonly #spent: readonly TransactionOutput[]
  readonly #kept = new Map<string, Uint8Array>()
  readonly #prefixes = new Map<boolean, LegacyPrefix>()

  /** `spent` are the outputs that the inputs spend, in their order; only taproot needs all of them. */
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
  #outpoint(index: number): Uint8Array {
    const all = this.#outpoints()
    return all.subarray(index * 36, index * 36 + 36)
  }
  #outpoints(): Uint8Array {
    return this.#keep('outpoints', () => {
      const writer = new ByteWriter()
      for (const { txid, vout } of this.#transaction.inputs) writer.put(hashBytes(txid)).u32(vout)
      return writer.done()
    })
  }
  #outputs(): Uint8Array {
    return this.#keep('outputs', () => outputBytes(this.#transaction.outputs))
  }

  /** All inputs as the signature of another one sees them. */
  #blankInputs(sequenced: boolean): Uint8Array {
    return this.#keep(`blank inputs ${sequenced}`, () => {
      const writer = new ByteWriter()
      this.#transaction.inputs.forEach((input, i) => {
        writer.put(this.#outpoint(i)).u8(0)
        writer.u32(sequenced ? input.sequence : 0)
      })
      return writer.done()
    })
  }
  /** A hash that has seen the version and the inputs before `index`; goes on from where the last one stood. */
  #legacyPrefix(index: number, sequenced: boolean): LegacyPrefix['hash'] {
    let prefix = this.#prefixes.get(sequenced)
    if (!prefix || prefix.inputs > index) {
      const { version, inputs } = this.#transaction
      const head = new ByteWriter().u32(version).size(inputs.length).done()
      prefix = { hash: startHash().update(head), inputs: 0 }
      this.#prefixes.set(sequenced, prefix)
    }
    const blank = this.#blankInputs(sequenced)
    prefix.hash.update(blank.subarray(prefix.inputs * BLANK_INPUT_SIZE, index * BLANK_INPUT_SIZE))
    prefix.inputs = index
    return prefix.hash.copy()
  }

  /**
   * The original algorithm, with the flaw that SINGLE without its output (and an input that is not there) signs the number one. `type` is the whole 32-bit
   * hash type; the separators of the script code are left out here.
   */
  legacy(index: number, scriptCode: Uint8Array, type: number): Uint8Array {
    const { inputs, outputs, version, locktime } = this.#transaction
    const base = type & 0x1f
    const isMissing = index >= inputs.length || (base === SIGHASH.SINGLE && index >= outputs.length)
    if (isMissing) return ONE
    const isAlone = (type & SIGHASH.ANYONECANPAY) !== 0
    const isSequenced = base !== SIGHASH.NONE && base !== SIGHASH.SINGLE
    const hash = isAlone
      ? startHash().update(new ByteWriter().u32(version).u8(1).done())
      : this.#legacyPrefix(index, isSequenced)
    const own = new ByteWriter().put(this.#outpoint(index))
    writeWithoutSeparators(own, scriptCode)
    hash.update(own.u32((inputs[index] as TransactionInput).sequence).done())
    if (!isAlone) {
      hash.update(this.#blankInputs(isSequenced).subarray((index + 1) * BLANK_INPUT_SIZE))
    }
    const rest = new ByteWriter()
    if (base === SIGHASH.NONE) rest.size(0)
    else if (base === SIGHASH.SINGLE) {
      rest.size(index + 1)
      for (let i = 0; i < index; i++) rest.u64(-1n).script(EMPTY)
      rest.put(outputBytes(outputs.slice(index, index + 1)))
    } else {
      hash.update(new ByteWriter().size(outputs.length).done()).update(this.#outputs())
    }
    return sha256(hash.update(rest.u32(locktime).u32(type).done()).digest())
  }

  /** Segwit version 0; the script code keeps its separators. Source: BIP 143. */
  segwit(index: number, scriptCode: Uint8Array, amount: bigint, type: number): Uint8Array {
    const { inputs, outputs, version, locktime } = this.#transaction
    const base = type & 0x1f
    const isAlone = (type & SIGHASH.ANYONECANPAY) !== 0
    const isPlain = base !== SIGHASH.NONE && base !== SIGHASH.SINGLE
    let outputsHash: Uint8Array = ZERO
    if (isPlain) outputsHash = this.#keep('outputs twice', () => sha256d(this.#outputs()))
    else if (base === SIGHASH.SINGLE && index < outputs.length) {
      outputsHash = sha256d(outputBytes(outputs.slice(index, index + 1)))
    }
    return sha256d(
      new ByteWriter()
        .u32(version)
        .put(isAlone ? ZERO : this.#keep('prevouts twice', () => sha256d(this.#outpoints())))
        .put(
          isAlone || !isPlain
            ? ZERO
            : this.#keep('sequences twice', () => sha256d(sequences(inputs))),
        )
        .put(this.#outpoint(index))
        .script(scriptCode)
        .u64(amount)
        .u32((inputs[index] as TransactionInput).sequence)
        .put(outputsHash)
        .u32(locktime)
        .u32(type)
        .done(),
    )
  }

  /** Taproot key path, and script path where `context` names a leaf; undefined for a hash type that is not allowed. Source: BIP 341, BIP 342. */
  taproot(index: number, type: number, context: TaprootContext = {}): Uint8Array | undefined {
    const { inputs, outputs, version, locktime } = this.#transaction
    const base = type & 3
    const isAlone = (type & SIGHASH.ANYONECANPAY) !== 0
    if (type > 3 && (type < 0x81 || type > 0x83)) return undefined
    if (base === SIGHASH.SINGLE && index >= outputs.length) return undefined
    const { annexHash, leafHash } = context
    const writer = new ByteWriter().u8(0).u8(type).u32(version).u32(locktime)
    if (!isAlone) this.#writeTaprootInputs(writer)
    if (base !== SIGHASH.NONE && base !== SIGHASH.SINGLE) {
      writer.put(this.#keep('outputs once', () => sha256(this.#outputs())))
    }
    writer.u8((leafHash ? 2 : 0) + (annexHash ? 1 : 0))
    if (isAlone) {
      const coin = this.#spent[index] as TransactionOutput
      writer.put(this.#outpoint(index)).u64(coin.value).script(coin.script)
      writer.u32((inputs[index] as TransactionInput).sequence)
    } else writer.u32(index)
    if (annexHash) writer.put(annexHash)
    if (base === SIGHASH.SINGLE) writer.put(sha256(outputBytes(outputs.slice(index, index + 1))))
    // The zero between leaf and separator is the version of 32-byte keys.
    if (leafHash)
      writer
        .put(leafHash)
        .u8(0)
        .u32(context.codeSeparator ?? NO_SEPARATOR)
    return schnorr.utils.taggedHash('TapSighash', writer.done())
  }
  #writeTaprootInputs(writer: ByteWriter): void {
    const { inputs } = this.#transaction
    writer.put(this.#keep('prevouts once', () => sha256(this.#outpoints())))
    writer.put(this.#keep('amounts once', () => sha256(this.#amounts())))
    writer.put(this.#keep('scripts once', () => sha256(this.#scripts())))
    writer.put(this.#keep('sequences once', () => sha256(sequences(inputs))))
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
