import fc from 'fast-check'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { Listener, openStreamed, refusedAt, type Streamed, upTo } from './streamed.ts'

let streamed: Streamed
let token: string
beforeAll(async () => {
  streamed = await openStreamed({ streams: { pollMs: 50 } })
  token = streamed.served.admin
})
afterAll(() => streamed.served.close())

test('first comes what was, then what happens, as the same objects in order', async () => {
  await streamed.emit({ type: 'order.created', subject: 'ord_a', data: { amount_sat: 5 } })
  const before = await streamed.head()
  const listener = new Listener(streamed.url, { token, query: '?after=0' })
  await listener.until(before)
  await streamed.emit({ subject: 'ord_b' }, { subject: 'ord_c' })
  await listener.until(before + 2)
  expect(listener.seqs).toEqual(upTo(before + 2))
  const first = listener.got.find(({ subject }) => subject === 'ord_a')
  expect(first).toEqual({
    seq: before,
    id: `evt_${before}`,
    type: 'order.created',
    at: new Date(streamed.served.till.now).toISOString(),
    subject: 'ord_a',
    data: { amount_sat: 5 },
  })
  listener.close()
})

test('without a number only the future comes, and the first ping says where it begins', async () => {
  await streamed.many(3)
  const head = await streamed.head()
  const listener = new Listener(streamed.url, { token })
  await listener.opened
  await expect.poll(() => listener.pings).toEqual([String(head)])
  await streamed.many(1)
  await listener.until(head + 1)
  expect(listener.seqs).toEqual([head + 1])
  listener.close()
})

test('a number that was never given out is refused, and what is no number', async () => {
  const head = await streamed.head()
  const no = (query: string) => refusedAt(streamed.url, { token, query })
  expect(await no(`?after=${head + 1}`)).toEqual({ status: 400, code: 'FIELD_INVALID' })
  for (const bad of ['-1', '1e3', '01', '', 'x', '99999999999999999'])
    expect((await no(`?after=${bad}`)).status, bad).toBe(400)
  expect(await no('?before=1')).toEqual({ status: 400, code: 'FIELD_UNKNOWN' })
  expect(await no('?types=order')).toEqual({ status: 400, code: 'FIELD_INVALID' })
  expect(await no(`?after=0&token=${token}`)).toEqual({ status: 400, code: 'FIELD_UNKNOWN' })
})

test('types and subject choose', async () => {
  const start = await streamed.head()
  const dial = (more: string) =>
    new Listener(streamed.url, { token, query: `?after=${start}&${more}` })
  const listeners = [
    dial('types=order.confirmed,payment.*'),
    dial('subject=ord_x'),
    dial('types=chain.reorg&subject=main'),
    dial('types=*'),
  ]
  await listeners[3]?.opened
  const kinds = ['order.confirmed', 'order.created', 'payment.credited', 'chain.reorg'] as const
  for (const type of kinds)
    await streamed.emit({ type, subject: type === 'chain.reorg' ? 'main' : 'ord_x' }, { type })
  const lasts = [6, 5, 7, 8]
  await Promise.all(listeners.map((one, i) => one.until(start + (lasts[i] ?? 0))))
  const seen = listeners.map(({ seqs }) => seqs.map((seq) => seq - start))
  expect(seen).toEqual([[1, 2, 5, 6], [1, 3, 5], [7], upTo(8)])
  for (const one of listeners) one.close()
})

test('at the seam between past and present nothing is missing and nothing comes twice', async () => {
  // Commits of a store in memory are over before the network is looked at: the pauses let clients in between.
  const burst = fc.record({
    count: fc.oneof(fc.integer({ min: 1, max: 5 }), fc.integer({ min: 1, max: 450 })),
    pause: fc.integer({ min: 0, max: 12 }),
  })
  await fc.assert(
    fc.asyncProperty(
      fc.array(burst, { minLength: 1, maxLength: 12 }),
      fc.integer({ min: 0, max: 900 }),
      fc.array(fc.integer({ min: 0, max: 7 }), { minLength: 1, maxLength: 6 }),
      fc.boolean(),
      async (bursts, back, arrivals, narrow) => {
        const head = await streamed.head()
        const after = Math.max(0, head - back)
        const filter = narrow ? '&types=order.created' : ''
        const listeners: Listener[] = []
        const arrive = (turn: number) => {
          for (const one of arrivals)
            if (one === turn)
              listeners.push(
                new Listener(streamed.url, { token, query: `?after=${after}${filter}` }),
              )
        }
        for (const [turn, { count, pause }] of bursts.entries()) {
          arrive(turn)
          await streamed.many(count)
          for (let i = 0; i < pause; i++) await new Promise(setImmediate)
          if (pause > 9) await Promise.all(listeners.map(({ opened }) => opened))
        }
        arrive(bursts.length)
        const last = await streamed.head()
        await Promise.all(listeners.map((listener) => listener.until(last)))
        const expected = (await streamed.served.till.allEvents())
          .filter(({ seq, type }) => seq > after && (!narrow || type === 'order.created'))
          .map(({ seq }) => seq)
        for (const listener of listeners) {
          expect(listener.seqs).toEqual(expected)
          listener.close()
        }
      },
    ),
    { numRuns: 25 },
  )
}, 120_000)

test('what another process commits is found at the next look', async () => {
  const head = await streamed.head()
  const listener = new Listener(streamed.url, { token, query: `?after=${head - 1}` })
  await listener.until(head)
  await streamed.elsewhere()
  await listener.until(head + 1)
  expect(listener.seqs).toEqual([head, head + 1])
  listener.close()
})

test('the document names the stream with both its forms', async () => {
  const { json } = await streamed.served.call('GET', '/openapi.json')
  const { get } = json.paths['/v1/events/stream']
  expect(get.operationId).toBe('streamEvents')
  expect(Object.keys(get.responses)).toEqual(
    expect.arrayContaining(['101', '200', '400', '401', '403', '406', '429', '503']),
  )
  expect(Object.keys(get.responses['200'].content)).toEqual(['text/event-stream'])
  expect(get.parameters.map(({ name }: { name: string }) => name).sort()).toEqual([
    'after',
    'last-event-id',
    'subject',
    'types',
  ])
})
