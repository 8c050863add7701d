import { assert, outPointKey, sat, satPerKvB } from '@kaccy/bitcoin/kernel'
import { afterEach, expect, test } from 'vitest'
import { Desk, type DeskOptions } from './desk.ts'

let desk: Desk | undefined
afterEach(async () => {
  await desk?.close()
  desk = undefined
})
type Settings = NonNullable<NonNullable<DeskOptions['payouts']>['consolidation']>
const ACTOR = 'operator:ann'

/** A wallet with twelve coins of one address and a large one, and something that happens once, between plan and commit. */
async function open(consolidation: Settings, meanwhile: (d: Desk) => Promise<unknown>) {
  const d = await Desk.open({ payouts: { fixedFeeRate: satPerKvB(1_000n), consolidation } })
  desk = d
  const created = await d.engine.orders.create({ wallet: d.wallet, customer: 'cus_1' }, ACTOR)
  assert(created.ok, 'an order')
  for (let i = 0; i < 12; i++) d.devnet.pay(created.value.order.address, 10_000n + BigInt(i))
  d.devnet.pay(created.value.order.address, 900_000n)
  await d.mine(3)
  const { source } = d
  const ask = source.transaction?.bind(source)
  assert(ask, 'a source of transactions')
  let hasHappened = false
  Object.assign(source, {
    transaction: async (...question: Parameters<typeof ask>) => {
      if (!hasHappened) {
        hasHappened = true
        await meanwhile(d)
      }
      return ask(...question)
    },
  })
  const made = await d.engine.consolidation.request(d.wallet, { maxInputs: 12 }, ACTOR)
  expect(hasHappened).toBe(true)
  return { d, made }
}
const freeze = async (d: Desk, amount: bigint) => {
  const coins = await d.engine.coins.candidates(d.wallet)
  const points = coins.filter((coin) => coin.amount === amount).map(({ point }) => point)
  const frozen = await d.engine.coins.freeze(d.wallet, points, 'a question', ACTOR)
  assert(frozen.ok && points.length === 1, 'frozen')
}

test('a request that comes between plan and commit goes first', async () => {
  const { d, made } = await open({}, (one) => one.ask({ amount: 50_000 }))
  expect(made).toMatchObject({ ok: false, error: { code: 'CONSOLIDATION_WITHDRAWALS_WAIT' } })
  expect(await d.engine.spends.list({ limit: 9 })).toEqual([])
  await d.expectSound()
})

test('a coin that is frozen between plan and commit is left out of the next plan', async () => {
  const { d, made } = await open({}, (one) => freeze(one, 10_003n))
  assert(made.ok, 'a run')
  expect(made.value.inputs).toBe(12)
  const view = await d.engine.spends.get(made.value.spend)
  const amounts = view?.versions[0]?.transaction.inputs.map(({ amount }) => amount)
  expect(amounts).not.toContain(10_003n)
  expect(amounts).toContain(900_000n)
  await d.expectSound()
})

test('a reserve that goes between plan and commit is not made up by the run', async () => {
  const reserve = sat(500_000n)
  const { d, made } = await open({ reserve }, (one) => freeze(one, 900_000n))
  expect(made).toMatchObject({ ok: false, error: { code: 'CONSOLIDATION_NOT_NEEDED' } })
  expect(await d.engine.spends.list({ limit: 9 })).toEqual([])
})

test('of two runs that are planned at once one is made', async () => {
  const { d, made } = await open({ minInputs: 2 }, async (one) => {
    const other = await one.engine.consolidation.request(one.wallet, { maxInputs: 3 }, ACTOR)
    expect(other).toMatchObject({ ok: true, value: { inputs: 3 } })
  })
  expect(made).toMatchObject({ ok: false, error: { code: 'CONSOLIDATION_UNDER_WAY' } })
  expect(await d.engine.consolidation.list({ limit: 9 })).toHaveLength(1)
  const [spend] = await d.engine.spends.list({ limit: 9 })
  assert(spend, 'a spend')
  const held = await d.store.read((tx) => tx.coins.leasesOf(spend.id))
  expect(new Set(held.map(({ point }) => outPointKey(point))).size).toBe(3)
  await d.expectSound()
})

test('requests and runs at the same moment never promise a coin twice', async () => {
  const d = await Desk.open({ payouts: { fixedFeeRate: satPerKvB(1_000n) } })
  desk = d
  const created = await d.engine.orders.create({ wallet: d.wallet, customer: 'cus_1' }, ACTOR)
  assert(created.ok, 'an order')
  for (let i = 0; i < 40; i++) d.devnet.pay(created.value.order.address, 10_000n)
  await d.mine(3)
  const outcomes = await Promise.all(
    Array.from({ length: 12 }, (_, i) =>
      i % 3 === 0
        ? d.engine.consolidation.request(d.wallet, { maxInputs: 10 }, ACTOR)
        : d.try({ amount: 30_000 }).then(async (asked) => {
            await d.engine.payouts.plan()
            return asked
          }),
    ),
  )
  expect(outcomes.some(({ ok }) => ok)).toBe(true)
  await d.expectSound()
  await d.work()
  await d.mine(7)
  await d.work()
  await d.mine(7)
  const left = await d.engine.withdrawals.list({ limit: 99 })
  expect(left.map(({ status }) => status)).toEqual(left.map(() => 'settled'))
  await d.expectSound()
})
