import { concat, type Part } from './wire.ts'

/** The opcodes that the generator writes by name. */
export const OP = {
  PUSHDATA1: 0x4c,
  NEGATE1: 0x4f,
  ONE: 0x51,
  NOP: 0x61,
  IF: 0x63,
  NOTIF: 0x64,
  ELSE: 0x67,
  ENDIF: 0x68,
  VERIFY: 0x69,
  RETURN: 0x6a,
  DROP: 0x75,
  DUP: 0x76,
  EQUAL: 0x87,
  EQUALVERIFY: 0x88,
  NUMEQUAL: 0x9c,
  RIPEMD160: 0xa6,
  SHA1: 0xa7,
  SHA256: 0xa8,
  HASH160: 0xa9,
  HASH256: 0xaa,
  CODESEPARATOR: 0xab,
  CHECKSIG: 0xac,
  CHECKSIGVERIFY: 0xad,
  CHECKMULTISIG: 0xae,
  CLTV: 0xb1,
  CSV: 0xb2,
  CHECKSIGADD: 0xba,
} as const

/** The shortest push of these bytes. */
export function push(data: Uint8Array): Uint8Array {
  if (data.length === 0) return Uint8Array.of(0)
  const [first = 0] = data
  if (data.length === 1 && first >= 1 && first <= 16) return Uint8Array.of(0x50 + first)
  if (data.length === 1 && first === 0x81) return Uint8Array.of(OP.NEGATE1)
  if (data.length < 76) return concat([data.length], data)
  if (data.length < 256) return concat([OP.PUSHDATA1, data.length], data)
  return concat([0x4d, data.length & 0xff, data.length >> 8], data)
}
/** A number as the script machine keeps it. */
export function number(value: number): Uint8Array {
  const bytes: number[] = []
  for (let rest = Math.abs(value); rest > 0; rest = Math.floor(rest / 256)) bytes.push(rest % 256)
  if (((bytes.at(-1) ?? 0) & 0x80) !== 0) bytes.push(0)
  if (value < 0) bytes.push((bytes.pop() ?? 0) | 0x80)
  return Uint8Array.from(bytes)
}
export const pushNumber = (value: number): Uint8Array => push(number(value))
/** Opcodes as numbers, everything else as finished bytes. */
export const script = (...parts: readonly (number | Part)[]): Uint8Array =>
  concat(...parts.map((part) => (typeof part === 'number' ? [part] : part)))
