import { ok, type Refusal, type Result, refuse } from '../../kernel/index.ts'
import { encodePush, joinBytes, OP, readScript } from '../script/index.ts'

/** A signature as it stands in a script (DER and one byte of hash type); `undefined` where it is still missing. */
export type MultisigSignature = Uint8Array | undefined
type MultisigRefusal = Refusal<'MULTISIG_INVALID'>

const HASH_TYPES = [0x01, 0x02, 0x03, 0x81, 0x82, 0x83]

/** True for strict DER (BIP 66) followed by a defined hash type. */
export function isScriptSignature(bytes: Uint8Array): boolean {
  const hashType = bytes.at(-1)
  if (hashType === undefined || !HASH_TYPES.includes(hashType)) return false
  const der = bytes.subarray(0, -1)
  if (der.length < 8 || der.length > 72 || der[0] !== 0x30 || der[1] !== der.length - 2)
    return false
  const second = readInteger(der, 2)
  return second !== undefined && readInteger(der, second) === der.length
}

/** The offset after a minimal, non-negative DER integer; undefined for anything else. */
function readInteger(der: Uint8Array, at: number): number | undefined {
  const length = der[at + 1] ?? 0
  const end = at + 2 + length
  if (der[at] !== 0x02 || length === 0 || end > der.length) return undefined
  const first = der[at + 2] ?? 0
  if (first & 0x80) return undefined
  const isPadded = first === 0 && length > 1 && ((der[at + 3] ?? 0) & 0x80) === 0
  return isPadded ? undefined : end
}

/** The input script of a bare multisig: OP_0 (the extra element that consensus takes) and the signatures. */
export function multisigInput(
  signatures: readonly MultisigSignature[],
): Result<Uint8Array, MultisigRefusal> {
  if (signatures.some((signature) => signature !== undefined && !isScriptSignature(signature))) {
    return refuse('MULTISIG_INVALID', 'a signature is not strict DER with a hash type')
  }
  const pushes = signatures.map((signature) => encodePush(signature ?? new Uint8Array()))
  return ok(joinBytes(Uint8Array.of(OP.OP_0), ...pushes))
}

/** Reads the input script of a bare multisig. */
export function parseMultisigInput(
  script: Uint8Array,
): Result<MultisigSignature[], MultisigRefusal> {
  const steps = readScript(script)
  if (!steps.ok) return refuse('MULTISIG_INVALID', 'the input cannot be read')
  const [extra, ...rest] = steps.value
  if (extra?.opcode !== OP.OP_0)
    return refuse('MULTISIG_INVALID', 'the input does not begin with OP_0')
  const signatures: MultisigSignature[] = []
  for (const { opcode, data } of rest) {
    if (opcode === OP.OP_0) signatures.push(undefined)
    else if (data && isScriptSignature(data)) signatures.push(data)
    else return refuse('MULTISIG_INVALID', 'the input has something that is not a signature')
  }
  return ok(signatures)
}
