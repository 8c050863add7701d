import { afterAll, beforeAll, describe, expect, it, test } from 'vitest'
import { Served } from './served.ts'

const SHOP = 'https://shop.example'
let closed: Served
let open: Served
beforeAll(async () => {
  closed = await Served.open()
  open = await Served.open({
    settings: { origins: [SHOP], publicUrl: 'https://pay.example.com' },
  })
})
afterAll(async () => {
  await closed.close()
  await open.close()
})

const preflight = (server: Served, origin: string, path = '/v1/chain') =>
  server.call('OPTIONS', path, {
    token: '',
    headers: { origin, 'access-control-request-method': 'GET' },
  })
const cors = (headers: Headers) =>
  [...headers].filter(([name]) => name.startsWith('access-control-')).map(([name]) => name)

test('closed by default', async () => {
  expect(cors((await preflight(closed, SHOP)).headers)).toEqual([])
  const asked = await closed.call('GET', '/v1/chain', { headers: { origin: SHOP } })
  expect([asked.status, cors(asked.headers), asked.headers.get('vary')]).toEqual([200, [], null])
})

describe('for an origin that is named', () => {
  it('answers the preflight without a key', async () => {
    const { status, headers } = await preflight(open, SHOP)
    expect(status).toBe(204)
    expect(headers.get('access-control-allow-origin')).toBe(SHOP)
    expect(headers.get('access-control-allow-methods')).toContain('PATCH')
    expect(headers.get('access-control-allow-headers')).toContain('Idempotency-Key')
    expect(headers.get('access-control-max-age')).toBe('600')
    expect(headers.get('vary')).toBe('Origin')
    expect(headers.has('access-control-allow-credentials')).toBe(false)
  })
  it('lets the page read answers, good and bad, and the headers that matter', async () => {
    for (const path of ['/v1/chain', '/v1/nothing', '/v1/chain?x=1']) {
      const { headers } = await open.call('GET', path, { headers: { origin: SHOP } })
      expect(headers.get('access-control-allow-origin')).toBe(SHOP)
      for (const name of ['X-Request-Id', 'RateLimit', 'Retry-After', 'Idempotent-Replayed'])
        expect(headers.get('access-control-expose-headers')).toContain(name)
      expect(headers.get('vary')).toBe('Origin')
      expect(headers.has('access-control-allow-credentials')).toBe(false)
    }
  })
})

test.each([
  'https://evil.example',
  'https://shop.example.evil.example',
  'https://evil.example/https://shop.example',
  'http://shop.example',
  'https://shop.example:8443',
  'HTTPS://SHOP.EXAMPLE',
  'null',
  '*',
])('not for %s', async (origin) => {
  const { headers } = await preflight(open, origin)
  expect(cors(headers)).toEqual([])
  expect(headers.get('vary')).toBe('Origin')
  const asked = await open.call('GET', '/v1/chain', { headers: { origin } })
  expect(cors(asked.headers)).toEqual([])
})

test('a server that is known by https says so for a year, and links to itself', async () => {
  const { headers, json } = await open.call('GET', '/v1/nothing')
  expect(headers.get('strict-transport-security')).toBe('max-age=31536000')
  expect(json.type).toBe('https://pay.example.com/docs/errors/ROUTE_NOT_FOUND')
})
