import { assert, equalBytes, ok, type Refusal, type Result, refuse } from '../../kernel/index.ts'
import { encodeTransaction, type Transaction } from '../transaction/index.ts'
import { finalInput } from './final.ts'
import type { PartialSignature, Psbt, PsbtInput } from './model.ts'
import type { SpendRule } from './rule.ts'
import { drain, type InputSignatures, type Steps, verifiedSignatures } from './taken.ts'
import { Verifier } from './verifier.ts'

export type FinalizeRefusal = Refusal<
  | 'PSBT_INCOMPLETE'
  | 'PSBT_UNSPENDABLE'
  | 'SIGNATURE_INVALID'
  | 'SIGNATURE_FOREIGN'
  | 'SIGNATURE_SIGHASH'
>
/** A transaction that can be sent. */
export interface Finalized {
  readonly transaction: Transaction
  readonly bytes: Uint8Array
}

/** As many signatures as are needed, in the order of the keys of the script. */
function chosen(rule: SpendRule, signatures: InputSignatures): readonly PartialSignature[] {
  if (rule.form !== 'multisig') return signatures.slice(0, rule.threshold)
  return rule.publicKeys
    .flatMap((key) => signatures.find(({ publicKey }) => equalBytes(publicKey, key)) ?? [])
    .slice(0, rule.threshold)
}

/** What BIP 174 leaves of an input that is complete: the coin, and what nobody here can judge. */
function completed(input: PsbtInput, rule: SpendRule, signatures: InputSignatures): PsbtInput {
  const { previous, witnessUtxo, kept, layout, requiredTime, requiredHeight } = input
  const { script, witness } = finalInput(rule, chosen(rule, signatures))
  return {
    ...(previous ? { previous } : {}),
    ...(witnessUtxo ? { witnessUtxo } : {}),
    ...(layout ? { layout } : {}),
    ...(requiredTime === undefined ? {} : { requiredTime }),
    ...(requiredHeight === undefined ? {} : { requiredHeight }),
    ...(script.length > 0 ? { finalScript: script } : {}),
    ...(witness.length > 0 ? { finalWitness: witness } : {}),
    signatures: [],
    origins: [],
    tapOrigins: [],
    // Fields of a taproot tree and of MuSig2 have done their work; proprietary and unknown ones stay.
    kept: kept.filter(({ type }) => type < 0x0a || type > 0x1c),
  }
}

/** As `finalizeInputs`, yielding after every signature that was verified. */
export function* finalizingInputs(psbt: Psbt): Steps<Result<Psbt, FinalizeRefusal>> {
  const verifier = new Verifier(psbt)
  const inputs: PsbtInput[] = []
  for (const [i, input] of psbt.inputs.entries()) {
    const spendable = verifier.spendable(i)
    if ('reason' in spendable) {
      return refuse('PSBT_UNSPENDABLE', `input ${i}: ${spendable.message}`, {
        details: { input: i, fault: spendable.reason },
      })
    }
    const signatures = yield* verifiedSignatures(verifier, i, spendable, input)
    if ('code' in signatures) {
      return refuse(signatures.code, `input ${i}: ${signatures.message}`, { details: { input: i } })
    }
    const { rule } = spendable
    const have = signatures.length
    const need = rule.threshold
    if (have < need) {
      return refuse('PSBT_INCOMPLETE', `input ${i} has ${have} of ${need} signatures`, {
        details: { input: i, have, need },
      })
    }
    inputs.push(completed(input, rule, signatures))
  }
  return ok({ ...psbt, inputs })
}

/** Completes every input with verified signatures and takes away what has done its work. Source: BIP 174, input finalizer. */
export const finalizeInputs = (psbt: Psbt): Result<Psbt, FinalizeRefusal> =>
  drain(finalizingInputs(psbt))

/** The transaction of a PSBT whose inputs are complete. @throws AssertionError when its maps are not those of its transaction. */
function extracted({ transaction, inputs }: Psbt): Finalized {
  const complete = transaction.inputs.map((input, i) => {
    const map = inputs[i]
    assert(map, `no map of input ${i}`)
    return { ...input, script: map.finalScript ?? input.script, witness: map.finalWitness ?? [] }
  })
  const signed = { ...transaction, inputs: complete }
  return { transaction: signed, bytes: encodeTransaction(signed) }
}

/** As `finalizePsbt`, yielding after every signature that was verified. */
export function* finalizingPsbt(psbt: Psbt): Steps<Result<Finalized, FinalizeRefusal>> {
  const complete = yield* finalizingInputs(psbt)
  return complete.ok ? ok(extracted(complete.value)) : complete
}

/**
 * Completes a PSBT and takes the transaction out of it. Every signature is verified on the way, so what comes out is valid as far
 * as the coins of the PSBT are the real ones. Source: BIP 174, input finalizer and transaction extractor.
 */
export const finalizePsbt = (psbt: Psbt): Result<Finalized, FinalizeRefusal> =>
  drain(finalizingPsbt(psbt))
