import { parseIpRange } from '@kaccy/bitcoin/protocol/ip'
import { afterEach, expect, test } from 'vitest'
import { Served } from './served.ts'

const proxies = ['127.0.0.0/8'].flatMap((text) => parseIpRange(text) ?? [])
let served: Served
afterEach(() => served.close())

const open = async (address: number, key: number) => {
  served = await Served.open({
    settings: { trustedProxies: proxies, requestsPerMinute: { address, key } },
  })
}
const from = (address: string, token?: string) =>
  served.call('GET', '/v1/chain', {
    headers: { 'x-forwarded-for': address },
    ...(token === undefined ? {} : { token }),
  })

test('an address has its quota, whoever asks and whatever for, and the headers say how much is left', async () => {
  await open(3, 100)
  const first = await from('192.0.2.1')
  expect(first.headers.get('ratelimit-policy')).toBe('"address";q=3;w=60, "key";q=100;w=60')
  expect(first.headers.get('ratelimit')).toBe('"address";r=2;t=20, "key";r=99;t=1')
  const lost = await served.call('GET', '/v1/nothing', {
    token: '',
    headers: { 'x-forwarded-for': '192.0.2.1' },
  })
  expect([lost.status, lost.headers.get('ratelimit')]).toEqual([404, '"address";r=1;t=40'])
  expect((await from('192.0.2.1')).status).toBe(200)
  const over = await from('192.0.2.1')
  expect([over.status, over.json.code, over.json.remedy]).toEqual([429, 'RATE_LIMITED', 'retry'])
  expect(over.headers.get('retry-after')).toBe('20')
  expect((await from('192.0.2.2')).status).toBe(200)
  served.till.now += 20_000
  expect((await from('192.0.2.1')).status).toBe(200)
  expect((await from('192.0.2.1')).status).toBe(429)
})

test('a key has its quota wherever it is used from, and others keep theirs', async () => {
  await open(100, 2)
  const token = await served.key(['chain:read'])
  expect((await from('192.0.2.1', token)).status).toBe(200)
  expect((await from('192.0.2.2', token)).status).toBe(200)
  const over = await from('192.0.2.3', token)
  expect([over.status, over.headers.get('retry-after')]).toEqual([429, '30'])
  expect((await from('192.0.2.3')).status).toBe(200)
})

test('one IPv6 network is one address', async () => {
  await open(2, 100)
  expect((await from('2001:db8::1')).status).toBe(200)
  expect((await from('2001:db8::2')).status).toBe(200)
  expect((await from('2001:db8::3')).status).toBe(429)
  expect((await from('2001:db8:0:1::1')).status).toBe(200)
})

test('who gets keys wrong is stopped early, and cannot shut out a neighbour whose key is right', async () => {
  await open(10_000, 10_000)
  const wrong = (i: number) => `${served.admin.slice(0, -4)}${String(i).padStart(4, '0')}`
  const neighbour = await served.key(['chain:read'])
  expect((await from('192.0.2.1', neighbour)).status).toBe(200)
  for (let i = 0; i < 20; i++) expect((await from('192.0.2.1', wrong(i))).status).toBe(401)
  const stopped = await from('192.0.2.1', wrong(20))
  expect([stopped.status, stopped.json.code]).toEqual([429, 'RATE_LIMITED'])
  expect(Number(stopped.headers.get('retry-after'))).toBeGreaterThan(0)
  // A right key that was never seen from there would tell a guesser too much.
  expect((await from('192.0.2.1')).status).toBe(429)
  expect((await from('192.0.2.1', neighbour)).status).toBe(200)
  expect((await from('192.0.2.2')).status).toBe(200)
  served.till.now += 60_000
  expect((await from('192.0.2.1')).status).toBe(200)
})

test('requests without a key are no guesses', async () => {
  await open(10_000, 10_000)
  for (let i = 0; i < 30; i++) expect((await from('192.0.2.1', '')).status).toBe(401)
  expect((await from('192.0.2.1')).status).toBe(200)
})

test('only addresses that are allowed are served', async () => {
  served = await Served.open({
    settings: {
      trustedProxies: proxies,
      allowedAddresses: ['192.0.2.0/24'].flatMap((text) => parseIpRange(text) ?? []),
    },
  })
  expect((await from('192.0.2.9')).status).toBe(200)
  const other = await from('198.51.100.1')
  expect([other.status, other.json.code]).toEqual([403, 'ADDRESS_FORBIDDEN'])
})
