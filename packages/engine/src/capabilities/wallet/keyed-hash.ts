import { assert } from '../../kernel/index.ts'

/** Two independent 32-bit hashes of a byte range: one that is cheap, one that nobody can aim at. */
export interface ScriptHash {
  /** Decides where an entry stands. Looks at a few bytes only. */
  quick(bytes: Uint8Array, offset: number, length: number): number
  /** Tells entries apart that stand at one place. Looks at all bytes. */
  strong(bytes: Uint8Array, offset: number, length: number): number
}

/** Secret bytes that a `SeededHash` needs. */
export const HASH_SEED_LENGTH = 24

const rotate = (word: number, by: number): number => (word << by) | (word >>> (32 - by))

/** The four bytes at `at`, little endian; bytes that do not exist count as 0. */
const wordAt = (bytes: Uint8Array, at: number): number =>
  (bytes[at] as number) |
  ((bytes[at + 1] as number) << 8) |
  ((bytes[at + 2] as number) << 16) |
  ((bytes[at + 3] as number) << 24)

/** The bytes behind the last whole word, and the length, so that zeros at the end make a difference. */
function lastWord(bytes: Uint8Array, offset: number, length: number): number {
  let word = length << 24
  for (let i = (length & 3) - 1; i >= 0; i--) {
    word |= (bytes[offset + (length & ~3) + i] as number) << (8 * i)
  }
  return word
}

/**
 * Hashes under a secret seed. Anybody can pay to any script: if it were known how to hit our entries, every output
 * of a block could be made to look like ours and cost a lookup on disk. `quick` alone can be hit on purpose by
 * equal middle bytes; `strong` (HalfSipHash with one round a word and three at the end) cannot without the seed.
 * Source: Aumasson and Bernstein, SipHash, and the 32-bit variant in its reference code.
 */
export class SeededHash implements ScriptHash {
  readonly #quickMask0: number
  readonly #quickMask1: number
  readonly #quickFactor0: number
  readonly #quickFactor1: number
  readonly #key0: number
  readonly #key1: number

  /** @param seed `HASH_SEED_LENGTH` secret bytes. */
  constructor(seed: Uint8Array) {
    assert(seed.length === HASH_SEED_LENGTH, 'the seed of a hash has 24 bytes')
    this.#quickMask0 = wordAt(seed, 0)
    this.#quickMask1 = wordAt(seed, 4)
    // Odd, so that a multiplication loses nothing.
    this.#quickFactor0 = wordAt(seed, 8) | 1
    this.#quickFactor1 = wordAt(seed, 12) | 1
    this.#key0 = wordAt(seed, 16)
    this.#key1 = wordAt(seed, 20)
  }

  /** Eight bytes in the middle: there every usual script has its key or hash. Short ranges are taken whole. */
  quick(bytes: Uint8Array, offset: number, length: number): number {
    if (length < 8) return this.strong(bytes, offset, length)
    const middle = offset + (length >>> 1) - 4
    const first = Math.imul(wordAt(bytes, middle) ^ this.#quickMask0, this.#quickFactor0)
    const second = Math.imul(wordAt(bytes, middle + 4) ^ this.#quickMask1, this.#quickFactor1)
    const mixed = Math.imul(first ^ (first >>> 15) ^ rotate(second, 16), 0x85ebca6b)
    return mixed ^ (mixed >>> 16)
  }

  strong(bytes: Uint8Array, offset: number, length: number): number {
    // One loop over local variables with the round written once: calls or fields in here cost twice the time.
    let v0 = this.#key0
    let v1 = this.#key1
    let v2 = 0x6c796765 ^ this.#key0
    let v3 = 0x74656462 ^ this.#key1
    const words = length >>> 2
    for (let step = 0; step < words + 4; step++) {
      let word = 0
      if (step < words) word = wordAt(bytes, offset + 4 * step)
      else if (step === words) word = lastWord(bytes, offset, length)
      else if (step === words + 1) v2 ^= 0xff
      v3 ^= word
      v0 = (v0 + v1) | 0
      v1 = rotate(v1, 5) ^ v0
      v0 = rotate(v0, 16)
      v2 = (v2 + v3) | 0
      v3 = rotate(v3, 8) ^ v2
      v0 = (v0 + v3) | 0
      v3 = rotate(v3, 7) ^ v0
      v2 = (v2 + v1) | 0
      v1 = rotate(v1, 13) ^ v2
      v2 = rotate(v2, 16)
      v0 ^= word
    }
    return v1 ^ v3
  }
}
