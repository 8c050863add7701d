import { beforeEach, describe, expect, it } from 'vitest'
import { createDevnetInProcess } from '../index.ts'
import { RollingMinimum } from './minimum.ts'
import { rateOf } from './policy.ts'
import { type Coin, home, type Made, NOW, Scene } from './policy.kit.ts'

const info = (scene: Scene) =>
  scene.devnet.call('getmempoolinfo') as {
    readonly size: number
    readonly bytes: number
    readonly usage: number
    readonly maxmempool: number
    readonly mempoolminfee: bigint
    readonly total_fee: bigint
  }
const coin = (made: Made): Coin => made.coins[0] ?? { txid: made.txid, vout: 0, value: 0n }

describe('the rolling minimum', () => {
  const LIMIT = 1000
  const after = (seconds: number, usage = LIMIT, block = true) => {
    const minimum = new RollingMinimum(0)
    minimum.raise(8000n)
    if (block) minimum.blockFound(0)
    return minimum.current(seconds, usage, LIMIT)
  }
  it('falls only after a block, and by half in 12 hours', () => {
    const day = 86_400
    expect(after(10 * day, LIMIT, false)).toBe(8000n)
    expect(after(10)).toBe(8000n)
    expect(after(day / 2)).toBe(4000n)
    expect(after(day)).toBe(2000n)
  })
  it('falls faster in a pool that is half or three quarters empty', () => {
    expect(after(21_600, 499)).toBe(4000n)
    expect(after(10_800, 249)).toBe(4000n)
    expect(after(10_800, 250)).toBe(5657n)
  })
  it('never stands below the relay fee, and ends at half of it', () => {
    // 8000 falls to 500 in four half-lives.
    expect(after(4 * 43_200 - 100)).toBe(1000n)
    expect(after(4 * 43_200 + 100)).toBe(0n)
  })
  it('waits for another block when it rises again', () => {
    const minimum = new RollingMinimum(0)
    minimum.raise(8000n)
    minimum.blockFound(0)
    minimum.raise(9000n)
    expect(minimum.current(86_400, LIMIT, LIMIT)).toBe(9000n)
  })
  it('rises, and does not rise by less', () => {
    const minimum = new RollingMinimum(0)
    expect(minimum.current(99, 0, LIMIT)).toBe(0n)
    minimum.raise(5000n)
    minimum.raise(4000n)
    expect(minimum.current(99, 0, LIMIT)).toBe(5000n)
    const copy = minimum.copy()
    minimum.raise(6000n)
    expect(copy.current(99, 0, LIMIT)).toBe(5000n)
  })
})

describe('a full mempool', () => {
  let scene: Scene
  const LIMIT = 12_000
  beforeEach(() => {
    scene = new Scene({ maxMempoolBytes: LIMIT })
  })
  /** Fills the pool with one poor and then ever better payers, until something is gone. */
  function fill(): Made[] {
    const before = scene.pool().length
    const made: Made[] = []
    while (scene.pool().length === before + made.length) {
      const fee = made.length === 0 ? 1000n : 3000n + 100n * BigInt(made.length)
      made.push(scene.sent({ from: `f${made.length}`, fee }))
    }
    return made
  }
  it('drops the worst payer and asks more than it paid', () => {
    const [worst, ...rest] = fill()
    expect(new Set(scene.pool())).toEqual(new Set(rest.map(({ txid }) => txid)))
    const { usage, maxmempool, mempoolminfee } = info(scene)
    expect(maxmempool).toBe(LIMIT)
    expect(usage).toBeLessThanOrEqual(LIMIT)
    const floor = rateOf(1000n, worst?.vsize ?? 1) + 1000n
    expect(mempoolminfee).toBe(floor)
    const fee = (floor * 110n) / 1000n
    expect(scene.send(scene.make({ from: 'y', fee }))).toBe(
      `mempool min fee not met, ${fee} < ${fee + 1n}`,
    )
    expect(scene.send(scene.make({ from: 'y', fee: fee + 1n }))).toBe('mempool full')
    expect(info(scene).mempoolminfee).toBe(rateOf(fee + 1n, 110) + 1000n)
    expect(scene.send(scene.make({ from: 'z', fee: 90_000n }))).toBeUndefined()
  })
  it('looks at a family as a whole', () => {
    const poor = scene.sent({ from: 'poor', fee: 200n })
    const rich = scene.sent({ from: coin(poor), fee: 500_000n })
    fill()
    expect(scene.pool()).toContain(poor.txid)
    expect(scene.pool()).toContain(rich.txid)
  })
  it('drops with a payer what builds on it', () => {
    const first = scene.sent({ from: 'first', fee: 120n })
    const second = scene.sent({ from: coin(first), fee: 130n })
    fill()
    expect(scene.pool()).not.toContain(first.txid)
    expect(scene.pool()).not.toContain(second.txid)
  })
  it('prefers the older of two that pay the same', () => {
    const twins = ['a', 'b'].map((from) => scene.sent({ from, fee: 500n }))
    fill()
    expect(scene.pool()).toContain(twins[0]?.txid)
    expect(scene.pool()).not.toContain(twins[1]?.txid)
  })
  it('may lose a package again', () => {
    fill()
    const parent = scene.make({ from: 'p', fee: 1200n, size: 400 })
    const child = scene.make({ from: coin(parent), fee: 1100n })
    const answer = scene.submit(parent, child)
    expect(answer.package_msg).toBe('transaction failed')
    expect(scene.pool()).not.toContain(child.txid)
    expect(info(scene).usage).toBeLessThanOrEqual(LIMIT)
  })
  it('says mempool full of a package that it took and lost', () => {
    fill()
    const before = info(scene).mempoolminfee
    const least = (size: number) => (before * BigInt(size)) / 1000n + 1n
    const sized = { fee: least(800), size: 690 }
    const parent = scene.make({ from: 'p', ...sized })
    const child = scene.make({ from: [coin(parent), 'q'], ...sized })
    const errors = Object.values(scene.submit(parent, child)['tx-results']).map(
      ({ error }) => error,
    )
    expect(errors).toEqual(['mempool full', 'mempool full'])
  })
  it('asks less again after a block and some hours', () => {
    fill()
    const before = info(scene).mempoolminfee
    scene.now += 43_200
    expect(info(scene).mempoolminfee).toBe(before)
    scene.devnet.mine()
    scene.now += 5
    expect(info(scene).mempoolminfee).toBe(before)
    scene.now += 3 * 3600 - 5
    // The pool is empty: a quarter of the half-life.
    expect(info(scene).mempoolminfee).toBe(BigInt(Math.round(Number(before) / 2)))
    scene.now += 86_400
    expect(info(scene).mempoolminfee).toBe(1000n)
  })
  it('is the same in a snapshot', () => {
    fill()
    const saved = scene.devnet.snapshot()
    const before = [info(scene), scene.devnet.call('getrawmempool', [true])]
    scene.sent({ from: 'later', fee: 90_000n })
    scene.devnet.mine(2)
    scene.devnet.restore(saved)
    expect([info(scene), scene.devnet.call('getrawmempool', [true])]).toEqual(before)
    expect(scene.send(scene.make({ from: 'poor', fee: 150n }))).toMatch(/^mempool min fee not met/)
  })
})

describe('memory', () => {
  it('is counted as Core counts it', () => {
    // The two recorded payments of the fixture: P2WPKH with two outputs, and with P2SH, P2TR, P2PKH and P2TR.
    const scene = new Scene()
    const x = new Uint8Array(32).fill(7)
    const script = (...parts: readonly (number | Uint8Array)[]) =>
      Uint8Array.from(parts.flatMap((part) => (typeof part === 'number' ? [part] : [...part])))
    const four = [
      script(0xa9, 20, x.subarray(12), 0x87),
      script(0x51, 32, x),
      script(0x76, 0xa9, 20, x.subarray(12), 0x88, 0xac),
    ].map((own) => ({ script: own, value: 5000n }))
    const real = createDevnetInProcess({ clock: () => NOW * 1000, verifySignatures: false })
    expect(real.call('getmempoolinfo')).toMatchObject({ usage: 0, size: 0 })
    scene.sent({ from: 'a', outs: [{ script: home, value: 5000n }] })
    const witness = [new Uint8Array(71), new Uint8Array(33)]
    const last = scene.make({
      from: 'b',
      outs: [...four, { script: script(0x51, 32, x), value: 5000n }],
      split: 0,
      witness,
    })
    scene.devnet.send(last.raw)
    expect(info(scene).usage).toBe(2496)
  })
})

it('counts the memory of a link between parent and child', () => {
  const scene = new Scene()
  const parent = scene.sent({ from: 'x' })
  scene.sent({ from: 'y' })
  const apart = info(scene).usage
  scene.devnet.mine()
  const next = scene.sent({ from: coin(parent) })
  scene.sent({ from: coin(next) })
  expect(info(scene).usage).toBe(apart + 128)
})

describe('prioritisetransaction', () => {
  it('changes what mining and limits see, also before a transaction comes', () => {
    const scene = new Scene()
    const poor = scene.make({ from: 'x', fee: 0n })
    const call = (delta: number, txid = poor.txid) =>
      scene.devnet.call('prioritisetransaction', [txid, 0, delta])
    expect(call(2000)).toBe(true)
    expect(scene.devnet.call('getprioritisedtransactions')).toEqual({
      [poor.txid]: { fee_delta: 2000, in_mempool: false },
    })
    expect(scene.send(poor)).toBeUndefined()
    const child = scene.sent({ from: coin(poor), fee: 500n })
    call(-500)
    expect(scene.devnet.call('getprioritisedtransactions')).toEqual({
      [poor.txid]: { fee_delta: 1500, in_mempool: true, modified_fee: 1500 },
    })
    expect(scene.devnet.call('getmempoolentry', [poor.txid])).toMatchObject({
      fees: { base: 0n, modified: 1500n, ancestor: 1500n, descendant: 2000n },
    })
    expect(scene.devnet.call('getmempoolentry', [child.txid])).toMatchObject({
      fees: { base: 500n, modified: 500n, ancestor: 2000n, descendant: 500n },
    })
    expect(info(scene).total_fee).toBe(500n)
    call(-1500)
    expect(scene.devnet.call('getprioritisedtransactions')).toEqual({})
    call(-400, child.txid)
    scene.devnet.mine()
    expect(scene.pool()).toHaveLength(2)
    call(5000, child.txid)
    scene.devnet.mine()
    expect(scene.pool()).toHaveLength(0)
    expect(scene.devnet.call('getprioritisedtransactions')).toEqual({})
  })
  it('refuses what Core refuses', () => {
    const scene = new Scene()
    const txid = '00'.repeat(32)
    expect(() => scene.devnet.call('prioritisetransaction', [txid, 1, 5])).toThrow(
      'Priority is no longer supported, dummy argument to prioritisetransaction must be 0.',
    )
    expect(() => scene.devnet.call('prioritisetransaction', ['ab', 0, 5])).toThrow(
      "txid must be of length 64 (not 2, for 'ab')",
    )
  })
})

describe('time and depth', () => {
  it('expire what waited two weeks when the next one comes, with descendants', () => {
    const scene = new Scene()
    const old = scene.sent({ from: 'x' })
    scene.now += 14 * 86_400
    const child = scene.sent({ from: coin(old) })
    expect(scene.pool()).toEqual([old.txid, child.txid])
    scene.now += 1
    const next = scene.sent({ from: 'y' })
    expect(scene.pool()).toEqual([next.txid])
  })
  it('drop what waits for a height again, and keep what waits no longer', () => {
    const scene = new Scene()
    const parent = scene.sent({ from: 'x', split: 3 })
    scene.devnet.mine()
    const [first, second] = [0, 1].map((vout) => parent.coins[vout] ?? 'none')
    const locked = scene.make({ from: first ?? '', sequence: 2 })
    expect(scene.send(locked)).toBe('non-BIP68-final')
    scene.devnet.mine()
    expect(scene.send(locked)).toBeUndefined()
    const free = scene.sent({ from: second ?? '', sequence: 1 })
    scene.devnet.call('invalidateblock', [scene.devnet.tip.hash])
    expect(scene.pool()).toEqual([free.txid])
  })
  it('drop a lock of nothing on an unconfirmed parent when the tip falls, as Core does', () => {
    const scene = new Scene()
    scene.devnet.mine()
    const above = scene.sent({ from: 'x' })
    const zero = scene.sent({ from: coin(above), sequence: 0 })
    const other = scene.sent({ from: 'y', sequence: 0 })
    scene.devnet.call('invalidateblock', [scene.devnet.tip.hash])
    expect(new Set(scene.pool())).toEqual(new Set([above.txid, other.txid]))
    expect(scene.send(zero)).toBeUndefined()
  })
  it('give back the transactions of ten blocks, as invalidateblock does', () => {
    const scene = new Scene()
    const made: Made[] = []
    for (let i = 0; i < 11; i++) {
      made.push(scene.sent({ from: `m${i}` }))
      scene.devnet.mine()
    }
    scene.devnet.call('invalidateblock', [scene.devnet.view.hashAt(111) ?? ''])
    expect(scene.devnet.tip.height).toBe(110)
    expect(new Set(scene.pool())).toEqual(new Set(made.slice(1).map(({ txid }) => txid)))
    const heights = Object.values(scene.devnet.call('getrawmempool', [true]) as object)
    expect(new Set(heights.map((entry) => (entry as { height: number }).height))).toEqual(
      new Set([111, 112, 113, 114, 115, 116, 117, 118, 119, 120]),
    )
  })
  it('keep spends of what the new branch holds too, and drop spends of what it lost', () => {
    const scene = new Scene()
    const [kept, lost] = ['x', 'y'].map((from) => scene.sent({ from })) as [Made, Made]
    scene.devnet.mine()
    const stays = scene.sent({ from: coin(kept) })
    const goes = scene.sent({ from: coin(lost) })
    expect(scene.pool()).toHaveLength(2)
    scene.devnet.reorg(1, { blocks: [[kept.raw], []], drop: [lost.txid] })
    expect(scene.pool()).toEqual([stays.txid])
    expect(scene.pool()).not.toContain(goes.txid)
  })
  it('drop descendants that have too many ancestors after a reorganisation', () => {
    const scene = new Scene()
    const confirmed = scene.chain('x', 2)
    scene.devnet.mine()
    const line = scene.chain(coin(confirmed[1] as Made), 25)
    scene.devnet.reorg(1, { blocks: [[]] })
    expect(scene.pool()).toHaveLength(25)
    expect(scene.pool()).toContain(line[22]?.txid)
    expect(scene.pool()).not.toContain(line[23]?.txid)
  })
})
