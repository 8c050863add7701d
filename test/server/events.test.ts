import type { WalletId } from '@kaccy/bitcoin/kernel'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { Served } from './served.ts'

let served: Served
let other: WalletId
beforeAll(async () => {
  served = await Served.open()
  other = await served.till.register({ account: 1 })
  for (let i = 0; i < 3; i++) {
    const order = await served.till.order({ amount: 10_000 })
    served.till.pay(`payer ${i}`, [order, 10_000])
    await served.till.mine(1)
    await served.till.order({ wallet: other, amount: 20_000 })
  }
})
afterAll(() => served.close())

interface Told {
  readonly seq: number
  readonly type: string
  readonly data: { readonly wallet?: string }
}
/** Follows the cursor until there is nothing more. */
async function follow(query: string, token = served.admin) {
  const events: Told[] = []
  let pages = 0
  for (let after = '0'; ; pages++) {
    const { status, json } = await served.call('GET', `/v1/events?after=${after}&${query}`, {
      token,
    })
    expect(status).toBe(200)
    events.push(...json.data)
    expect(Number(json.next)).toBeGreaterThanOrEqual(Number(after))
    after = json.next
    if (!json.has_more) return { events, pages: pages + 1, after }
  }
}

test('every event comes once and in order, page by page', async () => {
  const { events } = await follow('limit=3')
  const all = await served.till.allEvents()
  expect(events.map(({ seq }) => seq)).toEqual(all.map((_, i) => i + 1))
  expect(events[0]).toMatchObject({ id: 'evt_1', subject: all[0]?.subject })
})

test('types and areas are chosen, and the cursor moves over the others', async () => {
  const { events: created } = await follow('types=order.created&limit=2')
  expect(created).toHaveLength(6)
  const { events: some, after } = await follow('types=order.created,payment.*&limit=2')
  const types = new Set(some.map(({ type }) => type))
  expect(types.has('order.created')).toBe(true)
  expect([...types].every((type) => type === 'order.created' || type.startsWith('payment.'))).toBe(
    true,
  )
  const { json } = await served.call('GET', `/v1/events?after=${after}&types=payment.*`)
  expect(json.data).toEqual([])
  const order = await served.till.order({ amount: 15_000 })
  const { events: mine } = await follow(`subject=${order.id}`)
  expect(mine.map(({ type }) => type)).toEqual(['order.created'])
})

test('a key sees what its scopes and wallets let it see', async () => {
  const orders = await served.key(['events:read', 'orders:read'])
  const { events: ofOrders } = await follow('limit=4', orders)
  expect(ofOrders.length).toBeGreaterThan(6)
  expect(ofOrders.every(({ type }) => type.startsWith('order.'))).toBe(true)
  const wallet = await served.key(
    ['events:read', 'orders:read', 'payments:read', 'chain:read'],
    [other],
  )
  const { events: ofWallet } = await follow('limit=4', wallet)
  expect(ofWallet.filter(({ type }) => type === 'order.created')).toHaveLength(3)
  expect(
    ofWallet.every(({ type, data }) => type.startsWith('chain.') || data.wallet === other),
  ).toBe(true)
  const { events: nothing } = await follow('', await served.key(['events:read']))
  expect(nothing).toEqual([])
  const no = await served.call('GET', '/v1/events', { token: await served.key(['orders:read']) })
  expect([no.status, no.json.code]).toEqual([403, 'SCOPE_MISSING'])
})

test('a long gap of what may not be seen is crossed in a bounded number of pages', async () => {
  const { till } = served
  const many = Array.from({ length: 4_500 }, (_, i) => ({
    type: 'test.gap',
    subject: `gap ${i}`,
    data: {},
  }))
  await till.store.transact((tx) => tx.events.append(till.now, many))
  const order = await till.order({ amount: 15_000 })
  const token = await served.key(['events:read', 'orders:read'])
  const { events, pages } = await follow('limit=100', token)
  expect(events.at(-1)).toMatchObject({ type: 'order.created', subject: order.id })
  expect(pages).toBeLessThan(6)
  const head = (await till.allEvents()).at(-1)?.seq
  expect((await follow('limit=100', token)).after).toBe(String(head))
})

test('a number that was never given out is of another database, and nothing is passed over in silence', async () => {
  const { after: head } = await follow('limit=100')
  const same = await served.call('GET', `/v1/events?after=${head}`)
  expect([same.status, same.json.data, same.json.next]).toEqual([200, [], head])
  const beyond = await served.call('GET', `/v1/events?after=${Number(head) + 1}`)
  expect([beyond.status, beyond.json.code, beyond.json.param]).toEqual([
    400,
    'FIELD_INVALID',
    'after',
  ])
})

test.each([
  'after=-1',
  'after=1e3',
  'after=evt_1',
  'limit=101',
  'types=',
  'types=order',
  'types=*.created',
  'subject=',
  'since=1',
])('%s is refused', async (query) => {
  const { status, json } = await served.call('GET', `/v1/events?${query}`)
  expect(status).toBe(400)
  expect(json.param).toBe(query.split('=')[0])
})
