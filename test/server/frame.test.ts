import { afterAll, beforeAll, expect, test } from 'vitest'
import { Served } from './served.ts'

let served: Served
beforeAll(async () => {
  served = await Served.open()
})
afterAll(() => served.close())

test('every answer names its request, and a no is a problem', async () => {
  const good = await served.call('GET', '/v1/chain')
  expect(good.status).toBe(200)
  expect(good.json.network).toBe('regtest')
  expect(good.headers.get('x-request-id')).toMatch(/^req_/)
  const bad = await served.call('GET', '/v1/chain?colour=red')
  expect(bad.status).toBe(400)
  expect(bad.headers.get('content-type')).toContain('application/problem+json')
  expect(bad.json).toMatchObject({
    status: 400,
    code: 'FIELD_UNKNOWN',
    param: 'colour',
    remedy: 'caller',
    request_id: bad.headers.get('x-request-id'),
  })
})

test('a text of the wrong form is answered with what it is for', async () => {
  const cursor = await served.call('GET', '/v1/orders?after=x')
  expect([cursor.json.param, cursor.json.detail]).toEqual([
    'after',
    'after cannot be used: the `next` of the page before',
  ])
  const pair = await served.call('GET', '/v1/orders?metadata=x')
  expect(pair.json.detail).not.toContain('undefined')
})

test('without a key, with a wrong one, and without the scope', async () => {
  const none = await served.call('GET', '/v1/chain', { token: '' })
  expect([none.status, none.json.code]).toEqual([401, 'TOKEN_MISSING'])
  expect(none.headers.get('www-authenticate')).toContain('Bearer')
  const wrong = await served.call('GET', '/v1/chain', { token: `${served.admin.slice(0, -4)}AAAA` })
  expect([wrong.status, wrong.json.code]).toEqual([401, 'KEY_UNKNOWN'])
  const narrow = await served.call('GET', '/v1/chain', {
    token: await served.key(['orders:read']),
  })
  expect([narrow.status, narrow.json.code]).toEqual([403, 'SCOPE_MISSING'])
  expect(narrow.json.facts).toEqual({ scope: 'chain:read' })
})

test('what is not there', async () => {
  const lost = await served.call('GET', '/v1/nothing')
  expect([lost.status, lost.json.code]).toEqual([404, 'ROUTE_NOT_FOUND'])
})

test('a method that asks with a body is no mistake of ours', async () => {
  const known = await served.call('QUERY', '/v1/chain')
  expect([known.status, known.json.code]).toEqual([405, 'METHOD_NOT_ALLOWED'])
  expect(known.headers.get('allow')).toBe('GET, HEAD, OPTIONS')
  const lost = await served.call('QUERY', '/v1/nothing')
  expect([lost.status, lost.json.code]).toEqual([404, 'ROUTE_NOT_FOUND'])
})

test('entries of a payment whose id cannot be', async () => {
  const answer = await served.call('GET', '/v1/ledger/entries?payment=0')
  expect([answer.status, answer.json.param]).toEqual([400, 'payment'])
})
