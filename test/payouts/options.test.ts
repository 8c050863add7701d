import type { Store } from '@kaccy/bitcoin'
import { createMemoryStore } from '@kaccy/bitcoin/adapters/memory'
import { assert, satPerKvB } from '@kaccy/bitcoin/kernel'
import { afterEach, expect, test } from 'vitest'
import { Desk } from './desk.ts'

let desk: Desk | undefined
afterEach(async () => {
  await desk?.close()
  desk = undefined
})
/** What the built-in policy holds for two people, and for one more who sees the transaction. */
const VERY_LARGE = 150_000_000

test('a child that pays for a payout is approved by those who approve the payout', async () => {
  desk = await Desk.open()
  const d = desk
  await d.fund(2 * VERY_LARGE)
  const asked = await d.ask({ amount: VERY_LARGE })
  for (const by of ['operator:ann', 'operator:bob'])
    await d.engine.withdrawals.approve(asked.id, { digest: asked.digest }, by)
  await d.engine.payouts.plan()
  const { spend } = await d.get(asked.id)
  assert(spend, 'a spend')
  const { psbts, spends } = d.engine
  const payout = (await spends.get(spend))?.versions[0]
  assert(payout, 'its transaction')
  assert((await psbts.approve(payout.id, payout.hash, 'operator:cy')).ok, 'approved')
  await d.work()
  await d.look()
  const speed = { kind: 'rate', rate: satPerKvB(30_000n) } as const
  const made = await spends.childOf(spend, { speed }, 'operator:ann')
  assert(made.ok, made.ok ? '' : made.error.message)
  const child = made.value.version
  await d.work()
  expect((await psbts.get(child.id))?.version.exposedAt).toBeUndefined()
  expect((await psbts.get(child.id))?.approvals).toMatchObject({ have: 0, need: 1 })
  for (const by of ['operator:ann', 'api:key_test']) {
    const own = await psbts.approve(child.id, child.hash, by)
    expect(own.ok ? 'ok' : own.error.code).toBe('APPROVER_IS_INITIATOR')
  }
  const given = await psbts.approve(child.id, child.hash, 'operator:cy')
  expect(given.ok ? 'ok' : given.error.code).toBe('ok')
  await d.work()
  expect(d.inMempool(child.txid)).toBe(true)
  await d.mine(6)
  expect((await spends.get(made.value.spend.id))?.spend.status).toBe('settled')
  await d.expectSound()
})

test('payouts of a batch to one address share an output where the platform wants that, and each settles', async () => {
  desk = await Desk.open({ payouts: { mergesAddresses: true } })
  const d = desk
  await d.fund(1_000_000)
  const address = d.stranger(77)
  const first = await d.ask({ amount: 10_000, address })
  const second = await d.ask({ amount: 20_000, address })
  await d.work()
  await d.mine(6)
  expect(d.paidTo(first.script)).toEqual({ times: 1, amount: 30_000n })
  for (const { id } of [first, second]) expect(await d.status(id)).toBe('settled')
  await d.expectSound()
})

test('a child of what is paid for by a bump ends without an alarm', async () => {
  desk = await Desk.open()
  const d = desk
  await d.fund(1_000_000)
  const asked = await d.ask({ amount: 100_000 })
  await d.work()
  await d.look()
  const { spend } = await d.get(asked.id)
  assert(spend, 'a spend')
  const rate = (n: bigint) => ({ speed: { kind: 'rate', rate: satPerKvB(n) } }) as const
  const child = await d.engine.spends.childOf(spend, rate(30_000n), 'operator:ann')
  assert(child.ok, 'a child')
  await d.work()
  assert((await d.engine.withdrawals.bump(asked.id, rate(60_000n), 'operator:ann')).ok, 'bumped')
  await d.work()
  await d.mine(6)
  expect((await d.engine.spends.get(child.value.spend.id))?.spend.status).toBe('lost')
  expect(await d.alerts()).toEqual([])
  await d.expectSound()
})

test('turns of sending read no transactions of wallets whose ids are fixed before they are signed', async () => {
  const store = createMemoryStore()
  let reads = 0
  const counting: Store = {
    ...store,
    read: (work) =>
      store.read((tx) => {
        const { spending } = tx
        const versionsOf: typeof spending.versionsOf = (ids) => {
          reads += 1
          return spending.versionsOf(ids)
        }
        return work({ ...tx, spending: { ...spending, versionsOf } })
      }),
  }
  desk = await Desk.open({ store: counting })
  const d = desk
  await d.fund(1_000_000)
  await d.ask({ amount: 100_000 })
  await d.work()
  reads = 0
  await d.engine.payouts.send()
  expect(reads).toBe(0)
})
