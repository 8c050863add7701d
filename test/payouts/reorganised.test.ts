import { assert } from '@kaccy/bitcoin/kernel'
import { afterEach, expect, test } from 'vitest'
import { Desk, MINUTE } from './desk.ts'

let desk: Desk | undefined
afterEach(async () => {
  await desk?.close()
  desk = undefined
})

test('a reorganisation below the lock time and the deposit holds payouts up, and later blocks pay them', async () => {
  desk = await Desk.open()
  const d = desk
  await d.fund(1_000_000)
  const first = await d.ask({ amount: 100_000 })
  await d.work()
  await d.mine(1)
  // Stands on the change of the first.
  const second = await d.ask({ amount: 100_000 })
  await d.work()
  await d.mine(2)
  const { view } = d.devnet
  const root = view.hashAt(view.tip().height - 8)
  assert(root, 'a block below the deposit')
  d.devnet.call('invalidateblock', [root])
  await d.look()
  await d.work()
  for (const { id } of [first, second]) expect(await d.status(id)).toBe('sending')
  expect(await d.alerts()).not.toContain('broadcast_refused')
  for (let i = 0; i < 20; i++) {
    d.now += 30 * MINUTE
    await d.mine(1)
    await d.work()
  }
  for (const { id, script } of [first, second]) {
    expect(await d.status(id)).toBe('settled')
    expect(d.paidTo(script)).toEqual({ times: 1, amount: 100_000n })
  }
  await d.expectSound()
})
