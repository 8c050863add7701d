import { schnorr } from '@noble/curves/secp256k1.js'
import { sha256 } from '@noble/hashes/sha2.js'
import { assert, AssertionError } from '../../kernel/index.ts'
import {
  doubleSha256,
  type Transaction,
  type TransactionOutput,
  writeUint32,
} from '../transaction/index.ts'
import {
  amountBytes,
  outPointBytes,
  outputBytes,
  scriptBytes,
  sequenceBytes,
  sizedLength,
  writeAmount,
  writeSized,
} from './bytes.ts'
import { isAnyoneCanPay, isTaprootHashType, outputKind, SIGHASH } from './hash-type.ts'
import { legacyHash } from './legacy.ts'

const NOTHING = new Uint8Array(32)

/** What a taproot signature covers besides the transaction. */
export interface TaprootContext {
  /** With its prefix 0x50. */
  readonly annex?: Uint8Array
  /** Of the leaf that is executed; absent on the key path. */
  readonly leafHash?: Uint8Array
  /** Place of the last OP_CODESEPARATOR; none is 0xffffffff. */
  readonly codeSeparator?: number
}

/** Keeps what `make` made; nothing is made before it is asked for. */
function once<T>(make: () => T): () => T {
  let kept: { readonly value: T } | undefined
  return () => {
    kept ??= { value: make() }
    return kept.value
  }
}

/**
 * The hashes that the signatures of one transaction sign. What all inputs share is hashed once, so n inputs cost n short hashes
 * and not n times the transaction. Scripts and witnesses of the inputs play no part.
 */
export class SignatureHasher {
  readonly #transaction: Transaction
  readonly #spent: readonly TransactionOutput[]
  readonly #outPoints: () => Uint8Array
  readonly #shaOutPoints: () => Uint8Array
  readonly #shaSequences: () => Uint8Array
  readonly #shaOutputs: () => Uint8Array
  readonly #shaAmounts: () => Uint8Array
  readonly #shaScripts: () => Uint8Array

  /** @param spent the coin of each input, in order; only taproot needs them all. */
  constructor(transaction: Transaction, spent: readonly TransactionOutput[] = []) {
    this.#transaction = transaction
    this.#spent = spent
    const { inputs, outputs } = transaction
    const outPoints = once(() => outPointBytes(inputs))
    this.#outPoints = outPoints
    this.#shaOutPoints = once(() => sha256(outPoints()))
    this.#shaSequences = once(() => sha256(sequenceBytes(inputs)))
    this.#shaOutputs = once(() => sha256(outputBytes(outputs)))
    this.#shaAmounts = once(() => sha256(amountBytes(spent)))
    this.#shaScripts = once(() => sha256(scriptBytes(spent)))
  }

  /** @throws AssertionError for an input that is not there. */
  legacy(input: number, scriptCode: Uint8Array, hashType: number): Uint8Array {
    return legacyHash(this.#transaction, this.#outPoints(), input, scriptCode, hashType)
  }

  /** @throws AssertionError for an input that is not there. Source: BIP 143. */
  segwit(input: number, scriptCode: Uint8Array, amount: bigint, hashType: number): Uint8Array {
    const { version, inputs, lockTime } = this.#transaction
    const spending = inputs[input]
    if (!spending) throw new AssertionError(`no input ${input}`)
    const kind = outputKind(hashType)
    const isAlone = isAnyoneCanPay(hashType)
    const isOpen = kind === SIGHASH.NONE || kind === SIGHASH.SINGLE
    const bytes = new Uint8Array(156 + sizedLength(scriptCode))
    writeUint32(bytes, 0, version)
    bytes.set(isAlone ? NOTHING : sha256(this.#shaOutPoints()), 4)
    bytes.set(isAlone || isOpen ? NOTHING : sha256(this.#shaSequences()), 36)
    bytes.set(this.#outPoints().subarray(36 * input, 36 * input + 36), 68)
    let at = writeAmount(bytes, writeSized(bytes, 104, scriptCode), amount)
    at = writeUint32(bytes, at, spending.sequence)
    bytes.set(isOpen ? this.#singleOutput(input, kind) : sha256(this.#shaOutputs()), at)
    writeUint32(bytes, writeUint32(bytes, at + 32, lockTime), hashType)
    return doubleSha256(bytes)
  }

  #singleOutput(input: number, kind: number): Uint8Array {
    const output = this.#transaction.outputs[input]
    return kind === SIGHASH.SINGLE && output ? doubleSha256(outputBytes([output])) : NOTHING
  }

  /**
   * Undefined where consensus knows no hash: an undefined type, or SINGLE without an output of that number.
   * @throws AssertionError for an input that is not there, or unless the coins of all inputs are known. Source: BIP 341, BIP 342.
   */
  taproot(input: number, hashType: number, context: TaprootContext = {}): Uint8Array | undefined {
    const { inputs, outputs } = this.#transaction
    assert(inputs[input], `no input ${input}`)
    assert(this.#spent.length === inputs.length, 'taproot signs the coins of all inputs')
    if (!isTaprootHashType(hashType)) return undefined
    const kind = hashType & 3
    if (kind === SIGHASH.SINGLE && input >= outputs.length) return undefined
    const { annex, leafHash } = context
    const message = new TaprootMessage()
    message.header(hashType, this.#transaction)
    if (!isAnyoneCanPay(hashType)) {
      message.put(
        this.#shaOutPoints(),
        this.#shaAmounts(),
        this.#shaScripts(),
        this.#shaSequences(),
      )
    }
    if (kind === SIGHASH.DEFAULT || kind === SIGHASH.ALL) message.put(this.#shaOutputs())
    message.put(Uint8Array.of((leafHash ? 2 : 0) + (annex ? 1 : 0)))
    message.put(isAnyoneCanPay(hashType) ? this.#coin(input) : uint32Bytes(input))
    if (annex) {
      const sized = new Uint8Array(sizedLength(annex))
      writeSized(sized, 0, annex)
      message.put(sha256(sized))
    }
    if (kind === SIGHASH.SINGLE) message.put(sha256(outputBytes(outputs.slice(input, input + 1))))
    if (leafHash) {
      message.put(leafHash, Uint8Array.of(0), uint32Bytes(context.codeSeparator ?? 0xffff_ffff))
    }
    return schnorr.utils.taggedHash('TapSighash', ...message.parts)
  }

  /** Outpoint, coin and sequence of one input. */
  #coin(input: number): Uint8Array {
    const coin = this.#spent.slice(input, input + 1)
    const spent = outputBytes(coin)
    const bytes = new Uint8Array(36 + spent.length + 4)
    bytes.set(this.#outPoints().subarray(36 * input, 36 * input + 36))
    bytes.set(spent, 36)
    writeUint32(bytes, 36 + spent.length, this.#transaction.inputs[input]?.sequence ?? 0)
    return bytes
  }
}

class TaprootMessage {
  readonly parts: Uint8Array[] = []

  /** Epoch, hash type, version, lock time. */
  header(hashType: number, { version, lockTime }: Transaction): void {
    const bytes = new Uint8Array(10)
    bytes[1] = hashType
    writeUint32(bytes, 2, version)
    writeUint32(bytes, 6, lockTime)
    this.parts.push(bytes)
  }

  put(...parts: readonly Uint8Array[]): void {
    this.parts.push(...parts)
  }
}

function uint32Bytes(value: number): Uint8Array {
  const bytes = new Uint8Array(4)
  writeUint32(bytes, 0, value)
  return bytes
}
