import type { OrderId, WalletId } from '@kaccy/bitcoin/kernel'
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

const codeOf = (answer: {
  readonly status: number
  readonly json: { code: string; param?: string }
}) =>
  `${answer.status} ${answer.json.code}${answer.json.param === undefined ? '' : ` ${answer.json.param}`}`

test('the same external id gives the same order, and other contents are refused', async () => {
  const first = await create({ amount_sat: 5_000, external_id: 'once' })
  const second = await create({ amount_sat: 5_000, external_id: 'once' })
  expect([first.status, second.status]).toEqual([201, 200])
  expect(second.json).toEqual(first.json)
  const third = await create({ amount_sat: 6_000, external_id: 'once' })
  expect(codeOf(third)).toBe('409 ORDER_EXTERNAL_ID_REUSED external_id')
  expect(third.json.facts).toEqual({ order: first.json.id })
})

test('a key that is sent again gets the first answer, also beside itself; with another body it is refused', async () => {
  const headers = { 'idempotency-key': 'try-1' }
  const body = { amount_sat: 7_000, metadata: { n: '1' } }
  const answers = await Promise.all(Array.from({ length: 8 }, () => create(body, { headers })))
  const made = answers.filter(({ status }) => status === 201)
  expect(new Set(made.map(({ json }) => json.id)).size).toBe(1)
  for (const { status, json, headers: got } of answers)
    if (status !== 201) {
      expect([status, json.code]).toEqual([409, 'IDEMPOTENCY_IN_FLIGHT'])
      expect(got.get('retry-after')).toBe('1')
    }
  const again = await create(body, { headers })
  expect(again.headers.get('idempotent-replayed')).toBe('true')
  expect(again.json).toEqual(made[0]?.json)
  expect(codeOf(await create({ amount_sat: 7_001 }, { headers }))).toBe(
    '409 IDEMPOTENCY_CONFLICT idempotency_key',
  )
  const bad = { headers: { 'idempotency-key': 'try-2' } }
  expect((await create({ amount_sat: 1 }, bad)).status).toBe(400)
  expect((await create({ amount_sat: 1_000 }, bad)).status).toBe(201)
})

test.each([
  [{ amount_sat: 1 }, '400 ORDER_AMOUNT_DUST amount_sat'],
  [{ amount_sat: 0 }, '400 FIELD_INVALID amount_sat'],
  [{ amount_sat: '1000' }, '400 FIELD_INVALID amount_sat'],
  [{ amount_sat: 2_100_000_000_000_001 }, '400 FIELD_INVALID amount_sat'],
  [{ amount: 1 }, '400 FIELD_UNKNOWN amount'],
  [{ metadata: { a: 1 } }, '400 FIELD_INVALID metadata.a'],
  [{ metadata: { ['k'.repeat(41)]: 'v' } }, '400 ORDER_METADATA_INVALID metadata'],
  [{ expires_in: 59 }, '400 FIELD_INVALID expires_in'],
  [{ customer: 'a/b' }, '400 ORDER_CUSTOMER_INVALID customer'],
  [{ external_id: '' }, '400 ORDER_EXTERNAL_ID_INVALID external_id'],
  [{ tolerance: { sat: 5 } }, '400 ORDER_TOLERANCE_INVALID tolerance'],
  [{ amount_sat: 1_000, tolerance: { sat: 5, ppm: 5 } }, '400 FIELD_UNKNOWN tolerance.ppm'],
  [
    { confirmations: { confirmed: 5, full_confirmed: 2 } },
    '400 ORDER_THRESHOLDS_INVALID confirmations',
  ],
  [{ confirmations: { credited: 5 } }, '400 FIELD_UNKNOWN confirmations.credited'],
  [{ wallet: 'wal_00000000000000000000000000000000' }, '404 WALLET_NOT_FOUND wallet'],
  [{ wallet: 'wallet' }, '400 FIELD_INVALID wallet'],
  [
    { amount_sat: 1_000, price: { currency: 'EUR', amount: '1' } },
    '400 ORDER_AMOUNT_CONFLICT price',
  ],
  [{ price: { currency: 'EUR', amount: '1e3' } }, '400 ORDER_PRICE_INVALID price'],
  [{ price: { currency: 'CHF', amount: '1' } }, '503 RATE_UNAVAILABLE price'],
])('%j is refused with %s', async (body, expected) => {
  expect(codeOf(await create(body))).toBe(expected)
})

test('a price becomes satoshi at the rate of now, which stays with the order', async () => {
  const made = await create({ price: { currency: 'EUR', amount: '19.90' } })
  expect(made.json.amount_sat).toBe(39_800)
  expect(made.json.price).toMatchObject({ currency: 'EUR', amount: '19.90', rate: '50000.00' })
  expect(made.json.price.at).toMatch(/^2026-/)
})

test('without an amount it is an open address that does not expire', async () => {
  const { json } = await create({})
  expect(json).toMatchObject({ amount_sat: null, expires_at: null, price: null, missing_sat: 0 })
  expect(json.bip21).toBe(`bitcoin:${json.address}`)
})

test('pages hold every order once while new ones come', async () => {
  const mine = `&customer=pager`
  const made: string[] = []
  const add = async () => {
    served.till.now += 1_000
    made.push((await create({ customer: 'pager' })).json.id)
  }
  for (let i = 0; i < 7; i++) await add()
  const before = [...made].reverse()
  const seen: string[] = []
  let next: string | null = ''
  while (next !== null) {
    const after: string = next === '' ? '' : `&after=${next}`
    const page = await served.call('GET', `/v1/orders?limit=3${mine}${after}`)
    seen.push(...page.json.data.map(({ id }: { id: string }) => id))
    next = page.json.next
    expect(page.json.has_more).toBe(next !== null)
    await add()
  }
  expect(seen).toEqual(before)
  for (const bad of ['limit=0', 'limit=101', 'limit=1e1', 'after=x', 'after=', 'metadata=colour'])
    expect((await served.call('GET', `/v1/orders?${bad}`)).json.code).toBe('FIELD_INVALID')
  for (const bad of [
    '2026-02-30T00:00:00Z',
    '2026-01-01',
    '2026-01-01T00:00:00',
    '2026-01-01T24:00:00Z',
  ])
    expect(codeOf(await served.call('GET', `/v1/orders?created_from=${bad}`))).toBe(
      '400 FIELD_INVALID created_from',
    )
})

test('cancelling and settling are decisions in the name of the key', async () => {
  const { json: order } = await create({ amount_sat: 9_000 })
  const path = `/v1/orders/${order.id}`
  expect(codeOf(await served.call('POST', `${path}/settle`, { body: { reason: '' } }))).toBe(
    '400 ORDER_REASON_MISSING reason',
  )
  const token = await served.key(['orders:write'])
  const headers = { 'idempotency-key': 'settle' }
  const settle = () =>
    served.call('POST', `${path}/settle`, { token, headers, body: { reason: 'paid in cash' } })
  const settled = await settle()
  expect(settled.json.settled.reason).toBe('paid in cash')
  expect(settled.json.settled.by).toMatch(/^api:key_/)
  expect((await settle()).json).toEqual(settled.json)
  expect(codeOf(await served.call('POST', `${path}/cancel`))).toBe('409 ORDER_ALREADY_CLOSED order')
  const [entry] = await served.till.engine.audit.list({ action: 'order.settled', limit: 1 })
  expect(entry?.actor).toBe(settled.json.settled.by)

  const { json: idle } = await create({ amount_sat: 9_000 })
  const odd = await served.call('POST', `/v1/orders/${idle.id}/cancel`, { body: { reason: 'x' } })
  expect(codeOf(odd)).toBe('400 FIELD_UNKNOWN reason')
  expect(codeOf(await served.call('POST', `${path}/settle`))).toBe('400 FIELD_INVALID reason')
  const none = await served.call('POST', `/v1/orders/${idle.id}/cancel`, { raw: 'null' })
  expect(codeOf(none)).toBe('400 FIELD_INVALID')
  const cancelled = await served.call('POST', `/v1/orders/${idle.id}/cancel`, { body: {} })
  expect(cancelled.json).toMatchObject({ status: 'failed', failure_reason: 'cancelled' })
})

test('the code is an image of the link', async () => {
  const { json: order } = await create({ amount_sat: 9_000 })
  const code = await served.call('GET', `/v1/orders/${order.id}/qr.svg`)
  expect(code.headers.get('content-type')).toBe('image/svg+xml; charset=utf-8')
  expect(code.text).toMatch(/^<svg /)
})

test('to a key that is limited to wallets other orders do not exist', async () => {
  const foreign = await served.call('POST', '/v1/orders', {
    body: { wallet: other, amount_sat: 9_000, external_id: 'theirs' },
  })
  const { id, address } = foreign.json
  const lost = 'ord_00000000000000000000000000000000'
  const asked = async (method: string, path: string, body?: object) => {
    const answer = await served.call(method, path, { token: narrow, ...(body ? { body } : {}) })
    expect(answer.status).toBe(404)
    return answer.text.replaceAll(/ord_\w+|wal_\w+|req_\w+/g, 'x')
  }
  for (const [method, rest, body] of [
    ['GET', ''],
    ['GET', '/explain'],
    ['GET', '/qr.svg'],
    ['POST', '/cancel'],
    ['POST', '/settle', { reason: 'mine' }],
  ] as const) {
    const theirs = await asked(method, `/v1/orders/${id}${rest}`, body)
    expect(theirs).toBe(await asked(method, `/v1/orders/${lost}${rest}`, body))
  }
  const into = (wallet: string) => asked('POST', '/v1/orders', { wallet, amount_sat: 9_000 })
  expect(await into(other)).toBe(await into('wal_00000000000000000000000000000000'))
  const list = async (query: string) =>
    (await served.call('GET', `/v1/orders?${query}`, { token: narrow })).json.data
  expect(await list(`address=${address}`)).toEqual([])
  expect(await list(`wallet=${other}`)).toEqual([])
  expect(await list('external_id=theirs')).toEqual([])
  for (const order of await list('limit=100')) expect(order.wallet).toBe(served.till.wallet)
  const reused = await create({ amount_sat: 9_000, external_id: 'theirs' }, { token: narrow })
  expect(codeOf(reused)).toBe('409 ORDER_EXTERNAL_ID_REUSED external_id')
  expect(reused.text).not.toContain(id)
})
