import { type OrderId, sat } from '@kaccy/bitcoin/kernel'
import { expect, test } from 'vitest'
import { HOUR, MINUTE, Till } from './till.ts'

const count = (list: readonly string[], word: string) => list.filter((type) => type === word).length

test('an order that nobody pays expires once, is told, and stands in the trail', async () => {
  const till = await Till.open()
  const order = await till.order({ amount: 1000 })
  till.now += HOUR - 1
  expect((await till.look()).expired).toBe(0)
  till.now += 1
  expect((await till.look()).expired).toBe(1)
  till.now += HOUR
  await till.mine(3)
  expect(await till.state(order)).toBe('failed (expired) none 0/0')
  expect(await till.told(order)).toEqual(['order.created', 'order.expired', 'order.failed'])
  expect(count(await till.audited(), 'engine order.expired')).toBe(1)
})

test('more orders than one commit takes expire in one look', async () => {
  const till = await Till.open({ lookahead: 700 })
  for (let i = 0; i < 620; i++) await till.order({ amount: 1000, expiresInMs: MINUTE })
  till.now += MINUTE
  expect((await till.look()).expired).toBe(620)
})

test('a paid order does not expire: its time passes without a word', async () => {
  const till = await Till.open()
  const [paid, seen] = [await till.order({ amount: 1000 }), await till.order({ amount: 2000 })]
  till.pay('a', [paid, 1000])
  await till.mine(6)
  till.pay('b', [seen, 2000])
  await till.look()
  till.now += 2 * HOUR
  await till.look()
  await till.mine(1)
  expect(await till.state(paid)).toBe('finalized exact 1000/1000')
  expect(await till.state(seen)).toBe('confirmed exact 2000/0')
  expect(await till.told(paid)).not.toContain('order.expired')
  expect(await till.told(seen)).not.toContain('order.expired')
})

test('a payment in time that vanishes after the time is up fails the order, and comes back in time', async () => {
  const till = await Till.open()
  const order = await till.order({ amount: 1000 })
  const spend = till.pay('a', [order, 1000])
  await till.look()
  till.now += 2 * HOUR
  await till.look()
  till.devnet.evict(spend.txid)
  await till.look()
  expect(await till.state(order)).toBe('failed (expired) none 0/0')
  expect(await till.told(order)).toContain('order.failed')
  till.devnet.send(spend.raw)
  await till.mine(3)
  expect(await till.state(order)).toBe('full_confirmed exact 1000/1000')
  await till.expectSound()
})

test('part-paid at expiry: keeps its level, verdict underpaid, told, and a person hears of it', async () => {
  const till = await Till.open()
  const order = await till.order({ amount: 1000 })
  till.pay('a', [order, 600])
  await till.mine(2)
  till.now += HOUR
  await till.look()
  expect(await till.state(order)).toBe('confirmed underpaid 600/0')
  expect(count(await till.told(order), 'order.expired')).toBe(1)
  expect(await till.told(order)).not.toContain('order.failed')
  expect(await till.alerts('discrepancy')).toHaveLength(1)
})

test('late money is credited, reported, and never reopens the order at its old price (D12)', async () => {
  const till = await Till.open()
  const order = await till.order({ amount: 1000, customer: 'ann' })
  till.now += HOUR + 1
  till.pay('a', [order, 1000])
  await till.look()
  await till.mine(6)
  expect(await till.state(order)).toBe('failed (expired) exact late 1000/1000')
  expect(count(await till.told(order), 'order.late_payment')).toBe(1)
  expect(await till.told(order)).not.toContain('order.confirmed')
  expect(await till.alerts()).toEqual(['late_payment'])
  expect(await till.engine.ledger.accounts('owed/', undefined, 9)).toMatchObject([
    { account: 'owed/ann', credits: 1000n },
  ])
  await till.expectSound()
})

test('paid in time while we were away: a block of that time proves it (D25)', async () => {
  const till = await Till.open()
  const order = await till.order({ amount: 1000 })
  till.pay('a', [order, 1000])
  till.now += 30 * MINUTE
  till.devnet.mine(1)
  till.now += 5 * HOUR
  await till.look()
  expect(await till.state(order)).toBe('confirmed exact 1000/0')
  expect(await till.told(order)).not.toContain('order.failed')
  expect(await till.alerts()).toEqual([])
})

test('an order that has expired in the books is not reopened by a block that claims an earlier time (D25)', async () => {
  const till = await Till.open()
  const order = await till.order({ amount: 1000 })
  till.now += HOUR + MINUTE
  await till.look()
  expect(await till.state(order)).toBe('failed (expired) none 0/0')
  // Never in a mempool we saw, and mined by somebody whose clock is an hour behind.
  till.pay('a', [order, 1000])
  till.now -= HOUR
  till.devnet.mine(1)
  till.now += HOUR
  await till.look()
  await till.mine(3)
  expect(await till.state(order)).toBe('failed (expired) exact late 1000/1000')
  expect(await till.alerts()).toEqual(['late_payment'])
})

test('a block that claims a later time than ours proves nothing against the payer', async () => {
  const till = await Till.open()
  const order = await till.order({ amount: 1000 })
  till.now += HOUR - 1000
  till.pay('a', [order, 1000])
  // Core lets a block be two hours ahead; the devnet's miner has another clock.
  till.now += 90 * MINUTE
  till.devnet.mine(1)
  till.now -= 90 * MINUTE
  await till.look()
  expect((await till.payments(order))[0]).toMatchObject({ late: false, firstSeenAt: till.now })
})

test('a fee bump after the time is up keeps the place of the payment in time', async () => {
  const till = await Till.open()
  const [same, more] = [await till.order({ amount: 1000 }), await till.order({ amount: 2000 })]
  till.pay('a', [same, 1000])
  till.pay('b', [more, 600])
  await till.look()
  till.now += 2 * HOUR
  await till.look()
  till.pay('a', [same, 1000])
  // This one is no bump: it pays a price of two hours ago.
  till.pay('b', [more, 2000])
  await till.mine(3)
  expect(await till.state(same)).toBe('full_confirmed exact 1000/1000')
  expect(await till.told(same)).not.toContain('order.failed')
  expect(await till.state(more)).toBe('failed (expired) exact late 2000/2000')
  expect(await till.alerts('late_payment')).toHaveLength(1)
  await till.expectSound()
})

test('expiry waits while the node does not answer or is degraded', async () => {
  let headers = 0
  const till = await Till.open({
    between: (source) => ({
      ...source,
      info: async () => {
        const info = await source.info()
        return { ...info, headers: info.headers + headers }
      },
    }),
  })
  const order = await till.order({ amount: 1000 })
  till.now += 2 * HOUR
  till.source.down = true
  await expect(till.look()).rejects.toMatchObject({ code: 'NODE_UNREACHABLE' })
  till.source.down = false
  headers = 3
  expect(await till.look()).toMatchObject({ degraded: 'node_behind_its_headers', expired: 0 })
  expect(await till.state(order)).toBe('pending none 0/0')
  headers = 0
  expect((await till.look()).expired).toBe(1)
})

test('cancelling: only what nobody paid, once, with the actor in the trail', async () => {
  const till = await Till.open()
  const { orders } = till.engine
  const [free, paid] = [await till.order({ amount: 1000 }), await till.order({ amount: 1000 })]
  till.pay('a', [paid, 1000])
  await till.look()
  expect(await orders.cancel(paid.id, 'operator:ann')).toMatchObject({
    error: { code: 'ORDER_HAS_PAYMENTS', param: 'order' },
  })
  expect((await orders.cancel(free.id, 'operator:ann')).ok).toBe(true)
  expect(await orders.cancel(free.id, 'operator:ann')).toMatchObject({
    error: { code: 'ORDER_ALREADY_CLOSED' },
  })
  expect(await orders.cancel('ord_none' as OrderId, 'operator:ann')).toMatchObject({
    error: { code: 'ORDER_NOT_FOUND' },
  })
  expect(await till.state(free)).toBe('failed (cancelled) none 0/0')
  expect(await till.told(free)).toEqual(['order.created', 'order.failed', 'order.cancelled'])
  expect(count(await till.audited(), 'operator:ann order.cancelled')).toBe(1)
  till.now += 2 * HOUR
  expect((await till.look()).expired).toBe(1)
})

test('money for a cancelled order is credited and reported, also when its block is older than the cancelling', async () => {
  const till = await Till.open()
  const [a, b] = [await till.order({ amount: 1000 }), await till.order({ amount: 1000 })]
  till.pay('a', [a, 1000])
  till.devnet.mine(1)
  till.now += 10 * MINUTE
  for (const { id } of [a, b]) await till.engine.orders.cancel(id, 'operator:ann')
  till.pay('b', [b, 1000])
  await till.mine(3)
  expect(await till.state(a)).toBe('failed (cancelled) exact late 1000/1000')
  expect(await till.state(b)).toBe('failed (cancelled) exact late 1000/1000')
  expect(await till.alerts()).toEqual(['late_payment', 'late_payment'])
  await till.expectSound()
})

test('a payment that had left before the cancelling and returns after it is reported', async () => {
  const till = await Till.open()
  const order = await till.order({ amount: 1000 })
  const spend = till.pay('a', [order, 1000])
  await till.look()
  till.devnet.evict(spend.txid)
  await till.look()
  expect((await till.engine.orders.cancel(order.id, 'operator:ann')).ok).toBe(true)
  till.devnet.send(spend.raw)
  await till.mine(3)
  expect(await till.state(order)).toBe('failed (cancelled) exact 1000/1000')
  expect(await till.alerts()).toEqual(['late_payment'])
})

test('settling by hand: the order is done, the books keep saying what really came', async () => {
  const till = await Till.open()
  const { orders } = till.engine
  const order = await till.order({ amount: 1000 })
  till.pay('a', [order, 900])
  await till.mine(1)
  for (const [by, reason] of [
    ['', 'cash'],
    ['ann', ''],
    ['ann', 'x'.repeat(501)],
  ] as const)
    expect(await orders.settle(order.id, by, reason)).toMatchObject({
      error: { code: 'ORDER_REASON_MISSING' },
    })
  expect((await orders.settle(order.id, 'ann', 'rest in cash')).ok).toBe(true)
  expect(await till.state(order)).toBe('finalized underpaid 900/0')
  expect(await orders.settle(order.id, 'ann', 'again')).toMatchObject({
    error: { code: 'ORDER_ALREADY_CLOSED' },
  })
  await till.mine(5)
  expect(await till.state(order)).toBe('finalized underpaid 900/900')
  expect(count(await till.told(order), 'order.finalized')).toBe(1)
  expect(count(await till.told(order), 'order.settled')).toBe(1)
  expect(count(await till.audited(), 'operator:ann order.settled')).toBe(1)
  expect((await till.explain(order.id)).because).toContain(
    'ann settled the order by hand: rest in cash',
  )
  till.now += 2 * HOUR
  expect((await till.look()).expired).toBe(0)
})

test('settling what is final already tells its level no second time', async () => {
  const till = await Till.open()
  const order = await till.order({ amount: 1000 })
  till.pay('a', [order, 900])
  await till.mine(6)
  expect(await till.state(order)).toBe('finalized underpaid 900/900')
  expect((await till.engine.orders.settle(order.id, 'ann', 'good enough')).ok).toBe(true)
  expect(count(await till.told(order), 'order.finalized')).toBe(1)
})

test('a settled order whose payment is reorganised away stays settled; the credit is reversed and reported', async () => {
  const till = await Till.open()
  const order = await till.order({ amount: 1000 })
  const spend = till.pay('a', [order, 900])
  await till.mine(3)
  await till.engine.orders.settle(order.id, 'ann', 'good enough')
  till.devnet.reorg(3, { drop: [spend.txid] })
  await till.look()
  expect(await till.state(order)).toBe('finalized none 0/0')
  expect(await till.alerts('deposit_reversed')).toHaveLength(1)
  expect(count(await till.told(order), 'payment.reversed')).toBe(1)
  await till.expectSound()
})

test('after settling, the address takes nothing more for the order', async () => {
  const till = await Till.open()
  const order = await till.order({ amount: 1000 })
  await till.engine.orders.settle(order.id, 'ann', 'paid in cash')
  till.pay('a', [order, 1000])
  await till.mine(3)
  expect(await till.state(order)).toBe('finalized none 0/0')
  expect(await till.balance()).toMatchObject({ unassigned: 1000n })
  expect(await till.alerts()).toEqual(['address_reuse'])
})

test('the same external id is the same order, and another body is refused', async () => {
  const till = await Till.open()
  const ask = { amount: 1000, externalId: 'cart 1', metadata: { a: '1', b: '2' } }
  const [first, again] = await Promise.all([till.order(ask), till.order(ask)])
  expect(again).toEqual(first)
  expect(await till.order({ ...ask, metadata: { b: '2', a: '1' } })).toEqual(first)
  expect(count(await till.told(), 'order.created')).toBe(1)
  const other = { wallet: till.wallet, externalId: 'cart 1', amount: sat(1001n) }
  expect(await till.engine.orders.create(other, 'operator:test')).toMatchObject({
    error: { code: 'ORDER_EXTERNAL_ID_REUSED', details: { order: first.id } },
  })
  expect(await till.engine.orders.byExternalId('cart 1')).toEqual(first)
})
