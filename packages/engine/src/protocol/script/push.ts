import { AssertionError, ok, type Refusal, type Result, refuse } from '../../kernel/index.ts'
import { OP } from './opcodes.ts'

/** One step of a script: an opcode, or the data that a push brings. */
export interface ScriptStep {
  readonly opcode: number
  /** Present for pushes (opcodes 0 to OP_PUSHDATA4), empty for OP_0. */
  readonly data?: Uint8Array
}

/** Consensus limit of one stack element. */
export const MAX_ELEMENT_LENGTH = 520

/** Bytes joined. */
export function joinBytes(...parts: readonly Uint8Array[]): Uint8Array {
  let length = 0
  for (const part of parts) length += part.length
  const joined = new Uint8Array(length)
  let at = 0
  for (const part of parts) {
    joined.set(part, at)
    at += part.length
  }
  return joined
}

/** A number as the shortest script number: little endian, sign in the top bit. Source: Bitcoin Core, CScriptNum. */
export function encodeScriptNumber(value: number | bigint): Uint8Array {
  const bytes: number[] = []
  const big = BigInt(value)
  for (let rest = big < 0n ? -big : big; rest > 0n; rest >>= 8n) bytes.push(Number(rest & 0xffn))
  const top = bytes.at(-1)
  if (top === undefined) return new Uint8Array()
  const sign = big < 0n ? 0x80 : 0
  if (top & 0x80) bytes.push(sign)
  else bytes[bytes.length - 1] = top | sign
  return Uint8Array.from(bytes)
}

/** Reads a script number; refuses more than `maxLength` bytes and encodings that are not the shortest. */
export function decodeScriptNumber(
  bytes: Uint8Array,
  maxLength = 4,
): Result<bigint, Refusal<'SCRIPT_INVALID'>> {
  if (bytes.length > maxLength)
    return refuse('SCRIPT_INVALID', `a number has more than ${maxLength} bytes`)
  const top = bytes.at(-1)
  if (top === undefined) return ok(0n)
  const next = bytes.at(-2) ?? 0
  if ((top & 0x7f) === 0 && (next & 0x80) === 0) {
    return refuse('SCRIPT_INVALID', 'a number is not written in the shortest way')
  }
  let value = BigInt(top & 0x7f)
  for (let i = bytes.length - 2; i >= 0; i--) value = (value << 8n) | BigInt(bytes[i] ?? 0)
  return ok(top & 0x80 ? -value : value)
}

/** The shortest push of `data` (BIP 62): small numbers become their opcode. */
export function encodePush(data: Uint8Array): Uint8Array {
  const [first] = data
  const { length } = data
  if (length === 0) return Uint8Array.of(OP.OP_0)
  if (length === 1 && first !== undefined) {
    if (first >= 1 && first <= 16) return Uint8Array.of(OP.OP_1 - 1 + first)
    if (first === 0x81) return Uint8Array.of(OP.NEGATE1)
  }
  if (length < OP.PUSHDATA1) return joinBytes(Uint8Array.of(length), data)
  if (length <= 0xff) return joinBytes(Uint8Array.of(OP.PUSHDATA1, length), data)
  if (length <= 0xffff)
    return joinBytes(Uint8Array.of(OP.PUSHDATA2, length & 0xff, length >> 8), data)
  throw new AssertionError(`a push of ${length} bytes`)
}

/** Number as a script step: OP_0 to OP_16 where it fits, else a push. */
export const encodeNumberPush = (value: number): Uint8Array => encodePush(encodeScriptNumber(value))

function dataLength(
  script: Uint8Array,
  at: number,
): { readonly start: number; readonly length: number } | undefined {
  const opcode = script[at] ?? 0
  if (opcode < OP.PUSHDATA1) return { start: at + 1, length: opcode }
  const width = opcode === OP.PUSHDATA1 ? 1 : opcode === OP.PUSHDATA2 ? 2 : 4
  if (at + 1 + width > script.length) return undefined
  let length = 0
  for (let i = width; i > 0; i--) length = length * 256 + (script[at + i] ?? 0)
  return { start: at + 1 + width, length }
}

/** The steps of a script. Refuses a push that runs past the end. */
export function readScript(script: Uint8Array): Result<ScriptStep[], Refusal<'SCRIPT_INVALID'>> {
  const steps: ScriptStep[] = []
  let at = 0
  while (at < script.length) {
    const opcode = script[at] ?? 0
    if (opcode > OP.PUSHDATA4) {
      steps.push({ opcode })
      at += 1
      continue
    }
    const push = dataLength(script, at)
    if (!push || push.start + push.length > script.length) {
      return refuse('SCRIPT_INVALID', `a push at byte ${at} runs past the end`, { details: { at } })
    }
    steps.push({ opcode, data: script.slice(push.start, push.start + push.length) })
    at = push.start + push.length
  }
  return ok(steps)
}
