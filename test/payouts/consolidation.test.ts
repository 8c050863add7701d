import { assert, type ConsolidationId, satPerKvB, sat } from '@kaccy/bitcoin/kernel'
import { changeOf } from '@kaccy/bitcoin/spending'
import { afterEach, expect, test } from 'vitest'
import { Desk, type DeskOptions } from './desk.ts'

let desk: Desk | undefined
afterEach(async () => {
  await desk?.close()
  desk = undefined
})
type Settings = NonNullable<NonNullable<DeskOptions['payouts']>['consolidation']>
const open = async (consolidation: Settings = {}, options: DeskOptions = {}) => {
  const payouts = { fixedFeeRate: satPerKvB(1_000n), consolidation, ...options.payouts }
  desk = await Desk.open({ ...options, payouts })
  return desk
}
const ACTOR = 'operator:ann'

/** Coins of one customer, each an order of its own. */
async function fundFor(d: Desk, customer: string | undefined, amounts: readonly number[]) {
  for (const amount of amounts) {
    const created = await d.engine.orders.create(
      {
        wallet: d.wallet,
        amount: sat(BigInt(amount)),
        ...(customer === undefined ? {} : { customer }),
      },
      ACTOR,
    )
    assert(created.ok, 'an order')
    d.devnet.pay(created.value.order.address, BigInt(amount))
  }
  await d.mine(3)
}
const small = (count: number) => Array.from({ length: count }, (_, i) => 10_000 + i)
async function request(d: Desk) {
  const made = await d.engine.consolidation.request(d.wallet, {}, ACTOR)
  assert(made.ok, made.ok ? '' : `${made.error.code}: ${made.error.message}`)
  return made.value
}
async function codeOf(d: Desk) {
  const made = await d.engine.consolidation.request(d.wallet, {}, ACTOR)
  return made.ok ? made.value.status : made.error.code
}
async function statusOf(d: Desk, id: ConsolidationId) {
  return (await d.engine.consolidation.get(id))?.status
}
async function versionOf(d: Desk, id: ConsolidationId) {
  const run = await d.engine.consolidation.get(id)
  const view = run && (await d.engine.spends.get(run.spend))
  const [version] = view?.versions ?? []
  assert(version, 'a version')
  return version
}

test('thirty small coins become one, and the books say so', async () => {
  const d = await open()
  await fundFor(d, 'cus_1', [...small(30), 900_000])
  const before = await d.engine.wallets.balance(d.wallet)
  const seen = await d.engine.consolidation.preview(d.wallet)
  assert(seen.ok, 'a preview')
  expect(seen.value).toMatchObject({ group: 'customer', scripts: 31, coins: 31, spare: 31 })
  expect(await d.engine.consolidation.list({ limit: 9 })).toEqual([])
  expect(await d.engine.spends.list({ limit: 9 })).toEqual([])

  const run = await request(d)
  expect(run).toMatchObject({ status: 'planned', trigger: 'request', inputs: 31 })
  expect([run.fee, run.saving]).toEqual([seen.value.draft.fee, seen.value.saving])
  const version = await versionOf(d, run.id)
  expect(version.transaction.outputs).toHaveLength(1)
  expect(changeOf(version.transaction)).toMatchObject({ branch: 1, amount: run.amount - run.fee })
  expect(await codeOf(d)).toBe('CONSOLIDATION_UNDER_WAY')

  await d.work()
  expect(await statusOf(d, run.id)).toBe('consolidating')
  await d.mine(1)
  expect(await statusOf(d, run.id)).toBe('completed')
  await d.mine(6)
  const coins = await d.engine.coins.candidates(d.wallet)
  expect(coins.map(({ amount, branch }) => [amount, branch])).toEqual([[run.amount - run.fee, 1]])
  const after = await d.engine.wallets.balance(d.wallet)
  expect(after.coins).toBe(before.coins - run.fee)
  const accounts = await d.engine.ledger.accounts('fees/network', undefined, 9)
  expect(accounts.map(({ debits, credits }) => debits - credits)).toEqual([run.fee])
  expect(await d.told('consolidation')).toEqual([
    'consolidation.planned',
    'consolidation.consolidating',
    'consolidation.completed',
  ])
  expect(await codeOf(d)).toBe('CONSOLIDATION_NOT_NEEDED')
  await d.expectSound()
})

test('nothing is put together while a request waits to be paid', async () => {
  const d = await open()
  await fundFor(d, 'cus_1', small(20))
  const asked = await d.ask({ amount: 50_000 })
  expect(await codeOf(d)).toBe('CONSOLIDATION_WITHDRAWALS_WAIT')
  await d.work()
  expect(await d.status(asked.id)).toBe('sending')
  const run = await request(d)
  const held = await versionOf(d, run.id)
  const payout = await d.engine.spends.get((await d.get(asked.id)).spend ?? ('' as never))
  const paying = new Set(
    payout?.versions.flatMap(({ transaction }) =>
      transaction.inputs.map(({ txid, vout }) => `${txid}:${vout}`),
    ),
  )
  for (const { txid, vout } of held.transaction.inputs)
    expect(paying.has(`${txid}:${vout}`)).toBe(false)
  // What is being put together can pay again once it is in the mempool.
  await d.work()
  await d.look()
  const next = await d.ask({ amount: 60_000 })
  await d.work()
  expect(await d.status(next.id)).toBe('sending')
  await d.mine(7)
  expect(await d.status(next.id)).toBe('settled')
  expect(await statusOf(d, run.id)).toBe('completed')
  await d.expectSound()
})

test('a block that leaves takes the run back, and it is mined again', async () => {
  const d = await open()
  await fundFor(d, 'cus_1', small(12))
  const run = await request(d)
  await d.work()
  await d.mine(1)
  expect(await statusOf(d, run.id)).toBe('completed')
  d.devnet.reorg(1)
  await d.look()
  expect(await statusOf(d, run.id)).toBe('consolidating')
  expect(await codeOf(d)).toBe('CONSOLIDATION_UNDER_WAY')
  await d.work()
  await d.mine(8)
  expect(await statusOf(d, run.id)).toBe('completed')
  await d.expectSound()
})

test('coins of different customers stay apart unless the policy lets them be linked', async () => {
  const d = await open({ minInputs: 4 })
  for (const customer of ['cus_1', 'cus_2', 'cus_3'])
    await fundFor(d, customer, [10_000, 20_000, 30_000])
  await fundFor(d, undefined, [40_000, 50_000])
  expect(await codeOf(d)).toBe('CONSOLIDATION_NOT_NEEDED')
  await d.close()
  const linked = await open({ minInputs: 4, linksCustomers: true })
  for (const customer of ['cus_1', 'cus_2']) await fundFor(linked, customer, [10_000, 20_000])
  expect(await request(linked)).toMatchObject({ group: 'mixed', inputs: 4 })
})

test('a run that nobody could sign yet is given up, and its coins are free', async () => {
  const d = await open({}, { signs: false })
  await fundFor(d, 'cus_1', small(12))
  const run = await request(d)
  expect(await d.engine.coins.candidates(d.wallet)).toEqual([])
  const cancelled = await d.engine.consolidation.cancel(run.id, ACTOR)
  expect(cancelled).toMatchObject({ ok: true, value: { status: 'cancelled' } })
  expect(await d.engine.consolidation.cancel(run.id, ACTOR)).toEqual(cancelled)
  expect(await d.engine.coins.candidates(d.wallet)).toHaveLength(12)
  const unknown = await d.engine.consolidation.cancel('cns_none' as ConsolidationId, ACTOR)
  expect(unknown).toMatchObject({ error: { code: 'CONSOLIDATION_NOT_FOUND' } })
  expect(await d.told('consolidation')).toEqual([
    'consolidation.planned',
    'consolidation.cancelled',
  ])
  await d.expectSound()
})

test('a run that was sent is not given up', async () => {
  const d = await open()
  await fundFor(d, 'cus_1', small(12))
  const run = await request(d)
  await d.work()
  const cancelled = await d.engine.consolidation.cancel(run.id, ACTOR)
  expect(cancelled).toMatchObject({ error: { code: 'CONSOLIDATION_STATE' } })
  expect(await statusOf(d, run.id)).toBe('consolidating')
})

test('the engine starts a run by itself when there are too many coins or fees are low', async () => {
  const d = await open({ automatic: { coins: 15 }, everyMs: 60_000 })
  await fundFor(d, 'cus_1', small(14))
  expect(await d.engine.payouts.consolidate()).toBe(0)
  await fundFor(d, 'cus_1', [20_000])
  expect(await d.engine.payouts.consolidate()).toBe(0)
  d.now += 60_000
  expect(await d.engine.payouts.consolidate()).toBe(1)
  const [run] = await d.engine.consolidation.list({ wallet: d.wallet, limit: 9 })
  expect(run).toMatchObject({ trigger: 'coins', createdBy: 'engine', inputs: 15, coins: 15 })
  d.now += 60_000
  expect(await d.engine.payouts.consolidate()).toBe(0)
  await d.expectSound()
  await d.close()

  const cheap = await open({ automatic: { ratePercent: 10 } })
  await fundFor(cheap, 'cus_1', small(10))
  expect(await cheap.engine.payouts.consolidate()).toBe(1)
  await cheap.close()
  const dear = await open({ automatic: { ratePercent: 9 } })
  await fundFor(dear, 'cus_1', small(10))
  expect(await dear.engine.payouts.consolidate()).toBe(0)
  await dear.close()
  const off = await open()
  await fundFor(off, 'cus_1', small(30))
  expect(await off.engine.payouts.consolidate()).toBe(0)
})

test('never above the highest rate, and never into the reserve', async () => {
  const d = await open({ maxRate: satPerKvB(999n) })
  await fundFor(d, 'cus_1', small(12))
  expect(await codeOf(d)).toBe('CONSOLIDATION_RATE_TOO_HIGH')
  await d.close()
  const usual = await open()
  await fundFor(usual, 'cus_1', small(12))
  const asked = (rate: bigint) =>
    usual.engine.consolidation.request(usual.wallet, { rate: satPerKvB(rate) }, ACTOR)
  const dear = await asked(10_001n)
  expect(dear).toMatchObject({ error: { code: 'CONSOLIDATION_RATE_TOO_HIGH' } })
  expect(await asked(999n)).toMatchObject({ error: { code: 'FEE_BELOW_MINIMUM' } })
  expect(await asked(10_000n)).toMatchObject({ ok: true })
  await usual.close()
  const kept = await open({ reserve: sat(25_000n) })
  await fundFor(kept, 'cus_1', small(12))
  expect(await codeOf(kept)).toBe('CONSOLIDATION_NOT_NEEDED')
  await fundFor(kept, 'cus_1', [25_000])
  const run = await request(kept)
  expect(run).toMatchObject({ inputs: 12, coins: 13 })
  const left = await kept.engine.coins.candidates(kept.wallet)
  expect(left.map(({ amount }) => amount)).toEqual([25_000n])
})
