import { equalBytes } from '../../kernel/index.ts'
import { encodePush, joinBytes } from '../script/index.ts'
import type { PartialSignature, PsbtInput } from './model.ts'
import type { SpendRule } from './rule.ts'
import { pushesOf } from './shown.ts'

/** What makes an input spend its coin. */
export interface FinalInput {
  readonly script: Uint8Array
  readonly witness: readonly Uint8Array[]
}

const EMPTY = new Uint8Array()

/** The items in front of the scripts. Signatures stand in the order of the keys. */
function items({ form }: SpendRule, signatures: readonly PartialSignature[]): Uint8Array[] {
  const bytes = signatures.map(({ signature }) => signature)
  // OP_CHECKMULTISIG takes one item more than it uses.
  if (form === 'multisig') return [EMPTY, ...bytes]
  return form === 'key_hash' ? [...bytes, ...signatures.map(({ publicKey }) => publicKey)] : bytes
}

/** Puts exactly as many signatures as the rule needs into place. Source: BIP 16, 141, 341. */
export function finalInput(rule: SpendRule, signatures: readonly PartialSignature[]): FinalInput {
  const { redeemScript, witnessScript } = rule
  const stack = items(rule, signatures)
  if (rule.hash === 'legacy') {
    const pushes = [...stack, ...(redeemScript ? [redeemScript] : [])]
    return { script: joinBytes(...pushes.map(encodePush)), witness: [] }
  }
  return {
    script: redeemScript ? encodePush(redeemScript) : EMPTY,
    witness: witnessScript ? [...stack, witnessScript] : stack,
  }
}

/** Takes the expected last item off a stack; undefined when another one stands there. */
function without(stack: Uint8Array[], last: Uint8Array | undefined): Uint8Array[] | undefined {
  if (!last) return stack
  const top = stack.at(-1)
  return top && equalBytes(top, last) ? stack.slice(0, -1) : undefined
}

/** Signatures out of a completed input. Those of a multisig come without their keys, in the order of the keys. */
export interface FoundSignatures {
  readonly signatures: readonly Uint8Array[]
  /** Of a key hash: the key that was shown. */
  readonly publicKey?: Uint8Array
}

/** Undefined when the input is not completed as the rule says. Whether the signatures are good is another question. */
export function signaturesOf(
  rule: SpendRule,
  script: Uint8Array | undefined = EMPTY,
  witness: readonly Uint8Array[] = [],
): FoundSignatures | undefined {
  const { redeemScript, witnessScript } = rule
  let stack: Uint8Array[] | undefined
  if (rule.hash === 'legacy') {
    const pushes = witness.length === 0 ? pushesOf(script) : undefined
    stack = pushes && without(pushes, redeemScript)
  } else {
    const expected = redeemScript ? encodePush(redeemScript) : EMPTY
    stack = equalBytes(script, expected) ? without([...witness], witnessScript) : undefined
  }
  if (!stack) return undefined
  if (rule.form === 'multisig') {
    const [extra, ...signatures] = stack
    const isWhole = extra?.length === 0 && signatures.length === rule.threshold
    return isWhole ? { signatures } : undefined
  }
  const [signature, publicKey, more] = stack
  if (!signature || more || (rule.form === 'key_hash') !== (publicKey !== undefined))
    return undefined
  return { signatures: [signature], ...(publicKey ? { publicKey } : {}) }
}

/** True when somebody has completed the input already. */
export const isFinal = ({ finalScript, finalWitness }: PsbtInput): boolean =>
  finalScript !== undefined || finalWitness !== undefined
