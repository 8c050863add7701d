import { expect, test } from 'vitest'
import { EngineError, satPerKvB } from '../../kernel/index.ts'
import { createFees } from './fees.ts'
import type { ChainSource, FeeEstimate, FeeReport } from './ports.ts'

const estimate = (target: number, mode: FeeEstimate['mode'], rate: bigint): FeeEstimate => ({
  target,
  mode,
  rate: satPerKvB(rate),
  blocks: Math.max(2, target),
  source: 'estimatesmartfee',
})

/** Fees over a source that answers as told, on virtual time. */
function feesOver(answer: (() => Promise<FeeReport>) | undefined) {
  const box = { now: 1000, asked: 0, gauges: [] as string[] }
  const source = (answer && {
    fees: () => {
      box.asked += 1
      return answer()
    },
  }) as ChainSource | undefined
  const fees = createFees({
    source: source ?? ({} as ChainSource),
    clock: { now: () => box.now },
    metrics: {
      count: () => {},
      observe: () => {},
      gauge: (name, value, labels) => box.gauges.push(`${name} ${labels?.['target']} ${value}`),
    },
  })
  return { box, fees }
}
const good = (): FeeReport => ({
  estimates: [estimate(1, 'economical', 12_345n), estimate(1, 'conservative', 20_000n)],
  mempoolMinimum: { rate: satPerKvB(1000n), source: 'mempool' },
  reasons: [],
  at: 1000,
})

test('the answer is good for ten seconds, and shown in gauges when it is asked for', async () => {
  const { box, fees } = feesOver(async () => good())
  expect(await fees()).toEqual({ ok: true, value: good() })
  box.now += 9_999
  await fees()
  expect(box.asked).toBe(1)
  box.now += 1
  await fees()
  expect(box.asked).toBe(2)
  expect(box.gauges).toEqual(Array(2).fill('kaccy_fee_rate_sat_kvb 1 12345'))
})

test('callers at the same moment share one question', async () => {
  let release = (_: FeeReport) => {}
  const held = new Promise<FeeReport>((resolve) => {
    release = resolve
  })
  const { box, fees } = feesOver(() => held)
  const all = Promise.all(Array.from({ length: 20 }, () => fees()))
  release(good())
  expect((await all).every(({ ok }) => ok)).toBe(true)
  expect(box.asked).toBe(1)
})

test('a failure reaches everyone who waited, and is not remembered', async () => {
  let broken = true
  const { box, fees } = feesOver(async () => {
    if (broken) throw new EngineError('NODE_UNREACHABLE', 'away')
    return good()
  })
  const outcomes = await Promise.allSettled([fees(), fees()])
  expect(outcomes.map(({ status }) => status)).toEqual(['rejected', 'rejected'])
  broken = false
  expect((await fees()).ok).toBe(true)
  expect(box.asked).toBe(2)
})

test('without an estimate it refuses, and names the floors and the reasons', async () => {
  const { fees } = feesOver(async () => ({
    ...good(),
    estimates: [],
    reasons: ['Insufficient data'],
  }))
  expect(await fees()).toMatchObject({
    ok: false,
    error: {
      code: 'FEE_ESTIMATE_UNAVAILABLE',
      details: { reasons: 'Insufficient data', mempool_minimum_sat_kvb: 1000 },
    },
  })
})

test('a source without fees, and a node without the call, have no estimate', async () => {
  const refused = { ok: false, error: { code: 'FEE_ESTIMATE_UNAVAILABLE' } }
  expect(await feesOver(undefined).fees()).toMatchObject(refused)
  const lacking = feesOver(async () => {
    throw new EngineError('NODE_METHOD_MISSING', 'the node does not have getmempoolinfo')
  })
  expect(await lacking.fees()).toMatchObject(refused)
})
