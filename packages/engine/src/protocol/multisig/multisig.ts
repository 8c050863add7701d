import { ok, type Refusal, type Result, refuse } from '../../kernel/index.ts'
import {
  type BareMultisig,
  MAX_ELEMENT_LENGTH,
  multisigScript,
  p2shOf,
  p2wshOf,
  parseMultisigScript,
} from '../script/index.ts'

/** How a multisig script is wrapped into an output. */
export type MultisigType = 'p2sh' | 'p2wsh' | 'p2sh-p2wsh'
export interface MultisigOutput {
  readonly type: MultisigType
  /** The script that holds the keys, to be shown when spending. */
  readonly multisigScript: Uint8Array
  readonly outputScript: Uint8Array
}
type MultisigRefusal = Refusal<'MULTISIG_INVALID'>

const compareBytes = (a: Uint8Array, b: Uint8Array): number => {
  const length = Math.min(a.length, b.length)
  for (let i = 0; i < length; i++) {
    const difference = (a[i] ?? 0) - (b[i] ?? 0)
    if (difference !== 0) return difference
  }
  return a.length - b.length
}

/** Keys in the order of their bytes, as a new list. Source: BIP 67. */
export const sortKeys = (publicKeys: readonly Uint8Array[]): Uint8Array[] =>
  [...publicKeys].sort(compareBytes)

/** The multisig script with sorted, compressed keys. Source: BIP 67. */
export function sortedMultisigScript(rule: BareMultisig): Result<Uint8Array, MultisigRefusal> {
  if (rule.publicKeys.some((key) => key.length !== 33)) {
    return refuse('MULTISIG_INVALID', 'sorted multisig takes compressed keys only')
  }
  return multisigScript({ ...rule, publicKeys: sortKeys(rule.publicKeys) })
}

/** Wraps a multisig script; refuses what could not be spent: a P2SH script above 520 bytes. Source: BIP 16, BIP 141. */
export function wrapMultisig(
  script: Uint8Array,
  type: MultisigType,
): Result<MultisigOutput, MultisigRefusal> {
  const rule = parseMultisigScript(script)
  if (!rule.ok) return rule
  if (type === 'p2sh' && script.length > MAX_ELEMENT_LENGTH) {
    return refuse(
      'MULTISIG_INVALID',
      `the script has ${script.length} bytes; P2SH can spend ${MAX_ELEMENT_LENGTH} at most`,
    )
  }
  if (type !== 'p2sh' && rule.value.publicKeys.some((key) => key.length !== 33)) {
    return refuse('MULTISIG_INVALID', 'segwit takes compressed keys only')
  }
  const outputScript = type === 'p2sh' ? p2shOf(script) : p2wshOf(script)
  return ok({
    type,
    multisigScript: script,
    outputScript: type === 'p2sh-p2wsh' ? p2shOf(outputScript) : outputScript,
  })
}

/** The output of a sorted multisig rule. */
export function sortedMultisigOutput(
  rule: BareMultisig,
  type: MultisigType,
): Result<MultisigOutput, MultisigRefusal> {
  const script = sortedMultisigScript(rule)
  return script.ok ? wrapMultisig(script.value, type) : script
}
