import type { Rate, RateSource } from '@kaccy/bitcoin/deposits'
import { fixedRates } from '@kaccy/bitcoin/deposits'
import { sat } from '@kaccy/bitcoin/kernel'
import { expect, test } from 'vitest'
import { type Ask, START, Till } from './till.ts'

const EUR = { currency: 'EUR', amount: '19.90' }

/** A desk whose rate a test can move, with the number of times it was asked. */
function desk() {
  const box = { rate: { rate: '57000.00' } as Rate | undefined, asked: 0 }
  const rates: RateSource = {
    name: 'desk',
    async rate() {
      box.asked += 1
      return box.rate
    },
  }
  return { box, rates }
}
const create = (till: Till, more: Ask & { amount?: number } = {}) => {
  const { amount, ...rest } = more
  const input = {
    wallet: till.wallet,
    price: EUR,
    ...rest,
    ...(amount === undefined ? {} : { amount: sat(BigInt(amount)) }),
  }
  return till.engine.orders.create(input, 'operator:test')
}

test('a price becomes satoshi at the rate of the moment, and everything says how', async () => {
  const till = await Till.open({ rates: fixedRates({ EUR: '57000.00' }) })
  const created = await create(till)
  if (!created.ok) throw new TypeError(created.error.message)
  const { order } = created.value
  const price = { ...EUR, rate: '57000.00', source: 'fixed', at: START }
  expect(order).toMatchObject({ amount: 34_913n, price, expiresAt: START + 3_600_000 })
  expect(await till.get(order)).toEqual(order)
  const told = { ...price, at: new Date(START).toISOString() }
  const [event] = (await till.allEvents()).filter(({ type }) => type === 'order.created')
  expect(event?.data).toMatchObject({ amount_sat: 34_913, price: told })
  const [entry] = await till.engine.audit.list({ action: 'order.create', limit: 1 })
  expect(entry?.details).toMatchObject({ price: told })
  expect((await till.explain(order.id)).because).toContain(
    '19.90 EUR were 34913 sat at 57000.00 EUR for one bitcoin, by the rate source fixed at ',
  )
  till.pay('a', [order, 34_913])
  await till.mine(3)
  expect(await till.state(order)).toBe('full_confirmed exact 34913/34913')
  expect(await till.get(order)).toMatchObject({ price })
  await till.expectSound()
})

test('an order in satoshi has no price, and its events say so', async () => {
  const till = await Till.open({ rates: fixedRates({ EUR: '57000.00' }) })
  const order = await till.order({ amount: 5000 })
  expect(order).not.toHaveProperty('price')
  const [event] = (await till.allEvents()).filter(({ type }) => type === 'order.created')
  expect(event?.data).toMatchObject({ price: null })
})

test('the same external id and price at another rate is the same order, also when the desk has closed', async () => {
  const { box, rates } = desk()
  const till = await Till.open({ rates })
  const first = await create(till, { externalId: 'cart-1' })
  expect(first).toMatchObject({ ok: true, value: { created: true, order: { amount: 34_913n } } })
  box.rate = { rate: '60000.00' }
  const again = await create(till, { externalId: 'cart-1' })
  expect(again).toMatchObject({ ok: true, value: { created: false, order: { amount: 34_913n } } })
  const spelled = await create(till, { externalId: 'cart-1', price: { ...EUR, amount: '19.9' } })
  expect(spelled).toMatchObject({ ok: true, value: { created: false } })
  box.rate = undefined
  expect(await create(till, { externalId: 'cart-1' })).toMatchObject({ ok: true })
  expect(box.asked).toBe(1)
  const reused = { ok: false, error: { code: 'ORDER_EXTERNAL_ID_REUSED' } }
  box.rate = { rate: '60000.00' }
  const other = { ...EUR, amount: '19.91' }
  expect(await create(till, { externalId: 'cart-1', price: other })).toMatchObject(reused)
  const dollars = { ...EUR, currency: 'USD' }
  expect(await create(till, { externalId: 'cart-1', price: dollars })).toMatchObject(reused)
})

test('an amount in satoshi is another request than a price that comes to the same', async () => {
  const till = await Till.open({ rates: fixedRates({ EUR: '57000.00' }) })
  await create(till, { externalId: 'cart-1' })
  const inSat = { wallet: till.wallet, amount: sat(34_913n), externalId: 'cart-1' }
  expect(await till.engine.orders.create(inSat, 'operator:test')).toMatchObject({
    ok: false,
    error: { code: 'ORDER_EXTERNAL_ID_REUSED' },
  })
})

test('requests at the same moment, each at another rate, make one order', async () => {
  const { box, rates } = desk()
  let rate = 57_000
  const moving: RateSource = {
    name: rates.name,
    async rate(currency) {
      rate += 1
      box.rate = { rate: String(rate) }
      return rates.rate(currency)
    },
  }
  const till = await Till.open({ rates: moving })
  const all = await Promise.all(
    Array.from({ length: 20 }, () => create(till, { externalId: 'cart-1' })),
  )
  const orders = all.map((one) => (one.ok ? one.value : one.error.code))
  expect(new Set(orders.map((one) => (typeof one === 'string' ? one : one.order.id))).size).toBe(1)
  expect(orders.filter((one) => typeof one !== 'string' && one.created)).toHaveLength(1)
})

test('what cannot be priced is refused before anything is written', async () => {
  const { box, rates } = desk()
  const till = await Till.open({ rates, rateMaxAgeMs: 60_000 })
  const before = await till.told()
  const refusal = async (more: Parameters<typeof create>[1]) => {
    const answer = await create(till, more)
    return answer.ok ? 'made' : `${answer.error.code} ${answer.error.param}`
  }
  expect(await refusal({ amount: 5000 })).toBe('ORDER_AMOUNT_CONFLICT price')
  expect(await refusal({ price: { ...EUR, amount: '1e3' } })).toBe('ORDER_PRICE_INVALID price')
  expect(await refusal({ price: { ...EUR, amount: '0.01' } })).toBe('ORDER_AMOUNT_DUST amount_sat')
  box.rate = { rate: '57000', at: START - 60_001 }
  expect(await refusal({})).toBe('RATE_UNAVAILABLE price')
  box.rate = { rate: '57000', at: START - 60_000 }
  expect(await refusal({})).toBe('made')
  box.rate = undefined
  expect(await refusal({})).toBe('RATE_UNAVAILABLE price')
  expect(await till.told()).toEqual([...before, 'order.created'])
  const without = await Till.open()
  expect(await create(without)).toMatchObject({ error: { code: 'RATE_UNAVAILABLE' } })
})

test('a tolerance is held against the satoshi that the price comes to', async () => {
  const till = await Till.open({ rates: fixedRates({ EUR: '57000.00' }) })
  const most = { kind: 'absolute', sat: sat(34_912n) } as const
  expect(await create(till, { tolerance: most })).toMatchObject({ ok: true })
  const all = { kind: 'absolute', sat: sat(34_913n) } as const
  expect(await create(till, { tolerance: all })).toMatchObject({
    error: { code: 'ORDER_TOLERANCE_INVALID' },
  })
})
