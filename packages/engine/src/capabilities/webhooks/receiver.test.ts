import fc from 'fast-check'
import { expect, test } from 'vitest'
import {
  bodyOf,
  createMemoryInbox,
  createWebhookReceiver,
  newWebhookSecret,
  parseWebhookBody,
  type ReceivedEvent,
  signWebhook,
  type WebhookReceiverOptions,
} from './index.ts'

const NOW = 1_800_000_000_000
const secret = newWebhookSecret({ bytes: (length) => new Uint8Array(length).fill(9) })
const engineEvent = (seq: number) => ({
  seq,
  id: `evt_${seq}`,
  type: seq % 3 === 0 ? 'payment.unmatched' : 'order.confirmed',
  at: NOW,
  subject: `ord_${seq}`,
  data: { amount_sat: seq * 10 },
})
const received = (seq: number): ReceivedEvent => {
  const { previous_seq: _, ...event } = JSON.parse(bodyOf(engineEvent(seq), 0))
  return event
}
const delivery = (seq: number, previous: number) => {
  const body = bodyOf(engineEvent(seq), previous)
  return [signWebhook(`evt_${seq}`, NOW, body, [secret]), body] as const
}
function shop(head: () => number, more: Partial<WebhookReceiverOptions> = {}) {
  const applied: number[] = []
  const fetched: number[] = []
  const inbox = createMemoryInbox(({ seq }) => void applied.push(seq))
  const receiver = createWebhookReceiver({
    secrets: [secret],
    inbox,
    now: () => NOW,
    async fetchEvents(after, limit) {
      fetched.push(after)
      const last = Math.min(head(), after + limit)
      return Array.from({ length: Math.max(0, last - after) }, (_, i) => received(after + 1 + i))
    },
    ...more,
  })
  return { applied, fetched, receiver, inbox }
}

test('in order, twice, and after a hole', async () => {
  const { receiver, applied, fetched } = shop(() => 9, { pageSize: 3 })
  const take = (seq: number, previous: number) => receiver.receive(...delivery(seq, previous))
  expect(await take(1, 0)).toEqual({
    ok: true,
    value: { outcome: 'applied', applied: 1, cursor: 1 },
  })
  expect(await take(2, 1)).toMatchObject({ value: { outcome: 'applied', cursor: 2 } })
  expect(await take(1, 0)).toMatchObject({ value: { outcome: 'duplicate', applied: 0, cursor: 2 } })
  expect(fetched).toEqual([])
  expect(await take(7, 6)).toMatchObject({ value: { outcome: 'applied', applied: 6, cursor: 8 } })
  expect(fetched).toEqual([2, 5])
  expect(await take(8, 7)).toMatchObject({ value: { outcome: 'duplicate' } })
  expect(applied).toEqual([1, 2, 3, 4, 5, 6, 7, 8])
  expect(await receiver.catchUp()).toEqual({ outcome: 'applied', applied: 1, cursor: 9 })
})

test('numbers that were for others are no hole, and pulled ones of other types are left out', async () => {
  const { receiver, applied } = shop(() => 20, { eventTypes: ['order.*'] })
  await receiver.receive(...delivery(5, 0))
  expect(applied).toEqual([5])
  await receiver.receive(...delivery(11, 10))
  expect(applied).toEqual([5, 7, 8, 10, 11, 13, 14, 16, 17, 19, 20])
})

test('a hole that cannot be filled yet is refused, and what can be read is kept', async () => {
  let head = 3
  const { receiver, applied } = shop(() => head)
  await receiver.receive(...delivery(1, 0))
  expect(await receiver.receive(...delivery(5, 4))).toMatchObject({
    ok: false,
    error: { code: 'WEBHOOK_HOLE_OPEN', details: { cursor: 3, previous_seq: 4, seq: 5 } },
  })
  head = 5
  expect(await receiver.receive(...delivery(5, 4))).toMatchObject({ value: { applied: 2 } })
  expect(applied).toEqual([1, 2, 3, 4, 5])
})

test('a stranger, an old request and a swapped body are refused', async () => {
  const { receiver, applied } = shop(() => 0)
  const [headers, body] = delivery(1, 0)
  const other = newWebhookSecret({ bytes: (length) => new Uint8Array(length).fill(8) })
  expect(await receiver.receive(signWebhook('evt_1', NOW, body, [other]), body)).toMatchObject({
    error: { code: 'WEBHOOK_SIGNATURE_INVALID' },
  })
  expect(await receiver.receive(signWebhook('evt_1', 5, body, [secret]), body)).toMatchObject({
    error: { code: 'WEBHOOK_TIMESTAMP_OUTSIDE' },
  })
  expect(await receiver.receive(signWebhook('evt_2', NOW, body, [secret]), body)).toMatchObject({
    error: { code: 'WEBHOOK_BODY_INVALID' },
  })
  expect(await receiver.receive(headers, '{}')).toMatchObject({ ok: false })
  expect(applied).toEqual([])
})

test('a failing handler changes nothing and is asked again', async () => {
  let fails = true
  const inbox = createMemoryInbox(() => {
    if (fails) throw new RangeError('no disk')
  })
  const { receiver } = shop(() => 1, { inbox })
  await expect(receiver.receive(...delivery(1, 0))).rejects.toThrow('no disk')
  fails = false
  expect(await receiver.receive(...delivery(1, 0))).toMatchObject({ value: { applied: 1 } })
})

test('two processes of one shop count every event once', async () => {
  let cursor = 0
  const applied: number[] = []
  const pause = () => new Promise((resolve) => setImmediate(resolve))
  const inbox = {
    async cursor() {
      await pause()
      return cursor
    },
    async apply(events: readonly ReceivedEvent[], after: number, upTo: number) {
      await pause()
      if (cursor !== after) return false
      applied.push(...events.map(({ seq }) => seq))
      cursor = upTo
      return true
    },
  }
  const shops = [shop(() => 30, { inbox, pageSize: 4 }), shop(() => 30, { inbox, pageSize: 3 })]
  await Promise.all(
    shops.flatMap(({ receiver }) =>
      [3, 9, 30, 12, 1].map((seq) => receiver.receive(...delivery(seq, seq - 1))),
    ),
  )
  expect(applied).toEqual(Array.from({ length: 30 }, (_, i) => i + 1))
})

test('whatever is lost, doubled and disordered, the shop has every event once and in order', async () => {
  const step = fc.record({
    emit: fc.integer({ min: 0, max: 3 }),
    /** What becomes of the deliveries of this step. */
    fates: fc.array(fc.constantFrom('well', 'lost', 'twice', 'late'), {
      minLength: 3,
      maxLength: 3,
    }),
    restarts: fc.boolean(),
  })
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 30 }), async (steps) => {
      let head = 0
      let fails = false
      const applied: number[] = []
      let cursor = 0
      const inbox = {
        cursor: async () => cursor,
        async apply(events: readonly ReceivedEvent[], after: number, upTo: number) {
          if (fails) throw new RangeError('the shop died')
          if (cursor !== after) return false
          applied.push(...events.map(({ seq }) => seq))
          cursor = upTo
          return true
        },
      }
      const start = () => shop(() => head, { inbox, pageSize: 2 }).receiver
      let receiver = start()
      const late: (readonly [number, number])[] = []
      for (const { emit, fates, restarts } of steps) {
        for (const fate of fates.slice(0, emit)) {
          head += 1
          const one = [head, head - 1] as const
          if (fate === 'late') late.push(one)
          const times = { well: 1, twice: 2, lost: 0, late: 0 }[fate]
          for (let i = 0; i < times; i++) await receiver.receive(...delivery(...one))
        }
        if (!restarts) continue
        fails = true
        // What it was about to do when it died is not done.
        await receiver.receive(...delivery(head + 1, head)).catch(() => {})
        fails = false
        receiver = start()
        for (const one of late.splice(0).reverse()) await receiver.receive(...delivery(...one))
      }
      head += 1
      await receiver.receive(...delivery(head, head - 1))
      expect(applied).toEqual(Array.from({ length: head }, (_, i) => i + 1))
    }),
    { numRuns: 300 },
  )
})

test.each([
  ['no JSON', '{'],
  ['no object', '[]'],
  ['no number', '{"id":"evt_1"}'],
  ['a fraction', JSON.stringify({ ...JSON.parse(delivery(1, 0)[1]), seq: 1.5 })],
  ['another id', JSON.stringify({ ...JSON.parse(delivery(1, 0)[1]), id: 'evt_2' })],
  [
    'a negative predecessor',
    JSON.stringify({ ...JSON.parse(delivery(1, 0)[1]), previous_seq: -1 }),
  ],
  ['no data', JSON.stringify({ ...JSON.parse(delivery(1, 0)[1]), data: null })],
  ['no type', JSON.stringify({ ...JSON.parse(delivery(1, 0)[1]), type: 5 })],
])('a body with %s is refused', (_, body) => {
  expect(parseWebhookBody(body)).toMatchObject({
    ok: false,
    error: { code: 'WEBHOOK_BODY_INVALID' },
  })
})

test('a body that is no UTF-8 is refused', () => {
  expect(parseWebhookBody(Uint8Array.of(0x22, 0xff, 0x22))).toMatchObject({ ok: false })
  const [, body] = delivery(3, 2)
  expect(parseWebhookBody(new TextEncoder().encode(body))).toEqual({
    ok: true,
    value: { ...received(3), previous_seq: 2 },
  })
})
