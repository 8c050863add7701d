/** The two integers of an ECDSA signature. */
export interface EcdsaNumbers {
  readonly r: bigint
  readonly s: bigint
}

/** Order of the group of secp256k1. Source: SEC 2. */
export const CURVE_ORDER = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141n
const HALF_ORDER = CURVE_ORDER >> 1n
const INTEGER = 0x02
const SEQUENCE = 0x30

/** Strict DER with a hash type byte at the end. Source: BIP 66. */
export function isStrictSignature(signature: Uint8Array): boolean {
  const size = signature.length
  const at = (i: number): number => signature[i] ?? 0
  if (size < 9 || size > 73 || at(0) !== SEQUENCE || at(1) !== size - 3) return false
  const rSize = at(3)
  if (5 + rSize >= size) return false
  const sSize = at(5 + rSize)
  if (rSize + sSize + 7 !== size) return false
  const isInteger = (tag: number, length: number): boolean => {
    if (at(tag) !== INTEGER || length === 0 || at(tag + 2) >= 0x80) return false
    return length === 1 || at(tag + 2) !== 0 || at(tag + 3) >= 0x80
  }
  return isInteger(2, rSize) && isInteger(4 + rSize, sSize)
}

/** Reads DER with the liberties that blocks before BIP 66 took. */
class LaxReader {
  readonly #bytes: Uint8Array
  #at = 0

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes
  }
  get #left(): number {
    return this.#bytes.length - this.#at
  }
  tag(expected: number): boolean {
    return this.#bytes[this.#at++] === expected
  }
  /** The length of the whole is read but not believed. */
  skipLength(): boolean {
    const first = this.#bytes[this.#at++]
    if (first === undefined) return false
    const more = first & 0x80 ? first - 0x80 : 0
    if (more > this.#left) return false
    this.#at += more
    return true
  }
  #length(): number | undefined {
    const first = this.#bytes[this.#at++]
    if (first === undefined) return undefined
    if ((first & 0x80) === 0) return first
    let count = first - 0x80
    if (count > this.#left) return undefined
    while (count > 0 && this.#bytes[this.#at] === 0) {
      this.#at++
      count--
    }
    if (count >= 4) return undefined
    let length = 0
    for (; count > 0; count--) length = length * 256 + (this.#bytes[this.#at++] as number)
    return length
  }
  /** The bytes of an integer, taken as unsigned. */
  integer(): Uint8Array | undefined {
    if (!this.tag(INTEGER)) return undefined
    const length = this.#length()
    if (length === undefined || length > this.#left) return undefined
    const part = this.#bytes.subarray(this.#at, this.#at + length)
    this.#at += length
    return part
  }
}

const HEX: readonly string[] = Array.from({ length: 256 }, (_, i) =>
  i.toString(16).padStart(2, '0'),
)
/** An unsigned big-endian number; undefined from 2^256 on. */
function unsigned(bytes: Uint8Array): bigint | undefined {
  let at = 0
  while (bytes[at] === 0) at++
  if (bytes.length - at > 32) return undefined
  let text = '0x0'
  for (; at < bytes.length; at++) text += HEX[bytes[at] as number]
  return BigInt(text)
}

/**
 * Reads a DER signature without hash type as consensus did before BIP 66: lengths in long form, padding, negative
 * numbers and garbage at the end are forgiven. Numbers that are not below the group order give zeros, which no key has
 * signed. Undefined when it cannot be read at all. Source: the lax parser that comes with libsecp256k1.
 */
export function parseLaxSignature(der: Uint8Array): EcdsaNumbers | undefined {
  const reader = new LaxReader(der)
  if (!reader.tag(SEQUENCE) || !reader.skipLength()) return undefined
  const rBytes = reader.integer()
  const sBytes = rBytes && reader.integer()
  if (!sBytes) return undefined
  const r = unsigned(rBytes)
  const s = unsigned(sBytes)
  if (r === undefined || s === undefined || r >= CURVE_ORDER || s >= CURVE_ORDER) {
    return { r: 0n, s: 0n }
  }
  return { r, s }
}

/** True when the signature (without hash type) can be read and its `s` is in the lower half. Source: BIP 62 rule 5. */
export function isLowS(der: Uint8Array): boolean {
  const numbers = parseLaxSignature(der)
  return numbers !== undefined && numbers.s <= HALF_ORDER
}
