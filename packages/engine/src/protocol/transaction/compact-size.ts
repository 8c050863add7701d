/** Bitcoin Core's limit for every count and length (MAX_SIZE): more is refused before anything is reserved for it. */
const MAX_COMPACT_SIZE = 0x0200_0000

/**
 * The compact size at `at`, or -1 when it is cut off, above 32 MiB or longer than necessary: a number with
 * two encodings would give one transaction two ids.
 */
export function compactSize(bytes: Uint8Array, at: number): number {
  const first = bytes[at]
  if (first === undefined) return -1
  if (first < 0xfd) return first
  if (first === 0xfd) {
    if (at + 3 > bytes.length) return -1
    const value = uint16(bytes, at + 1)
    return value < 0xfd ? -1 : value
  }
  if (first === 0xff || at + 5 > bytes.length) return -1
  const value = uint32(bytes, at + 1)
  return value <= 0xffff || value > MAX_COMPACT_SIZE ? -1 : value
}

/** How many bytes `value` takes as a compact size. */
export const compactSizeLength = (value: number): number =>
  value < 0xfd ? 1 : value <= 0xffff ? 3 : 5

/** Writes `value` as a compact size and answers the offset behind it. */
export function writeCompactSize(bytes: Uint8Array, at: number, value: number): number {
  const length = compactSizeLength(value)
  if (length === 1) {
    bytes[at] = value
    return at + 1
  }
  bytes[at] = length === 3 ? 0xfd : 0xfe
  for (let i = 1; i < length; i++) bytes[at + i] = value >>> (8 * (i - 1))
  return at + length
}

const uint16 = (bytes: Uint8Array, at: number): number =>
  (bytes[at] as number) | ((bytes[at + 1] as number) << 8)

/** Little endian, unsigned. The caller has checked that four bytes are there. */
export const uint32 = (bytes: Uint8Array, at: number): number =>
  (uint16(bytes, at) | (uint16(bytes, at + 2) << 16)) >>> 0

/** Little endian, 8 bytes. Exact below 2^53, which holds for every amount of bitcoin. */
export const uint64 = (bytes: Uint8Array, at: number): number =>
  uint32(bytes, at) + uint32(bytes, at + 4) * 0x1_0000_0000

export function writeUint32(bytes: Uint8Array, at: number, value: number): number {
  for (let i = 0; i < 4; i++) bytes[at + i] = value >>> (8 * i)
  return at + 4
}
