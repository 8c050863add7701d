import { type PartFault, part } from './coin.ts'
import { feeFaults, repeatedInputs, timeFaults } from './check-fee.ts'
import { inputFaults, isOwnXpub } from './check-input.ts'
import { outputFaults } from './check-output.ts'
import type { Psbt, PsbtRefusal } from './model.ts'
import { parsePsbt, parsePsbtText } from './parse.ts'
import type { PsbtFault, PsbtFaultReason, PsbtPolicy } from './policy.ts'
import { drain, type Steps } from './taken.ts'
import { Verifier } from './verifier.ts'

/** As `checkPsbt`, yielding after every signature that was verified and every input. */
export function* checkingPsbt(psbt: Psbt, policy: PsbtPolicy): Steps<readonly PsbtFault[]> {
  const { transaction, inputs, outputs, xpubs } = psbt
  const verifier = new Verifier(psbt)
  const faults: PsbtFault[] = []
  for (const i of inputs.keys()) {
    const found = yield* inputFaults(verifier, i, policy)
    faults.push(...found.map((fault) => ({ ...fault, input: i })))
    yield
  }
  for (const input of repeatedInputs(transaction)) {
    faults.push({ ...part('duplicate_input', 'the coin is spent twice'), input })
  }
  const paid = outputFaults(transaction.outputs, outputs, policy)
  for (const [output, found] of paid.faults.entries()) {
    faults.push(...found.map((fault) => ({ ...fault, output })))
  }
  for (const { amount } of paid.unpaid) {
    faults.push(part('request_mismatch', `no output pays the ${amount} sat that were asked for`))
  }
  const strangers = xpubs.filter((xpub) => !isOwnXpub(policy.wallet, xpub))
  const stranger: PartFault[] = strangers.map(({ fingerprint }) =>
    part('foreign_xpub', `the extended key of ${fingerprint} is none of this wallet`),
  )
  return [
    ...faults,
    ...stranger,
    ...feeFaults(verifier, policy),
    ...timeFaults(transaction, policy),
  ]
}

/**
 * Everything for which a careful signer refuses this PSBT, and nothing when it makes exactly the payments that were asked for, out of
 * our coins, with change to us where we find it, at a sane fee. It believes nothing that the file says about itself: coins are proven
 * by their previous transactions, scripts and change by our descriptors, signatures are verified.
 */
export const checkPsbt = (psbt: Psbt, policy: PsbtPolicy): readonly PsbtFault[] =>
  drain(checkingPsbt(psbt, policy))

const REASONS: Readonly<Record<string, PsbtFaultReason>> = {
  amount_range: 'amount_range',
  version: 'version',
  too_large: 'too_large',
}
const unread = ({ message, details }: PsbtRefusal): PsbtFault => ({
  reason: REASONS[`${details['fault']}`] ?? 'malformed',
  message,
})

/** As `checkPsbt`, for a file: bytes, or text in base64. What cannot be read is one fault. */
export function judgePsbt(file: Uint8Array | string, policy: PsbtPolicy): readonly PsbtFault[] {
  const psbt = typeof file === 'string' ? parsePsbtText(file) : parsePsbt(file)
  return psbt.ok ? checkPsbt(psbt.value, policy) : [unread(psbt.error)]
}
