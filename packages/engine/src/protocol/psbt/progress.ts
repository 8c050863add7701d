import { equalBytes } from '../../kernel/index.ts'
import { claimedSignatures } from './taken.ts'
import { isFinal } from './final.ts'
import type { Psbt, PsbtInput } from './model.ts'
import { isKeyOf, type SpendRule } from './rule.ts'
import { Verifier } from './verifier.ts'

/** How far the signing of one input is. Nothing is verified here: `takeSignatures` lets in only what is. */
export interface InputProgress {
  /** Signatures of keys that may sign; never more than `need`. */
  readonly have: number
  readonly need: number
  /** Fingerprints of those who have not signed, as the input names them; empty when nobody has to. */
  readonly missing: readonly string[]
}

function progress(rule: SpendRule, input: PsbtInput): InputProgress {
  const need = rule.threshold
  if (isFinal(input)) return { have: need, need, missing: [] }
  const signed = claimedSignatures(rule, input).filter(({ publicKey }) => isKeyOf(rule, publicKey))
  const have = Math.min(signed.length, need)
  if (have === need) return { have, need, missing: [] }
  const hasSigned = (key: Uint8Array) => signed.some(({ publicKey }) => equalBytes(publicKey, key))
  const others =
    rule.form === 'taproot_key'
      ? input.tapOrigins
      : input.origins.filter(({ publicKey }) => isKeyOf(rule, publicKey) && !hasSigned(publicKey))
  return { have, need, missing: [...new Set(others.map(({ fingerprint }) => fingerprint))].sort() }
}

/** How far the signing of each input is; an input that cannot be spent as it stands needs one and has none. */
export function progressOf(psbt: Psbt): readonly InputProgress[] {
  const verifier = new Verifier(psbt)
  return psbt.inputs.map((input, i) => {
    const rule = verifier.rule(i)
    return 'reason' in rule ? { have: 0, need: 1, missing: [] } : progress(rule, input)
  })
}
