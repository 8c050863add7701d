import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type OutPoint, outPointKey, txid } from '../../kernel/index.ts'
import { HASH_SEED_LENGTH, type ScriptHash, SeededHash } from './keyed-hash.ts'
import {
  createOutpointSet,
  OutpointSet,
  outPointBytes,
  outPointFrom,
  outPointKeyFrom,
} from './outpoint-set.ts'
import { createWatchSet, WatchSet } from './watch-set.ts'

const entropy = { bytes: (length: number) => Uint8Array.from({ length }, (_, i) => i * 37 + 11) }
const seeded = new SeededHash(entropy.bytes(HASH_SEED_LENGTH))
/** What an attacker would reach who knows the seed. */
const everythingCollides: ScriptHash = { quick: () => -1, strong: () => 7 }
const oneChain: ScriptHash = { quick: () => -1, strong: seeded.strong.bind(seeded) }
const fewSlots: ScriptHash = {
  quick: (bytes, offset, length) => seeded.quick(bytes, offset, length) & 0x8000_0003,
  strong: seeded.strong.bind(seeded),
}
const hashes: [string, ScriptHash][] = [
  ['a seeded hash', seeded],
  ['four home slots', fewSlots],
  ['one home slot', oneChain],
  ['one hash for everything', everythingCollides],
]
const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex')

describe('the watch set', () => {
  const script = fc.uint8Array({ maxLength: 45 })
  const entries = fc.array(fc.tuple(script, fc.nat(5)), { maxLength: 120 })

  it.each(hashes)('never misses what a Map has, with %s', (_, hash) => {
    fc.assert(
      fc.property(entries, fc.array(script), fc.nat(9), (pairs, strangers, offset) => {
        const set = new WatchSet(hash)
        const model = new Map<string, Set<number>>()
        for (const [bytes, value] of pairs) {
          const values = model.get(hex(bytes)) ?? new Set()
          const isNew = set.add(bytes, value)
          // With a broken hash another script under the same value looks the same; nothing is missed by that.
          if (hash !== everythingCollides) expect(isNew).toBe(!values.has(value))
          model.set(hex(bytes), values.add(value))
        }
        for (const bytes of [...pairs.map(([first]) => first), ...strangers]) {
          const around = new Uint8Array(bytes.length + offset + 3).fill(0xab)
          around.set(bytes, offset)
          const values = [...(model.get(hex(bytes)) ?? [])]
          const found = set.findAll(around, offset, bytes.length)
          expect(found).toEqual(expect.arrayContaining(values))
          if (hash !== everythingCollides) expect(found).toEqual(values)
          if (values.length > 0) expect(set.find(around, offset, bytes.length)).toBe(found[0])
          else if (hash !== everythingCollides) {
            expect(set.find(around, offset, bytes.length)).toBe(-1)
          }
        }
      }),
      { numRuns: 60 },
    )
  })

  it('tells scripts apart that agree in the middle, where the quick hash looks', () => {
    const set = createWatchSet(entropy)
    const like = (first: number, last: number) => Uint8Array.of(first, ...Array(20).fill(9), last)
    expect(set.add(like(1, 1), 1)).toBe(true)
    for (let i = 0; i < 256; i++) {
      expect(set.find(like(i, 1), 0, 22)).toBe(i === 1 ? 1 : -1)
      expect(set.find(like(1, i), 0, 22)).toBe(i === 1 ? 1 : -1)
    }
    expect(set.find(like(1, 1), 0, 21)).toBe(-1)
  })

  it('holds 300,000 scripts in 32 bytes each and finds every one of them', () => {
    const set = createWatchSet(entropy)
    const bytes = new Uint8Array(22)
    const view = new DataView(bytes.buffer)
    const write = (i: number) => {
      view.setUint32(9, Math.imul(i, 0x9e3779b1))
      view.setUint32(13, i)
    }
    for (let i = 0; i < 300_000; i++) {
      write(i)
      set.add(bytes, i)
    }
    expect(set.size).toBe(300_000)
    expect(set.bytes / set.size).toBeLessThan(32)
    let wrong = 0
    for (let i = 0; i < 600_000; i++) {
      write(i)
      if (set.find(bytes, 0, 22) !== (i < 300_000 ? i : -1)) wrong++
    }
    expect(wrong).toBe(0)
  })

  it('makes room beforehand and takes values up to 2^32 - 2', () => {
    const set = createWatchSet(entropy, 1_000)
    const before = set.bytes
    for (let i = 0; i < 1_000; i++) set.add(Uint8Array.of(i, i >> 8), i)
    expect(set.bytes).toBe(before)
    expect(set.add(new Uint8Array(0), 0xffff_fffe)).toBe(true)
    expect(set.find(new Uint8Array(0), 0, 0)).toBe(0xffff_fffe)
    for (const value of [-1, 0.5, 2 ** 32 - 1, Number.NaN]) {
      expect(() => set.add(new Uint8Array(0), value)).toThrow()
    }
  })

  it('depends on its seed', () => {
    const other = new SeededHash(new Uint8Array(HASH_SEED_LENGTH).fill(1))
    const bytes = new Uint8Array(22)
    expect(other.quick(bytes, 0, 22)).not.toBe(seeded.quick(bytes, 0, 22))
    expect(other.strong(bytes, 0, 22)).not.toBe(seeded.strong(bytes, 0, 22))
    expect(() => new SeededHash(new Uint8Array(8))).toThrow()
  })
})

describe('the set of outpoints', () => {
  const point: fc.Arbitrary<OutPoint> = fc.record({
    txid: fc.integer({ min: 0, max: 9 }).map((n) => txid(n.toString(16).padStart(64, '0'))),
    vout: fc.oneof(fc.nat(7), fc.constantFrom(65_536, 0xffff_ffff)),
  })
  const commands = fc.array(fc.tuple(fc.constantFrom('add', 'remove', 'has'), point), {
    maxLength: 300,
  })

  it.each(hashes)('does what a Set does, deleting included, with %s', (_, hash) => {
    fc.assert(
      fc.property(commands, (list) => {
        const set = new OutpointSet(hash)
        const model = new Set<string>()
        for (const [command, at] of list) {
          const key = outPointKey(at)
          if (command === 'add') expect(set.add(at)).toBe(!model.has(key))
          else if (command === 'remove') expect(set.remove(at)).toBe(model.has(key))
          else expect(set.hasPoint(at)).toBe(model.has(key))
          if (command === 'add') model.add(key)
          if (command === 'remove') model.delete(key)
          expect(set.size).toBe(model.size)
        }
        for (const [, at] of list) expect(set.hasPoint(at)).toBe(model.has(outPointKey(at)))
      }),
      { numRuns: 100 },
    )
  })

  it('reads outpoints where they stand in transaction bytes', () => {
    const at = { txid: txid('00112233445566778899aabbccddeeff'.repeat(2)), vout: 0xfedc_ba98 }
    const bytes = new Uint8Array(50)
    bytes.set(outPointBytes(at), 5)
    expect(outPointFrom(bytes, 5)).toEqual(at)
    expect(outPointKeyFrom(bytes, 5)).toBe(outPointKey(at))
    expect(() => outPointFrom(bytes, 15)).toThrow()
    const set = createOutpointSet(entropy)
    expect(set.addKey(outPointKey(at))).toBe(true)
    expect(set.has(bytes, 5)).toBe(true)
    expect(set.has(bytes, 6)).toBe(false)
    expect(set.hasKey(outPointKey(at))).toBe(true)
    expect(set.removeKey(outPointKey(at))).toBe(true)
    expect(set.has(bytes, 5)).toBe(false)
  })

  it('reuses the room of removed coins', () => {
    const set = createOutpointSet(entropy)
    const id = txid('ab'.repeat(32))
    for (let vout = 0; vout < 100; vout++) set.add({ txid: id, vout })
    const before = set.bytes
    for (let vout = 0; vout < 5_000; vout++) {
      expect(set.remove({ txid: id, vout })).toBe(true)
      set.add({ txid: id, vout: vout + 100 })
    }
    expect(set.bytes).toBe(before)
    expect(set.size).toBe(100)
  })
})
