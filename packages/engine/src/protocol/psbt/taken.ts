import { assert, equalBytes } from '../../kernel/index.ts'
import { isFinal, signaturesOf } from './final.ts'
import type { PartialSignature, PsbtInput } from './model.ts'
import type { SpendRule } from './rule.ts'
import type { SignatureFault, Spendable, Verifier } from './verifier.ts'

/** The verified signatures of one input. For taproot the key is the output key. */
export type InputSignatures = readonly PartialSignature[]
/** Yields after every curve operation; the caller may let others work before it goes on. */
export type Steps<T> = Generator<void, T, void>

const isSame = (a: PartialSignature, b: PartialSignature): boolean =>
  equalBytes(a.publicKey, b.publicKey) && equalBytes(a.signature, b.signature)

/** Runs steps to their end in one go. */
export function drain<T>(steps: Steps<T>): T {
  for (;;) {
    const step = steps.next()
    if (step.done) return step.value
  }
}

const foreign = (message: string): SignatureFault => ({ code: 'SIGNATURE_FOREIGN', message })
const invalid = (message: string): SignatureFault => ({ code: 'SIGNATURE_INVALID', message })

/** Finds the key of each signature: consensus takes both in the same order. */
function* matched(
  verifier: Verifier,
  index: number,
  spendable: Spendable,
  signatures: readonly Uint8Array[],
): Steps<InputSignatures | SignatureFault> {
  const found: PartialSignature[] = []
  const keys = [...spendable.rule.publicKeys]
  for (const signature of signatures) {
    let fault: SignatureFault | undefined = invalid('a signature of a completed input is of no key')
    while (fault) {
      const publicKey = keys.shift()
      if (!publicKey) return fault
      const next = verifier.fault(index, spendable, { publicKey, signature })
      yield
      if (next?.code === 'SIGNATURE_SIGHASH') return next
      if (!next) found.push({ publicKey, signature })
      fault = next
    }
  }
  return found
}

function* finalSignatures(
  verifier: Verifier,
  index: number,
  spendable: Spendable,
  input: PsbtInput,
): Steps<InputSignatures | SignatureFault> {
  const { rule } = spendable
  const found = signaturesOf(rule, input.finalScript, input.finalWitness)
  if (!found) return invalid('the completed input does not spend its coin')
  if (rule.form === 'multisig') return yield* matched(verifier, index, spendable, found.signatures)
  const [signature] = found.signatures
  const publicKey = found.publicKey ?? rule.publicKeys[0]
  assert(signature && publicKey, 'a completed input without signature')
  const fault =
    rule.form === 'taproot_key'
      ? verifier.tapFault(index, spendable, signature)
      : verifier.fault(index, spendable, { publicKey, signature })
  yield
  return fault ?? [{ publicKey, signature }]
}

/** The signatures that an input claims to have, partial ones or those of a completed input, as a list. */
export function claimedSignatures(rule: SpendRule, input: PsbtInput): InputSignatures {
  const [publicKey] = rule.publicKeys
  const { signatures, tapSignature } = input
  if (rule.form !== 'taproot_key' || !publicKey || !tapSignature) return signatures
  return [...signatures, { publicKey, signature: tapSignature }]
}

/**
 * All signatures of `input`, each verified against the coin, the scripts and the transaction of the verifier; the first one that is
 * not good ends it. Those in `known` have been verified before.
 */
export function* verifiedSignatures(
  verifier: Verifier,
  index: number,
  spendable: Spendable,
  input: PsbtInput,
  known: InputSignatures = [],
): Steps<InputSignatures | SignatureFault> {
  const { rule } = spendable
  const good: PartialSignature[] = []
  for (const claimed of claimedSignatures(rule, input)) {
    if (!known.some((other) => isSame(other, claimed))) {
      const isTap = claimed.signature === input.tapSignature
      const fault = isTap
        ? verifier.tapFault(index, spendable, claimed.signature)
        : verifier.fault(index, spendable, claimed)
      yield
      if (fault) return fault
    }
    good.push(claimed)
  }
  if (input.tapSignature && rule.form !== 'taproot_key') {
    return foreign('the coin takes no taproot signature')
  }
  if (!isFinal(input)) return good
  const final = yield* finalSignatures(verifier, index, spendable, input)
  if ('code' in final) return final
  const isNew = (signature: PartialSignature) =>
    !good.some(({ publicKey }) => equalBytes(publicKey, signature.publicKey))
  return [...good, ...final.filter(isNew)]
}
