import { sat, satPerKvB } from '@kaccy/bitcoin/kernel'
import { afterEach, describe, expect, test } from 'vitest'
import { Desk, type DeskOptions, MINUTE } from './desk.ts'

const open: Desk[] = []
async function desk(options: DeskOptions, ...coins: readonly number[]): Promise<Desk> {
  const made = await Desk.open(options)
  open.push(made)
  await made.world.fund(...coins)
  return made
}
afterEach(async () => {
  for (const one of open.splice(0)) {
    await one.expectSound()
    await one.close()
  }
})

describe('waiting for company', () => {
  test('ends when the wait is over, and takes along who came later', async () => {
    const d = await desk({}, 1_000_000)
    const first = await d.ask()
    d.world.now += 9 * MINUTE
    const second = await d.ask()
    expect((await d.planNow()).planned).toEqual([])
    d.world.now += MINUTE
    expect((await d.planNow()).planned).toHaveLength(1)
    expect(await d.spendOf(second)).toBe(await d.spendOf(first))
  })
  test('is not for what is urgent, and ends before a deadline', async () => {
    const d = await desk({}, 1_000_000, 1_000_000, 1_000_000)
    const usual = await d.ask()
    const soon = await d.ask({ speed: { kind: 'deadline', at: d.world.now + 65 * MINUTE } })
    expect((await d.planNow()).planned).toEqual([])
    d.world.now += 5 * MINUTE
    expect((await d.planNow()).planned).toHaveLength(1)
    expect([await d.status(soon), await d.status(usual)]).toEqual(['batched', 'batched'])
    const high = await d.ask({ speed: { kind: 'priority', priority: 'high' } })
    expect((await d.planNow()).planned).toEqual([await d.spendOf(high)])
  })
  test('is only for those who would pay the same way', async () => {
    const d = await desk({}, 1_000_000, 1_000_000, 1_000_000, 1_000_000)
    const ids = [
      await d.ask(),
      await d.ask({ feePayer: 'recipient' }),
      await d.ask({ speed: { kind: 'rate', rate: satPerKvB(7_000n) } }),
      await d.ask({ speed: { kind: 'priority', priority: 'low' } }),
    ]
    expect((await d.plan()).planned).toHaveLength(4)
    const spends = await Promise.all(ids.map((id) => d.spendOf(id)))
    expect(new Set(spends).size).toBe(4)
    const [, , rated] = spends
    expect(rated && (await d.world.current(rated)).rate).toBeGreaterThanOrEqual(7_000n)
    expect(rated && (await d.world.spending.get(rated))?.spend.bumpAt).toBeUndefined()
  })
})

describe('one that cannot be served', () => {
  test('never holds up the others: its ceiling, its dust, its rate', async () => {
    const d = await desk({}, 5_000_000, 5_000_000)
    const mean = await d.ask({ maxRate: satPerKvB(1_000n) })
    const poor = await d.ask({ amount: 330, feePayer: 'recipient' })
    const rich = await d.ask({ amount: 90_000, feePayer: 'recipient' })
    const usual = await d.ask()
    const report = await d.plan()
    expect(report.planned).toHaveLength(2)
    const why = new Map(report.waiting.map(({ withdrawal, code }) => [withdrawal, code]))
    expect(why.get(mean)).toBe('FEE_CEILING_EXCEEDED')
    expect(why.get(poor)).toBe('AMOUNT_IS_DUST')
    expect([await d.status(rich), await d.status(usual)]).toEqual(['batched', 'batched'])
    const waiting = await d.get(mean)
    expect(waiting).toMatchObject({ status: 'approved', planAt: d.world.now + MINUTE })
    expect(waiting.waitsFor).toContain('FEE_CEILING_EXCEEDED')
    const explained = await d.withdrawals.explain(mean)
    expect(explained.ok && explained.value.waitsFor[0]).toContain('above its ceiling')
    // Those that wait are left alone until their time comes.
    expect((await d.planNow()).waiting).toEqual([])
  })
  test('by its own largest fee waits, and the others share what they allow', async () => {
    const d = await desk({}, 5_000_000)
    const stingy = await d.ask({ feePayer: 'recipient', maxFee: sat(10n) })
    const fair = await d.ask({ feePayer: 'recipient', maxFee: sat(20_000n) })
    const report = await d.plan()
    expect(report.waiting).toEqual([{ withdrawal: stingy, code: 'FEE_CEILING_EXCEEDED' }])
    expect(await d.status(fair)).toBe('batched')
  })
  test('waits for coins that are not there, and is served when they are', async () => {
    const d = await desk({}, 1_000_000)
    const id = await d.ask({ amount: 500_000 })
    const [coin] = await d.world.free()
    const { store, wallet } = d.world
    if (coin)
      await store.transact(async (tx) => {
        const { point, amount } = coin
        await tx.coins.freeze([{ point, wallet, amount, reason: 'looked at', by: 'x', at: 1 }])
      })
    expect((await d.plan()).waiting).toEqual([{ withdrawal: id, code: 'FUNDS_INSUFFICIENT' }])
    expect(await d.means()).toMatchObject({ spendable: 0n, missing: 520_000n })
    if (coin) await store.transact((tx) => tx.coins.unfreeze([coin.point]))
    expect((await d.planNow()).planned).toEqual([])
    d.world.now += MINUTE
    expect((await d.planNow()).planned).toHaveLength(1)
    expect((await d.get(id)).waitsFor).toBeUndefined()
  })
  test('has no fee estimate: it waits, and nobody invents one', async () => {
    const none = async () =>
      ({ ok: false, error: { code: 'FEE_SOURCE_MISSING', message: 'none', details: {} } }) as const
    const d = await desk({ planner: { quotes: none } }, 1_000_000)
    const id = await d.ask()
    expect((await d.plan()).waiting).toEqual([{ withdrawal: id, code: 'FEE_SOURCE_MISSING' }])
    expect(await d.status(id)).toBe('approved')
  })
})

test('many withdrawals make several transactions, each as large as it may be', async () => {
  const d = await desk(
    { planner: { mostPayments: 20 } },
    ...Array.from({ length: 5 }, () => 2_000_000),
  )
  const ids = []
  for (let i = 0; i < 50; i++) ids.push(await d.ask({ amount: 60_000 }))
  const report = await d.plan()
  expect(report.planned).toHaveLength(3)
  const spends = await Promise.all(ids.map((id) => d.spendOf(id)))
  expect([...Map.groupBy(spends, (spend) => spend).values()].map((one) => one.length)).toEqual([
    20, 20, 10,
  ])
})

test('one address has one output where the platform wants that, and each its own amount', async () => {
  const d = await desk({ planner: { mergesAddresses: true } }, 1_000_000)
  const address = d.address(200)
  const ids = [
    await d.ask({ address, amount: 50_000, feePayer: 'recipient' }),
    await d.ask({ address, amount: 70_001, feePayer: 'recipient' }),
    await d.ask({ amount: 80_000, feePayer: 'recipient' }),
  ]
  const [spend] = (await d.plan()).planned
  if (!spend) throw new RangeError('nothing was planned')
  const version = await d.world.current(spend)
  const paying = version.transaction.outputs.filter(({ role }) => role.kind === 'payment')
  expect(paying).toHaveLength(2)
  const records = await Promise.all(ids.map((id) => d.get(id)))
  expect(records.reduce((sum, { paid = 0n }) => sum + paid, 0n)).toBe(
    paying.reduce((sum, { amount }) => sum + amount, 0n),
  )
  await d.world.send(spend)
  await d.world.mine(6)
  expect(await d.spent()).toBe(0n)
})
