import { base64, hex } from '@scure/base'
import { SignerBug } from './failure.ts'

export const toHex = (bytes: Uint8Array): string => hex.encode(bytes)
export const fromHex = (text: string): Uint8Array => hex.decode(text)

/** Undefined unless canonical base64. */
export function fromBase64(text: string): Uint8Array | undefined {
  try {
    return base64.decode(text)
  } catch {
    return undefined // the caller says what the text should have been
  }
}
export const toBase64 = (bytes: Uint8Array): string => base64.encode(bytes)

export function equal(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, i) => byte === b[i])
}

export function join(...parts: readonly (Uint8Array | number)[]): Uint8Array {
  const lists = parts.map((part) => (typeof part === 'number' ? Uint8Array.of(part) : part))
  const all = new Uint8Array(lists.reduce((sum, part) => sum + part.length, 0))
  let at = 0
  for (const part of lists) {
    all.set(part, at)
    at += part.length
  }
  return all
}

/** Bytes that are not what they should be. Caught where reading began. */
export class Malformed extends Error {
  override readonly name = 'Malformed'
}

/** Reads forward. @throws Malformed past the end and for numbers not in their shortest form. */
export class Reader {
  readonly #bytes: Uint8Array
  #at = 0

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes
  }
  get left(): number {
    return this.#bytes.length - this.#at
  }
  take(length: number): Uint8Array {
    if (length > this.left) throw new Malformed('the bytes end too early')
    this.#at += length
    return this.#bytes.subarray(this.#at - length, this.#at)
  }
  u8(): number {
    return this.take(1)[0] as number
  }
  u32(): number {
    const bytes = this.take(4)
    return new DataView(bytes.buffer, bytes.byteOffset, 4).getUint32(0, true)
  }
  u64(): bigint {
    const bytes = this.take(8)
    return new DataView(bytes.buffer, bytes.byteOffset, 8).getBigUint64(0, true)
  }
  size(): number {
    const first = this.u8()
    if (first < 0xfd) return first
    const length = first === 0xfd ? 2 : first === 0xfe ? 4 : 8
    const bytes = this.take(length)
    const value = bytes.reduceRight((sum, byte) => sum * 256 + byte, 0)
    if (value < 0xfd || (length > 2 && value < 0x1_0000) || length === 8) {
      throw new Malformed('a length that is too large or not in its shortest form')
    }
    return value
  }
  sized(): Uint8Array {
    return this.take(this.size())
  }
  end(): void {
    if (this.left > 0) throw new Malformed('bytes behind the end')
  }
}

export const u32 = (value: number): Uint8Array => {
  const bytes = new Uint8Array(4)
  new DataView(bytes.buffer).setUint32(0, value, true)
  return bytes
}
export const u64 = (value: bigint): Uint8Array => {
  const bytes = new Uint8Array(8)
  new DataView(bytes.buffer).setBigUint64(0, value, true)
  return bytes
}
export function size(value: number): Uint8Array {
  if (value < 0xfd) return Uint8Array.of(value)
  if (value <= 0xffff) return Uint8Array.of(0xfd, value & 0xff, value >> 8)
  if (value > 0xffff_ffff) throw new SignerBug('a length above 32 bits')
  return join(0xfe, u32(value))
}
export const sized = (bytes: Uint8Array): Uint8Array => join(size(bytes.length), bytes)
