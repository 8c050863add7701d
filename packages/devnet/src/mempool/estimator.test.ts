import fc from 'fast-check'
import { describe, expect, it, test } from 'vitest'
import { PoolEntry } from './entry.ts'
import { FeeEstimator } from './estimator.ts'
import { bucketOf, Horizon } from './horizon.ts'
import { bare, home, Scene } from './policy.kit.ts'

let made = 0
/** An entry of 110 vbytes or so that pays `rate` satoshi per 1000 of them. */
function entry(rate: number, height: number): PoolEntry {
  made += 1
  const txid = made.toString(16).padStart(64, '0')
  const transaction = bare({
    version: 2,
    inputs: [{ txid, vout: 0, script: new Uint8Array(), sequence: 0, witness: [] }],
    outputs: [{ value: 1000n, script: home }],
    locktime: 0,
  })
  const fee = BigInt(Math.round((rate * transaction.vsize) / 1000))
  return new PoolEntry({ transaction, fee, time: 0, height, sigops: 0, unbroadcast: false })
}
/** Blocks that each take, at once, what pays well, and what pays poorly after `delay` blocks. */
function history(blocks: number, delay: number): FeeEstimator {
  const estimator = new FeeEstimator(100)
  const waiting: PoolEntry[][] = []
  for (let height = 101; height <= 100 + blocks; height++) {
    const fast = Array.from({ length: 10 }, () => entry(20_000, height - 1))
    const slow = Array.from({ length: 10 }, () => entry(2000, height - 1))
    for (const one of [...fast, ...slow]) estimator.add(one)
    waiting.push(slow)
    const due = waiting.length > delay ? (waiting.shift() ?? []) : []
    estimator.block(height, [...fast, ...due])
  }
  return estimator
}

describe('the fee estimator', () => {
  it('knows nothing without history, and says for which target', () => {
    const estimator = new FeeEstimator(110)
    expect(estimator.smart(6, false)).toEqual({ rate: undefined, blocks: 0 })
    estimator.block(111, [])
    expect(estimator.smart(6, true)).toEqual({ rate: undefined, blocks: 0 })
  })
  it('finds the rate that confirms at once, and the lower one for who can wait', () => {
    const estimator = history(60, 8)
    const near = (rate: bigint | undefined, expected: number) =>
      expect(Math.abs(Number(rate) - expected)).toBeLessThan(expected * 0.01)
    near(estimator.smart(2, false).rate, 20_000)
    near(estimator.smart(1, false).rate, 20_000)
    expect(estimator.smart(1, false).blocks).toBe(2)
    near(estimator.smart(24, false).rate, 2000)
    // Nothing beyond half of what was seen.
    expect(estimator.smart(1008, false).blocks).toBe(29)
  })
  it('is never lower for who is careful, nor higher for who waits longer', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: 30 }),
        fc.integer({ min: 4, max: 80 }),
        (delay, blocks) => {
          const estimator = history(blocks, delay)
          let last = Number.POSITIVE_INFINITY
          for (let target = 2; target <= 40; target++) {
            const { rate } = estimator.smart(target, false)
            const careful = estimator.smart(target, true).rate
            if (rate === undefined) continue
            expect(Number(careful)).toBeGreaterThanOrEqual(Number(rate))
            expect(Number(rate)).toBeLessThanOrEqual(last)
            last = Number(rate)
          }
        },
      ),
      { numRuns: 25 },
    )
  })
  it('counts what left unconfirmed as a failure', () => {
    const run = (leaves: boolean) => {
      const estimator = new FeeEstimator(100)
      for (let height = 101; height <= 130; height++) {
        const good = Array.from({ length: 10 }, () => entry(5000, height - 1))
        const lost = Array.from({ length: 10 }, () => entry(5000, height - 1))
        for (const one of good) estimator.add(one)
        if (leaves) for (const one of lost) estimator.add(one)
        estimator.block(height, good)
        estimator.block(height + 0, [])
        if (leaves && height % 5 === 0) for (const one of lost) estimator.remove(one.txid)
      }
      return estimator.smart(6, false).rate
    }
    expect(run(false)).toBe(5000n)
    expect(run(true)).toBeUndefined()
  })
  it('ignores what came at another height, and what it knows', () => {
    const estimator = new FeeEstimator(100)
    const late = entry(5000, 99)
    estimator.add(late)
    estimator.block(101, [late])
    const [short] = estimator.raw(2, 0.95)
    expect(short?.fail.totalConfirmed).toBe(0)
  })
  it('copies apart from what happens later', () => {
    const estimator = history(40, 0)
    const copy = estimator.copy()
    const before = copy.smart(2, false)
    for (let height = 141; height < 180; height++) {
      const cheap = Array.from({ length: 20 }, () => entry(1200, height - 1))
      for (const one of cheap) estimator.add(one)
      estimator.block(height, cheap)
    }
    expect(estimator.smart(2, false)).not.toEqual(before)
    expect(copy.smart(2, false)).toEqual(before)
  })
})

describe('ranges of rates', () => {
  test.each([
    [0, 0],
    [1000, 0],
    [1001, 1],
    [1050, 1],
    [1050.1, 2],
    [9_999_999, 189],
    [1e9, 189],
  ])('%s stands in range %s', (rate, bucket) => expect(bucketOf(rate)).toBe(bucket))
  it('hold the mean of the median range', () => {
    const rules = { name: 'short', periods: 12, scale: 1, decay: 0.5, sufficient: 0.5 } as const
    const horizon = new Horizon(rules)
    for (const rate of [2000, 2010]) horizon.record(5, rate)
    horizon.record(1, 3000)
    expect(horizon.estimate(1, 0.9, 1).rate).toBe(3000)
    expect(horizon.estimate(5, 0.9, 1).rate).toBe(2005)
    const both = new Horizon({ ...rules, sufficient: 1.5 })
    for (const rate of [2000, 2010, 3000]) both.record(1, rate)
    expect(both.estimate(1, 0.9, 1)).toMatchObject({ rate: 2005, pass: { totalConfirmed: 3 } })
    expect(both.estimate(1, 1.01, 1)).toMatchObject({ rate: undefined, fail: { withinTarget: 3 } })
  })
  it('count what waits for the target or longer', () => {
    const rules = { name: 'short', periods: 12, scale: 1, decay: 0.5, sufficient: 0.1 } as const
    const waiting = (target: number, best: number) => {
      const horizon = new Horizon(rules)
      horizon.record(1, 2000)
      horizon.enter(100, bucketOf(2000))
      return horizon.estimate(target, 0.1, best).pass.inMempool
    }
    expect([3, 4, 5].map((target) => waiting(target, 104))).toEqual([1, 1, 0])
  })
  it('count what left unconfirmed after the target', () => {
    const rules = { name: 'short', periods: 12, scale: 1, decay: 0.5, sufficient: 0.1 } as const
    const horizon = new Horizon(rules)
    horizon.record(1, 2000)
    for (const mined of [true, false]) {
      horizon.enter(100, bucketOf(2000))
      horizon.leave(100, 104, bucketOf(2000), mined)
    }
    const left = [3, 4, 5].map((target) => horizon.estimate(target, 0.1, 104).pass.leftMempool)
    expect(left).toEqual([1, 1, 0])
  })
  it('decay with every block', () => {
    const rules = { name: 'short', periods: 12, scale: 1, decay: 0.5, sufficient: 0.1 } as const
    const horizon = new Horizon(rules)
    horizon.record(1, 2000)
    horizon.age(2)
    expect(horizon.estimate(1, 0.9, 2).pass).toMatchObject({
      totalConfirmed: 0.5,
      withinTarget: 0.5,
    })
  })
})

describe('estimatesmartfee', () => {
  /** Blocks of payments by strangers. */
  function busy(scene: Scene, blocks: number): void {
    for (let i = 0; i < blocks; i++) {
      for (let j = 0; j < 6; j++) scene.sent({ from: `${i}/${j}`, fee: 1100n })
      scene.devnet.mine()
    }
  }
  it('answers from what the mempool saw, after a fresh start nothing', () => {
    const scene = new Scene()
    const ask = (...params: readonly unknown[]) => scene.devnet.call('estimatesmartfee', params)
    const nothing = { errors: ['Insufficient data or no feerate found'], blocks: 0 }
    expect(ask(6)).toEqual(nothing)
    busy(scene, 20)
    expect(ask(6)).toEqual({ feerate: 10_000n, blocks: 6 })
    expect(ask(6, 'CONSERVATIVE')).toEqual({ feerate: 10_000n, blocks: 6 })
    const saved = scene.devnet.snapshot()
    scene.devnet.feeSpike(15)
    expect(ask(6)).toEqual({ feerate: 15_000n, blocks: 6 })
    scene.devnet.restore(saved)
    expect(ask(6)).toEqual({ feerate: 10_000n, blocks: 6 })
    scene.devnet.posture.feeRate = 7000n
    expect(ask(5)).toEqual({ feerate: 7000n, blocks: 5 })
    scene.devnet.posture.feeRate = 'unknown'
    expect(ask(6)).toEqual(nothing)
  })
  it('refuses what Core refuses', () => {
    const { devnet } = new Scene()
    const ask =
      (method: string, ...params: readonly unknown[]) =>
      () =>
        devnet.call(method, params)
    expect(ask('estimatesmartfee', 0)).toThrow('Invalid conf_target, must be between 1 and 1008')
    expect(ask('estimatesmartfee', 1009)).toThrow('Invalid conf_target')
    expect(ask('estimatesmartfee', 6, 'fast')).toThrow(
      'Invalid estimate_mode parameter, must be one of: "unset", "economical", "conservative"',
    )
    expect(ask('estimaterawfee', 6, 2)).toThrow('Invalid threshold')
  })
  it('does not learn from children, packages, blocks that went back, or an old tip', () => {
    const scene = new Scene()
    for (let i = 0; i < 20; i++) {
      const parent = scene.make({ from: `p${i}`, fee: 0n, version: 3 })
      const from = parent.coins[0] ?? 'none'
      scene.submit(parent, scene.make({ from, fee: 3000n, version: 3 }))
      scene.devnet.mine()
    }
    scene.now += 4 * 3600
    for (let i = 0; i < 5; i++) scene.sent({ from: `q${i}`, fee: 1100n })
    scene.devnet.mine(5)
    expect(scene.devnet.call('estimatesmartfee', [2])).toMatchObject({ blocks: 0 })
  })
  it('shows each horizon in estimaterawfee', () => {
    const scene = new Scene()
    busy(scene, 8)
    const errors = ['Insufficient data or no feerate found which meets threshold']
    const pass = { startrange: 9906, endrange: 1e99, inmempool: 0, leftmempool: 0 }
    expect(scene.devnet.call('estimaterawfee', [6])).toMatchObject({
      short: { feerate: 10_000n, decay: 0.962, scale: 1, pass },
      medium: { feerate: 10_000n, decay: 0.9952, scale: 2, pass },
      long: { decay: 0.99931, scale: 24, errors, fail: { startrange: 0, endrange: 1e99 } },
    })
    expect(Object.keys(scene.devnet.call('estimaterawfee', [30]) as object)).toEqual([
      'medium',
      'long',
    ])
  })
})
