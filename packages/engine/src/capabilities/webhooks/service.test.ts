import { expect, test } from 'vitest'
import { createMemoryStore } from '../../adapters/memory/index.ts'
import type { Once } from '../idempotency/index.ts'
import { EVERYTHING } from '../events/index.ts'
import {
  createWebhooks,
  deliveryId,
  parseDeliveryId,
  type WebhookInput,
  type WebhookRecord,
} from './index.ts'

const entropy = () => {
  let n = 0
  return { bytes: (length: number) => Uint8Array.from({ length }, () => (n++ * 89) % 241) }
}
function setUp() {
  const store = createMemoryStore()
  let now = 1_800_000_000_000
  const webhooks = createWebhooks({ store, clock: { now: () => now++ }, entropy: entropy() })
  const create = (more: Partial<WebhookInput> = {}, once?: Once<WebhookRecord>) =>
    webhooks.create(
      {
        url: 'https://Shop.example/hook',
        eventTypes: ['order.*', 'order.*'],
        grant: EVERYTHING,
        ...more,
      },
      'api:key_1',
      once,
    )
  const made = async (more: Partial<WebhookInput> = {}) => {
    const one = await create(more)
    if (!one.ok) throw new TypeError(one.error.message)
    return one.value
  }
  const trail = () => store.read((tx) => tx.audit.list({ limit: 99 }))
  const events = () => store.read((tx) => tx.events.list({ after: 0, limit: 99 }))
  return { store, webhooks, create, made, trail, events }
}

test('a webhook is created with its trail, its event and a secret that is shown once', async () => {
  const { made, webhooks, trail, events, store } = setUp()
  await store.transact((tx) => tx.events.append(1, [{ type: 'a.b', subject: 'c', data: {} }]))
  const { webhook, secret } = await made({ description: 'Shop', metadata: { a: 'b' } })
  expect(webhook).toMatchObject({
    url: 'https://shop.example/hook',
    eventTypes: ['order.*'],
    status: 'active',
    description: 'Shop',
    metadata: { a: 'b' },
    createdBy: 'api:key_1',
    cursor: 2,
  })
  expect(secret.reveal()).toMatch(/^whsec_[A-Za-z0-9+/]{43}=$/)
  const kept = await webhooks.get(webhook.id)
  expect(kept?.secrets.map((one) => one.secret.reveal())).toEqual([secret.reveal()])
  expect(JSON.stringify([kept, await trail(), await events()])).not.toContain(secret.reveal())
  expect(await trail()).toMatchObject([
    { actor: 'api:key_1', action: 'webhook.create', subject: webhook.id },
  ])
  expect((await events()).at(-1)).toMatchObject({
    type: 'webhook.created',
    subject: webhook.id,
    data: {
      webhook: webhook.id,
      url: 'https://shop.example/hook',
      status: 'active',
      by: 'api:key_1',
    },
  })
})

test('every change is in the trail and told', async () => {
  const { made, webhooks, trail, events } = setUp()
  const { id } = (await made()).webhook
  const by = 'operator:ann'
  await webhooks.update(id, { eventTypes: ['*'], description: 'x' }, by)
  await webhooks.pause(id, by)
  await webhooks.pause(id, by)
  await webhooks.resume(id, by)
  await webhooks.resume(id, by)
  await webhooks.rotate(id, undefined, by)
  await webhooks.replay(id, 1, by)
  await webhooks.remove(id, by)
  expect((await trail()).map(({ action }) => action.slice(8))).toEqual([
    'create',
    'update',
    'pause',
    'resume',
    'rotate',
    'replay',
    'remove',
  ])
  expect((await events()).map(({ type }) => type.slice(8))).toEqual([
    'created',
    'updated',
    'paused',
    'resumed',
    'rotated',
    'replayed',
    'removed',
  ])
  expect((await trail())[1]?.details).toMatchObject({ changed: ['event_types', 'description'] })
})

test('a removed one is unknown, and its secrets are forgotten', async () => {
  const { made, webhooks, store } = setUp()
  const { id } = (await made()).webhook
  await webhooks.remove(id, 'operator:ann')
  expect(await webhooks.get(id)).toBeUndefined()
  expect(await webhooks.list({ limit: 9 })).toEqual([])
  expect((await store.read((tx) => tx.webhooks.webhook(id)))?.secrets).toEqual([])
  for (const answer of [
    await webhooks.update(id, { url: 'https://b.example/' }, 'a'),
    await webhooks.remove(id, 'a'),
    await webhooks.pause(id, 'a'),
    await webhooks.resume(id, 'a'),
    await webhooks.rotate(id, 0, 'a'),
    await webhooks.replay(id, 1, 'a'),
    await webhooks.pause('whk_none', 'a'),
  ])
    expect(answer).toMatchObject({ ok: false, error: { code: 'WEBHOOK_NOT_FOUND', param: 'id' } })
})

test.each<[Partial<WebhookInput>, string, string]>([
  [{ url: 'http://10.0.0.1/' }, 'WEBHOOK_URL_REFUSED', 'url'],
  [{ eventTypes: [] }, 'FIELD_INVALID', 'event_types'],
  [{ eventTypes: ['order'] }, 'FIELD_INVALID', 'event_types'],
  [{ eventTypes: ['*.created'] }, 'FIELD_INVALID', 'event_types'],
  [{ eventTypes: ['order.*x'] }, 'FIELD_INVALID', 'event_types'],
  [
    { eventTypes: Array.from({ length: 101 }, (_, i) => `order.x${i}`) },
    'FIELD_INVALID',
    'event_types',
  ],
  [{ description: 'x'.repeat(1001) }, 'FIELD_INVALID', 'description'],
  [{ description: 'a\0b' }, 'FIELD_INVALID', 'description'],
  [{ metadata: { '': 'x' } }, 'FIELD_INVALID', 'metadata'],
  [{ metadata: { x: 5 as never } }, 'FIELD_INVALID', 'metadata'],
  [
    { metadata: Object.fromEntries(Array.from({ length: 51 }, (_, i) => [`k${i}`, ''])) },
    'FIELD_INVALID',
    'metadata',
  ],
  [{ secret: 'hunter2' }, 'WEBHOOK_SECRET_INVALID', 'secret'],
])('%j is refused: %s', async (more, code, param) => {
  const { create, trail } = setUp()
  expect(await create(more)).toMatchObject({ ok: false, error: { code, param } })
  expect(await trail()).toEqual([])
})

test('an update is judged like a creation, and leaves alone what it does not name', async () => {
  const { made, webhooks } = setUp()
  const { webhook } = await made({ description: 'x' })
  expect(await webhooks.update(webhook.id, { url: 'https://localhost/' }, 'a')).toMatchObject({
    error: { code: 'WEBHOOK_URL_REFUSED' },
  })
  await webhooks.update(webhook.id, { metadata: { a: 'b' } }, 'a')
  expect(await webhooks.get(webhook.id)).toMatchObject({
    description: 'x',
    url: webhook.url,
    metadata: { a: 'b' },
  })
})

test('a request that comes twice is done once', async () => {
  const { create, webhooks, trail, store } = setUp()
  const once = (digest: string): Once<WebhookRecord> => ({
    request: { scope: 'key_1', key: 'abc', digest: digest.repeat(64) },
    answer: ({ id }) => ({ status: 201, body: id }),
  })
  const first = await create({}, once('a'))
  expect(await create({}, once('a'))).toMatchObject({ error: { code: 'IDEMPOTENCY_ANSWERED' } })
  expect(await create({}, once('b'))).toMatchObject({ error: { code: 'IDEMPOTENCY_CONFLICT' } })
  const id = first.ok ? first.value.webhook.id : ''
  const other = { ...once('c'), request: { ...once('c').request, key: 'rotate' } }
  const rotated = await webhooks.rotate(id, 0, 'a', other)
  expect(await webhooks.rotate(id, 0, 'a', other)).toMatchObject({
    error: { code: 'IDEMPOTENCY_ANSWERED' },
  })
  expect((await webhooks.get(id))?.secrets[0]?.secret.reveal()).toBe(
    rotated.ok ? rotated.value.secret.reveal() : '',
  )
  expect((await trail()).map(({ action }) => action)).toEqual(['webhook.create', 'webhook.rotate'])
  const answers = await store.read((tx) => tx.idempotency.answers([once('a').request]))
  expect(answers).toMatchObject([{ status: 201, body: id }])
})

test('a secret of the caller’s is used; rotation keeps the older ones for their time and never many', async () => {
  const { made, webhooks } = setUp()
  const own = `whsec_${Buffer.alloc(24, 5).toString('base64')}`
  const { webhook, secret } = await made({ secret: own })
  expect(secret.reveal()).toBe(own)
  for (let i = 0; i < 9; i++) await webhooks.rotate(webhook.id, 60_000, 'a')
  const secrets = (await webhooks.get(webhook.id))?.secrets ?? []
  expect(secrets).toHaveLength(5)
  expect(secrets.map(({ expiresAt }) => expiresAt === undefined)).toEqual([
    true,
    false,
    false,
    false,
    false,
  ])
  await webhooks.rotate(webhook.id, 0, 'a')
  expect((await webhooks.get(webhook.id))?.secrets).toHaveLength(1)
  for (const overlap of [-1, 1.5, 31 * 24 * 3_600_000])
    expect(await webhooks.rotate(webhook.id, overlap, 'a')).toMatchObject({
      error: { code: 'FIELD_INVALID', param: 'overlap_ms' },
    })
})

test('ids of deliveries lead back', () => {
  expect(parseDeliveryId(deliveryId('whk_0192ab', 17))).toEqual({
    webhook: 'whk_0192ab',
    number: 17,
  })
  for (const odd of [
    '',
    'dlv_',
    'dlv_a_0',
    'dlv_a_01',
    'dlv_a_1x',
    'whk_a_1',
    `dlv_a_${'9'.repeat(16)}`,
  ])
    expect(parseDeliveryId(odd)).toBeUndefined()
})

test('status names the slowest with its oldest event', async () => {
  const { made, webhooks, store } = setUp()
  expect(await webhooks.status()).toEqual({ head: 0 })
  const { webhook } = await made()
  expect(await webhooks.status()).toEqual({ head: 1 })
  await store.transact(async (tx) => {
    await tx.events.append(
      77,
      [1, 2, 3].map(() => ({ type: 'order.created', subject: 'c', data: {} })),
    )
    await tx.webhooks.mark(80, [{ id: webhook.id, first: 3, last: 4 }])
  })
  expect(await webhooks.status()).toEqual({
    head: 4,
    slowest: { id: webhook.id, lag: 2, oldestAt: 77 },
  })
})

test('one creator has an end to its webhooks, and removing one makes room', async () => {
  const { create, made, webhooks } = setUp()
  const first = await made()
  for (let i = 1; i < 100; i++) await create({})
  expect(await create({})).toMatchObject({ ok: false, error: { code: 'WEBHOOKS_TOO_MANY' } })
  await webhooks.remove(first.webhook.id, 'api:key_1')
  expect((await create({})).ok).toBe(true)
})
