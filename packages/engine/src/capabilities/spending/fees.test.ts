import fc from 'fast-check'
import { describe, expect, it, test } from 'vitest'
import { EngineError, ok, refuse, type SatPerKvB, sat, satPerKvB } from '../../kernel/index.ts'
import type { FeeEstimate, FeeReport } from '../chain/index.ts'
import { createFeeQuotes, estimateFor, type FeeSpeed, feeCeiling, targetOf } from './fees.ts'

const NOW = 1_780_000_000_000
const clock = { now: () => NOW }
const rate = (value: number): SatPerKvB => satPerKvB(BigInt(value))
const estimate = (
  target: number,
  value: number,
  mode: FeeEstimate['mode'] = 'economical',
): FeeEstimate => ({ target, blocks: target, mode, rate: rate(value), source: 'estimatesmartfee' })
const report = (estimates: readonly FeeEstimate[], floor?: number): FeeReport => ({
  estimates,
  reasons: [],
  at: NOW,
  ...(floor === undefined ? {} : { mempoolMinimum: { rate: rate(floor), source: 'mempool' } }),
})
const normal: FeeSpeed = { kind: 'priority', priority: 'normal' }

describe('the target', () => {
  it.each<[string, FeeSpeed, number | undefined]>([
    ['high', { kind: 'priority', priority: 'high' }, 2],
    ['normal', normal, 6],
    ['low', { kind: 'priority', priority: 'low' }, 144],
    ['a rate', { kind: 'rate', rate: rate(1) }, undefined],
    ['a deadline that has passed', { kind: 'deadline', at: NOW - 1 }, 1],
    ['an hour', { kind: 'deadline', at: NOW + 3_600_000 }, 3],
    ['a year', { kind: 'deadline', at: NOW + 365 * 86_400_000 }, 144],
  ])('%s', (_, speed, target) => {
    expect(targetOf(speed, NOW)).toBe(target)
  })

  test('never rises while a deadline nears', () => {
    fc.assert(
      fc.property(fc.nat(10 ** 9), fc.nat(10 ** 9), (left, passed) => {
        const speed: FeeSpeed = { kind: 'deadline', at: NOW + left }
        expect(targetOf(speed, NOW + passed)).toBeLessThanOrEqual(targetOf(speed, NOW) ?? 0)
      }),
    )
  })
})

test('the estimate is the cheapest of those that are soon enough, else the nearest', () => {
  const all = [
    estimate(2, 9000),
    estimate(6, 5000),
    estimate(12, 3000),
    estimate(2, 9900, 'conservative'),
  ]
  expect(estimateFor(all, 6)?.rate).toBe(5000n)
  expect(estimateFor(all, 10)?.rate).toBe(5000n)
  expect(estimateFor(all, 2)?.rate).toBe(9900n)
  expect(estimateFor(all, 1)?.rate).toBe(9900n)
  expect(estimateFor([estimate(12, 3000)], 6)?.rate).toBe(3000n)
  expect(estimateFor([], 6)).toBeUndefined()
})

describe('a quote', () => {
  const node = (said: FeeReport) => async () => ok(said)
  const silent = async () =>
    refuse('FEE_ESTIMATE_UNAVAILABLE', 'no estimate', {
      details: { mempool_minimum_sat_kvb: 2_000, relay_minimum_sat_kvb: 1_000 },
    })

  it('names the node, its target and its floor', async () => {
    const quotes = createFeeQuotes({ report: node(report([estimate(6, 5000)], 1000)), clock })
    expect(await quotes(normal)).toEqual(
      ok({
        rate: 5000n,
        source: 'estimatesmartfee',
        target: 6,
        minRate: 1000n,
        longTermRate: 10_000n,
        at: NOW,
      }),
    )
  })

  it('is never below what the mempool takes', async () => {
    const quotes = createFeeQuotes({ report: node(report([estimate(6, 5000)], 8000)), clock })
    expect(await quotes(normal)).toMatchObject({ value: { rate: 8000n, source: 'mempool_floor' } })
  })

  it('asks other sources in their order, and a fixed rate last', async () => {
    const asked: string[] = []
    const source = (name: string, answer: () => SatPerKvB | undefined) => ({
      name,
      rate: async () => {
        asked.push(name)
        return answer()
      },
    })
    const broken = source('broken', () => {
      throw new TypeError('its own trouble')
    })
    const sources = [broken, source('empty', () => undefined), source('zero', () => rate(0))]
    const shared = { report: silent, clock }
    const good = createFeeQuotes({
      ...shared,
      sources: [...sources, source('good', () => rate(7000))],
    })
    expect(await good(normal)).toMatchObject({
      value: { rate: 7000n, source: 'good', minRate: 2000n },
    })
    expect(asked).toEqual(['broken', 'empty', 'zero', 'good'])
    const fixed = createFeeQuotes({ ...shared, sources, fixed: rate(4000) })
    expect(await fixed(normal)).toMatchObject({ value: { rate: 4000n, source: 'fixed' } })
    const none = await createFeeQuotes({ ...shared, sources })(normal)
    expect(none).toMatchObject({ ok: false, error: { code: 'FEE_SOURCE_MISSING' } })
    expect(none.ok ? '' : none.error.details['reasons']).toBe(
      'node: no estimate; broken: TypeError; empty: no rate; zero: no rate',
    )
  })

  it('takes a node that is away for one that does not know', async () => {
    const away = async () => {
      throw new EngineError('NODE_UNREACHABLE', 'away')
    }
    expect(await createFeeQuotes({ report: away, clock })(normal)).toMatchObject({
      error: { code: 'FEE_SOURCE_MISSING', details: { reasons: 'node: NODE_UNREACHABLE' } },
    })
    const bug = async () => {
      throw new TypeError('a bug is no answer')
    }
    await expect(createFeeQuotes({ report: bug, clock })(normal)).rejects.toThrow('a bug')
  })

  it('leaves a rate that the caller named as it is, and says what the mempool takes', async () => {
    const quotes = createFeeQuotes({ report: silent, clock })
    expect(await quotes({ kind: 'rate', rate: rate(500) })).toMatchObject({
      value: { rate: 500n, source: 'caller', minRate: 2000n },
    })
  })
})

test('the lower ceiling counts', () => {
  const maxFee = sat(10_000n)
  expect(feeCeiling(sat(1_000_000n), { maxFee })).toBe(10_000n)
  expect(feeCeiling(sat(1_000_000n), { maxFee, maxFeePpm: 5_000 })).toBe(5_000n)
  expect(feeCeiling(sat(100_000_000n), { maxFee, maxFeePpm: 5_000 })).toBe(10_000n)
})
