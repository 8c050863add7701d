import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { toHex } from '../chain/bytes.ts'
import { addressOf, createDevnetInProcess, namedKey } from '../index.ts'
import { encodeSet, matchesAny } from './gcs.ts'
import { siphash } from './siphash.ts'

const clock = () => 1_700_000_000_000
const shop = addressOf(namedKey('shop').script) ?? ''
interface Filter {
  readonly filter: string
  readonly header: string
}

describe('SipHash-2-4', () => {
  const key = Uint8Array.from({ length: 16 }, (_, i) => i)
  // The authors' own table: input 00 01 02 ... of each length.
  it.each([
    [0, 0x726fdb47dd0e0e31n],
    [1, 0x74f839c593dc67fdn],
    [7, 0xab0200f58b01d137n],
    [8, 0x93f5f5799a932462n],
    [15, 0xa129ca6149be45e5n],
    [63, 0x958a324ceb064572n],
  ])('hashes %s bytes', (length, expected) => {
    expect(
      siphash(
        key,
        Uint8Array.from({ length }, (_, i) => i),
      ),
    ).toBe(expected)
  })
})

describe('Golomb-coded sets', () => {
  const element = fc.uint8Array({ minLength: 1, maxLength: 40 })
  const elements = fc.uniqueArray(element, { selector: toHex, maxLength: 60 })
  const keys = fc.uint8Array({ minLength: 16, maxLength: 16 })
  it('never miss an element, and are not fooled by others', () => {
    let asked = 0
    let wrong = 0
    fc.assert(
      fc.property(keys, elements, element, (key, set, other) => {
        const encoded = encodeSet(key, set)
        for (const member of set) expect(matchesAny(key, encoded, [member])).toBe(true)
        if (set.some((member) => toHex(member) === toHex(other))) return
        asked += 1
        if (matchesAny(key, encoded, [other])) wrong += 1
      }),
    )
    expect(asked).toBeGreaterThan(10)
    expect(wrong).toBeLessThanOrEqual(1)
  })
  it('are one zero when empty', () => {
    expect(toHex(encodeSet(new Uint8Array(16), []))).toBe('00')
    expect(matchesAny(new Uint8Array(16), Uint8Array.of(0), [Uint8Array.of(1)])).toBe(false)
  })
})

describe('filters of a chain', () => {
  const filterAt = (devnet: ReturnType<typeof createDevnetInProcess>, hash: string) =>
    devnet.call('getblockfilter', [hash]) as unknown as Filter
  it('begin as Core begins them', () => {
    const devnet = createDevnetInProcess({ clock, start: 'genesis' })
    // The genesis block of regtest. Source: Core's index of block filters.
    expect(filterAt(devnet, devnet.tip.hash).filter).toMatch(/^01[0-9a-f]{4,6}$/)
  })
  it('stay with a block that left the chain or was deleted, and are missing for one that never was on it', () => {
    const devnet = createDevnetInProcess({ clock, verifySignatures: false })
    devnet.pay(shop, 5000n)
    const [old = ''] = devnet.mine()
    const before = filterAt(devnet, old)
    const { mined } = devnet.reorg(1)
    expect(filterAt(devnet, old)).toEqual(before)
    expect(filterAt(devnet, mined[0] ?? '').header).not.toBe(before.header)
    devnet.prune(devnet.tip.height - 1)
    expect(filterAt(devnet, old)).toEqual(before)
    const other = createDevnetInProcess({ clock, seed: 'other', verifySignatures: false })
    const stranger = other.mine()[0] ?? ''
    const raw = toHex(other.view.block(stranger) ?? new Uint8Array())
    expect(devnet.call('submitblock', [raw])).toBe('inconclusive')
    expect(() => filterAt(devnet, stranger)).toThrow(
      'Filter not found. Block was not connected to active chain.',
    )
  })
  it('find the blocks that pay and the blocks that spend', () => {
    const devnet = createDevnetInProcess({ clock, verifySignatures: false })
    const { script } = namedKey('shop')
    const pay = devnet.spend({ from: 'x', outs: [{ script, amount: 50_000n }] })
    const first = devnet.mineBlock({ transactions: [pay.raw] })
    devnet.mine(5)
    const spend = devnet.spend({ from: `${pay.txid}:0`, outs: [], keys: [namedKey('shop').secret] })
    const second = devnet.mineBlock({ transactions: [spend.raw] })
    const scan = (...more: readonly unknown[]) =>
      devnet.call('scanblocks', ['start', [`addr(${shop})`], ...more]) as {
        readonly relevant_blocks: readonly string[]
      }
    expect(scan().relevant_blocks).toEqual([first, second])
    expect(scan(112).relevant_blocks).toEqual([second])
    const exact = scan(0, 117, 'basic', { filter_false_positives: true })
    expect(exact.relevant_blocks).toEqual([first, second])
    expect(() => scan(5, 4)).toThrow('Invalid stop_height')
    expect(() => scan(5, 4, 'other')).toThrow('Unknown filtertype')
  })
})
