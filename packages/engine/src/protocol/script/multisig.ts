import { ok, type Refusal, type Result, refuse } from '../../kernel/index.ts'
import { OP } from './opcodes.ts'
import {
  decodeScriptNumber,
  encodeNumberPush,
  encodePush,
  joinBytes,
  readScript,
  type ScriptStep,
} from './push.ts'

/** `threshold` signatures of `publicKeys`, in the order of the script. */
export interface BareMultisig {
  readonly threshold: number
  readonly publicKeys: readonly Uint8Array[]
}
type MultisigRefusal = Refusal<'MULTISIG_INVALID'>

/** Consensus limit of OP_CHECKMULTISIG. */
export const MAX_MULTISIG_KEYS = 20

/** True for the two shapes of a key in a script; says nothing about the curve. */
export const hasPublicKeyShape = (key: Uint8Array): boolean =>
  (key.length === 33 && (key[0] === 2 || key[0] === 3)) || (key.length === 65 && key[0] === 4)

function ruleFault({ threshold, publicKeys }: BareMultisig): string | undefined {
  const count = publicKeys.length
  if (count < 1 || count > MAX_MULTISIG_KEYS)
    return `${count} keys; 1 to ${MAX_MULTISIG_KEYS} are possible`
  if (!Number.isInteger(threshold) || threshold < 1) return `a threshold of ${threshold}`
  if (threshold > count) return `a threshold of ${threshold} with ${count} keys`
  if (!publicKeys.every(hasPublicKeyShape)) return 'something that is not a public key'
  return undefined
}

/** `m <key>... n OP_CHECKMULTISIG` with the keys in the given order. */
export function multisigScript(rule: BareMultisig): Result<Uint8Array, MultisigRefusal> {
  const fault = ruleFault(rule)
  if (fault !== undefined) return refuse('MULTISIG_INVALID', `the multisig has ${fault}`)
  return ok(
    joinBytes(
      encodeNumberPush(rule.threshold),
      ...rule.publicKeys.map(encodePush),
      encodeNumberPush(rule.publicKeys.length),
      Uint8Array.of(OP.CHECKMULTISIG),
    ),
  )
}

function smallNumber(step: ScriptStep | undefined): number | undefined {
  if (!step) return undefined
  if (step.opcode >= OP.OP_1 && step.opcode <= OP.OP_16) return step.opcode - OP.OP_1 + 1
  // 17 to 20 are pushes of one byte.
  if (step.opcode !== 1 || !step.data) return undefined
  const number = decodeScriptNumber(step.data)
  return number.ok && number.value > 16n && number.value <= BigInt(MAX_MULTISIG_KEYS)
    ? Number(number.value)
    : undefined
}

/** Reads a bare multisig script; refuses every other script. */
export function parseMultisigScript(script: Uint8Array): Result<BareMultisig, MultisigRefusal> {
  const no = (reason: string) => refuse('MULTISIG_INVALID', `the script ${reason}`)
  if (script.at(-1) !== OP.CHECKMULTISIG) return no('does not end with OP_CHECKMULTISIG')
  const steps = readScript(script)
  if (!steps.ok) return no('cannot be read')
  const body = steps.value.slice(0, -1)
  const threshold = smallNumber(body[0])
  const count = smallNumber(body.at(-1))
  if (threshold === undefined || count === undefined)
    return no('lacks the number of signatures or keys')
  const publicKeys: Uint8Array[] = []
  for (const step of body.slice(1, -1)) {
    if (!step.data || step.opcode >= OP.PUSHDATA1)
      return no('has a step that is not a plain push of a key')
    publicKeys.push(step.data)
  }
  if (publicKeys.length !== count) return no(`announces ${count} keys and has ${publicKeys.length}`)
  const rule = { threshold, publicKeys }
  const fault = ruleFault(rule)
  return fault === undefined ? ok(rule) : no(`has ${fault}`)
}
