import { beforeEach, describe, expect, it, test } from 'vitest'
import { checkPackage } from './topology.ts'
import { improves } from './diagram.ts'
import { formatRate, rateOf } from './policy.ts'
import { type Coin, type Made, Scene } from './policy.kit.ts'

let scene: Scene
beforeEach(() => {
  scene = new Scene()
})
const coin = (made: Made | undefined, vout = 0): Coin => {
  const found = made?.coins[vout]
  if (!found) throw new RangeError(`no output ${vout}`)
  return found
}
const named = ({ txid, wtxid }: Made) => `${txid} (wtxid=${wtxid})`
/** A parent and its child, not sent. */
const pair = (from: string, fees: readonly [bigint, bigint], version = 2) => {
  const parent = scene.make({ from, fee: fees[0], version })
  const child = scene.make({ from: coin(parent), fee: fees[1], version })
  return [parent, child] as const
}
const errors = (answer: ReturnType<Scene['submit']>) =>
  Object.values(answer['tx-results']).map(({ error }) => error)

describe('lists', () => {
  it('hold at most 25, in order, each once, without conflict, and not too much', () => {
    const line = Array.from({ length: 26 }, (_, i) => scene.make({ from: `l${i}` }).transaction)
    expect(checkPackage(line)?.reason).toBe('package-too-many-transactions')
    expect(checkPackage(line.slice(1))).toBeUndefined()
    const [parent, child] = pair('x', [500n, 500n])
    const check = (...list: readonly Made[]) =>
      checkPackage(list.map(({ transaction }) => transaction))?.reason
    expect(check(child, parent)).toBe('package-not-sorted')
    expect(check(parent, parent)).toBe('package-contains-duplicates')
    expect(check(parent, scene.make({ from: 'x', fee: 9n }))).toBe('conflict-in-package')
    const large = ['a', 'b'].map((from) => scene.make({ from, size: 50_500 }))
    expect(check(...large)).toBe('package-too-large')
    expect(check(large[0] ?? parent)).toBeUndefined()
  })
  it('are tested together, without conflicts with the mempool', () => {
    const [parent, child] = pair('x', [500n, 500n])
    expect(scene.verdicts(parent, child)).toMatchObject([{ allowed: true }, { allowed: true }])
    expect(scene.verdicts(child, parent)).toEqual(
      [child, parent].map(({ txid, wtxid }) => ({
        txid,
        wtxid,
        'package-error': 'package-not-sorted',
      })),
    )
    scene.sent({ from: 'x', fee: 300n })
    expect(scene.verdicts(parent, child)).toMatchObject([
      { allowed: false, 'reject-reason': 'bip125-replacement-disallowed' },
      { txid: child.txid },
    ])
    expect(scene.pool()).toHaveLength(1)
  })
  it('count as one for the family limits', () => {
    const line = scene.chain('x', 24)
    const first = scene.make({ from: coin(line[23]) })
    const second = scene.make({ from: 'y' })
    const [one] = scene.verdicts(first, second)
    expect(one?.['package-error']).toMatch(
      /^package-mempool-limits, possibly (too many descendants for tx [0-9a-f]{64}|too many unconfirmed ancestors) \[limit: 25\]$/,
    )
  })
  it('name too large a whole', () => {
    const list = ['a', 'b', 'c'].map((from) => scene.make({ from, size: 33_800, fee: 90_000n }))
    const size = list.reduce((sum, { vsize }) => sum + vsize, 0)
    expect(size * 4).toBeGreaterThan(404_000)
    expect(scene.verdicts(...list)[0]?.['package-error']).toBe('package-too-large')
  })
})

describe('submitpackage', () => {
  it.each([
    [[0], 'Array must contain between 2 and 25 transactions.'],
    [
      [1, 0],
      'package topology disallowed. not child-with-parents or parents depend on each other.',
    ],
  ])('wants a child with its parents: %j', (order, fault) => {
    const both = pair('x', [500n, 500n])
    const raws = order.map((i) => both[i]?.raw)
    expect(() => scene.devnet.call('submitpackage', [raws])).toThrow(fault)
  })
  it('wants every unconfirmed parent', () => {
    const known = scene.sent({ from: 'y' })
    const parent = scene.make({ from: 'x' })
    const child = scene.make({ from: [coin(parent), coin(known)] })
    expect(scene.submit(parent, child)).toEqual({
      package_msg: 'package-not-child-with-unconfirmed-parents',
      'tx-results': {},
      'replaced-transactions': [],
    })
  })
  it('takes each alone that pays for itself', () => {
    const [parent, child] = pair('x', [500n, 700n])
    const answer = scene.submit(parent, child)
    expect(answer).toEqual({
      package_msg: 'success',
      'tx-results': Object.fromEntries(
        [parent, child].map(({ txid, wtxid, vsize }, i) => {
          const base = [500n, 700n][i] ?? 0n
          const fees = {
            base,
            'effective-feerate': rateOf(base, vsize),
            'effective-includes': [wtxid],
          }
          return [wtxid, { txid, vsize, fees }]
        }),
      ),
      'replaced-transactions': [],
    })
    // Handed in by this call, a transaction counts as announced.
    expect(scene.devnet.call('getmempoolinfo')).toMatchObject({ size: 2, unbroadcastcount: 0 })
    const again = scene.submit(parent, child)
    expect(again['tx-results'][parent.wtxid]).toEqual({
      txid: parent.txid,
      vsize: parent.vsize,
      fees: { base: 500n },
    })
  })
  it('lets a child pay for a parent of version 3 without fee', () => {
    const [parent, child] = pair('x', [0n, 5000n], 3)
    expect(scene.send(parent)).toBe('min relay fee not met, 0 < 110')
    const answer = scene.submit(parent, child)
    const rate = rateOf(5000n, parent.vsize + child.vsize)
    const fees = { 'effective-feerate': rate, 'effective-includes': [parent.wtxid, child.wtxid] }
    expect(answer).toMatchObject({
      package_msg: 'success',
      'tx-results': { [parent.wtxid]: { fees }, [child.wtxid]: { fees } },
    })
    expect(scene.pool()).toEqual([parent.txid, child.txid])
  })
  it('lets no child pay for the relay fee of another version', () => {
    const [parent, child] = pair('x', [10n, 5000n])
    const answer = scene.submit(parent, child)
    expect(answer.package_msg).toBe('transaction failed')
    expect(errors(answer)).toEqual([
      'min relay fee not met, 10 < 110',
      'bad-txns-inputs-missingorspent',
    ])
  })
  it('asks the moving minimum of the whole', () => {
    scene.devnet.feeSpike(20)
    const poor = pair('x', [300n, 400n])
    const size = poor.reduce((sum, { vsize }) => sum + vsize, 0)
    expect(errors(scene.submit(...poor))).toEqual([
      'mempool min fee not met, 300 < 2200',
      `mempool min fee not met, 700 < ${size * 20}`,
    ])
    expect(scene.pool()).toEqual([])
    expect(scene.submit(...pair('x', [300n, 5000n])).package_msg).toBe('success')
  })
  it('names another witness that is there already', () => {
    const parent = scene.sent({ from: 'x' })
    const other = scene.make({ from: 'x', witness: [Uint8Array.of(1), Uint8Array.of(2)] })
    const child = scene.make({ from: coin(parent) })
    expect(scene.submit(other, child)).toMatchObject({
      package_msg: 'success',
      'tx-results': { [other.wtxid]: { txid: parent.txid, 'other-wtxid': parent.wtxid } },
    })
  })
  it('keeps what is good of a package that fails', () => {
    const parent = scene.make({ from: 'x' })
    const child = scene.make({ from: coin(parent), version: 4 })
    const answer = scene.submit(parent, child)
    expect(answer.package_msg).toBe('transaction failed')
    expect(errors(answer)).toEqual([undefined, 'version'])
    expect(scene.pool()).toEqual([parent.txid])
  })
  it('ends at the rate and the burning that the caller allows', () => {
    const [parent, child] = pair('x', [500n, 90_000n])
    const limited = scene.devnet.call('submitpackage', [[parent.raw, child.raw], 0.0001])
    expect(limited).toMatchObject({
      package_msg: 'transaction failed',
      'tx-results': { [child.wtxid]: { error: 'max feerate exceeded' } },
    })
    const burn = { script: Uint8Array.of(0x6a, 1, 1), value: 9n }
    const ash = scene.make({ from: coin(parent), outs: [burn] })
    expect(() => scene.submit(parent, ash)).toThrow('Unspendable output exceeds maximum')
  })
  it('names version 3 faults of the whole', () => {
    const parent = scene.make({ from: 'x', version: 3, fee: 0n })
    const child = scene.make({ from: coin(parent), version: 2, fee: 5000n })
    expect(scene.submit(parent, child).package_msg).toBe(
      `TRUC-violation, non-version=3 tx ${named(child)} cannot spend from version=3 tx ${named(parent)}`,
    )
    const two = ['y', 'z'].map((from) => scene.make({ from, version: 3, fee: 0n }))
    const both = scene.make({ from: two.map((made) => coin(made)), version: 3, fee: 5000n })
    expect(scene.submit(...two, both).package_msg).toBe(
      `TRUC-violation, tx ${named(both)} would have too many ancestors`,
    )
    const first = scene.make({ from: 'w', version: 3, fee: 0n, split: 2 })
    const list = [0, 1].map((vout) => scene.make({ from: coin(first, vout), version: 3 }))
    expect(scene.verdicts(first, ...list)[0]?.['reject-reason']).toBe('min relay fee not met')
    const paying = scene.make({ from: 'w', version: 3, split: 2 })
    const children = [0, 1].map((vout) => scene.make({ from: coin(paying, vout), version: 3 }))
    expect(scene.verdicts(paying, ...children)[0]?.['package-error']).toBe(
      `TRUC-violation, tx ${named(paying)} would exceed descendant count limit`,
    )
  })
})

describe('a package that replaces', () => {
  const failed = (words: string) => `package RBF failed: ${words}`
  it('is one parent and one child that together pay better', () => {
    const old = scene.sent({ from: 'x', fee: 2000n })
    const [parent, child] = pair('x', [150n, 9000n])
    const answer = scene.submit(parent, child)
    expect(answer).toMatchObject({
      package_msg: 'success',
      'replaced-transactions': [old.txid],
    })
    expect(scene.pool()).toEqual([parent.txid, child.txid])
  })
  it('is not larger', () => {
    scene.sent({ from: 'x', fee: 2000n })
    const parents = [
      scene.make({ from: 'x', fee: 150n }),
      scene.make({ from: 'y', fee: 0n, version: 3 }),
    ]
    scene.devnet.feeSpike(2)
    const second = scene.make({ from: 'z', fee: 150n })
    const child = scene.make({ from: [coin(parents[0]), coin(second)], fee: 9000n })
    const [first] = parents
    expect(first && scene.submit(first, second, child).package_msg).toBe(
      failed('package must be 1-parent-1-child'),
    )
  })
  it('has no ancestors', () => {
    const above = scene.sent({ from: 'y' })
    scene.sent({ from: coin(above), fee: 2000n })
    const parent = scene.make({ from: coin(above), fee: 150n })
    const child = scene.make({ from: coin(parent), fee: 9000n })
    expect(scene.submit(parent, child).package_msg).toBe(
      failed('new transaction cannot have mempool ancestors'),
    )
  })
  it('pays for what it evicts', () => {
    const old = scene.sent({ from: 'x', fee: 2000n })
    const [parent, child] = pair('x', [150n, 1500n])
    expect(scene.submit(parent, child).package_msg).toBe(
      failed(
        `insufficient anti-DoS fees, rejecting replacement ${child.txid}, less fees than conflicting txs; 0.0000165 < 0.00002`,
      ),
    )
    expect(scene.pool()).toEqual([old.txid])
  })
  it('has a child that pays better than the parent', () => {
    scene.sent({ from: 'x', fee: 2000n })
    scene.sent({ from: 'y', fee: 100_000n })
    const small = scene.make({ from: ['x', 'y'], fee: 101_000n, split: 40 })
    const last = scene.make({ from: coin(small), fee: 5000n })
    expect(scene.submit(small, last).package_msg).toBe(
      failed(
        `package feerate is less than or equal to parent feerate, package feerate ${formatRate(
          rateOf(106_000n, small.vsize + last.vsize),
        )} <= parent feerate is ${formatRate(rateOf(101_000n, small.vsize))}`,
      ),
    )
  })
  it('evicts at most 100', () => {
    for (let i = 0; i < 5; i++) scene.chain(`n${i}`, 21)
    const parent = scene.make({ from: [0, 1, 2, 3, 4].map((i) => `n${i}`), fee: 500n })
    const child = scene.make({ from: coin(parent), fee: 900_000n })
    expect(scene.submit(parent, child).package_msg).toBe(
      failed(
        `too many potential replacements, rejecting replacement ${child.txid}; too many potential replacements (105 > 100)\n`,
      ),
    )
  })
  it('replaces only pairs, which a diagram can hold', () => {
    const refusal = (from: string) => scene.submit(...pair(from, [150n, 9000n])).package_msg
    const [first, second] = scene.chain('a', 2, { fee: 500n })
    const third = scene.sent({ from: [coin(second), 'k'] })
    expect(refusal('a')).toBe(failed(`${first?.txid} has 2 descendants, max 1 allowed`))
    expect(refusal('k')).toBe(failed(`${third.txid} has 2 ancestors, max 1 allowed`))

    const above = scene.sent({ from: 'b' })
    const middle = scene.sent({ from: [coin(above), 'l'] })
    scene.sent({ from: coin(middle) })
    expect(refusal('l')).toBe(
      failed(`${middle.txid} has both ancestor and descendant, exceeding cluster limit of 2`),
    )
    const parents = ['c', 'd'].map((from) => scene.sent({ from }))
    const child = scene.sent({ from: parents.map((made) => coin(made)) })
    expect(refusal('c')).toBe(
      failed(`${parents[0]?.txid} is not the only parent of child ${child.txid}`),
    )
    const parent = scene.sent({ from: 'e', split: 2 })
    const sibling = scene.sent({ from: [coin(parent), 'm'] })
    scene.sent({ from: coin(parent, 1) })
    expect(refusal('m')).toBe(
      failed(`${sibling.txid} is not the only child of parent ${parent.txid}`),
    )
  })
  it('makes the mempool better at every size', () => {
    // A small rich child stays behind a parent that pays little: together they come first.
    scene.sent({ from: 'x', fee: 110n })
    const rich = scene.sent({ from: 'y', fee: 90_000n })
    const parent = scene.make({ from: ['x', 'y'], fee: 300n, size: 2000 })
    const child = scene.make({ from: coin(parent), fee: 95_000n })
    expect(scene.submit(parent, child).package_msg).toBe('transaction failed')
    const heavy = scene.make({ from: ['x', 'y'], fee: 2200n, size: 2000 })
    const last = scene.make({ from: coin(heavy), fee: 95_000n })
    expect(scene.submit(heavy, last).package_msg).toBe(
      failed('insufficient feerate: does not improve feerate diagram'),
    )
    expect(scene.pool()).toContain(rich.txid)
  })
})

describe('a diagram', () => {
  const chunk = (fees: number, size: number) => ({ fees: BigInt(fees), size })
  test.each([
    ['more for the same size', [chunk(2, 1)], [chunk(1, 1)], true],
    ['the same', [chunk(1, 1)], [chunk(1, 1)], false],
    ['the same in other steps', [chunk(1, 1), chunk(1, 1)], [chunk(2, 2)], false],
    ['less in between', [chunk(3, 2)], [chunk(2, 1)], false],
    ['more in the end only', [chunk(4, 2), chunk(1, 1)], [chunk(4, 2)], true],
    ['less in the end only', [chunk(4, 2)], [chunk(4, 2), chunk(1, 1)], false],
    ['crossing', [chunk(9, 1)], [chunk(5, 1), chunk(5, 1)], false],
    ['against nothing', [chunk(1, 1)], [], true],
    ['nothing', [], [chunk(1, 1)], false],
    ['a negative tail', [chunk(5, 1), chunk(-1, 1)], [chunk(5, 1)], false],
  ])('%s', (_, next, old, better) => expect(improves(next, old)).toBe(better))
})

describe('two networks that become one', () => {
  it('hand over parents that pay nothing together with the children that pay for them', () => {
    const here = new Scene()
    const there = new Scene()
    const parent = here.make({ from: 'parent', fee: 0n, version: 3 })
    const child = here.make({ from: coin(parent), fee: 3000n, version: 3 })
    here.submit(parent, child)
    there.devnet.join(here.devnet)
    expect(there.pool()).toEqual([parent.txid, child.txid])
  })
})
