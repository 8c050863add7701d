import { expect, test } from 'vitest'
import { createMemoryStore } from '@kaccy/bitcoin/adapters/memory'
import { EVERYTHING } from '@kaccy/bitcoin/events'
import { createWebhooks, type WebhookAnswer } from '@kaccy/bitcoin/webhooks'
import { DAY, entropy, fine, MINUTE, world } from './world.ts'

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

test('a subscription with much to deliver gives its place to another one in between', async () => {
  const w = world({ concurrency: 1 })
  await w.hook('https://much.example/', { types: ['order.*'] })
  await w.hook('https://little.example/', { types: ['chain.reorg'] })
  await w.store.transact((tx) =>
    tx.events.append(
      1,
      Array.from({ length: 250 }, () => ({ type: 'order.created', subject: 'ord_1', data: {} })),
    ),
  )
  // As the slowest of clocks would see it: a millisecond for each request.
  w.answers.set('https://much.example/', async () => {
    w.tick(1)
    if (w.posts.length === 20) await w.emit('chain.reorg')
    return fine
  })
  const running = w.run()
  for (let i = 0; i < 40; i++) await w.settle()
  const place = w.posts.findIndex(({ url }) => url === 'https://little.example/')
  expect(w.seqs('https://much.example/')).toHaveLength(250)
  expect(place).toBeGreaterThan(0)
  expect(place).toBeLessThan(200)
  await running.stop()
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
    // Nobody may have so many alone.
    const make = async (eventTypes: string[], by: number) => {
      const input = { url: 'https://a.example/', eventTypes, grant: EVERYTHING }
      expect(await webhooks.create(input, `operator:${by}`)).toMatchObject({ ok: true })
    }
    for (let i = 0; i < idle; i++) await make(['payment.*'], i % 20)
    await make(['order.*'], 20)
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
