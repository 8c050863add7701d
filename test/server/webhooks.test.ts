import { createHash } from 'node:crypto'
import type { WalletId } from '@kaccy/bitcoin/kernel'
import { deliveryId, type DeliveryRecord, parseWebhookSecret } from '@kaccy/bitcoin/webhooks'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { Served } from './served.ts'

let served: Served
let other: WalletId
beforeAll(async () => {
  served = await Served.open()
  other = await served.till.register({ account: 1 })
})
afterAll(() => served.close())

const URL_ = 'https://shop.example/hooks'
const create = (body: object = {}, more: object = {}) =>
  served.call('POST', '/v1/webhooks', {
    body: { url: URL_, event_types: ['order.*'], ...body },
    ...more,
  })
const codeOf = ({ status, json }: { status: number; json: { code: string; param?: string } }) =>
  `${status} ${json.code}${json.param === undefined ? '' : ` ${json.param}`}`

const delivered = (webhook: string, number: number): DeliveryRecord => ({
  id: deliveryId(webhook, number),
  webhook,
  number,
  seq: 100 + number,
  type: 'order.created',
  attempt: 1,
  at: served.till.now + number,
  durationMs: 12.4,
  outcome: number % 2 === 0 ? 'delivered' : 'failed',
  url: URL_,
  body: `{"seq":${100 + number}}`,
  bodyHash: createHash('sha256').update(`${number}`).digest('hex'),
  ...(number % 2 === 0 ? { status: 200, answer: 'thanks' } : { error: 'nobody answers' }),
})

test('a webhook is made, shown without its secret, changed, paused, resumed and removed', async () => {
  const made = await create({ description: 'shop', metadata: { env: 'x' } })
  expect(made.status).toBe(201)
  const { secret, ...webhook } = made.json
  expect(parseWebhookSecret(secret).ok).toBe(true)
  expect(made.headers.get('location')).toBe(`/v1/webhooks/${webhook.id}`)
  expect(webhook).toMatchObject({
    status: 'active',
    event_types: ['order.*'],
    metadata: { env: 'x' },
  })
  const path = `/v1/webhooks/${webhook.id}`
  const got = await served.call('GET', path)
  expect(got.json).toEqual(webhook)
  const changed = await served.call('PATCH', path, {
    body: { event_types: ['*'], url: `${URL_}/2` },
  })
  expect(changed.json).toMatchObject({ event_types: ['*'], url: `${URL_}/2`, description: 'shop' })
  const paused = await served.call('POST', `${path}/pause`)
  expect(paused.json).toMatchObject({ status: 'paused', paused_reason: 'operator' })
  expect((await served.call('GET', '/v1/webhooks?status=paused')).json.data).toEqual([paused.json])
  expect((await served.call('POST', `${path}/resume`)).json.status).toBe('active')
  const replay = await served.call('POST', `${path}/replay`, { body: { from_seq: 2 } })
  expect(replay.json.cursor).toBe(1)
  const far = await served.call('POST', `${path}/replay`, { body: { from_seq: 999_999 } })
  expect(codeOf(far)).toBe('400 FIELD_INVALID from_seq')
  const removed = await served.call('DELETE', path)
  expect([removed.status, removed.text]).toEqual([204, ''])
  expect(codeOf(await served.call('GET', path))).toBe('404 WEBHOOK_NOT_FOUND webhook')
  expect(codeOf(await served.call('DELETE', path))).toBe('404 WEBHOOK_NOT_FOUND webhook')
})

test('a secret is rotated with an overlap, and a repeated request does not show it', async () => {
  const headers = { 'idempotency-key': 'w1' }
  const first = await create({}, { headers })
  const again = await create({}, { headers })
  expect(again.json).toEqual({ ...first.json, secret: null })
  const path = `/v1/webhooks/${first.json.id}/rotate`
  const rotated = await served.call('POST', path, { body: { overlap: 3_600 } })
  expect(rotated.json.secret).not.toBe(first.json.secret)
  expect(rotated.json.secrets).toHaveLength(2)
  expect(rotated.json.secrets[0].expires_at).toBe(null)
  expect(Date.parse(rotated.json.secrets[1].expires_at)).toBe(served.till.now + 3_600_000)
  const atOnce = await served.call('POST', path, { body: { overlap: 0 } })
  expect(atOnce.json.secrets).toHaveLength(1)
  expect(codeOf(await served.call('POST', path, { body: { overlap: 2_592_001 } }))).toBe(
    '400 FIELD_INVALID overlap',
  )
})

test.each([
  [{ url: 'http://shop.example/' }, '400 WEBHOOK_URL_REFUSED url'],
  [{ url: 'https://10.0.0.1/' }, '400 WEBHOOK_URL_REFUSED url'],
  [{ url: 'https://user:pass@shop.example/' }, '400 WEBHOOK_URL_REFUSED url'],
  [{ url: 'nothing' }, '400 WEBHOOK_URL_REFUSED url'],
  [{ event_types: [] }, '400 FIELD_INVALID event_types'],
  [{ event_types: ['*.created'] }, '400 FIELD_INVALID event_types[0]'],
  [{ secret: 'whsec_short' }, '400 WEBHOOK_SECRET_INVALID secret'],
  [{ grant: {} }, '400 FIELD_UNKNOWN grant'],
])('%j is refused with %s', async (body, expected) => {
  const answer = await create(body)
  expect(codeOf(answer)).toBe(expected)
  expect(answer.text).not.toContain('pass')
})

test('the log of deliveries has bodies and answers, newest first', async () => {
  const { json: webhook } = await create()
  const { store } = served.till
  await store.transact(async (tx) => {
    for (let number = 1; number <= 5; number++) await tx.webhooks.log(delivered(webhook.id, number))
  })
  const path = `/v1/webhooks/${webhook.id}/deliveries`
  const page = await served.call('GET', `${path}?limit=2`)
  await store.transact((tx) => tx.webhooks.log(delivered(webhook.id, 6)))
  const rest = await served.call('GET', `${path}?limit=3&after=${page.json.next}`)
  const numbers = [...page.json.data, ...rest.json.data].map(({ number }) => number)
  expect(numbers).toEqual([5, 4, 3, 2, 1])
  expect([rest.json.has_more, rest.json.next]).toEqual([false, null])
  const [failed, good] = page.json.data
  expect(failed).toMatchObject({
    outcome: 'failed',
    status: null,
    answer: null,
    error: 'nobody answers',
  })
  expect(good).toMatchObject({
    outcome: 'delivered',
    status: 200,
    answer: 'thanks',
    event: 'evt_104',
  })
  expect((await served.call('GET', `/v1/deliveries/${good.id}`)).json).toEqual(good)
  for (const id of ['dlv_x', deliveryId(webhook.id, 99)])
    expect(codeOf(await served.call('GET', `/v1/deliveries/${id}`))).toBe('404 NOT_FOUND delivery')
})

test('what a key has left behind is found by who made it', async () => {
  const token = await served.key(['webhooks:write', 'events:read', 'orders:read'])
  const { json } = await create({ event_types: ['order.created'] }, { token })
  await create()
  const list = await served.call('GET', `/v1/webhooks?created_by=${json.created_by}`)
  expect(list.json.data.map(({ id }: { id: string }) => id)).toEqual([json.id])
})

test('a key sees webhooks that show nothing which it may not see, and gives them no more', async () => {
  const token = await served.key(
    ['webhooks:read', 'webhooks:write', 'events:read', 'orders:read'],
    [served.till.wallet],
  )
  const mine = await create({}, { token })
  expect(mine.json.wallets).toEqual([served.till.wallet])
  expect(mine.json.scopes).not.toContain('admin')
  const wider = await served.key(
    ['webhooks:read', 'webhooks:write', 'events:read', 'orders:read'],
    [other],
  )
  const foreign = await create({}, { token: wider })
  const { json: operator } = await create()
  for (const { id } of [foreign.json, operator]) {
    await served.till.store.transact((tx) => tx.webhooks.log(delivered(id, 1)))
    for (const [method, rest, body] of [
      ['GET', ''],
      ['PATCH', '', { url: URL_ }],
      ['DELETE', ''],
      ['GET', '/deliveries'],
      ['POST', '/pause'],
      ['POST', '/resume'],
      ['POST', '/replay', { from_seq: 1 }],
      ['POST', '/rotate', {}],
    ] as const) {
      const call = { token, ...(body ? { body } : {}) }
      const answer = await served.call(method, `/v1/webhooks/${id}${rest}`, call)
      expect([method, rest, codeOf(answer)]).toEqual([
        method,
        rest,
        '404 WEBHOOK_NOT_FOUND webhook',
      ])
    }
    const one = await served.call('GET', `/v1/deliveries/${deliveryId(id, 1)}`, { token })
    expect(codeOf(one)).toBe('404 NOT_FOUND delivery')
  }
  const list = await served.call('GET', '/v1/webhooks?limit=1', { token })
  const ids: string[] = list.json.data.map(({ id }: { id: string }) => id)
  expect(ids.every((id) => id === mine.json.id)).toBe(true)
  const all = await served.call('GET', '/v1/webhooks?limit=100', { token })
  expect(all.json.data.map(({ id }: { id: string }) => id)).toEqual([mine.json.id])
})
