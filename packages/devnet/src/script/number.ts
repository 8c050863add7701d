/** The most bytes that a number may have as an operand; results may be longer. */
export const MAX_NUMBER_SIZE = 4
/** OP_CHECKLOCKTIMEVERIFY and OP_CHECKSEQUENCEVERIFY reach past the year 2038. */
export const MAX_LOCKTIME_NUMBER_SIZE = 5

const EMPTY = new Uint8Array(0)
const SMALL: readonly Uint8Array[] = Array.from({ length: 17 }, (_, i) =>
  i === 0 ? EMPTY : Uint8Array.of(i),
)

/** True when no shorter encoding of the same number exists. */
function isMinimal(bytes: Uint8Array): boolean {
  const { length } = bytes
  if (length === 0 || ((bytes[length - 1] as number) & 0x7f) !== 0) return true
  // A last byte that carries only the sign is needed when the byte before uses its highest bit.
  return length > 1 && ((bytes[length - 2] as number) & 0x80) !== 0
}

/**
 * Reads a script number: little-endian, sign in the highest bit. Undefined when it has more than `maxSize` bytes (at most
 * 6, so that a double holds it exactly), or when `minimal` is wanted and it is longer than needed.
 */
export function decodeScriptNumber(
  bytes: Uint8Array,
  minimal: boolean,
  maxSize = MAX_NUMBER_SIZE,
): number | undefined {
  const { length } = bytes
  if (length > maxSize || (minimal && !isMinimal(bytes))) return undefined
  if (length === 0) return 0
  let value = (bytes[length - 1] as number) & 0x7f
  for (let i = length - 2; i >= 0; i--) value = value * 256 + (bytes[i] as number)
  return (bytes[length - 1] as number) & 0x80 ? -value : value
}

/** The shortest encoding of an integer; zero is the empty array. */
export function encodeScriptNumber(value: number): Uint8Array {
  if (value >= 0 && value <= 16) return SMALL[value] as Uint8Array
  const bytes: number[] = []
  for (let rest = Math.abs(value); rest > 0; rest = Math.floor(rest / 256)) bytes.push(rest % 256)
  const top = bytes[bytes.length - 1] as number
  const sign = value < 0 ? 0x80 : 0
  if (top & 0x80) bytes.push(sign)
  else bytes[bytes.length - 1] = top | sign
  return Uint8Array.from(bytes)
}

/** Script truth: anything but zero, where zero may be of any length and negative. */
export function isTrue(bytes: Uint8Array): boolean {
  for (let i = 0; i < bytes.length; i++) {
    if (bytes[i] !== 0) return i !== bytes.length - 1 || bytes[i] !== 0x80
  }
  return false
}
export const TRUE: Uint8Array = Uint8Array.of(1)
export const FALSE: Uint8Array = EMPTY
export const truth = (value: boolean): Uint8Array => (value ? TRUE : FALSE)
