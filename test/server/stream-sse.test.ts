import { request } from 'node:http'
import { connect } from 'node:net'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { openStreamed, type Streamed, upTo } from './streamed.ts'

let streamed: Streamed
let token: string
beforeAll(async () => {
  streamed = await openStreamed({
    streams: { heartbeatMs: 60 },
    settings: { origins: ['https://app.example'] },
  })
  token = streamed.served.admin
})
afterAll(() => streamed.served.close())

/** Reads a stream until `isEnough`, as text. */
async function listen(
  path: string,
  headers: Readonly<Record<string, string>>,
  isEnough: (text: string) => boolean,
): Promise<{ readonly text: string; readonly headers: Headers }> {
  const stop = new AbortController()
  const answer = await fetch(`${streamed.url}${path}`, {
    headers: { authorization: `Bearer ${token}`, ...headers },
    signal: stop.signal,
  })
  let text = ''
  for await (const chunk of answer.body ?? []) {
    text += Buffer.from(chunk).toString()
    if (isEnough(text)) break
  }
  stop.abort()
  return { text, headers: answer.headers }
}
const idsIn = (text: string): readonly number[] =>
  [...text.matchAll(/^id: (\d+)\nevent: /gm)].map(([, id]) => Number(id))

const SSE = { accept: 'text/event-stream' }

test('events come as server-sent events on both addresses', async () => {
  await streamed.many(3)
  const head = await streamed.head()
  for (const path of ['/v1/events/stream?after=0', '/v1/events?after=0']) {
    const { text, headers } = await listen(path, SSE, (got) => got.includes(`id: ${head}\nevent`))
    expect(headers.get('content-type')).toBe('text/event-stream; charset=utf-8')
    expect(headers.get('x-request-id')).toMatch(/^req_/)
    expect(headers.get('cache-control')).toContain('no-store')
    expect(text.startsWith('retry: 3000\nid: 0\n\n')).toBe(true)
    expect(idsIn(text)).toEqual(upTo(head))
    const last = text.split('\n\n').find((block) => block.startsWith(`id: ${head}\n`))
    const [, type, data] = last?.split('\n') ?? []
    expect(type).toBe('event: order.created')
    expect(JSON.parse(data?.slice('data: '.length) ?? '')).toMatchObject({ seq: head })
  }
})

test('Last-Event-ID goes on where a client was, whatever its address says', async () => {
  await streamed.many(5)
  const head = await streamed.head()
  const headers = { ...SSE, 'last-event-id': String(head - 2) }
  const { text } = await listen('/v1/events/stream?after=0', headers, (got) =>
    got.includes(`id: ${head}\nevent`),
  )
  expect(idsIn(text)).toEqual([head - 1, head])
  const answer = await streamed.served.call('GET', '/v1/events/stream', {
    headers: { ...SSE, 'last-event-id': 'evt_1' },
  })
  expect([answer.status, answer.json.param]).toEqual([400, 'Last-Event-ID'])
})

test('a sign of life carries how far a client has been served, also past what was not for it', async () => {
  await streamed.many(4)
  const head = await streamed.head()
  const path = '/v1/events/stream?after=0&types=order.failed'
  const alive = `: alive\nid: ${head}\n\n`
  const { text } = await listen(path, SSE, (got) => got.includes(alive))
  expect(idsIn(text)).toEqual([])
})

test('a line break in an event cannot begin another one', async () => {
  const head = await streamed.head()
  await streamed.emit({ data: { note: 'a\n\nid: 99\nevent: x\ndata: {}\n\n\r\u2028' } })
  const { text } = await listen(`/v1/events/stream?after=${head}`, SSE, (got) =>
    got.includes('\n\nid: '),
  )
  expect(idsIn(text)).toEqual([head + 1])
})

test('who takes no event stream is told so; others get it', async () => {
  const no = await streamed.served.call('GET', '/v1/events/stream', {
    headers: { accept: 'application/json' },
  })
  expect([no.status, no.json.code]).toEqual([406, 'STREAM_FORM_UNKNOWN'])
  const any = await listen('/v1/events/stream', { accept: '*/*' }, (got) => got.includes('alive'))
  expect(any.headers.get('content-type')).toContain('text/event-stream')
  // Nothing that could be told without a stream.
  const head = await fetch(`${streamed.url}/v1/events/stream`, {
    method: 'HEAD',
    headers: { authorization: `Bearer ${token}` },
  })
  expect(head.status).toBeGreaterThanOrEqual(400)
})

test('a page of a strange origin is refused', async () => {
  for (const [origin, status] of [
    ['https://evil.example', 403],
    ['null', 403],
  ] as const) {
    const answer = await streamed.served.call('GET', '/v1/events/stream', {
      headers: { ...SSE, origin },
    })
    expect([origin, answer.status, answer.json.code]).toEqual([origin, status, 'ORIGIN_FORBIDDEN'])
  }
  const good = await listen('/v1/events/stream', { ...SSE, origin: 'https://app.example' }, (got) =>
    got.includes('alive'),
  )
  expect(good.headers.get('content-type')).toContain('text/event-stream')
})

test('an upgrade that nobody takes up is an ordinary request', async () => {
  const { port } = new URL(streamed.url)
  for (const [path, upgrade] of [
    ['/v1/chain', 'h2c'],
    ['/v1/chain', 'websocket'],
    ['/v1/nothing', 'websocket'],
    ['/v1/events/stream', 'h2c'],
  ] as const) {
    const status = await new Promise<number | undefined>((resolve, reject) => {
      const asked = request(
        {
          port,
          path,
          headers: {
            authorization: `Bearer ${token}`,
            connection: 'Upgrade, HTTP2-Settings',
            upgrade,
            'http2-settings': 'AAMAAABkAARAAAAAAAIAAAAA',
            accept: 'application/json',
          },
        },
        (answer) => {
          answer.resume()
          resolve(answer.statusCode)
        },
      )
      asked.on('upgrade', () => reject(new TypeError('upgraded')))
      asked.on('error', reject)
      asked.end()
    })
    const expected = { '/v1/chain': 200, '/v1/nothing': 404, '/v1/events/stream': 406 }[path]
    expect([path, upgrade, status]).toEqual([path, upgrade, expected])
  }
})

test('a client that leaves leaves nothing behind', async () => {
  const { port } = new URL(streamed.url)
  const count = () =>
    new Promise<number>((resolve, reject) =>
      streamed.served.app.server.getConnections((error, open) =>
        error ? reject(error) : resolve(open),
      ),
    )
  const before = await count()
  const sockets = Array.from({ length: 20 }, () => connect(Number(port), '127.0.0.1'))
  for (const socket of sockets)
    socket.write(
      `GET /v1/events/stream HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${token}\r\n\r\n`,
    )
  await Promise.all(sockets.map((socket) => new Promise((resolve) => socket.once('data', resolve))))
  expect(await count()).toBeGreaterThanOrEqual(before + 20)
  for (const socket of sockets) socket.destroy()
  await expect.poll(count).toBeLessThanOrEqual(before)
})
