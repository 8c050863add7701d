import { afterEach, expect, test } from 'vitest'
import { Desk, type DeskOptions } from './desk.ts'

let desk: Desk | undefined
afterEach(async () => {
  await desk?.close()
  desk = undefined
})
const open = async (options: DeskOptions = {}) => {
  desk = await Desk.open(options)
  return desk
}

test('a payout is requested, planned, signed, sent, mined and settled, and the books say so', async () => {
  const d = await open()
  await d.fund(1_000_000)
  const asked = await d.ask({ amount: 100_000 })
  expect(asked.status).toBe('approved')
  await d.work()
  const sent = await d.get(asked.id)
  expect(sent.status).toBe('sending')
  expect(d.inMempool(sent.txid)).toBe(true)
  await d.mine(1)
  expect(await d.status(asked.id)).toBe('mined')
  await d.mine(5)
  expect(await d.status(asked.id)).toBe('settled')
  expect(d.paidTo(asked.script)).toEqual({ times: 1, amount: 100_000n })
  await d.expectSound()
  expect(await d.told('withdrawal')).toEqual(
    ['requested', 'approved', 'batched', 'signing', 'sending', 'mined', 'settled'].map(
      (what) => `withdrawal.${what}`,
    ),
  )
  expect(await d.told('psbt')).toEqual(
    ['created', 'signed', 'finalized', 'broadcast', 'confirmed'].map((what) => `psbt.${what}`),
  )
  expect(await d.alerts()).toEqual([])
})
