import type { Transaction, TransactionInput } from '../chain/transaction.ts'
import { verifyEcdsa, verifySchnorr } from './curve.ts'
import type { ScriptError } from './errors.ts'
import type { SignatureHasher, TaprootContext } from './sighash.ts'

/** What a script may ask about the transaction that spends it. */
export interface SignatureChecker {
  /** `signature` carries its hash type as last byte. */
  checkEcdsa(
    signature: Uint8Array,
    key: Uint8Array,
    scriptCode: Uint8Array,
    version: 'base' | 'witness_v0',
  ): boolean
  /** Undefined when the signature holds. */
  checkSchnorr(
    signature: Uint8Array,
    key: Uint8Array,
    context: TaprootContext,
  ): ScriptError | undefined
  /** True when the transaction's lock time has passed `value`. Source: BIP 65. */
  checkLockTime(value: number): boolean
  /** True when the input's sequence has passed `value`. Source: BIP 112. */
  checkSequence(value: number): boolean
}

/** For scripts without a transaction: no signature holds, no lock time has passed. */
export const NO_TRANSACTION: SignatureChecker = {
  checkEcdsa: () => false,
  checkSchnorr: () => 'SCHNORR_SIG',
  checkLockTime: () => false,
  checkSequence: () => false,
}

const LOCKTIME_THRESHOLD = 500_000_000
const SEQUENCE_FINAL = 0xffffffff
const SEQUENCE_DISABLED = 0x80000000
const SEQUENCE_IS_TIME = 0x00400000
const SEQUENCE_MASK = 0x0040ffff

/** Heights compare with heights and times with times only. */
const hasPassed = (wanted: number, actual: number, threshold: number): boolean =>
  wanted < threshold === actual < threshold && wanted <= actual

/** Answers for one input of a transaction. */
export class TransactionChecker implements SignatureChecker {
  readonly #hasher: SignatureHasher
  readonly #transaction: Transaction
  readonly #index: number
  readonly #amount: bigint
  // The keys of a multisig ask for one digest again and again, with the same script code object.
  #last: { code: Uint8Array; type: number; version: string; digest: Uint8Array } | undefined

  /** `amount` is that of the spent output, in satoshi. */
  constructor(hasher: SignatureHasher, transaction: Transaction, index: number, amount: bigint) {
    this.#hasher = hasher
    this.#transaction = transaction
    this.#index = index
    this.#amount = amount
  }
  get #input(): TransactionInput {
    return this.#transaction.inputs[this.#index] as TransactionInput
  }

  checkEcdsa(
    signature: Uint8Array,
    key: Uint8Array,
    scriptCode: Uint8Array,
    version: 'base' | 'witness_v0',
  ): boolean {
    const type = signature[signature.length - 1]
    if (type === undefined) return false
    const digest = this.#digest(scriptCode, type, version)
    return verifyEcdsa(signature.subarray(0, -1), digest, key)
  }
  #digest(scriptCode: Uint8Array, type: number, version: 'base' | 'witness_v0'): Uint8Array {
    const last = this.#last
    if (last?.code === scriptCode && last.type === type && last.version === version) {
      return last.digest
    }
    const digest =
      version === 'base'
        ? this.#hasher.legacy(this.#index, scriptCode, type)
        : this.#hasher.segwit(this.#index, scriptCode, this.#amount, type)
    this.#last = { code: scriptCode, type, version, digest }
    return digest
  }

  checkSchnorr(
    signature: Uint8Array,
    key: Uint8Array,
    context: TaprootContext,
  ): ScriptError | undefined {
    if (signature.length !== 64 && signature.length !== 65) return 'SCHNORR_SIG_SIZE'
    const type = signature[64] ?? 0
    // The default type is said by leaving it out, so that there is one way to say it.
    if (signature.length === 65 && type === 0) return 'SCHNORR_SIG_HASHTYPE'
    const digest = this.#hasher.taproot(this.#index, type, context)
    if (!digest) return 'SCHNORR_SIG_HASHTYPE'
    return verifySchnorr(signature.subarray(0, 64), digest, key) ? undefined : 'SCHNORR_SIG'
  }

  checkLockTime(value: number): boolean {
    // A final input would switch the transaction's lock time off.
    const isFinal = this.#input.sequence === SEQUENCE_FINAL
    return !isFinal && hasPassed(value, this.#transaction.locktime, LOCKTIME_THRESHOLD)
  }
  checkSequence(value: number): boolean {
    const { sequence } = this.#input
    if (this.#transaction.version < 2 || sequence >= SEQUENCE_DISABLED) return false
    return hasPassed(value & SEQUENCE_MASK, sequence & SEQUENCE_MASK, SEQUENCE_IS_TIME)
  }
}
