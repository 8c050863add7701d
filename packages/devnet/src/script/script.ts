import { ripemd160 } from '@noble/hashes/legacy.js'
import { sha256 } from '@noble/hashes/sha2.js'
import { ByteWriter, toHex } from '../chain/bytes.ts'
import { isStrictSignature } from './der.ts'
import { decodeScriptNumber, encodeScriptNumber, MAX_NUMBER_SIZE } from './number.ts'
import { OP, opcodeName } from './opcodes/names.ts'
import { ScriptReader } from './reader.ts'

/** Core's names for the forms of an output script. */
export type ScriptKind =
  | 'nonstandard'
  | 'anchor'
  | 'pubkey'
  | 'pubkeyhash'
  | 'scripthash'
  | 'multisig'
  | 'nulldata'
  | 'witness_v0_keyhash'
  | 'witness_v0_scripthash'
  | 'witness_v1_taproot'
  | 'witness_unknown'
export interface ScriptForm {
  readonly kind: ScriptKind
  /** Hash, key or witness program; the script itself where there is none. */
  readonly data: Uint8Array
  /** Witness version, -1 for scripts that are no witness program. */
  readonly version: number
}

export const hash160 = (bytes: Uint8Array): Uint8Array => ripemd160(sha256(bytes))

export interface ScriptPiece {
  readonly opcode: number
  /** Present for every push, also an empty one. */
  readonly data?: Uint8Array
}
/** The pieces of a script; undefined when a push runs over its end. */
export function parseScript(script: Uint8Array): ScriptPiece[] | undefined {
  const pieces: ScriptPiece[] = []
  for (let at = 0; at < script.length; ) {
    const opcode = script[at] as number
    at += 1
    if (opcode > 78) {
      pieces.push({ opcode })
      continue
    }
    let length = opcode
    if (opcode >= 76) {
      const width = 1 << (opcode - 76)
      if (at + width > script.length) return undefined
      length = 0
      for (let i = width - 1; i >= 0; i--) length = length * 256 + (script[at + i] as number)
      at += width
    }
    if (at + length > script.length) return undefined
    pieces.push({ opcode, data: script.subarray(at, at + length) })
    at += length
  }
  return pieces
}

const form = (kind: ScriptKind, data: Uint8Array, version = -1): ScriptForm => ({
  kind,
  data,
  version,
})
function witnessForm(script: Uint8Array): ScriptForm | undefined {
  const [first = 255, length = 0] = script
  if (script.length < 4 || script.length > 42 || script.length !== length + 2) return undefined
  if (first !== 0 && (first < 0x51 || first > 0x60)) return undefined
  const version = first === 0 ? 0 : first - 0x50
  const program = script.subarray(2)
  if (version === 0 && length === 20) return form('witness_v0_keyhash', program, 0)
  if (version === 0 && length === 32) return form('witness_v0_scripthash', program, 0)
  if (version === 0) return form('nonstandard', script)
  if (version === 1 && length === 32) return form('witness_v1_taproot', program, 1)
  if (version === 1 && program[0] === 0x4e && program[1] === 0x73 && length === 2) {
    return form('anchor', program, 1)
  }
  return form('witness_unknown', program, version)
}
/** Most keys of one OP_CHECKMULTISIG. */
const MAX_KEYS = 20
/** As long as its first byte says; whether it is a point on the curve nobody asks here. */
const isKey = (data: Uint8Array | undefined): boolean =>
  data !== undefined &&
  ((data.length === 33 && (data[0] === 2 || data[0] === 3)) ||
    (data.length === 65 && (data[0] === 4 || data[0] === 6 || data[0] === 7)))
/** A number of signatures or keys: a small opcode, or the shortest push of up to 20. Source: Core, GetScriptNumber. */
function keyCount(piece: ScriptPiece | undefined): number {
  if (!piece) return 0
  const { opcode, data } = piece
  if (opcode >= 0x51 && opcode <= 0x60) return opcode - 0x50
  const [count = 0] = data ?? []
  return opcode === 1 && count > 16 && count <= MAX_KEYS ? count : 0
}
function multisigForm(script: Uint8Array): ScriptForm | undefined {
  if (script[script.length - 1] !== 0xae) return undefined
  const pieces = parseScript(script)
  if (!pieces || pieces.length < 4) return undefined
  const least = keyCount(pieces[0])
  const keys = keyCount(pieces[pieces.length - 2])
  if (least < 1 || least > keys || pieces.length !== keys + 3) return undefined
  return pieces.slice(1, -2).every((piece) => isKey(piece.data))
    ? form('multisig', script)
    : undefined
}

/** What an output script is, by Core's own classes. */
export function classifyScript(script: Uint8Array): ScriptForm {
  const size = script.length
  if (size === 23 && script[0] === 0xa9 && script[1] === 20 && script[22] === 0x87) {
    return form('scripthash', script.subarray(2, 22))
  }
  const witness = witnessForm(script)
  if (witness) return witness
  if (size >= 1 && script[0] === 0x6a) {
    const pieces = parseScript(script.subarray(1))
    const pushes = pieces?.every((piece) => piece.opcode <= 0x60)
    return form(pushes ? 'nulldata' : 'nonstandard', script)
  }
  if (
    size === 25 &&
    script[0] === 0x76 &&
    script[1] === 0xa9 &&
    script[2] === 20 &&
    script[23] === 0x88 &&
    script[24] === 0xac
  ) {
    return form('pubkeyhash', script.subarray(3, 23))
  }
  if ((size === 35 || size === 67) && script[0] === size - 2 && script[size - 1] === 0xac) {
    const key = script.subarray(1, size - 1)
    if (isKey(key)) return form('pubkey', key)
  }
  return multisigForm(script) ?? form('nonstandard', script)
}

/** Coins that nobody can ever spend do not enter the set of unspent outputs. */
export const isUnspendable = (script: Uint8Array): boolean =>
  script[0] === 0x6a || script.length > 10_000

const SIGHASH_NAMES: Readonly<Record<number, string>> = {
  1: 'ALL',
  2: 'NONE',
  3: 'SINGLE',
  129: 'ALL|ANYONECANPAY',
  130: 'NONE|ANYONECANPAY',
  131: 'SINGLE|ANYONECANPAY',
}
function signatureWord(data: Uint8Array): string | undefined {
  const type = SIGHASH_NAMES[data[data.length - 1] ?? 0]
  return type && isStrictSignature(data) ? `${toHex(data.subarray(0, -1))}[${type}]` : undefined
}
/**
 * Bitcoin Core's text form of a script; `signatures` names the hash type at the end of each signature. A push that runs
 * over the end is `[error]`.
 */
export function scriptToAsm(script: Uint8Array, signatures = false): string {
  const words: string[] = []
  const namesTypes = signatures && !isUnspendable(script)
  const reader = new ScriptReader(script)
  while (reader.at < script.length) {
    if (!reader.next()) return [...words, '[error]'].join(' ')
    const { opcode, data } = reader
    if (opcode > OP.PUSHDATA4) words.push(opcodeName(opcode))
    else if (data.length <= MAX_NUMBER_SIZE) words.push(`${decodeScriptNumber(data, false) ?? 0}`)
    else words.push((namesTypes ? signatureWord(data) : undefined) ?? toHex(data))
  }
  return words.join(' ')
}

/** A push of these bytes with the shortest length; also small numbers are pushed as bytes. */
export function pushData(data: Uint8Array): Uint8Array {
  const writer = new ByteWriter()
  if (data.length < 76) writer.u8(data.length)
  else if (data.length < 256) writer.u8(OP.PUSHDATA1).u8(data.length)
  else if (data.length < 65_536)
    writer
      .u8(OP.PUSHDATA2)
      .u8(data.length & 0xff)
      .u8(data.length >>> 8)
  else writer.u8(OP.PUSHDATA4).u32(data.length)
  return writer.put(data).done()
}
/** The shortest push of a number, as BIP 34 wants the height. */
export function pushNumber(value: number): Uint8Array {
  if (value >= 1 && value <= 16) return Uint8Array.of(OP['1'] - 1 + value)
  return value === -1 ? Uint8Array.of(OP['1NEGATE']) : pushData(encodeScriptNumber(value))
}
