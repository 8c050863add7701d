import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { EngineError, Secret } from '@kaccy/bitcoin/kernel'
import { afterEach, expect, test } from 'vitest'
import { ApiClient } from './client.ts'
import { type HttpTransportOptions, httpTransport } from './http.ts'

const closing: (() => void | Promise<void>)[] = []
afterEach(async () => {
  for (const close of closing.splice(0)) await close()
})

type Handle = (request: IncomingMessage, response: ServerResponse) => void
const listen = async (server: Server): Promise<number> => {
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve)
  })
  closing.push(() => {
    server.closeAllConnections()
    server.close()
  })
  return (server.address() as AddressInfo).port
}
const serve = async (handle: Handle): Promise<string> =>
  `http://127.0.0.1:${await listen(createServer(handle))}`
const clientOf = (options: HttpTransportOptions): ApiClient => {
  const client = new ApiClient(httpTransport(options))
  closing.push(() => client.close())
  return client
}
const codeOf = async (work: Promise<unknown> | (() => unknown)): Promise<string> => {
  try {
    await (typeof work === 'function' ? work() : work)
    return 'ok'
  } catch (error) {
    return error instanceof EngineError ? error.code : String(error)
  }
}
const json = (response: ServerResponse, status: number, body: unknown): void => {
  response.writeHead(status, { 'content-type': 'application/json' })
  response.end(JSON.stringify(body))
}

test('a request carries the key, a length, and one Idempotency-Key', async () => {
  const seen: IncomingMessage['headers'][] = []
  const url = await serve((request, response) => {
    seen.push(request.headers)
    json(response, 201, { id: 'ord_1' })
  })
  const client = clientOf({ url, key: new Secret('kc_dev_x') })
  const { made, created } = await client.create<{ id: string }>('/v1/orders', {
    body: { amount_sat: 1 },
    idempotencyKey: 'mine',
  })
  expect([made.id, created]).toEqual(['ord_1', true])
  await client.post('/v1/orders')
  expect(seen[0]).toMatchObject({
    authorization: 'Bearer kc_dev_x',
    'idempotency-key': 'mine',
    'content-length': '16',
  })
  expect(seen[1]?.['idempotency-key']).toMatch(/^[0-9a-f-]{36}$/)
})

test('a problem is the error it stands for; another answer is none of ours', async () => {
  const answers: [number, string, string][] = [
    [409, '{"code":"WALLET_RETIRED","detail":"it is retired","param":"wallet"}', 'WALLET_RETIRED'],
    [400, '{"code":"__proto__","detail":"x"}', 'API_ANSWER_UNREADABLE'],
    [502, '<html>Bad Gateway</html>', 'API_ANSWER_UNREADABLE'],
    [302, '', 'API_ANSWER_UNREADABLE'],
    [200, '<html>Welcome</html>', 'API_ANSWER_UNREADABLE'],
    [500, 'null', 'API_ANSWER_UNREADABLE'],
  ]
  for (const [status, body, code] of answers) {
    const url = await serve((_request, response) => {
      response.writeHead(status)
      response.end(body)
    })
    expect(await codeOf(clientOf({ url }).get('/v1/chain')), body).toBe(code)
  }
})

test('lists are read page after page, and no more of them than was asked for', async () => {
  const asked: string[] = []
  const url = await serve((request, response) => {
    asked.push(request.url ?? '')
    const { searchParams } = new URL(request.url ?? '', 'http://x')
    const from = Number(searchParams.get('after') ?? 0)
    const limit = Number(searchParams.get('limit'))
    const data = Array.from({ length: limit }, (_, i) => from + i + 1)
    json(response, 200, { data, has_more: from + limit < 250, next: String(from + limit) })
  })
  const client = clientOf({ url })
  expect(await client.list('/v1/x', { status: 'a b', none: undefined }, 205)).toHaveLength(205)
  expect(asked).toEqual([
    '/v1/x?status=a+b&limit=100',
    '/v1/x?status=a+b&limit=100&after=100',
    '/v1/x?status=a+b&limit=5&after=200',
  ])
})

test('a stream that breaks goes on behind the last event', async () => {
  const after: (string | null)[] = []
  const url = await serve((request, response) => {
    const { searchParams } = new URL(request.url ?? '', 'http://x')
    const from = Number(searchParams.get('after'))
    after.push(searchParams.get('after'))
    response.writeHead(200, { 'content-type': 'text/event-stream' })
    response.write(`: hello\n\nid: ${from + 1}\ndata: {"seq":${from + 1},"type":"x"}\n\n`)
    response.write('data: {"heartbeat":true}\n\n', () => response.destroy())
  })
  const stop = new AbortController()
  const seen: number[] = []
  for await (const { seq } of clientOf({ url }).follow(4, {}, stop.signal)) {
    seen.push(seq)
    if (seq === 7) stop.abort()
  }
  expect(seen).toEqual([5, 6, 7])
  expect(after).toEqual(['4', '5', '6'])
})

test('who cannot be reached, and who keeps silent', async () => {
  expect(await codeOf(clientOf({ url: 'http://127.0.0.1:1' }).get('/v1/chain'))).toBe(
    'API_UNREACHABLE',
  )
  const silent = await serve(() => {})
  expect(await codeOf(clientOf({ url: silent, timeoutMs: 50 }).get('/v1/chain'))).toBe(
    'API_UNREACHABLE',
  )
  const broken = await serve((_request, response) => {
    response.writeHead(200, { 'content-length': '100' })
    response.write('{"a":', () => response.destroy())
  })
  expect(await codeOf(clientOf({ url: broken }).get('/v1/chain'))).toBe('API_UNREACHABLE')
})

test.each([
  ['http://pay.example.com', 'CONFIG_VALUE_INVALID'],
  ['https://pay.example.com/v1', 'CONFIG_VALUE_INVALID'],
  ['https://u:p@pay.example.com', 'CONFIG_VALUE_INVALID'],
  ['ftp://pay.example.com', 'CONFIG_VALUE_INVALID'],
  ['pay.example.com', 'CONFIG_VALUE_INVALID'],
  ['http://127.0.0.1.example.com', 'CONFIG_VALUE_INVALID'],
  ['http://[::1]:8080', 'ok'],
  ['https://pay.example.com/', 'ok'],
])('the address %s: %s', async (url, code) => {
  expect(await codeOf(() => clientOf({ url, key: new Secret('kc_dev_x') }))).toBe(code)
  const plain = () => clientOf({ url, allowPlainHttp: true })
  if (url === 'http://pay.example.com') expect(await codeOf(plain)).toBe('ok')
})
