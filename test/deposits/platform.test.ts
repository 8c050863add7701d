import type { PlatformOrder, PlatformOrders } from '@kaccy/bitcoin/deposits'
import { sat } from '@kaccy/bitcoin/kernel'
import { expect, test } from 'vitest'
import { HOUR, START, Till } from './till.ts'

/** A platform with its own orders, and a note of everything it was told. */
function platformWith(orders: Map<string, PlatformOrder>) {
  const told: string[] = []
  const box = { fails: false }
  const platform: PlatformOrders = {
    orderByAddress: async (_, address) => orders.get(address),
    async updateStatus(_, order, payments) {
      if (box.fails) throw new RangeError('the platform is out of order')
      const txids = new Set(payments.map(({ payment }) => payment.point.txid))
      told.push(`${order.externalId} ${order.state.status} ${order.state.received} ${txids.size}`)
    },
  }
  return { platform, told, box }
}
async function reveal(till: Till): Promise<{ address: string; script: Uint8Array }> {
  const revealed = await till.store.transact((tx) =>
    till.engine.wallets.revealAddress(tx, { wallet: till.wallet, at: till.now, shown: true }),
  )
  if (!revealed.ok) throw new TypeError(revealed.error.message)
  return revealed.value
}

test('the first payment to an address of the platform makes its order ours; each change is told in the commit', async () => {
  const orders = new Map<string, PlatformOrder>()
  const { platform, told } = platformWith(orders)
  const till = await Till.open({ platform })
  const { address, script } = await reveal(till)
  orders.set(address, { externalId: 'theirs 1', amount: sat(5000n), customer: 'ann' })
  const spend = till.pay('a', [script, 5000], [script, 600])
  await till.look()
  const order = await till.engine.orders.byExternalId('theirs 1')
  expect(order).toMatchObject({ address, customer: 'ann', amount: 5000n })
  await till.mine(6)
  expect(told).toEqual([
    'theirs 1 unconfirmed 5600 1',
    'theirs 1 confirmed 5600 1',
    'theirs 1 full_confirmed 5600 1',
    'theirs 1 finalized 5600 1',
  ])
  expect(await till.payment(spend)).toMatchObject({ purpose: 'order', order: order?.id })
  expect(order && (await till.told(order))).toContain('order.created')
  expect(await till.audited()).toContain('engine order.adopted')
  await till.expectSound()
})

test('a platform that throws undoes the commit; nothing is half told', async () => {
  const orders = new Map<string, PlatformOrder>()
  const { platform, told, box } = platformWith(orders)
  const till = await Till.open({ platform })
  const { address, script } = await reveal(till)
  orders.set(address, { externalId: 'theirs 1', amount: sat(5000n) })
  till.pay('a', [script, 5000])
  const before = [await till.told(), await till.entries(), await till.audited()]
  box.fails = true
  await expect(till.look()).rejects.toThrow('out of order')
  expect([await till.told(), await till.entries(), await till.audited()]).toEqual(before)
  expect(await till.engine.orders.byExternalId('theirs 1')).toBeUndefined()
  box.fails = false
  await till.look()
  expect(told).toEqual(['theirs 1 unconfirmed 5000 1'])
})

test('an order whose time had passed is adopted late; one without usable levels gets the usual ones', async () => {
  const orders = new Map<string, PlatformOrder>()
  const { platform } = platformWith(orders)
  const till = await Till.open({ platform })
  const [a, b] = [await reveal(till), await reveal(till)]
  orders.set(a.address, { externalId: 'old', amount: sat(5000n), expiresAt: START - HOUR })
  orders.set(b.address, { externalId: 'odd', amount: sat(5000n), thresholds: { confirmed: 9e9 } })
  till.pay('a', [a.script, 5000], [b.script, 5000])
  await till.look()
  const [old, odd] = [
    await till.engine.orders.byExternalId('old'),
    await till.engine.orders.byExternalId('odd'),
  ]
  expect(old?.state).toMatchObject({ status: 'failed', failureReason: 'expired', late: true })
  expect(odd?.thresholds).toEqual({ confirmed: 1, fullConfirmed: 3, finalized: 6 })
  expect(await till.alerts()).toEqual(['late_payment'])
})

test('two addresses of one order of the platform: the second is unassigned, the chain goes on', async () => {
  const orders = new Map<string, PlatformOrder>()
  const { platform } = platformWith(orders)
  const till = await Till.open({ platform })
  const [a, b] = [await reveal(till), await reveal(till)]
  for (const { address } of [a, b]) orders.set(address, { externalId: 'one', amount: sat(5000n) })
  till.pay('a', [a.script, 5000], [b.script, 700])
  await till.mine(3)
  expect(await till.balance()).toMatchObject({ coins: 5700n, unassigned: 700n })
  expect(await till.alerts('unmatched_payment')).toHaveLength(1)
  await till.expectSound()
})

test('an address that the platform does not know, and one that nobody was given, are not asked for twice', async () => {
  const { platform, told } = platformWith(new Map())
  const till = await Till.open({ platform })
  const { script } = await reveal(till)
  till.pay('a', [script, 5000])
  await till.mine(3)
  expect(told).toEqual([])
  expect(await till.balance()).toMatchObject({ unassigned: 5000n })
})
