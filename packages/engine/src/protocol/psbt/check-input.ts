import { equalBytes } from '../../kernel/index.ts'
import type { Descriptor } from '../descriptor/index.ts'
import { printHashType, SIGHASH } from '../sighash/index.ts'
import type { TransactionOutput } from '../transaction/index.ts'
import { type PartFault, part } from './coin.ts'
import type { PsbtInput, PsbtXpub } from './model.ts'
import { claimOf, isAt, rootOrigin } from './place.ts'
import type { PsbtPolicy } from './policy.ts'
import type { SpendRule } from './rule.ts'
import { type Steps, verifiedSignatures } from './taken.ts'
import { encodeExtendedPublicKey } from '../keys/index.ts'
import type { SignatureFault, Verifier } from './verifier.ts'

const SIGNATURE_REASONS = {
  SIGNATURE_INVALID: 'signature_invalid',
  SIGNATURE_FOREIGN: 'foreign_signature',
  SIGNATURE_SIGHASH: 'sighash',
} as const

const signatureFault = ({ code, message }: SignatureFault): PartFault =>
  part(SIGNATURE_REASONS[code], message)

/** Whether the coin is one of ours: the descriptor makes its script at the place that the origins name. */
function ownFaults(
  wallet: readonly Descriptor[],
  input: PsbtInput,
  coin: TransactionOutput | undefined,
): PartFault[] {
  const claim = claimOf(wallet, [...input.origins, ...input.tapOrigins])
  const isOurs = coin && claim.kind === 'place' && isAt(coin.script, claim)
  return isOurs ? [] : [part('foreign_input', 'the coin is not proven to be of this wallet')]
}

function hashTypeFaults({ sighash }: PsbtInput, rule: SpendRule | PartFault): PartFault[] {
  const isTaproot = 'hash' in rule && rule.hash === 'taproot'
  const isWhole =
    sighash === undefined || sighash === SIGHASH.ALL || (isTaproot && sighash === SIGHASH.DEFAULT)
  return isWhole ? [] : [part('sighash', `the hash type ${printHashType(sighash)} is asked for`)]
}

/** BIP 143 signs the amount of its own coin only: two sessions could be made to sign two lies. CVE-2020-14199. */
function previousFaults(
  { previous }: PsbtInput,
  rule: SpendRule | PartFault,
  { requirePrevious = true }: PsbtPolicy,
): PartFault[] {
  const isTaproot = 'hash' in rule && rule.hash === 'taproot'
  const isMissing = requirePrevious && !isTaproot && !previous
  return isMissing ? [part('previous_tx_required', 'the previous transaction is missing')] : []
}

/** Everything that is wrong with one input; yields after every signature that was verified. */
export function* inputFaults(
  verifier: Verifier,
  index: number,
  policy: PsbtPolicy,
): Steps<readonly PartFault[]> {
  const input = verifier.psbt.inputs[index]
  const found = verifier.coins[index]
  if (!input || !found) return [part('utxo_missing', 'there is no such input')]
  const rule = verifier.rule(index)
  const faults = [
    ...found.faults,
    ...('reason' in rule && found.coin ? [rule] : []),
    ...previousFaults(input, rule, policy),
    ...ownFaults(policy.wallet, input, found.coin),
    ...hashTypeFaults(input, rule),
  ]
  const spendable = verifier.spendable(index)
  if ('reason' in spendable) return faults
  const signatures = yield* verifiedSignatures(verifier, index, spendable, input)
  return 'code' in signatures ? [...faults, signatureFault(signatures)] : faults
}

/** True when the extended key with its origin stands in one of our descriptors. */
export function isOwnXpub(wallet: readonly Descriptor[], xpub: PsbtXpub): boolean {
  return wallet.some(({ keys }) =>
    keys.some((expression) => {
      if (expression.key.type !== 'extended') return false
      const { fingerprint, path } = rootOrigin(expression)
      return (
        equalBytes(encodeExtendedPublicKey(expression.key.extended), xpub.extendedKey) &&
        fingerprint === xpub.fingerprint &&
        path.length === xpub.path.length &&
        path.every((step, i) => step === xpub.path[i])
      )
    }),
  )
}
