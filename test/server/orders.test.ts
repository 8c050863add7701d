import { type OrderId, sat, type WalletId } from '@kaccy/bitcoin/kernel'
import { fixedRates } from '@kaccy/bitcoin/deposits'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { Served } from './served.ts'

let served: Served
let other: WalletId
/** May see the first wallet only. */
let narrow: string
beforeAll(async () => {
  served = await Served.open({
    till: { rates: fixedRates({ EUR: '50000.00' }) },
    settings: { publicUrl: 'https://pay.example/' },
  })
  other = await served.till.register({ account: 1 })
  narrow = await served.key(['orders:read', 'orders:write'], [served.till.wallet])
})
afterAll(() => served.close())

const create = (body: object, more: object = {}) =>
  served.call('POST', '/v1/orders', { body: { wallet: served.till.wallet, ...body }, ...more })

test('an order is made, found by everything it has, paid and explained', async () => {
  const made = await create({
    amount_sat: 150_000,
    external_id: 'cart 4711/ü',
    customer: 'ann',
    expires_in: 900,
    tolerance: { ppm: 1000 },
    confirmations: { full_confirmed: 2 },
    description: 'two chairs',
    metadata: { colour: 'red:ish' },
  })
  expect(made.status).toBe(201)
  const { json: order } = made
  expect(made.headers.get('location')).toBe(`/v1/orders/${order.id}`)
  expect(order).toMatchObject({
    wallet: served.till.wallet,
    amount_sat: 150_000,
    status: 'pending',
    missing_sat: 150_000,
    tolerance: { ppm: 1000 },
    confirmations: { confirmed: 1, full_confirmed: 2, finalized: 6 },
    pay_url: `https://pay.example/pay/${order.id}`,
    bip21: `bitcoin:${order.address}?amount=0.0015&message=two%20chairs`,
    metadata: { colour: 'red:ish' },
  })
  for (const query of [
    `address=${order.address}`,
    `external_id=${encodeURIComponent('cart 4711/ü')}`,
    'customer=ann',
    `metadata=${encodeURIComponent('colour:red:ish')}`,
    `wallet=${served.till.wallet}&status=pending&created_from=2026-01-01T00:00:00Z&created_until=2036-01-01T00:00:00%2B01:00`,
  ]) {
    const found = await served.call('GET', `/v1/orders?${query}`)
    expect([query, found.json.data]).toEqual([query, [order]])
    expect(found.json).toMatchObject({ has_more: false, next: null })
  }
  for (const query of [
    'status=finalized',
    'customer=bob',
    'metadata=colour:blue',
    'created_until=2026-01-01T00:00:00Z',
  ])
    expect((await served.call('GET', `/v1/orders?${query}`)).json.data).toEqual([])

  const record = await served.till.engine.orders.get(order.id as OrderId)
  if (record) served.till.pay('payer', [record, 150_000])
  await served.till.look()
  await served.till.mine(2)
  const paid = await served.call('GET', `/v1/orders/${order.id}`)
  expect(paid.json).toMatchObject({
    status: 'full_confirmed',
    amount_verdict: 'exact',
    received_sat: 150_000,
    credited_sat: 150_000,
    missing_sat: 0,
  })
  const why = await served.call('GET', `/v1/orders/${order.id}/explain`)
  expect(why.json.order).toEqual(paid.json)
  expect(why.json.payments[0]).toMatchObject({
    counts: true,
    credited_at: 2,
    payment: { status: 'credited', confirmations: 2, order: order.id, amount_sat: 150_000 },
  })
  expect(why.json.payments[0].facts.map(({ kind }: { kind: string }) => kind)).toEqual([
    'seen',
    'mined',
  ])
  expect(why.json.because.length).toBeGreaterThan(0)
})
