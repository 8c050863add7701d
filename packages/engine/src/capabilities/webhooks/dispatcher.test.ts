import { expect, test } from 'vitest'
import { createMemoryStore } from '../../adapters/memory/index.ts'
import type { WalletId } from '../../kernel/index.ts'
import { EVERYTHING, type EventGrant, wakingStore } from '../events/index.ts'
import {
  createDispatcher,
  createWebhooks,
  type DispatcherOptions,
  parseWebhookBody,
  SCHEDULE,
  verifyWebhook,
  type WebhookAnswer,
  type WebhookPost,
} from './index.ts'

const MINUTE = 60_000
const DAY = 24 * 60 * MINUTE
const fine: WebhookAnswer = { kind: 'answered', status: 200, body: 'thanks' }
const status = (code: number, more = {}): WebhookAnswer => ({
  kind: 'answered',
  status: code,
  body: '',
  ...more,
})
const entropy = () => {
  let state = 7
  const next = () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return state >>> 24
  }
  return { bytes: (length: number) => Uint8Array.from({ length }, next) }
}

/** A world without real time: the clock moves when told, and what it passes fires. */
function world(settings: Partial<DispatcherOptions> = {}) {
  const memory = createMemoryStore()
  let now = 1_800_000_000_000
  const clock = { now: () => now }
  const waiting = new Map<() => void, number>()
  const timers = {
    after(ms: number, action: () => void) {
      waiting.set(action, now + ms)
      return () => waiting.delete(action)
    },
  }
  const posts: WebhookPost[] = []
  const answers = new Map<string, (post: WebhookPost) => Promise<WebhookAnswer> | WebhookAnswer>()
  const start = () => {
    const dispatcher = createDispatcher({
      store: memory,
      clock,
      timers,
      entropy: entropy(),
      sender: {
        send: async (post) => {
          posts.push(post)
          return (answers.get(post.url) ?? (() => fine))(post)
        },
      },
      ...settings,
    })
    return dispatcher
  }
  let running: ReturnType<typeof start> | undefined
  const store = wakingStore(memory, () => running?.wake())
  const webhooks = createWebhooks({ store, clock, entropy: entropy() })
  const settle = async () => {
    for (let i = 0; i < 60; i++) await new Promise((resolve) => setImmediate(resolve))
  }
  return {
    memory,
    store,
    webhooks,
    posts,
    answers,
    start,
    settle,
    clock,
    waiting,
    run() {
      running = start()
      return running
    },
    async hook(
      url = 'https://a.example/hook',
      more: { types?: string[]; grant?: EventGrant } = {},
    ) {
      const made = await webhooks.create(
        { url, eventTypes: more.types ?? ['order.*'], grant: more.grant ?? EVERYTHING },
        'operator:ann',
      )
      if (!made.ok) throw new TypeError(made.error.message)
      return made.value
    },
    emit: (...types: string[]) =>
      store.transact((tx) =>
        tx.events.append(
          now,
          types.map((type) => ({ type, subject: 'ord_1', data: { wallet: 'wal_1' } })),
        ),
      ),
    async pass(ms: number) {
      now += ms
      for (const [action, at] of [...waiting])
        if (at <= now) {
          waiting.delete(action)
          action()
        }
      await settle()
    },
    bodies: (url?: string) =>
      posts
        .filter((post) => url === undefined || post.url === url)
        .map(({ body }) => {
          const parsed = parseWebhookBody(body)
          if (!parsed.ok) throw new TypeError(parsed.error.message)
          return parsed.value
        }),
    seqs: (url?: string) =>
      posts
        .filter((post) => url === undefined || post.url === url)
        .map(({ body }) => JSON.parse(body).seq as number),
  }
}

test('events after the creation arrive in order, signed, and each names the one before it', async () => {
  const w = world()
  await w.emit('order.created')
  const { secret, webhook } = await w.hook()
  const running = w.run()
  await w.emit('order.created', 'payment.unmatched', 'order.confirmed')
  await w.emit('order.finalized')
  await w.settle()
  expect(w.bodies().map((body) => [body.seq, body.previous_seq, body.type])).toEqual([
    [3, 0, 'order.created'],
    [5, 3, 'order.confirmed'],
    [6, 5, 'order.finalized'],
  ])
  for (const { headers, body } of w.posts)
    expect(verifyWebhook(headers, body, [secret], w.clock.now())).toMatchObject({ ok: true })
  expect(await w.webhooks.get(webhook.id)).toMatchObject({
    cursor: 6,
    lastDelivered: 6,
    deliveries: 3,
    attempts: 0,
  })
  expect((await w.webhooks.get(webhook.id))?.nextAttemptAt).toBeUndefined()
  await running.stop()
})

test('what fails is tried again by the schedule, holds up what comes after it, and nobody else', async () => {
  const w = world()
  const { webhook } = await w.hook('https://bad.example/')
  await w.hook('https://good.example/')
  let heals = false
  w.answers.set('https://bad.example/', () => (heals ? fine : status(500)))
  const running = w.run()
  await w.emit('order.created', 'order.confirmed')
  await w.settle()
  expect(w.seqs('https://good.example/')).toEqual([3, 4])
  expect(w.seqs('https://bad.example/')).toEqual([3])
  for (const [i, pause] of SCHEDULE.entries()) {
    await w.pass(pause - 1)
    expect(w.seqs('https://bad.example/')).toHaveLength(i + 1)
    await w.pass(pause * 0.2 + 1)
    expect(w.seqs('https://bad.example/')).toHaveLength(i + 2)
  }
  expect(await w.webhooks.get(webhook.id)).toMatchObject({
    attempts: 8,
    lastError: 'answered 500',
    cursor: 2,
  })
  heals = true
  await w.pass(13 * 60 * MINUTE)
  await w.pass(2 * 60 * MINUTE)
  expect(w.seqs('https://bad.example/').slice(-2)).toEqual([3, 4])
  const log = await w.webhooks.deliveries({ webhook: webhook.id, limit: 20 })
  expect(log.map(({ outcome, attempt, number }) => [number, outcome, attempt])).toEqual([
    [10, 'delivered', 1],
    [9, 'delivered', 9],
    ...Array.from({ length: 8 }, (_, i) => [8 - i, 'failed', 8 - i]),
  ])
  // Every attempt at one event sends the same text.
  expect(new Set(w.posts.map(({ body }) => body)).size).toBe(2)
  await running.stop()
})

test('five days of failure pause it, with an alert, an entry in the trail and an event', async () => {
  const w = world()
  const { webhook } = await w.hook('https://bad.example/hook')
  w.answers.set('https://bad.example/hook', () => ({
    kind: 'failed',
    reason: 'timeout',
    message: 'no answer within 10 s',
  }))
  const running = w.run()
  await w.emit('order.created')
  await w.settle()
  for (let i = 0; i < 30; i++) await w.pass(6 * 60 * MINUTE)
  expect(await w.webhooks.get(webhook.id)).toMatchObject({
    status: 'paused',
    pausedReason: 'failing',
    lastError: 'no answer within 10 s',
  })
  const tried = w.posts.length
  await w.emit('order.confirmed')
  await w.pass(2 * DAY)
  expect(w.posts).toHaveLength(tried)
  const { alerts, trail, events } = await w.store.read(async (tx) => ({
    alerts: await tx.alerts.list({ limit: 9 }),
    trail: await tx.audit.list({ limit: 9 }),
    events: await tx.events.list({ after: 0, limit: 99 }),
  }))
  expect(alerts).toMatchObject([{ kind: 'webhook_paused', subject: webhook.id }])
  expect(trail.at(-1)).toMatchObject({
    actor: 'engine',
    action: 'webhook.pause',
    details: { reason: 'failing' },
  })
  expect(events.map(({ type }) => type)).toContain('webhook.paused')

  w.answers.clear()
  await w.webhooks.resume(webhook.id, 'operator:ann')
  await w.settle()
  expect(
    w
      .bodies()
      .slice(tried)
      .map(({ type }) => type),
  ).toEqual(['order.created', 'order.confirmed'])
  await running.stop()
})

test('410 Gone pauses at once', async () => {
  const w = world()
  const { webhook } = await w.hook()
  w.answers.set('https://a.example/hook', () => status(410))
  const running = w.run()
  await w.emit('order.created')
  await w.settle()
  expect(await w.webhooks.get(webhook.id)).toMatchObject({ status: 'paused', pausedReason: 'gone' })
  expect(w.posts).toHaveLength(1)
  await running.stop()
})

test('Retry-After is followed within bounds, where it may stand', async () => {
  const w = world()
  const { webhook } = await w.hook()
  const asks: [number, string, number][] = [
    [429, '120', 2 * MINUTE],
    [503, '1', 5000],
    [503, '999999999', 12 * 60 * MINUTE],
    [503, new Date(w.clock.now() + 3 * 60 * MINUTE).toUTCString(), 0],
  ]
  const running = w.run()
  await w.emit('order.created')
  for (const [code, retryAfter, expected] of asks) {
    w.answers.set('https://a.example/hook', () => status(code, { retryAfter }))
    await w.settle()
    const { nextAttemptAt = 0 } = (await w.webhooks.get(webhook.id)) ?? {}
    if (expected > 0) expect(nextAttemptAt - w.clock.now()).toBe(expected)
    await w.pass(nextAttemptAt - w.clock.now() - 1)
    const before = w.posts.length
    w.answers.set('https://a.example/hook', () => status(500, { retryAfter: '1' }))
    await w.pass(1)
    expect(w.posts).toHaveLength(before + 1)
    const failed = await w.webhooks.get(webhook.id)
    expect((failed?.nextAttemptAt ?? 0) - w.clock.now()).toBeGreaterThan(4 * MINUTE)
    await w.webhooks.replay(webhook.id, 2, 'operator:ann')
  }
  await running.stop()
})

test('a redirect is a failure that names its target', async () => {
  const w = world()
  const { webhook } = await w.hook()
  w.answers.set('https://a.example/hook', () =>
    status(302, { location: 'http://169.254.169.254/' }),
  )
  const running = w.run()
  await w.emit('order.created')
  await w.settle()
  expect((await w.webhooks.get(webhook.id))?.lastError).toContain('http://169.254.169.254/')
  await running.stop()
})

test('while paused events wait; afterwards they arrive in order, and none from before', async () => {
  const w = world()
  const { webhook } = await w.hook()
  const running = w.run()
  await w.emit('order.created')
  await w.settle()
  await w.webhooks.pause(webhook.id, 'operator:ann')
  await w.emit('order.confirmed', 'chain.reorg', 'order.finalized')
  await w.pass(DAY)
  expect(w.seqs()).toEqual([2])
  await w.webhooks.resume(webhook.id, 'operator:ann')
  await w.settle()
  expect(w.bodies().map((body) => [body.seq, body.previous_seq])).toEqual([
    [2, 0],
    [4, 2],
    [6, 4],
  ])
  await running.stop()
})

test('a replay delivers again from a number, also while an attempt is on its way', async () => {
  const w = world()
  const { webhook } = await w.hook()
  const running = w.run()
  await w.emit('order.created', 'order.confirmed', 'order.finalized')
  await w.settle()
  expect(w.seqs()).toEqual([2, 3, 4])
  await w.webhooks.replay(webhook.id, 3, 'operator:ann')
  await w.settle()
  expect(
    w
      .bodies()
      .slice(3)
      .map((body) => [body.seq, body.previous_seq]),
  ).toEqual([
    [3, 2],
    [4, 3],
  ])
  let release = (_: WebhookAnswer) => {}
  w.answers.set('https://a.example/hook', () => new Promise((resolve) => (release = resolve)))
  await w.emit('order.late_payment')
  await w.settle()
  expect(w.seqs().at(-1)).toBe(6)
  await w.webhooks.replay(webhook.id, 2, 'operator:ann')
  w.answers.clear()
  release(fine)
  await w.settle()
  expect(w.seqs().slice(6)).toEqual([2, 3, 4, 6])
  expect(await w.webhooks.replay(webhook.id, 99, 'operator:ann')).toMatchObject({
    ok: false,
    error: { code: 'FIELD_INVALID', param: 'from_seq' },
  })
  await running.stop()
})

test('after a rotation both secrets sign until the overlap ends', async () => {
  const w = world()
  const { webhook, secret } = await w.hook()
  const rotated = await w.webhooks.rotate(webhook.id, 10 * MINUTE, 'operator:ann')
  const fresh = rotated.ok ? rotated.value.secret : secret
  const running = w.run()
  await w.emit('order.created')
  await w.settle()
  const [first] = w.posts
  for (const one of [secret, fresh])
    expect(verifyWebhook(first?.headers ?? {}, first?.body ?? '', [one], w.clock.now()).ok).toBe(
      true,
    )
  await w.pass(11 * MINUTE)
  await w.emit('order.confirmed')
  await w.settle()
  const second = w.posts.at(-1)
  const verify = (one: typeof secret) =>
    verifyWebhook(second?.headers ?? {}, second?.body ?? '', [one], w.clock.now()).ok
  expect([verify(secret), verify(fresh)]).toEqual([false, true])
  await running.stop()
})

test('a subscription gets what its creator may see, and nothing else', async () => {
  const w = world()
  const scopes = ['events:read', 'orders:read', 'chain:read']
  await w.hook('https://one.example/', {
    types: ['*'],
    grant: { scopes, wallets: ['wal_1' as WalletId] },
  })
  await w.hook('https://two.example/', {
    types: ['*'],
    grant: { scopes, wallets: ['wal_2' as WalletId] },
  })
  const running = w.run()
  await w.emit('order.created', 'payment.unmatched', 'chain.reorg', 'audit.exported')
  await w.settle()
  const types = (url: string) => w.bodies(url).map(({ type }) => type)
  expect(types('https://one.example/')).toEqual(['order.created', 'chain.reorg'])
  expect(types('https://two.example/')).toEqual(['chain.reorg'])
  await running.stop()
})

test('a change of another process is found at the next look', async () => {
  const w = world()
  const running = w.start()
  await w.settle()
  await w.hook()
  await w.emit('order.created')
  await w.settle()
  expect(w.posts).toEqual([])
  await w.pass(1000)
  expect(w.seqs()).toEqual([2])
  const other = createWebhooks({ store: w.memory, clock: w.clock, entropy: entropy() })
  const [webhook] = await other.list({ limit: 1 })
  await other.update(
    webhook?.id ?? '',
    { url: 'https://b.example/', eventTypes: ['chain.reorg'] },
    'api:key_1',
  )
  await w.emit('order.created', 'chain.reorg')
  await w.pass(1000)
  expect(w.seqs('https://b.example/')).toEqual([5])
  await other.remove(webhook?.id ?? '', 'api:key_1')
  await w.emit('chain.reorg')
  await w.pass(1000)
  expect(w.posts).toHaveLength(2)
  await running.stop()
})

test('stopping lets the attempt under way end and begins no other', async () => {
  const w = world()
  const { webhook } = await w.hook()
  let release = (_: WebhookAnswer) => {}
  w.answers.set('https://a.example/hook', () => new Promise((resolve) => (release = resolve)))
  const running = w.run()
  await w.emit('order.created', 'order.confirmed')
  await w.settle()
  let isOver = false
  const stopped = running.stop().then(() => {
    isOver = true
  })
  await w.settle()
  expect(isOver).toBe(false)
  release(fine)
  await stopped
  expect(w.seqs()).toEqual([2])
  expect(await w.webhooks.get(webhook.id)).toMatchObject({ cursor: 2 })
  expect(w.waiting.size).toBe(0)
  // The lease is free: the next one goes on at once.
  w.answers.clear()
  const again = w.run()
  await w.settle()
  expect(w.seqs()).toEqual([2, 3])
  await again.stop()
})

test('an attempt that outlasts the grace is cut off and counts as nothing', async () => {
  const w = world()
  const { webhook } = await w.hook()
  w.answers.set(
    'https://a.example/hook',
    ({ signal }) =>
      new Promise((resolve) =>
        signal?.addEventListener('abort', () =>
          resolve({ kind: 'failed', reason: 'broken', message: 'cut off' }),
        ),
      ),
  )
  const running = w.run()
  await w.emit('order.created')
  await w.settle()
  const stopped = running.stop(5000)
  await w.pass(5000)
  await stopped
  expect(await w.webhooks.get(webhook.id)).toMatchObject({ attempts: 0, deliveries: 0 })
})

test('a replay that was asked for during an attempt outlives the stop that cuts it off', async () => {
  const w = world()
  const { webhook } = await w.hook()
  const first = w.run()
  await w.emit('order.created', 'order.confirmed')
  await w.settle()
  w.answers.set(
    'https://a.example/hook',
    ({ signal }) =>
      new Promise((resolve) =>
        signal?.addEventListener('abort', () =>
          resolve({ kind: 'failed', reason: 'broken', message: 'cut off' }),
        ),
      ),
  )
  await w.emit('order.finalized')
  await w.settle()
  await w.webhooks.replay(webhook.id, 2, 'operator:ann')
  const stopped = first.stop(5000)
  await w.pass(5000)
  await stopped
  w.answers.clear()
  const second = w.run()
  await w.settle()
  expect(w.seqs()).toEqual([2, 3, 4, 2, 3, 4])
  await second.stop()
})

test('a dead receiver never takes the places of others', async () => {
  const w = world({ concurrency: 2 })
  for (let i = 0; i < 4; i++) {
    await w.hook(`https://dead${i}.example/`)
    w.answers.set(`https://dead${i}.example/`, () => new Promise(() => {}))
  }
  await w.hook('https://alive.example/')
  w.run()
  await w.emit('order.created')
  await w.settle()
  expect(w.posts.filter(({ url }) => url.includes('dead'))).toHaveLength(2)
  await w.pass(2000)
  await w.pass(2000)
  expect(w.seqs('https://alive.example/')).toEqual([6])
})

test('the log keeps what it is told to keep', async () => {
  const w = world({ keep: { perWebhook: 3, forMs: DAY } })
  const { webhook } = await w.hook()
  const running = w.run()
  for (let i = 0; i < 5; i++) await w.emit('order.created')
  await w.settle()
  const numbers = async () =>
    (await w.webhooks.deliveries({ webhook: webhook.id, limit: 9 })).map(({ number }) => number)
  expect(await numbers()).toEqual([5, 4, 3])
  await w.pass(DAY + 60 * MINUTE)
  expect(await numbers()).toEqual([])
  await running.stop()
})

test('an event costs the same with a thousand idle webhooks beside it', async () => {
  const calls = async (idle: number) => {
    let count = 0
    const memory = createMemoryStore({ onCall: () => void count++ })
    const w = world({ store: memory })
    const webhooks = createWebhooks({ store: memory, clock: w.clock, entropy: entropy() })
    const make = (eventTypes: string[]) =>
      webhooks.create({ url: 'https://a.example/', eventTypes, grant: EVERYTHING }, 'operator:ann')
    for (let i = 0; i < idle; i++) await make(['payment.*'])
    await make(['order.*'])
    const running = w.start()
    await w.settle()
    count = 0
    for (let i = 0; i < 20; i++) {
      await memory.transact((tx) =>
        tx.events.append(1, [{ type: 'order.created', subject: 'x', data: {} }]),
      )
      running.wake()
      await w.settle()
    }
    await running.stop()
    expect(w.posts).toHaveLength(20)
    return count
  }
  expect(await calls(1000)).toBe(await calls(0))
})
