import type { Transaction, TransactionInput, TransactionOutput } from '../chain/transaction.ts'
import { TransactionChecker } from './checker.ts'
import { type ScriptError, scriptErrorText } from './errors.ts'
import { CONSENSUS_FLAGS, type ScriptFlags, STANDARD_FLAGS } from './flags.ts'
import { SignatureHasher } from './sighash.ts'
import { verifySpend } from './spend.ts'

/** Which set of script flags decides: what relays (policy) or what may stand in a block (consensus). */
export type VerifyMode = 'policy' | 'consensus'

/** The first input that may not spend its coin. */
export interface ScriptFailure {
  readonly input: number
  readonly error: ScriptError
  /** False when only policy objects: a block may hold the transaction. */
  readonly isMandatory: boolean
  /** Core's reject reason. */
  readonly reason: string
}

/** Why one input may not spend its coin, with the shared hashes of `hasher`. */
export function inputError(
  transaction: Transaction,
  index: number,
  coin: TransactionOutput,
  flags: ScriptFlags,
  hasher: SignatureHasher,
): ScriptError | undefined {
  const input = transaction.inputs[index] as TransactionInput
  return verifySpend({
    scriptSig: input.script,
    scriptPubKey: coin.script,
    witness: input.witness,
    flags,
    checker: new TransactionChecker(hasher, transaction, index, coin.value),
  })
}

// A wtxid commits to the signatures and, through the spent txids, to the spent scripts and amounts: what held once
// holds in every devnet of this process. Bounded, because a simulation makes millions.
const held: Record<VerifyMode, Set<string>> = { policy: new Set(), consensus: new Set() }
const HELD_LIMIT = 50_000
const FLAGS: Readonly<Record<VerifyMode, ScriptFlags>> = {
  policy: STANDARD_FLAGS,
  consensus: CONSENSUS_FLAGS,
}

/**
 * Runs the scripts of every input; undefined when all hold. `spent` are the spent outputs in input order. A failure under
 * policy is judged a second time by consensus alone, as Core does, and keeps the error that policy found.
 */
export function verifyScripts(
  transaction: Transaction,
  spent: readonly TransactionOutput[],
  mode: VerifyMode,
): ScriptFailure | undefined {
  const { wtxid } = transaction
  if (held.policy.has(wtxid) || held[mode].has(wtxid)) return undefined
  const hasher = new SignatureHasher(transaction, spent)
  for (let input = 0; input < transaction.inputs.length; input++) {
    const coin = spent[input] as TransactionOutput
    const error = inputError(transaction, input, coin, FLAGS[mode], hasher)
    if (!error) continue
    const isMandatory =
      mode === 'consensus' ||
      inputError(transaction, input, coin, CONSENSUS_FLAGS, hasher) !== undefined
    const word = isMandatory
      ? 'mandatory-script-verify-flag-failed'
      : 'non-mandatory-script-verify-flag'
    return { input, error, isMandatory, reason: `${word} (${scriptErrorText(error)})` }
  }
  if (held[mode].size >= HELD_LIMIT) held[mode].clear()
  held[mode].add(wtxid)
  return undefined
}
