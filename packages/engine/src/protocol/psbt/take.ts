import { assert, equalBytes, ok, type Refusal, type Result, refuse } from '../../kernel/index.ts'
import { encodeTransaction } from '../transaction/index.ts'
import { INPUT } from './fields.ts'
import { isFinal } from './final.ts'
import type { PartialSignature, Psbt, PsbtInput } from './model.ts'
import { inOrder } from './sort.ts'
import { drain, type InputSignatures, type Steps, verifiedSignatures } from './taken.ts'
import { type SignatureFault, type Spendable, Verifier } from './verifier.ts'

export type TakeRefusal = Refusal<
  | 'SIGNATURE_INVALID'
  | 'SIGNATURE_FOREIGN'
  | 'SIGNATURE_SIGHASH'
  | 'PSBT_DIFFERENT_TRANSACTION'
  | 'PSBT_UNSPENDABLE'
>

/** One signature that came over. */
export interface TakenSignature {
  readonly input: number
  /** For taproot the output key. */
  readonly publicKey: Uint8Array
  /** Of the master key as our own PSBT has it; absent where it names none. */
  readonly fingerprint?: string
}

export interface Taken {
  /** Ours, with the new signatures in it and nothing else of theirs. */
  readonly psbt: Psbt
  /** How many signatures are new. */
  readonly added: number
  readonly signatures: readonly TakenSignature[]
}

/** True when both are PSBTs of the same unsigned transaction. */
export const isSameTransaction = (a: Psbt, b: Psbt): boolean =>
  equalBytes(
    encodeTransaction(a.transaction, 'without-witness'),
    encodeTransaction(b.transaction, 'without-witness'),
  )

/** The fingerprint that our input names for a key. */
export function fingerprintOf(input: PsbtInput, publicKey: Uint8Array): string | undefined {
  const [internal] = input.tapOrigins.filter(({ leafHashes }) => leafHashes?.length === 0)
  const origin = input.origins.find((other) => equalBytes(other.publicKey, publicKey))
  return (publicKey.length === 32 ? internal : origin)?.fingerprint
}

function refusal(
  index: number,
  { code, message, hashType }: SignatureFault,
): Result<never, TakeRefusal> {
  const details = { input: index, ...(hashType === undefined ? {} : { sighash: hashType }) }
  return refuse(code, `input ${index}: ${message}`, { details })
}

/** The signatures of an input that was given, put beside those that were there. */
function withSignatures(input: PsbtInput, spendable: Spendable, more: InputSignatures): PsbtInput {
  const [first] = more
  if (!first) return input
  if (spendable.rule.form === 'taproot_key') return { ...input, tapSignature: first.signature }
  const signatures = [...input.signatures, ...more]
  return { ...input, signatures: inOrder(signatures) }
}

/** Signatures for scripts of a taproot coin: no coin of ours is spent that way. */
const hasScriptSignatures = ({ kept }: PsbtInput): boolean =>
  kept.some(({ type }) => type === INPUT.TAP_SCRIPT_SIG)

const hasSignatures = (input: PsbtInput): boolean =>
  input.signatures.length > 0 ||
  input.tapSignature !== undefined ||
  isFinal(input) ||
  hasScriptSignatures(input)

/** What is new in one input of theirs. */
function* newSignatures(
  verifier: Verifier,
  index: number,
  spendable: Spendable,
  theirs: PsbtInput,
): Steps<InputSignatures | SignatureFault> {
  const ours = verifier.psbt.inputs[index]
  assert(ours, `no input ${index}`)
  if (hasScriptSignatures(theirs)) {
    return { code: 'SIGNATURE_FOREIGN', message: 'the coin is not spent by a script of its tree' }
  }
  const { rule } = spendable
  const tapKey = rule.publicKeys[0]
  const known: PartialSignature[] = [...ours.signatures]
  if (ours.tapSignature && tapKey) known.push({ publicKey: tapKey, signature: ours.tapSignature })
  const all = yield* verifiedSignatures(verifier, index, spendable, theirs, known)
  if ('code' in all) return all
  return all.filter(
    (signature) => !known.some(({ publicKey }) => equalBytes(publicKey, signature.publicKey)),
  )
}

/**
 * As `takeSignatures`, yielding after every signature that was verified.
 * @throws AssertionError when our own PSBT has not as many inputs as its transaction.
 */
export function* takingSignatures(ours: Psbt, theirs: Psbt): Steps<Result<Taken, TakeRefusal>> {
  if (!isSameTransaction(ours, theirs)) {
    return refuse('PSBT_DIFFERENT_TRANSACTION', 'the PSBT belongs to another transaction')
  }
  const verifier = new Verifier(ours)
  const inputs: PsbtInput[] = []
  const signatures: TakenSignature[] = []
  for (const [i, input] of ours.inputs.entries()) {
    const given = theirs.inputs[i]
    if (!given || !hasSignatures(given)) {
      inputs.push(input)
      continue
    }
    const spendable = verifier.spendable(i)
    if ('reason' in spendable) {
      return refuse('PSBT_UNSPENDABLE', `input ${i}: ${spendable.message}`, {
        details: { input: i, fault: spendable.reason },
      })
    }
    const more = yield* newSignatures(verifier, i, spendable, given)
    if ('code' in more) return refusal(i, more)
    inputs.push(withSignatures(input, spendable, more))
    for (const { publicKey } of more) {
      const fingerprint = fingerprintOf(input, publicKey)
      signatures.push({ input: i, publicKey, ...(fingerprint ? { fingerprint } : {}) })
    }
  }
  return ok({ psbt: { ...ours, inputs }, added: signatures.length, signatures })
}

/**
 * Takes the signatures out of `theirs` that `ours` does not have, and nothing else. Each one is verified against our own
 * transaction, coins, scripts and hash types; one that is not good refuses the whole file. Completed inputs are taken apart.
 */
export const takeSignatures = (ours: Psbt, theirs: Psbt): Result<Taken, TakeRefusal> =>
  drain(takingSignatures(ours, theirs))
