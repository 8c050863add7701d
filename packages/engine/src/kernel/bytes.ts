import { AssertionError } from './error.ts'

const HEX: readonly string[] = Array.from({ length: 256 }, (_, i) =>
  i.toString(16).padStart(2, '0'),
)

export function toHex(bytes: Uint8Array): string {
  let text = ''
  for (const byte of bytes) text += HEX[byte]
  return text
}
/** Hash bytes as people read them: reversed (Bitcoin's display order). */
export function toReversedHex(bytes: Uint8Array): string {
  let text = ''
  for (let i = bytes.length - 1; i >= 0; i--) text += HEX[bytes[i] as number]
  return text
}
const digit = (code: number): number => {
  if (code >= 48 && code <= 57) return code - 48
  const letter = code | 32
  if (letter >= 97 && letter <= 102) return letter - 87
  return -1
}
/** Undefined unless an even number of hex digits. */
export function tryFromHex(text: string): Uint8Array | undefined {
  if (text.length % 2 !== 0) return undefined
  const bytes = new Uint8Array(text.length / 2)
  for (let i = 0; i < bytes.length; i++) {
    const high = digit(text.charCodeAt(2 * i))
    const low = digit(text.charCodeAt(2 * i + 1))
    if (high < 0 || low < 0) return undefined
    bytes[i] = high * 16 + low
  }
  return bytes
}
/** @throws AssertionError unless hex: outside text goes through `tryFromHex`. */
export function fromHex(text: string): Uint8Array {
  const bytes = tryFromHex(text)
  if (!bytes) throw new AssertionError('not hex')
  return bytes
}
export function equalBytes(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false
  return true
}
