import { beforeEach, describe, expect, it } from 'vitest'
import { formatMoney } from '../chain/checks.ts'
import { formatRate, rateOf } from './policy.ts'
import { type Coin, home, type Made, Scene } from './policy.kit.ts'

let scene: Scene
beforeEach(() => {
  scene = new Scene()
})
const named = ({ txid, wtxid }: Made) => `${txid} (wtxid=${wtxid})`
const rate = (fee: bigint, { vsize }: Made) => formatRate(rateOf(fee, vsize))
const coin = (made: Made | undefined, vout = 0): Coin => {
  const found = made?.coins[vout]
  if (!found) throw new RangeError(`no output ${vout}`)
  return found
}

describe('families', () => {
  const LONG = 'too-long-mempool-chain'
  it('have at most 25 generations', () => {
    const line = scene.chain('x', 25, { outs: [{ value: 5000n, script: home }] })
    const last = scene.make({ from: coin(line[24], 1) })
    expect(scene.send(last)).toMatch(
      new RegExp(
        `^${LONG}, (too many unconfirmed ancestors|too many descendants for tx [0-9a-f]{64}) \\[limit: 25\\]$`,
      ),
    )
    // The first one is full, but a small child of it alone is carved out.
    expect(scene.send(scene.make({ from: coin(line[0]) }))).toBeUndefined()
    const another = scene.make({ from: coin(line[1]) })
    expect(scene.send(another)).toMatch(
      `${LONG}, too many descendants for tx ${line[0]?.txid} [limit: 25]`,
    )
  })
  it('have at most 24 parents', () => {
    const parents = Array.from({ length: 25 }, (_, i) => coin(scene.sent({ from: `p${i}` })))
    expect(scene.send(scene.make({ from: parents, fee: 9000n }))).toBe(
      `${LONG}, too many unconfirmed parents [limit: 25]`,
    )
    expect(scene.send(scene.make({ from: parents.slice(1), fee: 9000n }))).toBeUndefined()
  })
  it('have at most 24 ancestors, on several lines together', () => {
    const [left, right] = [scene.chain('a', 12), scene.chain('b', 13)]
    const both = scene.make({ from: [coin(left[11]), coin(right[12])], fee: 9000n })
    expect(scene.send(both)).toBe(`${LONG}, too many unconfirmed ancestors [limit: 25]`)
    scene.devnet.evict(right[12]?.txid ?? '')
    const fewer = scene.make({ from: [coin(left[11]), coin(right[11])], fee: 9000n })
    expect(scene.send(fewer)).toBeUndefined()
  })
  it('have 25 children and one small one more, not of version 3 and not of 10,001 vbytes', () => {
    const parent = scene.sent({ from: 'x', split: 30, fee: 5000n })
    for (let vout = 0; vout < 24; vout++) scene.sent({ from: coin(parent, vout) })
    const full = `${LONG}, too many descendants for tx ${parent.txid} [limit: 25]`
    const large = scene.make({ from: [coin(parent, 24), 'y'], size: 10_040, fee: 20_000n })
    expect(scene.send(large)).toBe(full)
    expect(scene.send(scene.make({ from: coin(parent, 24), version: 3 }))).toBe(full)
    const carved = scene.sent({ from: coin(parent, 24) })
    expect(scene.send(scene.make({ from: coin(parent, 25) }))).toBe(full)
    // A replacement takes the place of what it replaces.
    const better = scene.make({ from: coin(parent, 24), fee: 5000n })
    expect(scene.send(better)).toBeUndefined()
    expect(scene.pool()).not.toContain(carved.txid)
  })
  it('have at most 101,000 vbytes, counted from above and from below', () => {
    const first = scene.sent({ from: 'x', size: 60_000, fee: 100_000n })
    const second = scene.make({ from: [coin(first), 'y'], size: 41_100, fee: 100_000n })
    expect(scene.send(second)).toBe(
      `${LONG}, exceeds descendant size limit for tx ${first.txid} [limit: 101000]`,
    )
    const other = scene.sent({ from: 'z', size: 50_000, fee: 100_000n })
    const both = scene.make({ from: [coin(first), coin(other), 'y'], fee: 9000n })
    expect(scene.send(both)).toBe(`${LONG}, exceeds ancestor size limit [limit: 101000]`)
  })
  it('are looked at in the order of hashes, as Core does', () => {
    const parents = ['a', 'b'].map((name) => scene.sent({ from: name, split: 30, fee: 5000n }))
    for (const parent of parents) {
      for (let vout = 0; vout < 25; vout++) scene.sent({ from: coin(parent, vout) })
    }
    const wire = (txid: string) => (txid.match(/../g) ?? []).reverse().join('')
    const [first] = parents.map(({ txid }) => txid).sort((a, b) => (wire(a) < wire(b) ? -1 : 1))
    const child = scene.make({ from: parents.map((parent) => coin(parent, 26)) })
    expect(scene.send(child)).toBe(`${LONG}, too many descendants for tx ${first} [limit: 25]`)
  })
})

describe('version 3', () => {
  const violation = (detail: string) => `TRUC-violation, ${detail}`
  it('spends version 3 alone, and is spent by version 3 alone', () => {
    const three = scene.sent({ from: 'x', version: 3 })
    const two = scene.sent({ from: 'y' })
    const child = scene.make({ from: coin(three) })
    expect(scene.send(child)).toBe(
      violation(`non-version=3 tx ${named(child)} cannot spend from version=3 tx ${named(three)}`),
    )
    const other = scene.make({ from: coin(two), version: 3 })
    expect(scene.send(other)).toBe(
      violation(`version=3 tx ${named(other)} cannot spend from non-version=3 tx ${named(two)}`),
    )
  })
  it('has at most 10,000 vbytes, and 1,000 as a child', () => {
    const large = scene.make({ from: 'x', version: 3, size: 10_040, fee: 20_000n })
    expect(scene.send(large)).toBe(
      violation(`version=3 tx ${named(large)} is too big: ${large.vsize} > 10000 virtual bytes`),
    )
    const parent = scene.sent({ from: 'x', version: 3, size: 9_900, fee: 20_000n })
    const child = scene.make({ from: [coin(parent), 'y'], version: 3, size: 1_040, fee: 5000n })
    expect(scene.send(child)).toBe(
      violation(
        `version=3 child tx ${named(child)} is too big: ${child.vsize} > 1000 virtual bytes`,
      ),
    )
    expect(
      scene.send(scene.make({ from: [coin(parent), 'y'], version: 3, size: 900, fee: 5000n })),
    ).toBeUndefined()
  })
  it('has two generations, and one parent', () => {
    const parent = scene.sent({ from: 'x', version: 3, split: 2 })
    const child = scene.sent({ from: coin(parent), version: 3 })
    const grandchild = scene.make({ from: coin(child), version: 3 })
    expect(scene.send(grandchild)).toBe(
      violation(`tx ${named(grandchild)} would have too many ancestors`),
    )
    const other = scene.sent({ from: 'y', version: 3 })
    const both = scene.make({ from: [coin(parent, 1), coin(other)], version: 3 })
    expect(scene.send(both)).toBe(violation(`tx ${named(both)} would have too many ancestors`))
  })
  it('lets a better second child evict the first', () => {
    const parent = scene.sent({ from: 'x', version: 3, split: 2 })
    const first = scene.sent({ from: coin(parent), version: 3, fee: 2000n })
    const poor = scene.make({ from: coin(parent, 1), version: 3, fee: 1500n })
    expect(scene.send(poor)).toBe(
      `insufficient fee (including sibling eviction), rejecting replacement ${poor.txid}; new feerate ${rate(1500n, poor)} <= old feerate ${rate(2000n, first)}`,
    )
    const near = scene.make({ from: coin(parent, 1), version: 3, fee: 2050n })
    expect(scene.send(near)).toBe(
      `insufficient fee (including sibling eviction), rejecting replacement ${near.txid}, not enough additional fees to relay; ${formatMoney(50n)} < ${formatMoney(BigInt(near.vsize))}`,
    )
    const better = scene.sent({ from: coin(parent, 1), version: 3, fee: 4000n })
    expect(new Set(scene.pool())).toEqual(new Set([parent.txid, better.txid]))
  })
  it('evicts no sibling that has another parent too, after a reorganisation', () => {
    const parents = ['x', 'y'].map((from) => scene.sent({ from, version: 3, split: 2 }))
    scene.devnet.mine()
    scene.sent({ from: parents.map((parent) => coin(parent)), version: 3 })
    scene.devnet.reorg(1, { blocks: [[]] })
    const [first] = parents
    const next = scene.make({ from: coin(first, 1), version: 3, fee: 50_000n })
    expect(first && scene.send(next)).toBe(
      violation(`tx ${named(first as Made)} would exceed descendant count limit`),
    )
  })
  it('evicts no sibling where a reorganisation left two', () => {
    const parent = scene.sent({ from: 'x', version: 3, split: 3 })
    scene.devnet.mine()
    scene.sent({ from: coin(parent), version: 3 })
    scene.sent({ from: coin(parent, 1), version: 3 })
    scene.devnet.reorg(1, { blocks: [[]] })
    expect(scene.pool()).toHaveLength(3)
    const third = scene.make({ from: coin(parent, 2), version: 3, fee: 50_000n })
    expect(scene.send(third)).toBe(
      violation(`tx ${named(parent)} would exceed descendant count limit`),
    )
    const better = scene.make({ from: coin(parent), version: 3, fee: 50_000n })
    expect(scene.send(better)).toBeUndefined()
  })
})

describe('replacement', () => {
  it('needs a better rate than each direct conflict', () => {
    const old = scene.sent({ from: 'x', fee: 1000n })
    const next = scene.make({ from: 'x', fee: 1000n, sequence: 0xfffffffe })
    expect(scene.send(next)).toBe(
      `insufficient fee, rejecting replacement ${next.txid}; new feerate ${rate(1000n, next)} <= old feerate ${rate(1000n, old)}`,
    )
  })
  it('needs the fees of all that it evicts, and its own relay', () => {
    const old = scene.sent({ from: 'x', fee: 1000n })
    scene.sent({ from: coin(old), fee: 9000n })
    const less = scene.make({ from: 'x', fee: 9999n })
    expect(scene.send(less)).toBe(
      `insufficient fee, rejecting replacement ${less.txid}, less fees than conflicting txs; 0.00009999 < 0.0001`,
    )
    const relay = BigInt(less.vsize)
    const near = scene.make({ from: 'x', fee: 9_999n + relay })
    expect(scene.send(near)).toBe(
      `insufficient fee, rejecting replacement ${near.txid}, not enough additional fees to relay; ${formatMoney(relay - 1n)} < ${formatMoney(relay)}`,
    )
    const enough = scene.sent({ from: 'x', fee: 10_000n + relay })
    expect(scene.pool()).toEqual([enough.txid])
  })
  it('counts what was prioritised', () => {
    const old = scene.sent({ from: 'x', fee: 1000n })
    scene.devnet.call('prioritisetransaction', [old.txid, 0, 50_000])
    expect(scene.send(scene.make({ from: 'x', fee: 5000n }))).toMatch(/^insufficient fee, /)
    const next = scene.make({ from: 'x', fee: 5001n })
    scene.devnet.call('prioritisetransaction', [next.txid, 0, 60_000])
    expect(scene.send(next)).toBeUndefined()
  })
  it('spends no unconfirmed coin that was not spent before', () => {
    const parent = scene.sent({ from: 'y' })
    scene.sent({ from: 'x' })
    const next = scene.make({ from: ['x', coin(parent)], fee: 90_000n })
    expect(scene.send(next)).toBe(
      `replacement-adds-unconfirmed, replacement ${next.txid} adds unconfirmed input, idx 1`,
    )
  })
  it('does not build on what it replaces', () => {
    const old = scene.sent({ from: 'x' })
    const next = scene.make({ from: ['x', coin(old)], fee: 90_000n })
    expect(scene.send(next)).toBe(
      `bad-txns-spends-conflicting-tx, ${next.txid} spends conflicting transaction ${old.txid}`,
    )
  })
  it('evicts at most 100', () => {
    for (let i = 0; i < 5; i++) scene.chain(`n${i}`, 21)
    const from = [0, 1, 2, 3, 4].map((i) => `n${i}`)
    const next = scene.make({ from, fee: 5_000_000n })
    expect(scene.send(next)).toBe(
      `too many potential replacements, rejecting replacement ${next.txid}; too many potential replacements (105 > 100)\n`,
    )
    expect(scene.send(scene.make({ from: from.slice(1), fee: 5_000_000n }))).toBeUndefined()
  })
})
