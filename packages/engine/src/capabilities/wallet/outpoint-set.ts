import {
  assert,
  type Entropy,
  fromHex,
  type OutPoint,
  outPointKey,
  parseOutPointKey,
  type Txid,
  toReversedHex,
} from '../../kernel/index.ts'
import { HASH_SEED_LENGTH, type ScriptHash, SeededHash } from './keyed-hash.ts'

/** An outpoint in transaction bytes: txid in wire order, then the output index, little endian. */
export const OUTPOINT_LENGTH = 36
const MOST_USED = 0.75
const LEAST_SLOTS = 16

/** The 36 bytes under which an outpoint stands in a transaction. */
export function outPointBytes(point: OutPoint): Uint8Array {
  const bytes = new Uint8Array(OUTPOINT_LENGTH)
  bytes.set(fromHex(point.txid).reverse())
  new DataView(bytes.buffer).setUint32(32, point.vout, true)
  return bytes
}

/** The outpoint that stands at `offset` of transaction bytes. */
export function outPointFrom(bytes: Uint8Array, offset: number): OutPoint {
  assert(offset + OUTPOINT_LENGTH <= bytes.length, 'no outpoint there')
  const view = new DataView(bytes.buffer, bytes.byteOffset + offset, OUTPOINT_LENGTH)
  const txid = toReversedHex(bytes.subarray(offset, offset + 32)) as Txid
  return { txid, vout: view.getUint32(32, true) }
}

/** `txid:vout` of the outpoint that stands at `offset` of transaction bytes. */
export const outPointKeyFrom = (bytes: Uint8Array, offset: number): string =>
  outPointKey(outPointFrom(bytes, offset))

/**
 * The coins that we watch for a spend, in memory: every input of every block is asked whether it spends one of them. Exact:
 * whole outpoints are compared. About 50 to 70 bytes a coin.
 */
export class OutpointSet {
  readonly #hash: ScriptHash
  /** 0 is free; otherwise one more than the number of the record. */
  #slots: Uint32Array
  #records: Uint8Array
  /** Records that were used and are free again. */
  readonly #free: number[] = []
  #used = 0
  #size = 0

  /** @param expected how many coins to make room for; it grows by itself. Prefer `createOutpointSet`. */
  constructor(hash: ScriptHash, expected = 0) {
    this.#hash = hash
    let slots = LEAST_SLOTS
    while (slots * MOST_USED < expected) slots *= 2
    this.#slots = new Uint32Array(slots)
    this.#records = new Uint8Array(Math.max(LEAST_SLOTS, expected) * OUTPOINT_LENGTH)
  }

  get size(): number {
    return this.#size
  }

  /** Bytes that the set takes. */
  get bytes(): number {
    return this.#slots.byteLength + this.#records.byteLength
  }

  /** Is the outpoint at `offset` of transaction bytes ours? The caller has checked that 36 bytes are there. */
  has(bytes: Uint8Array, offset: number): boolean {
    return this.#slots[this.#find(bytes, offset)] !== 0
  }
  hasPoint(point: OutPoint): boolean {
    return this.has(outPointBytes(point), 0)
  }
  /** @param key `txid:vout` */
  hasKey(key: string): boolean {
    return this.hasPoint(parseOutPointKey(key))
  }

  /** False when it was there already. */
  add(point: OutPoint): boolean {
    const bytes = outPointBytes(point)
    const slot = this.#find(bytes, 0)
    if (this.#slots[slot] !== 0) return false
    const record = this.#free.pop() ?? this.#used++
    if ((record + 1) * OUTPOINT_LENGTH > this.#records.length) {
      const larger = new Uint8Array(this.#records.length * 2)
      larger.set(this.#records)
      this.#records = larger
    }
    this.#records.set(bytes, record * OUTPOINT_LENGTH)
    this.#slots[slot] = record + 1
    this.#size++
    if (this.#size > this.#slots.length * MOST_USED) this.#grow()
    return true
  }
  /** @param key `txid:vout` */
  addKey(key: string): boolean {
    return this.add(parseOutPointKey(key))
  }

  /** False when it was not there. */
  remove(point: OutPoint): boolean {
    let hole = this.#find(outPointBytes(point), 0)
    const slots = this.#slots
    const removed = slots[hole] as number
    if (removed === 0) return false
    this.#free.push(removed - 1)
    this.#size--
    // Close the gap: whoever stands behind it and may stand in it moves forward, so that no search stops too early.
    const mask = slots.length - 1
    for (let next = (hole + 1) & mask; slots[next] !== 0; next = (next + 1) & mask) {
      const record = slots[next] as number
      const home = this.#home(this.#records, (record - 1) * OUTPOINT_LENGTH)
      if (((next - home) & mask) < ((next - hole) & mask)) continue
      slots[hole] = record
      hole = next
    }
    slots[hole] = 0
    return true
  }
  /** @param key `txid:vout` */
  removeKey(key: string): boolean {
    return this.remove(parseOutPointKey(key))
  }

  /** The slot of this outpoint, or the free slot where it would go. */
  #find(bytes: Uint8Array, offset: number): number {
    const slots = this.#slots
    const mask = slots.length - 1
    let slot = this.#home(bytes, offset)
    for (let record = slots[slot] as number; record !== 0; record = slots[slot] as number) {
      if (this.#isRecord((record - 1) * OUTPOINT_LENGTH, bytes, offset)) return slot
      slot = (slot + 1) & mask
    }
    return slot
  }

  #home(bytes: Uint8Array, offset: number): number {
    // The txid's first bytes are random; the index is not, but coins of one transaction are few neighbours.
    const index = (bytes[offset + 32] as number) | ((bytes[offset + 33] as number) << 8)
    return (
      (this.#hash.quick(bytes, offset, 32) + Math.imul(index, 0x9e3779b1)) &
      (this.#slots.length - 1)
    )
  }

  #isRecord(record: number, bytes: Uint8Array, offset: number): boolean {
    const records = this.#records
    for (let i = 0; i < OUTPOINT_LENGTH; i++) {
      if (records[record + i] !== bytes[offset + i]) return false
    }
    return true
  }

  #grow(): void {
    const old = this.#slots
    this.#slots = new Uint32Array(old.length * 2)
    for (const record of old) {
      if (record === 0) continue
      const slot = this.#find(this.#records, (record - 1) * OUTPOINT_LENGTH)
      this.#slots[slot] = record
    }
  }
}

/** An empty set of outpoints under a fresh secret seed. */
export const createOutpointSet = (entropy: Entropy, expected = 0): OutpointSet =>
  new OutpointSet(new SeededHash(entropy.bytes(HASH_SEED_LENGTH)), expected)
