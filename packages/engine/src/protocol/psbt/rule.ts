import { schnorr, secp256k1 } from '@noble/curves/secp256k1.js'
import { sha256 } from '@noble/hashes/sha2.js'
import { equalBytes, toHex } from '../../kernel/index.ts'
import { classifyOutput, hash160, type Output, p2pkhScript, p2shOf } from '../script/index.ts'
import { type PartFault, part } from './coin.ts'
import type { PsbtInput } from './model.ts'
import { redeemScriptOf, witnessScriptOf } from './shown.ts'

/** How a coin is spent: which hash is signed by whom, and what stands around the signatures. */
export interface SpendRule {
  readonly hash: 'legacy' | 'segwit' | 'taproot'
  readonly form: 'key' | 'key_hash' | 'multisig' | 'taproot_key'
  /** What the hash commits to; empty for taproot. */
  readonly scriptCode: Uint8Array
  readonly threshold: number
  /** In the order of the script; for taproot the output key. Empty where the script has a hash only. */
  readonly publicKeys: readonly Uint8Array[]
  readonly keyHash?: Uint8Array
  /** Shown in the input script (BIP 16). */
  readonly redeemScript?: Uint8Array
  /** Shown as the last item of the witness (BIP 141). */
  readonly witnessScript?: Uint8Array
}
type Inner = Pick<SpendRule, 'form' | 'threshold' | 'publicKeys' | 'keyHash'>

const NOTHING = new Uint8Array()
const unknown = (what: string) => part('script_unknown', `${what} is not signed here`)

/** What a script without wrapping asks for. */
function innerOf(output: Output): Inner | undefined {
  switch (output.type) {
    case 'p2pk':
      return { form: 'key', threshold: 1, publicKeys: [output.publicKey] }
    case 'p2pkh':
      return { form: 'key_hash', threshold: 1, publicKeys: [], keyHash: output.hash }
    case 'multisig':
      return { form: 'multisig', threshold: output.threshold, publicKeys: output.publicKeys }
    default:
      return undefined
  }
}

function witnessScriptRule(program: Uint8Array, input: PsbtInput): SpendRule | PartFault {
  const witnessScript = witnessScriptOf(input)
  if (!witnessScript) return part('script_missing', 'the witness script is missing')
  if (!equalBytes(sha256(witnessScript), program)) {
    return part('script_mismatch', 'the witness script does not make the script of the coin')
  }
  const inner = innerOf(classifyOutput(witnessScript))
  if (!inner) return unknown('a witness script of this kind')
  if (inner.publicKeys.some(({ length }) => length !== 33)) {
    return unknown('a segwit script with keys that are not compressed')
  }
  return { hash: 'segwit', scriptCode: witnessScript, witnessScript, ...inner }
}

function witnessRule(output: Output, input: PsbtInput): SpendRule | PartFault | undefined {
  if (output.type === 'p2wpkh') {
    const { program } = output
    if (input.witnessScript) return part('script_mismatch', 'the coin has no witness script')
    return {
      hash: 'segwit',
      form: 'key_hash',
      scriptCode: p2pkhScript(program),
      threshold: 1,
      publicKeys: [],
      keyHash: program,
    }
  }
  return output.type === 'p2wsh' ? witnessScriptRule(output.program, input) : undefined
}

/** The taproot output key of an internal key and the root of its scripts. Source: BIP 341. */
export function taprootOutputKey(
  internalKey: Uint8Array,
  merkleRoot: Uint8Array = NOTHING,
): Uint8Array | undefined {
  try {
    const point = schnorr.utils.lift_x(BigInt(`0x${toHex(internalKey)}`))
    const tweak = schnorr.utils.taggedHash('TapTweak', internalKey, merkleRoot)
    const { BASE, Fn } = secp256k1.Point
    return point
      .add(BASE.multiplyUnsafe(Fn.fromBytes(tweak)))
      .toBytes(true)
      .subarray(1)
  } catch {
    // Not a key of the curve, or a tweak that no key can have.
    return undefined
  }
}

function taprootRule(outputKey: Uint8Array, input: PsbtInput): SpendRule | PartFault {
  const { tapInternalKey, tapMerkleRoot, redeemScript, witnessScript } = input
  if (redeemScript || witnessScript) {
    return part('script_mismatch', 'a taproot coin has neither redeem nor witness script')
  }
  const made = tapInternalKey && taprootOutputKey(tapInternalKey, tapMerkleRoot)
  if (tapInternalKey && !(made && equalBytes(made, outputKey))) {
    return part('script_mismatch', 'the internal key does not make the script of the coin')
  }
  return {
    hash: 'taproot',
    form: 'taproot_key',
    scriptCode: NOTHING,
    threshold: 1,
    publicKeys: [outputKey],
  }
}

function p2shRule(script: Uint8Array, input: PsbtInput): SpendRule | PartFault {
  const redeemScript = redeemScriptOf(input)
  if (!redeemScript) return part('script_missing', 'the redeem script is missing')
  if (!equalBytes(p2shOf(redeemScript), script)) {
    return part('script_mismatch', 'the redeem script does not make the script of the coin')
  }
  const output = classifyOutput(redeemScript)
  const nested = witnessRule(output, input)
  if (nested) return 'reason' in nested ? nested : { ...nested, redeemScript }
  if (input.witnessScript) return part('script_mismatch', 'the coin has no witness script')
  const inner = innerOf(output)
  if (!inner) return unknown('a redeem script of this kind')
  return { hash: 'legacy', scriptCode: redeemScript, redeemScript, ...inner }
}

/** How a coin with `script` is spent; a fault when the scripts of the input do not belong to it. */
export function spendRule(script: Uint8Array, input: PsbtInput): SpendRule | PartFault {
  const output = classifyOutput(script)
  if (output.type === 'p2sh') return p2shRule(script, input)
  if (output.type === 'p2tr') return taprootRule(output.program, input)
  if (input.redeemScript) return part('script_mismatch', 'the coin has no redeem script')
  const witness = witnessRule(output, input)
  if (witness) return witness
  if (input.witnessScript) return part('script_mismatch', 'the coin has no witness script')
  const inner = innerOf(output)
  return inner ? { hash: 'legacy', scriptCode: script, ...inner } : unknown(`a coin ${output.type}`)
}

/** True when the rule names the key. */
export const isKeyOf = (rule: SpendRule, publicKey: Uint8Array): boolean =>
  rule.keyHash
    ? // A witness program takes compressed keys only (BIP 143).
      (rule.hash !== 'segwit' || publicKey.length === 33) &&
      equalBytes(hash160(publicKey), rule.keyHash)
    : rule.publicKeys.some((key) => equalBytes(key, publicKey))
