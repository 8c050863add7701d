import { AssertionError, assert, type Entropy } from '../../kernel/index.ts'
import { HASH_SEED_LENGTH, type ScriptHash, SeededHash } from './keyed-hash.ts'

/** Above this share of used slots the table doubles: 13 bytes a slot, so 15 to 31 bytes a script. */
const MOST_USED = 0.85
const LEAST_SLOTS = 16
const MOST_VALUE = 0xffff_fffe

/**
 * The scripts that we watch, in memory, each with a number of its caller (the row of an address, say). Made for the question
 * that is asked of every output of every block: is this ours? A million scripts take under 32 MB and a stranger's
 * script costs one or two memory accesses.
 *
 * It never misses: a script that was added is always found. Once in billions it may answer for a stranger's
 * script, so **compare the whole script with the one behind the value** before anything happens because of it.
 * Several values for one script (two wallets that share an address) are all kept: `findAll`.
 *
 * The database is the truth; this is a cache, built at start. Nothing is ever removed: retired addresses stay watched.
 */
export class WatchSet {
  readonly #hash: ScriptHash
  #tags: Uint8Array
  #keys: Int32Array
  #values: Uint32Array
  #size = 0

  /** @param expected how many scripts to make room for; it grows by itself. Prefer `createWatchSet`. */
  constructor(hash: ScriptHash, expected = 0) {
    this.#hash = hash
    let slots = LEAST_SLOTS
    while (slots * MOST_USED < expected) slots *= 2
    this.#tags = new Uint8Array(slots)
    this.#keys = new Int32Array(slots * 2)
    this.#values = new Uint32Array(slots)
  }

  /** How many entries there are. */
  get size(): number {
    return this.#size
  }

  /** Bytes that the table takes. */
  get bytes(): number {
    return this.#tags.byteLength + this.#keys.byteLength + this.#values.byteLength
  }

  /**
   * Watches `script` under `value` (0 to 2^32 - 2). False when it already was, under this value.
   * @throws AssertionError for another value.
   */
  add(script: Uint8Array, value: number): boolean {
    if (!Number.isInteger(value) || value < 0 || value > MOST_VALUE) {
      throw new AssertionError(`bad value in the watch set: ${value}`)
    }
    const quick = this.#hash.quick(script, 0, script.length)
    const strong = this.#hash.strong(script, 0, script.length)
    const mask = this.#tags.length - 1
    let slot = quick & mask
    while (this.#tags[slot] !== 0) {
      const same = this.#keys[2 * slot] === quick && this.#keys[2 * slot + 1] === strong
      if (same && this.#values[slot] === value) return false
      slot = (slot + 1) & mask
    }
    this.#put(slot, quick, strong, value)
    this.#size++
    if (this.#size > this.#tags.length * MOST_USED) this.#grow()
    return true
  }

  /** The first value added for the script that is `bytes[offset..offset + length)`; -1 when it is not watched. */
  find(bytes: Uint8Array, offset: number, length: number): number {
    const quick = this.#hash.quick(bytes, offset, length)
    const tags = this.#tags
    const mask = tags.length - 1
    const wanted = tagOf(quick)
    let slot = quick & mask
    let strong = 0
    let isHashed = false
    for (let tag = tags[slot]; tag !== 0; tag = tags[slot]) {
      if (tag === wanted && this.#keys[2 * slot] === quick) {
        // Most strangers never come here: the expensive hash is for the few that look like ours.
        if (!isHashed) strong = this.#hash.strong(bytes, offset, length)
        isHashed = true
        if (this.#keys[2 * slot + 1] === strong) return this.#values[slot] as number
      }
      slot = (slot + 1) & mask
    }
    return -1
  }

  /** Every value added for the script that is `bytes[offset..offset + length)`. */
  findAll(bytes: Uint8Array, offset: number, length: number): number[] {
    const quick = this.#hash.quick(bytes, offset, length)
    const strong = this.#hash.strong(bytes, offset, length)
    const mask = this.#tags.length - 1
    const found: number[] = []
    for (let slot = quick & mask; this.#tags[slot] !== 0; slot = (slot + 1) & mask) {
      if (this.#keys[2 * slot] === quick && this.#keys[2 * slot + 1] === strong) {
        found.push(this.#values[slot] as number)
      }
    }
    return found
  }

  #put(slot: number, quick: number, strong: number, value: number): void {
    this.#tags[slot] = tagOf(quick)
    this.#keys[2 * slot] = quick
    this.#keys[2 * slot + 1] = strong
    this.#values[slot] = value
  }

  #grow(): void {
    const tags = this.#tags
    const keys = this.#keys
    const values = this.#values
    const slots = tags.length * 2
    assert(slots <= 2 ** 30, 'the watch set is full')
    this.#tags = new Uint8Array(slots)
    this.#keys = new Int32Array(slots * 2)
    this.#values = new Uint32Array(slots)
    // Begin behind a gap: entries of one chain then move in the order in which they were added.
    const gap = tags.indexOf(0)
    for (let i = 1; i <= tags.length; i++) {
      const from = (gap + i) & (tags.length - 1)
      if (tags[from] === 0) continue
      const quick = keys[2 * from] as number
      let slot = quick & (slots - 1)
      while (this.#tags[slot] !== 0) slot = (slot + 1) & (slots - 1)
      this.#put(slot, quick, keys[2 * from + 1] as number, values[from] as number)
    }
  }
}

/** Seven bits that the slot does not depend on in tables below 2^25 slots; never 0, which means free. */
const tagOf = (quick: number): number => (quick >>> 25) | 0x80

/** An empty watch set under a fresh secret seed. */
export const createWatchSet = (entropy: Entropy, expected = 0): WatchSet =>
  new WatchSet(new SeededHash(entropy.bytes(HASH_SEED_LENGTH)), expected)
