import { systemTimers } from '@kaccy/bitcoin/adapters/system'
import { silentLogger } from '@kaccy/bitcoin/kernel'
import { parseIpRange } from '@kaccy/bitcoin/protocol/ip'
import { type AppParts, createApp } from '@kaccy/bitcoin-server/http'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { Till } from '../deposits/till.ts'

let till: Till
beforeAll(async () => {
  till = await Till.open()
})
const apps: Awaited<ReturnType<typeof createApp>>[] = []
afterAll(() => Promise.all(apps.map((app) => app.close())))

const open = async (settings: Partial<AppParts['settings']> = {}, hasPage = true) => {
  const app = await createApp({
    engine: till.engine,
    network: 'regtest',
    clock: { now: () => till.now },
    logger: silentLogger,
    settings: {
      trustedProxies: [],
      allowedAddresses: [],
      origins: [],
      bodyLimit: 65_536,
      requestsPerMinute: { address: 5, key: 5 },
      ...settings,
    },
    ...(hasPage
      ? { pay: { timers: systemTimers, head: () => till.store.read((tx) => tx.events.head()) } }
      : {}),
  })
  apps.push(app)
  return app
}

test('the server has the page, without a key, with an id for each request', async () => {
  const app = await open()
  const { id } = await till.order({ amount: 150_000 })
  const answer = await app.inject(`/pay/${id}`)
  expect(answer.statusCode).toBe(200)
  expect(answer.headers['x-request-id']).toMatch(/^req_/)
  expect(answer.body).toContain('Waiting for your payment')
  const missing = await app.inject('/pay/ord_x/status')
  expect(missing.json()).toMatchObject({
    code: 'ORDER_NOT_FOUND',
    request_id: missing.headers['x-request-id'],
  })
})

test('counts requests as everywhere, so that nobody tries ids out', async () => {
  const app = await open()
  const answers = []
  for (let i = 0; i < 7; i++) answers.push((await app.inject('/pay/ord_x')).statusCode)
  expect(answers).toEqual([404, 404, 404, 404, 404, 429, 429])
})

test('serves only the addresses that the server serves', async () => {
  const range = parseIpRange('10.0.0.0/8')
  const app = await open({ allowedAddresses: range ? [range] : [] })
  const answer = await app.inject('/pay/ord_x')
  expect([answer.statusCode, answer.json().code]).toEqual([403, 'ADDRESS_FORBIDDEN'])
})

test('knows its own address behind a proxy by the configuration', async () => {
  const app = await open({ publicUrl: 'https://pay.example' })
  const { id } = await till.order({ amount: 150_000 })
  const parent = async (origin: string) =>
    /data-parent="([^"]*)"/.exec((await app.inject(`/pay/${id}?origin=${origin}`)).body)?.[1]
  expect(await parent('https://pay.example')).toBe('https://pay.example')
  expect(await parent('http://localhost:80')).toBe('')
})

test('where it is turned off there is nothing', async () => {
  const app = await open({}, false)
  expect((await app.inject('/pay/embed.js')).json()).toMatchObject({ code: 'ROUTE_NOT_FOUND' })
})
