import { expect, test } from 'vitest'
import type { WalletId } from '@kaccy/bitcoin/kernel'
import { SCHEDULE, verifyWebhook, type WebhookAnswer } from '@kaccy/bitcoin/webhooks'
import { DAY, fine, MINUTE, status, world } from './world.ts'

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

test('resuming one that waits for its next attempt makes that attempt at once', async () => {
  const w = world()
  const { webhook } = await w.hook('https://bad.example/')
  let heals = false
  w.answers.set('https://bad.example/', () => (heals ? fine : status(500)))
  const running = w.run()
  await w.emit('order.created')
  await w.settle()
  for (const pause of SCHEDULE.slice(0, 3)) await w.pass(pause * 1.2 + 1)
  const { length: tried } = w.seqs('https://bad.example/')
  expect((await w.webhooks.get(webhook.id))?.attempts).toBe(tried)
  heals = true
  await w.webhooks.resume(webhook.id, 'operator:ann')
  // Nothing but the look at what other processes did: hours before the schedule's next attempt.
  await w.pass(1000)
  expect(w.seqs('https://bad.example/')).toHaveLength(tried + 1)
  expect(await w.webhooks.get(webhook.id)).toMatchObject({ attempts: 0, status: 'active' })
  await running.stop()
})
