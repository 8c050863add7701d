import {
  decodeTransaction,
  type Transaction,
  type TransactionOutput,
} from '../chain/transaction.ts'
import { DevnetError } from '../failure.ts'
import { NO_TRANSACTION, type SignatureChecker } from './checker.ts'
import { type ScriptError, scriptErrorText } from './errors.ts'
import type { ScriptContext, ScriptVersion, TapscriptContext } from './execution.ts'
import { NO_FLAGS, type ScriptFlags, STANDARD_FLAGS } from './flags.ts'
import { evaluateScript } from './interpreter.ts'
import { SignatureHasher } from './sighash.ts'
import { tapLeafHash } from './taproot.ts'
import { inputError } from './verify.ts'

/** `message` is Core's sentence for the error. */
export type ScriptVerdict =
  | { readonly ok: true }
  | { readonly ok: false; readonly error: ScriptError; readonly message: string }
const verdictOf = (error: ScriptError | undefined): ScriptVerdict =>
  error === undefined ? { ok: true } : { ok: false, error, message: scriptErrorText(error) }

export interface InputToVerify {
  /** The whole transaction in its wire form, with witnesses. */
  readonly transaction: Uint8Array
  /** Which input, from 0. */
  readonly input: number
  /** The outputs that the inputs spend, in their order, amounts in satoshi: taproot signs all of them. */
  readonly spent: readonly TransactionOutput[]
  /** What Core's mempool asks, unless said otherwise. CLEANSTACK needs WITNESS and that needs P2SH, see `withImplied`. */
  readonly flags?: ScriptFlags
}

function decodeWith(raw: Uint8Array, spent?: readonly TransactionOutput[]): Transaction {
  const transaction = decodeTransaction(raw)
  if (!transaction) {
    throw new DevnetError('DEVNET_TRANSACTION_INVALID', 'the bytes are not exactly one transaction')
  }
  if (spent && transaction.inputs.length !== spent.length) {
    const counts = `${spent.length} outputs for ${transaction.inputs.length} inputs`
    throw new DevnetError('DEVNET_USAGE', `spent has to name one output per input: ${counts}`)
  }
  return transaction
}

/**
 * Says whether one input of a transaction may spend its output. What the transaction may do besides (amounts, lock times
 * against the chain, limits of size) is not looked at.
 * @throws DevnetError DEVNET_TRANSACTION_INVALID when the bytes are no transaction, DEVNET_USAGE when `spent` has another
 * length than the inputs or there is no such input.
 */
export function verifyInput(request: InputToVerify): ScriptVerdict {
  const { input, spent, flags = STANDARD_FLAGS } = request
  const transaction = decodeWith(request.transaction, spent)
  const coin = spent[input]
  if (!coin) throw new DevnetError('DEVNET_USAGE', `there is no input ${input}`)
  const hasher = new SignatureHasher(transaction, spent)
  return verdictOf(inputError(transaction, input, coin, flags, hasher))
}

/**
 * The digests that the signatures of a transaction sign. Without `spent` only `legacy` and `segwit` may be asked for.
 * @throws DevnetError DEVNET_TRANSACTION_INVALID when the bytes are no transaction, DEVNET_USAGE when `spent` has another
 * length than the inputs.
 */
export const signatureHasher = (
  raw: Uint8Array,
  spent?: readonly TransactionOutput[],
): SignatureHasher => new SignatureHasher(decodeWith(raw, spent), spent ?? [])

export interface ScriptRun {
  readonly script: Uint8Array
  /** The first element is the bottom. Not changed. */
  readonly stack?: readonly Uint8Array[]
  /** Rules before segwit, unless said otherwise. */
  readonly version?: ScriptVersion
  readonly flags?: ScriptFlags
  /** Without one no signature holds and no lock time has passed. */
  readonly checker?: SignatureChecker
  /** Only for tapscript: what its signatures may cost (50 each), and what they commit to. */
  readonly tapscript?: TapscriptContext
}
export interface ScriptResult {
  /** What was left, also when the script failed. */
  readonly stack: readonly Uint8Array[]
  readonly error?: ScriptError
}
function contextOf(run: ScriptRun): ScriptContext {
  const { version = 'base', flags = NO_FLAGS, checker = NO_TRANSACTION } = run
  if (version !== 'tapscript') return { version, flags, checker }
  const tapscript = run.tapscript ?? { leafHash: tapLeafHash(run.script), budget: 0 }
  return { version, flags, checker, tapscript: { ...tapscript } }
}
/** Runs one script alone and shows the stack. That the top is true, or alone, is not asked for: see `verifyInput`. */
export function runScript(run: ScriptRun): ScriptResult {
  const stack = [...(run.stack ?? [])]
  const error = evaluateScript(run.script, stack, contextOf(run))
  return error === undefined ? { stack } : { stack, error }
}
