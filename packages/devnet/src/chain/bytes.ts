import { sha256 } from '@noble/hashes/sha2.js'

const HEX: readonly string[] = Array.from({ length: 256 }, (_, i) =>
  i.toString(16).padStart(2, '0'),
)

export function toHex(bytes: Uint8Array): string {
  let text = ''
  for (let i = 0; i < bytes.length; i++) text += HEX[bytes[i] as number]
  return text
}
/** Hashes as people read them: bytes reversed. */
export function toReversedHex(bytes: Uint8Array): string {
  let text = ''
  for (let i = bytes.length - 1; i >= 0; i--) text += HEX[bytes[i] as number]
  return text
}
const digit = (code: number): number => {
  if (code >= 48 && code <= 57) return code - 48
  const letter = code | 32
  return letter >= 97 && letter <= 102 ? letter - 87 : -1
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
export function equalBytes(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false
  return true
}
export const sha256d = (bytes: Uint8Array): Uint8Array => sha256(sha256(bytes))

/** The bytes ended early or a length is impossible. Caught by the decoders, which return undefined. */
export class TruncatedError extends Error {
  override readonly name = 'TruncatedError'
}

/** Reads the wire encoding of Bitcoin from front to back. Slices share memory with the source. */
export class ByteReader {
  readonly bytes: Uint8Array
  at: number

  constructor(bytes: Uint8Array, at = 0) {
    this.bytes = bytes
    this.at = at
  }
  take(length: number): Uint8Array {
    if (this.at + length > this.bytes.length) throw new TruncatedError('end of data')
    const part = this.bytes.subarray(this.at, this.at + length)
    this.at += length
    return part
  }
  u8(): number {
    const value = this.bytes[this.at]
    if (value === undefined) throw new TruncatedError('end of data')
    this.at += 1
    return value
  }
  u16(): number {
    return this.u8() | (this.u8() << 8)
  }
  u32(): number {
    return (this.u16() | (this.u16() << 16)) >>> 0
  }
  u64(): bigint {
    return BigInt(this.u32()) | (BigInt(this.u32()) << 32n)
  }
  /** CompactSize; refuses encodings longer than needed, as Core does. */
  size(): number {
    const first = this.u8()
    if (first < 0xfd) return first
    const value = first === 0xfd ? this.u16() : first === 0xfe ? this.u32() : Number(this.u64())
    const least = first === 0xfd ? 0xfd : first === 0xfe ? 0x10000 : 0x100000000
    if (value < least || value > 0x02000000) throw new TruncatedError('bad size')
    return value
  }
  script(): Uint8Array {
    return this.take(this.size())
  }
}

/** Collects the wire encoding of Bitcoin; grows as needed. */
export class ByteWriter {
  #bytes = new Uint8Array(256)
  #length = 0

  #room(more: number): void {
    if (this.#length + more <= this.#bytes.length) return
    const bigger = new Uint8Array(Math.max(this.#bytes.length * 2, this.#length + more))
    bigger.set(this.#bytes.subarray(0, this.#length))
    this.#bytes = bigger
  }
  put(part: Uint8Array): this {
    this.#room(part.length)
    this.#bytes.set(part, this.#length)
    this.#length += part.length
    return this
  }
  u8(value: number): this {
    this.#room(1)
    this.#bytes[this.#length++] = value
    return this
  }
  u32(value: number): this {
    this.#room(4)
    for (let shift = 0; shift < 32; shift += 8) {
      this.#bytes[this.#length++] = (value >>> shift) & 0xff
    }
    return this
  }
  u64(value: bigint): this {
    const bits = BigInt.asUintN(64, value)
    return this.u32(Number(bits & 0xffffffffn)).u32(Number(bits >> 32n))
  }
  size(value: number): this {
    if (value < 0xfd) return this.u8(value)
    if (value <= 0xffff)
      return this.u8(0xfd)
        .u8(value & 0xff)
        .u8(value >>> 8)
    return this.u8(0xfe).u32(value)
  }
  script(bytes: Uint8Array): this {
    return this.size(bytes.length).put(bytes)
  }
  done(): Uint8Array {
    return this.#bytes.slice(0, this.#length)
  }
}

/** The wire form of a hash that people read reversed. */
export function hashBytes(text: string): Uint8Array {
  const bytes = tryFromHex(text)
  if (bytes?.length !== 32) throw new TruncatedError('not a hash')
  return bytes.reverse()
}
