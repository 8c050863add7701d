import { sat } from '@kaccy/bitcoin/kernel'
import { expect, test } from 'vitest'
import { ANN, CLIENT, Desk } from './desk.ts'

const MANY = 1000
/** What many clients are told at once, counted by answer. */
async function crowd(d: Desk, ask: Parameters<Desk['input']>[0]) {
  const asked = await Promise.all(
    Array.from({ length: MANY }, () => d.withdrawals.request(d.input(ask), CLIENT)),
  )
  const counts = new Map<string, number>()
  for (const one of asked) {
    const name = one.ok ? 'taken' : one.error.code
    counts.set(name, (counts.get(name) ?? 0) + 1)
  }
  return counts
}

test('1,000 requests at once on one coin: as many are taken as it can pay, and all of them are paid', async () => {
  const d = await Desk.open()
  await d.world.fund(1_000_000)
  const counts = await crowd(d, { amount: 100_000 })
  // Each holds 20,000 sat for its fee.
  expect(Object.fromEntries(counts)).toEqual({ taken: 8, FUNDS_INSUFFICIENT: MANY - 8 })
  expect(await d.means()).toMatchObject({ queued: 960_000n, spendable: 40_000n, missing: 0n })
  await d.expectSound()
  const report = await d.plan()
  expect([report.planned.length, report.waiting]).toEqual([1, []])
  for (const spend of report.planned) await d.world.send(spend)
  await d.world.mine(6)
  const all = await d.withdrawals.list({ limit: 10_000 })
  expect(all.map(({ status }) => status)).toEqual(all.map(() => 'settled'))
  expect(await d.spent()).toBe(0n)
  await d.expectSound()
  await d.close()
})

test("1,000 requests at once on a customer's account: it is never below zero", async () => {
  const d = await Desk.open()
  await d.world.fund(2_000_000)
  await d.credit('cus', 1_000_000)
  const counts = await crowd(d, {
    amount: 90_000,
    customer: 'cus',
    feePayer: 'customer',
    maxFee: sat(9_999n),
  })
  expect(Object.fromEntries(counts)).toEqual({ taken: 10, BALANCE_INSUFFICIENT: MANY - 10 })
  expect(await d.owed('cus')).toBe(10n)
  await d.expectSound()
  await d.close()
})

test('1,000 times the same request at once is one withdrawal', async () => {
  const d = await Desk.open()
  await d.world.fund(1_000_000)
  const input = d.input()
  const asked = await Promise.all(
    Array.from({ length: MANY }, () => d.withdrawals.request(input, CLIENT)),
  )
  const made = asked.flatMap((one) => (one.ok ? [one.value] : []))
  expect(made).toHaveLength(MANY)
  expect(made.filter(({ created }) => created)).toHaveLength(1)
  expect(new Set(made.map(({ withdrawal }) => withdrawal.id)).size).toBe(1)
  await d.expectSound()
  await d.close()
})

test('planners, people and clients at once: each withdrawal has one spend or has ended', async () => {
  const d = await Desk.open()
  await d.world.fund(...Array.from({ length: 10 }, () => 400_000))
  const ids = await Promise.all(Array.from({ length: 20 }, () => d.ask({ amount: 100_000 })))
  d.world.now += 600_000
  const [a, b, c] = await Promise.all([
    d.planNow(),
    d.planNow(),
    d.planNow(),
    ...ids.slice(0, 5).map((id) => d.withdrawals.cancel(id, 'race', ANN)),
    ...ids.slice(5, 8).map((id) => d.withdrawals.reject(id, 'race', ANN)),
  ])
  const last = await d.planNow()
  const planned = [a, b, c, last].flatMap((report) => ('planned' in report ? report.planned : []))
  await d.expectSound()
  const all = await d.withdrawals.list({ limit: 100 })
  for (const { status, spend } of all) {
    expect(['batched', 'cancelled', 'rejected', 'approved']).toContain(status)
    if (status === 'batched') expect(planned).toContain(spend)
  }
  const live = await d.world.spending.list({ status: 'open', limit: 100 })
  const paid = (await Promise.all(live.map(({ id }) => d.world.current(id)))).flatMap(
    ({ transaction }) =>
      transaction.outputs.flatMap(({ role }) => (role.kind === 'payment' ? role.withdrawals : [])),
  )
  expect(paid.toSorted()).toEqual(
    all
      .filter(({ status }) => status === 'batched')
      .map(({ id }) => id)
      .toSorted(),
  )
  await d.close()
})
