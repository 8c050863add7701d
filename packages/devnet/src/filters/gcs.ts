import { ByteReader, ByteWriter } from '../chain/bytes.ts'
import { siphash } from './siphash.ts'

/** Parameters of the basic filter. Source: BIP 158. */
const P = 19
const M = 784_931n

const rangeOf = (count: number): bigint => BigInt(count) * M
/** The hash of an element, spread evenly over the range. */
const hashToRange = (key: Uint8Array, element: Uint8Array, range: bigint): bigint =>
  (siphash(key, element) * range) >> 64n
const ascending = (a: bigint, b: bigint): number => (a < b ? -1 : a > b ? 1 : 0)

class BitWriter {
  readonly #bytes = new ByteWriter()
  #open = 0
  #used = 0

  put(value: number, bits: number): void {
    for (let bit = bits - 1; bit >= 0; bit--) {
      this.#open = (this.#open << 1) | ((value >>> bit) & 1)
      this.#used += 1
      if (this.#used === 8) this.#flush()
    }
  }
  #flush(): void {
    this.#bytes.u8(this.#open)
    this.#open = 0
    this.#used = 0
  }
  done(): Uint8Array {
    if (this.#used > 0) this.put(0, 8 - this.#used)
    return this.#bytes.done()
  }
}

/** A Golomb-coded set: count, then the sorted hashes as differences. `elements` are distinct. Source: BIP 158. */
export function encodeSet(key: Uint8Array, elements: readonly Uint8Array[]): Uint8Array {
  const range = rangeOf(elements.length)
  const hashes = elements.map((element) => hashToRange(key, element, range)).sort(ascending)
  const bits = new BitWriter()
  let last = 0n
  for (const hash of hashes) {
    const delta = Number(hash - last)
    last = hash
    // A quotient is 2 on average; the longest chain of ones is far below 2^31.
    for (let ones = Math.floor(delta / 2 ** P); ones > 0; ones--) bits.put(1, 1)
    bits.put(0, 1)
    bits.put(delta % 2 ** P, P)
  }
  return new ByteWriter().size(elements.length).put(bits.done()).done()
}

/** The hashes in an encoded set. @throws TruncatedError when it ends early. */
function* readSet(encoded: Uint8Array): Generator<bigint> {
  const reader = new ByteReader(encoded)
  const count = reader.size()
  let open = 0
  let left = 0
  const bit = (): number => {
    if (left === 0) {
      open = reader.u8()
      left = 8
    }
    left -= 1
    return (open >>> left) & 1
  }
  let value = 0n
  for (let i = 0; i < count; i++) {
    let quotient = 0
    while (bit() === 1) quotient += 1
    let rest = 0
    for (let b = 0; b < P; b++) rest = rest * 2 + bit()
    value += BigInt(quotient) * BigInt(2 ** P) + BigInt(rest)
    yield value
  }
}
/** Whether one of the elements is probably in the set: wrong in one of 784,931 cases, and never by missing one. */
export function matchesAny(
  key: Uint8Array,
  encoded: Uint8Array,
  elements: readonly Uint8Array[],
): boolean {
  if (elements.length === 0) return false
  const range = rangeOf(new ByteReader(encoded).size())
  const wanted = new Set(elements.map((element) => hashToRange(key, element, range)))
  for (const hash of readSet(encoded)) if (wanted.has(hash)) return true
  return false
}
