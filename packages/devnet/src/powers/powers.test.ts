import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  addressOf,
  createDevnetInProcess,
  type Devnet,
  type DevnetOptions,
  namedKey,
} from '../index.ts'

const NOW = 1_700_000_000
const shop = addressOf(namedKey('shop').script) ?? ''
const thief = addressOf(namedKey('thief').script) ?? ''
const fresh = (options: DevnetOptions = {}) =>
  createDevnetInProcess({ clock: NOW * 1000, verifySignatures: false, ...options })
const signing = () => fresh({ verifySignatures: true })
const code = (name: string) => expect.objectContaining({ code: name })
const minedIn = (devnet: Devnet, height: number): readonly string[] =>
  devnet.view.blockTxids(devnet.view.hashAt(height) ?? '')?.slice(1) ?? []

/** Everything of a devnet that is bytes. */
function bytesOf(devnet: Devnet): unknown {
  const { view } = devnet
  const hashes = Array.from({ length: view.tip().height + 1 }, (_, at) => view.hashAt(at) ?? '')
  return {
    blocks: hashes.map((hash) => Buffer.from(view.block(hash) ?? []).toString('hex')),
    mempool: view.mempool().map((txid) => devnet.rawTransaction(txid)),
    entries: devnet.call('getrawmempool', [true]),
    coins: devnet.call('gettxoutsetinfo', ['muhash']),
    time: devnet.now,
  }
}

describe('reorg', () => {
  it('without options: one block more, and what was mined waits again', () => {
    const devnet = fresh()
    const { txid } = devnet.pay(shop, 900n)
    const [first = '', second = ''] = devnet.mine(2)
    const fork = { height: 110, hash: devnet.view.hashAt(110) }
    const done = devnet.reorg(2)
    expect(done).toEqual({
      fork,
      dropped: [first, second],
      mined: [111, 112, 113].map((height) => devnet.view.hashAt(height)),
      kept: [],
      returned: [txid],
      gone: [],
    })
    expect(devnet.view.mempool()).toEqual([txid])
  })
  it('keeps each transaction at its height, with what it builds on', () => {
    const devnet = fresh()
    const parent = devnet.pay(shop, 900n)
    devnet.mine()
    const outs = [{ address: shop, amount: 700n }]
    const child = devnet.spend({ from: { txid: parent.txid, vout: 1 }, outs, fee: 500 })
    devnet.send(child.raw)
    const other = devnet.pay(shop, 800n)
    devnet.mine()
    const done = devnet.reorg(2, { keep: [child.txid] })
    expect(done).toMatchObject({
      kept: [parent.txid, child.txid],
      returned: [other.txid],
      gone: [],
    })
    expect(minedIn(devnet, 111)).toEqual([parent.txid])
    expect(minedIn(devnet, 112)).toEqual([child.txid])
    expect(devnet.reorg(3, { keep: 'all', blocks: 1 }).mined).toHaveLength(1)
    expect(minedIn(devnet, 111)).toEqual([parent.txid, child.txid])
  })
  it('drops with everything that builds on it, so that the coin can be spent again', () => {
    const devnet = fresh()
    const paid = devnet.spend({ from: 'x', outs: [{ address: shop, amount: 5000 }] })
    devnet.send(paid.raw)
    const outs = [{ address: shop, amount: 700n }]
    const child = devnet.spend({ from: { txid: paid.txid, vout: 1 }, outs, fee: 500 })
    devnet.send(child.raw)
    devnet.mine()
    const grandchild = devnet.spend({ from: { txid: child.txid, vout: 1 }, outs, fee: 500 })
    devnet.send(grandchild.raw)
    const done = devnet.reorg(1, { drop: [paid.txid] })
    expect(done).toMatchObject({ returned: [], gone: [paid.txid, child.txid] })
    expect(devnet.view.mempool()).toEqual([])
    const again = devnet.spend({ from: 'x', outs: [{ address: thief, amount: 5000 }] })
    expect(devnet.trySend(again.raw)).toBeUndefined()
  })
  it('refuses what contradicts itself, and changes nothing', () => {
    const devnet = fresh()
    const parent = devnet.pay(shop, 900n)
    const outs = [{ address: shop, amount: 700n }]
    const child = devnet.spend({ from: { txid: parent.txid, vout: 1 }, outs, fee: 500 })
    devnet.send(child.raw)
    devnet.mine()
    const before = bytesOf(devnet)
    const [p, c] = [parent.txid, child.txid]
    const reorg =
      (options: Parameters<Devnet['reorg']>[1], depth = 1) =>
      () =>
        devnet.reorg(depth, options)
    expect(reorg({ keep: [c], drop: [p] })).toThrow(code('DEVNET_USAGE'))
    expect(reorg({ keep: [p], blocks: 0 })).toThrow(code('DEVNET_USAGE'))
    expect(reorg({ keep: [p], blocks: [[p]] })).toThrow(code('DEVNET_USAGE'))
    expect(reorg({ blocks: 1.5 })).toThrow(code('DEVNET_USAGE'))
    expect(reorg({}, 112)).toThrow(code('DEVNET_USAGE'))
    expect(reorg({}, 0.5)).toThrow(code('DEVNET_USAGE'))
    expect(reorg({ keep: ['00'.repeat(32)] })).toThrow(code('DEVNET_TRANSACTION_UNKNOWN'))
    expect(reorg({ drop: ['00'.repeat(32)] })).toThrow(code('DEVNET_TRANSACTION_UNKNOWN'))
    expect(reorg({ blocks: [[c, p]] })).toThrow(code('DEVNET_BLOCK_REFUSED'))
    expect(bytesOf(devnet)).toEqual(before)
  })
  it('accounts for every dropped transaction exactly once, whatever is kept and dropped', () => {
    const fates = fc.array(fc.constantFrom('keep', 'drop', 'mempool'), {
      minLength: 1,
      maxLength: 8,
    })
    fc.assert(
      fc.property(fates, fc.integer({ min: 1, max: 3 }), (wishes, blocks) => {
        const devnet = fresh()
        const txids = wishes.map((_, at) => devnet.pay(shop, 900n + BigInt(at)).txid)
        const depth = 1 + (wishes.length % 3)
        devnet.mine(depth)
        const by = (fate: string) => txids.filter((_, at) => wishes[at] === fate)
        const done = devnet.reorg(depth, { keep: by('keep'), drop: by('drop'), blocks })
        const sorted = (list: readonly string[]) => [...list].sort()
        expect(sorted(done.kept)).toEqual(sorted(by('keep')))
        expect(sorted(done.returned)).toEqual(sorted(by('mempool')))
        expect(sorted(done.gone)).toEqual(sorted(by('drop')))
        expect(sorted(devnet.view.mempool())).toEqual(sorted(by('mempool')))
        for (const txid of by('keep'))
          expect(devnet.view.coin(txid, 0)).toMatchObject({ value: expect.anything() })
      }),
      { numRuns: 60 },
    )
  })
})

describe('replace', () => {
  it('pays the same to the same, from our change, at the least fee that is enough', () => {
    const devnet = signing()
    const paid = devnet.pay(shop, 100_000n)
    const better = devnet.replace(paid.txid)
    expect(devnet.view.mempool()).toEqual([better.txid])
    expect(devnet.view.coin(better.txid, 0)).toMatchObject({ value: 100_000n })
    const vsize = BigInt(141)
    expect(better.fee - paid.fee).toBeGreaterThanOrEqual(vsize)
    expect(better.fee - paid.fee).toBeLessThan(2n * vsize)
    // As often as wanted, and also against a family: its fees are paid too.
    const third = devnet.replace(better.txid)
    const outs = [{ address: shop, amount: 700n }]
    const child = devnet.spend({ from: { txid: third.txid, vout: 1 }, outs, fee: 30_000 })
    devnet.send(child.raw)
    const fourth = devnet.replace(third.txid)
    expect(fourth.fee).toBeGreaterThan(third.fee + 30_000n)
    expect(devnet.view.mempool()).toEqual([fourth.txid])
  })
  it('spends twice: everything elsewhere', () => {
    const devnet = signing()
    const paid = devnet.pay(shop, 100_000n)
    const theft = devnet.replace(paid.txid, { to: thief })
    const { value } = devnet.view.coin(theft.txid, 0) ?? { value: 0n }
    expect(value + theft.fee).toBe(19_990_000n)
    expect(devnet.view.mempool()).toEqual([theft.txid])
    devnet.mine()
    expect(devnet.view.coin(theft.txid, 0)).toMatchObject({ confirmations: 1 })
  })
  it('takes outputs, fee and rate as given, and adds a coin where ours is too small', () => {
    const devnet = signing()
    const all = devnet.spend({
      from: 'x',
      outs: [{ address: shop, amount: 19_989_000n }],
      change: false,
    })
    devnet.send(all.raw)
    const better = devnet.replace(all.txid)
    expect(devnet.view.coin(better.txid, 0)).toMatchObject({ value: 19_989_000n })
    expect(devnet.view.coin(better.txid, 1)).toBeDefined()
    const outs = [{ address: thief, amount: 5000n }]
    expect(devnet.replace(better.txid, { outs, fee: 200_000 }).fee).toBe(200_000n)
    const paid = devnet.pay(shop, 900n)
    const { fee } = devnet.replace(paid.txid, { feeRate: 100 })
    expect(fee).toBeGreaterThan(14_000n)
  })
  it('says why it cannot', () => {
    const devnet = signing()
    const paid = devnet.pay(shop, 9000n)
    expect(() => devnet.replace(paid.txid, { fee: 1 })).toThrow(code('DEVNET_TRANSACTION_REFUSED'))
    expect(() => devnet.replace('00'.repeat(32))).toThrow(code('DEVNET_TRANSACTION_UNKNOWN'))
    devnet.mine()
    expect(() => devnet.replace(paid.txid)).toThrow(code('DEVNET_TRANSACTION_UNKNOWN'))
    const outs = [{ address: devnet.strangerAddress, amount: 8700n }]
    const keys = [namedKey('shop').secret]
    const theirs = devnet.spend({ from: { txid: paid.txid, vout: 0 }, outs, fee: 300, keys })
    devnet.send(theirs.raw)
    expect(() => devnet.replace(theirs.txid)).toThrow(code('DEVNET_KEY_UNKNOWN'))
    expect(devnet.replace(theirs.txid, { keys }).fee).toBeGreaterThan(300n)
  })
})

describe('feeSpike', () => {
  it('keeps a parent whose child pays for it, and drops the rest with its families', () => {
    const devnet = fresh()
    const poor = devnet.pay(shop, 900n, { feeRate: 2n })
    const parent = devnet.pay(shop, 900n, { feeRate: 2n })
    const outs = [{ address: shop, amount: 700n }]
    const child = devnet.spend({ from: { txid: parent.txid, vout: 1 }, outs, fee: 20_000 })
    devnet.send(child.raw)
    expect(devnet.feeSpike(30)).toEqual([poor.txid])
    expect(new Set(devnet.view.mempool())).toEqual(new Set([parent.txid, child.txid]))
    expect(devnet.trySend(poor.raw)).toMatch(/^mempool min fee not met/)
    // Who names no fee pays enough.
    expect(devnet.faucet(shop, 900n).fee).toBeGreaterThan(4000n)
    devnet.feeSpike(1)
    expect(devnet.trySend(poor.raw)).toBeUndefined()
  })
})

describe('travel', () => {
  it('moves the clock, and with blocks the median time, so that lock times by time pass', () => {
    const devnet = fresh()
    const locktime = NOW + 3600
    const spend = devnet.spend({ from: 'x', outs: [{ address: shop, amount: 5000 }], locktime })
    expect(devnet.trySend(spend.raw)).toBe('non-final')
    expect(devnet.travel(3601)).toEqual({ time: NOW + 3601, expired: [], mined: [] })
    // The clock alone is not enough: consensus asks the median time.
    expect(devnet.trySend(spend.raw)).toBe('non-final')
    expect(devnet.travel(0, { blocks: 6 }).mined).toHaveLength(6)
    expect(devnet.trySend(spend.raw)).toBeUndefined()
    devnet.mine()
    expect(devnet.view.header(devnet.tip.hash)?.time).toBe(NOW + 3602)
  })
  it('lets what waited two weeks expire at once, and nothing that waited less', () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 0, max: 400_000 }), { minLength: 1, maxLength: 8 }),
        (waits) => {
          const devnet = fresh()
          const sent: { txid: string; at: number }[] = []
          const expired: string[] = []
          for (const wait of waits) {
            sent.push({ txid: devnet.pay(shop, 900n).txid, at: devnet.now })
            expired.push(...devnet.travel(wait).expired)
          }
          const old = sent.filter(({ at }) => at < devnet.now - 336 * 3600)
          expect(expired.sort()).toEqual(old.map(({ txid }) => txid).sort())
          expect(devnet.view.mempool()).toEqual(sent.slice(old.length).map(({ txid }) => txid))
        },
      ),
      { numRuns: 50 },
    )
  })
  it('goes to an instant, runs on with a running clock, and never back', () => {
    let machine = NOW * 1000
    const devnet = fresh({ clock: () => machine })
    expect(devnet.travelTo(new Date((NOW + 50) * 1000)).time).toBe(NOW + 50)
    machine += 7000
    expect(devnet.now).toBe(NOW + 57)
    expect(devnet.travelTo(NOW + 60).time).toBe(NOW + 60)
    expect(() => devnet.travelTo(NOW)).toThrow(code('DEVNET_USAGE'))
    expect(() => devnet.travel(Number.NaN)).toThrow(code('DEVNET_USAGE'))
    expect(createDevnetInProcess().now).toBeCloseTo(Date.now() / 1000, -1)
  })
})

type Act = (devnet: Devnet, pick: number) => void
const ACTS: readonly Act[] = [
  (devnet) => void devnet.pay(shop, 900n),
  (devnet, pick) => void devnet.mine(pick % 3),
  (devnet, pick) => {
    const depth = Math.min(1 + (pick % 3), devnet.tip.height - 110)
    if (depth > 0) devnet.reorg(depth, { keep: pick % 2 ? 'all' : [] })
  },
  (devnet) => void devnet.evict(...devnet.view.mempool().slice(0, 1)),
  (devnet) => {
    const [txid] = devnet.view.mempool()
    if (txid) devnet.replace(txid)
  },
  (devnet, pick) => void devnet.travel(pick * 60),
  (devnet, pick) => void devnet.feeSpike(1 + (pick % 8)),
]
const history = fc.array(fc.tuple(fc.constantFrom(...ACTS), fc.nat({ max: 1000 })), {
  maxLength: 12,
})
const live = (devnet: Devnet, acts: readonly (readonly [Act, number])[]) => {
  for (const [act, pick] of acts) act(devnet, pick)
}

describe('properties over random histories', () => {
  it('the same seed, clock and calls give the same bytes; another seed gives others', () => {
    fc.assert(
      fc.property(history, (acts) => {
        const [one, two, other] = ['a', 'a', 'b'].map((seed) => fresh({ seed }))
        for (const devnet of [one, two, other])
          if (devnet) live(devnet, [...acts, [(d) => d.mine(), 0]])
        expect(one && bytesOf(one)).toEqual(two && bytesOf(two))
        expect(one?.tip.hash).not.toBe(other?.tip.hash)
      }),
      { numRuns: 25 },
    )
  })
  it('restore gives back the bytes of the snapshot, however often and whatever happened since', () => {
    fc.assert(
      fc.property(history, history, history, (before, after, later) => {
        const devnet = fresh()
        live(devnet, before)
        const wanted = bytesOf(devnet)
        const snapshot = devnet.snapshot()
        for (const acts of [after, later]) {
          live(devnet, acts)
          devnet.restore(snapshot)
          expect(bytesOf(devnet)).toEqual(wanted)
        }
      }),
      { numRuns: 25 },
    )
  })
  it('two devnets that join stand on the chain with more work, with one unspent set', () => {
    fc.assert(
      fc.property(history, history, history, (shared, here, there) => {
        const [left, right] = [fresh({ seed: 'left' }), fresh({ seed: 'right' })]
        left.join(right)
        live(left, shared)
        left.partition(right)
        live(left, here)
        live(right, there)
        // A block from more than two hours ahead is refused: clocks that were moved apart are brought together first.
        const latest = Math.max(left.now, right.now)
        for (const devnet of [left, right]) devnet.travelTo(latest)
        // Of equal work each side keeps what it saw first, as in any network.
        if (left.tip.height === right.tip.height) left.mine()
        const [a, b] = [left.tip, right.tip]
        left.join(right)
        expect(left.tip).toEqual(right.tip)
        expect(left.tip).toEqual(a.height > b.height ? a : b)
        const coins = (devnet: Devnet) => devnet.call('gettxoutsetinfo', ['muhash'])
        left.partition()
        expect(coins(left)).toEqual(coins(right))
      }),
      { numRuns: 40 },
    )
  })
})
