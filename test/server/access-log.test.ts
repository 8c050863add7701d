import { afterAll, beforeAll, expect, test } from 'vitest'
import { Served } from './served.ts'

const lines: { level: string; message: string; details: Record<string, unknown> }[] = []
let served: Served
beforeAll(async () => {
  served = await Served.open({
    logger: {
      log: (level, message, details = {}) =>
        lines.push({ level, message, details: { ...details } }),
    },
  })
})
afterAll(() => served.close())

const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736'
const lineOf = async (id: string | null) => {
  await expect.poll(() => lines.some(({ details }) => details['request_id'] === id)).toBe(true)
  return lines.find(({ details, message }) => details['request_id'] === id && message === 'request')
}

test('a request is one line that names who, what by which route, and what came of it', async () => {
  const { headers } = await served.call('GET', '/v1/orders?customer=secret-customer', {
    headers: {
      'x-request-id': 'mine',
      'x-correlation-id': 'cart:4711',
      traceparent: `00-${TRACE}-00f067aa0ba902b7-01`,
    },
  })
  const id = headers.get('x-request-id')
  expect(id).toMatch(/^req_/)
  const line = await lineOf(id)
  expect(line).toMatchObject({
    level: 'info',
    details: {
      method: 'GET',
      route: '/v1/orders',
      status: 200,
      client: '127.0.0.1',
      key: expect.stringMatching(/^key_/),
      correlation_id: 'cart:4711',
      trace_id: TRACE,
    },
  })
  expect(line?.details['duration_ms']).toBeGreaterThan(0)
})

test.each([
  ['x-correlation-id', 'a b'],
  ['x-correlation-id', 'x'.repeat(129)],
  ['traceparent', `00-${'0'.repeat(32)}-00f067aa0ba902b7-01`],
  ['traceparent', `ff-${TRACE}-00f067aa0ba902b7-01`],
])('%s of another form goes nowhere', async (name, value) => {
  const { headers } = await served.call('GET', '/v1/chain', { headers: { [name]: value } })
  const line = await lineOf(headers.get('x-request-id'))
  expect(line?.details).not.toHaveProperty('correlation_id')
  expect(line?.details).not.toHaveProperty('trace_id')
})

test('no token, body, query or address line stands in the log', async () => {
  await served.call('POST', '/v1/orders', {
    body: { wallet: 'wal_secretbody', note: 'secret-note' },
  })
  const lost = await served.call('GET', '/v1/secret-path?token=secret-query')
  expect((await lineOf(lost.headers.get('x-request-id')))?.details).toMatchObject({ route: '' })
  expect(JSON.stringify(lines)).not.toContain('secret')
  expect(JSON.stringify(lines)).not.toContain(served.admin)
})

test('events name the request they came from', async () => {
  const { headers } = await served.call('POST', '/v1/orders', {
    body: { wallet: served.till.wallet, amount_sat: 10_000 },
  })
  const created = (await served.till.allEvents()).find(({ type }) => type === 'order.created')
  expect(created?.origin?.requestId).toBe(headers.get('x-request-id'))
})
