import { type AppParts, Drain } from '@kaccy/bitcoin-server/http'
import { Agent, request as httpRequest } from 'node:http'
import { connect } from 'node:net'
import { afterAll, beforeAll, describe, expect, it, test } from 'vitest'
import { exchange, getRaw, parseAnswer, problemIn } from './raw.ts'
import { Served } from './served.ts'

let served: Served
beforeAll(async () => {
  served = await Served.open({
    settings: { connections: { headersMs: 300, requestMs: 600, checkMs: 50 } },
  })
})
afterAll(() => served.close())

describe('methods', () => {
  it.each(['POST', 'PUT', 'PATCH', 'DELETE'])(
    '%s is not allowed where only GET is',
    async (method) => {
      const answer = await served.call(method, '/v1/chain', { token: '', raw: '{"a":' })
      expect([answer.status, answer.json.code]).toEqual([405, 'METHOD_NOT_ALLOWED'])
      expect(answer.headers.get('allow')).toBe('GET, HEAD, OPTIONS')
    },
  )
  it('lists them for OPTIONS, also without a key', async () => {
    const answer = await served.call('OPTIONS', '/v1/chain', { token: '' })
    expect([answer.status, answer.headers.get('allow')]).toEqual([204, 'GET, HEAD, OPTIONS'])
    expect((await served.call('OPTIONS', '/v1/nothing')).status).toBe(404)
  })
  it('answers HEAD as GET without a body, with the same rights', async () => {
    const head = await served.call('HEAD', '/v1/chain')
    expect([head.status, head.text]).toEqual([200, ''])
    expect((await served.call('HEAD', '/v1/chain', { token: '' })).status).toBe(401)
  })
  it('knows no TRACE that would repeat a key', async () => {
    const text = await exchange(
      served.url,
      'TRACE /v1/chain HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer kc_dev_abc\r\nConnection: close\r\n\r\n',
    )
    expect(parseAnswer(text).status).toBe(405)
    expect(text).not.toContain('kc_dev_abc')
  })
})

describe('addresses', () => {
  it.each([
    ['/v1/%zz', 404],
    ['/%c0%ae%c0%ae/', 404],
    [`/v1/wallets/${'w'.repeat(301)}`, 404],
    [`/${'a/'.repeat(5000)}`, 404],
    ['/v1/chain/', 404],
    ['//v1/chain', 404],
    ['/V1/chain', 404],
    ['/v1/../v1/chain', 404],
    ['*', 404],
  ])('%.40s', async (path, status) => {
    const answer = await getRaw(served.url, path)
    expect(answer.status).toBe(status)
    expect(answer.head).toContain('content-type: application/problem+json')
    expect(answer.head).toMatch(/x-request-id: req_/)
    expect(JSON.parse(answer.body)).toMatchObject({ code: 'ROUTE_NOT_FOUND', status })
  })
  it('takes no field twice, and none that is not known', async () => {
    for (const query of ['?a=1', '?__proto__=1', '?a=1&a=2', '?constructor[x]=1'])
      expect((await served.call('GET', `/v1/chain${query}`)).json.code).toBe('FIELD_UNKNOWN')
  })
})

const POST = 'POST /v1/chain HTTP/1.1\r\nHost: x\r\n'
describe('what is no HTTP', () => {
  it.each([
    ['a broken request line', 'GET\r\n\r\n', 400],
    ['nonsense', '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03', 400],
    ['another protocol', 'GET /v1/chain SMTP/1.0\r\n\r\n', 400],
    ['a header without a colon', 'GET /v1/chain HTTP/1.1\r\nHost: x\r\nbroken\r\n\r\n', 400],
    ['a header with NUL', 'GET /v1/chain HTTP/1.1\r\nHost: x\r\nA: a\0b\r\n\r\n', 400],
    ['two Hosts', 'GET /v1/chain HTTP/1.1\r\nHost: x\r\nhost: y\r\n\r\n', 400],
    ['blanks before a colon', 'GET /v1/chain HTTP/1.1\r\nHost : x\r\n\r\n', 400],
    [
      'length and chunks',
      `${POST}Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`,
      400,
    ],
    [
      'chunks and length',
      `${POST}Transfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n0\r\n\r\n`,
      400,
    ],
    ['two lengths', `${POST}Content-Length: 4\r\nContent-Length: 5\r\n\r\nabcd`, 400],
    ['a length with a sign', `${POST}Content-Length: +4\r\n\r\nabcd`, 400],
    [
      'an encoding after chunked',
      `${POST}Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n`,
      400,
    ],
    ['a folded header', 'GET /v1/chain HTTP/1.1\r\nHost: x\r\nA: b\r\n c\r\n\r\n', 400],
    ['no host', 'GET /v1/chain HTTP/1.1\r\nConnection: close\r\n\r\n', 400],
    ['large headers', `GET /v1/chain HTTP/1.1\r\nHost: x\r\nA: ${'a'.repeat(20_000)}\r\n\r\n`, 431],
  ])('%s', async (_, bytes, status) => {
    const text = await exchange(served.url, bytes)
    const { head, status: got } = parseAnswer(text)
    expect(got).toBe(status)
    expect(head).toContain('content-type: application/problem+json')
    expect(head).toContain('connection: close')
    expect(head).toContain('x-content-type-options: nosniff')
    expect(problemIn(text)).toMatchObject({
      code: status === 431 ? 'HEADERS_TOO_LARGE' : 'REQUEST_MALFORMED',
      status,
      request_id: expect.stringMatching(/^req_/),
    })
    // A second request behind it is not answered: nobody knows where it begins.
    expect(text.match(/HTTP\/1\.1/g)).toHaveLength(1)
  })
})

describe('slow clients', () => {
  it('are cut off in the headers and in the body', async () => {
    const headers = await exchange(served.url, 'GET /v1/chain HTTP/1.1\r\nHost: x\r\n', 5_000)
    expect(problemIn(headers)).toMatchObject({ code: 'REQUEST_TIMEOUT', status: 408 })
    const body = `${POST}Content-Type: application/json\r\nContent-Length: 100\r\n\r\n{`
    const late = await exchange(served.url, body, 5_000)
    expect([0, 405, 408]).toContain(parseAnswer(late).status)
  })
  it('do not keep others out', async () => {
    const { hostname, port } = new URL(served.url)
    const slow = Array.from({ length: 200 }, () => connect(Number(port), hostname))
    for (const socket of slow)
      socket
        .on('error', () => {})
        .resume()
        .write('GET /v1/chain HTTP/1.1\r\nX: ')
    expect((await served.call('GET', '/v1/chain')).status).toBe(200)
    await Promise.all(slow.map((socket) => new Promise((done) => socket.on('close', done))))
  })
  it('are limited in number', async () => {
    const own = await Served.open({ settings: { connections: { most: 3 } } })
    const { hostname, port } = new URL(own.url)
    const open = Array.from({ length: 3 }, () => connect(Number(port), hostname))
    await Promise.all(open.map((socket) => new Promise((done) => socket.once('connect', done))))
    expect(await exchange(own.url, 'GET /v1/chain HTTP/1.1\r\nHost: x\r\n\r\n')).toBe('')
    for (const socket of open) socket.destroy()
    await own.close()
  })
})

describe('a server that is about to stop', () => {
  it('takes nothing new on connections that are kept, and closes them', async () => {
    const drain = new Drain()
    const own = await Served.open({ parts: { drain } satisfies Partial<AppParts> })
    const agent = new Agent({ keepAlive: true, maxSockets: 1 })
    const ask = () =>
      new Promise<{ status: number; connection: string; body: string }>((resolve, reject) => {
        const asked = httpRequest(
          `${own.url}/v1/chain`,
          { agent, headers: { authorization: `Bearer ${own.admin}` } },
          (answer) => {
            let body = ''
            answer.on('data', (chunk: Buffer) => {
              body += chunk
            })
            answer.on('end', () =>
              resolve({
                status: answer.statusCode ?? 0,
                connection: answer.headers.connection ?? '',
                body,
              }),
            )
          },
        )
        asked.on('error', reject)
        asked.end()
      })
    expect(await ask()).toMatchObject({ status: 200, connection: 'keep-alive' })
    drain.begin()
    const late = await ask()
    expect(late).toMatchObject({ status: 503, connection: 'close' })
    expect(JSON.parse(late.body)).toMatchObject({ code: 'SERVER_DRAINING', remedy: 'retry' })
    agent.destroy()
    await own.close()
  })
  it('answers what it has begun', async () => {
    let go = () => {}
    const held = new Promise<void>((resolve) => {
      go = resolve
    })
    let begun = () => {}
    const isBegun = new Promise<void>((resolve) => {
      begun = resolve
    })
    const drain = new Drain()
    const own = await Served.open({
      parts: {
        drain,
        more: [
          {
            named: [],
            routes: [
              {
                method: 'GET',
                url: '/v1/test/slow',
                id: 'testSlow',
                tag: 'Test',
                summary: 'slow',
                scope: 'any',
                schemas: { answers: { 204: { type: 'null' } as object } },
                async handle() {
                  begun()
                  await held
                  return { status: 204 }
                },
              },
            ],
          },
        ],
      },
    })
    const answer = own.call('GET', '/v1/test/slow')
    await isBegun
    const closed = own.close()
    while (!drain.isDraining) await new Promise(setImmediate)
    go()
    const { status, headers } = await answer
    expect([status, headers.get('connection')]).toEqual([204, 'close'])
    await closed
  })
})

test('every answer carries the fixed headers', async () => {
  for (const [path, call] of [
    ['/v1/chain', {}],
    ['/v1/chain', { token: '' }],
    ['/v1/nothing', {}],
    ['/v1/chain?x=1', {}],
  ] as const) {
    const { headers } = await served.call('GET', path, call)
    expect(Object.fromEntries(headers)).toMatchObject({
      'cache-control': 'no-store',
      'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
      'cross-origin-resource-policy': 'same-origin',
      'referrer-policy': 'no-referrer',
      'x-content-type-options': 'nosniff',
      'x-request-id': expect.stringMatching(/^req_/),
    })
    expect(headers.has('strict-transport-security')).toBe(false)
    expect(headers.has('server')).toBe(false)
  }
})
