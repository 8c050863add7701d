import { systemEntropy } from '@kaccy/bitcoin/adapters/system'
import type { Route } from '@kaccy/bitcoin-server/http'
import { createMemoryStore } from '@kaccy/bitcoin/adapters/memory'
import { assert } from '@kaccy/bitcoin/kernel'
import type { Subject } from '@kaccy/bitcoin/testing'
import { Type } from 'typebox'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { TestPostgres } from '../counterparts/postgres.ts'
import { postgresForTests, postgresHome, sqliteHome } from '../store/homes.ts'
import { exchange, parseAnswer } from './raw.ts'
import { type Answered, Served } from './served.ts'

const postgres: TestPostgres | undefined = await postgresForTests()
afterAll(() => postgres?.stop())

/** Money moves nowhere yet: a route that requires a key, as withdrawals will. */
const moves: Route = {
  method: 'POST',
  url: '/v1/test/moves',
  id: 'testMoves',
  tag: 'Test',
  summary: 'needs a key',
  scope: 'any',
  once: 'around',
  requiresKey: true,
  schemas: { answers: { 201: Type.Object({ id: Type.String() }) } },
  handle: async ({ requestId }) => ({ status: 201, body: { id: requestId } }),
}

const homes: readonly (readonly [string, (() => Promise<Subject>) | undefined])[] = [
  ['memory', async () => ({ store: createMemoryStore() })],
  ['SQLite', sqliteHome],
  ['PostgreSQL', postgres && (() => postgresHome(postgres))],
]

describe.each(homes.filter(([, open]) => open !== undefined))('on %s', (_, open) => {
  let home: Subject
  let first: Served
  /** Another process over the same database, where there can be one. */
  let second: Served | undefined
  const key = (name: string, more: object = {}) => ({
    headers: { 'idempotency-key': name, ...more },
  })
  const order = (server: Served, name: string, body: object = {}): Promise<Answered> =>
    server.call('POST', '/v1/orders', {
      token: first.admin,
      body: { wallet: first.till.wallet, amount_sat: 10_000, ...body },
      ...key(name),
    })
  const orders = async (): Promise<number> =>
    (await first.till.engine.orders.list({ limit: 1000 })).length

  beforeAll(async () => {
    assert(open, 'a home')
    home = await open()
    const parts = { more: [{ named: [], routes: [moves] }] }
    first = await Served.open({ till: { store: home.store, entropy: systemEntropy }, parts })
    if (!home.reopen) return
    const { devnet } = first.till
    const till = { store: await home.reopen(), entropy: systemEntropy, devnet, registers: false }
    second = await Served.open({ till, parts })
  }, 60_000)
  afterAll(async () => {
    await second?.close()
    await first.close()
    await home.dispose?.()
  })

  it('answers again byte for byte, and does nothing again', async () => {
    const before = await orders()
    const made = await order(first, 'again', {
      description: 'ü "quoted" \n',
      metadata: { b: '1', a: '2' },
    })
    expect([made.status, made.headers.get('idempotent-replayed')]).toEqual([201, null])
    for (const server of [first, second ?? first]) {
      const again = await order(server, 'again', {
        metadata: { a: '2', b: '1' },
        description: 'ü "quoted" \n',
      })
      expect([again.status, again.headers.get('idempotent-replayed')]).toEqual([201, 'true'])
      expect(again.text).toBe(made.text)
      expect(again.headers.get('content-type')).toBe(made.headers.get('content-type'))
      expect(again.headers.get('x-request-id')).not.toBe(made.headers.get('x-request-id'))
    }
    expect(await orders()).toBe(before + 1)
  })

  it('does not look at white space and the order of names', async () => {
    const { wallet } = first.till
    const send = (raw: string) => first.call('POST', '/v1/orders', { raw, ...key('spaces') })
    const made = await send(`{"wallet":"${wallet}","amount_sat":10000}`)
    const again = await send(`{ "amount_sat" : 10000 ,\n "wallet":\t"${wallet}" }\n`)
    expect([again.status, again.text]).toEqual([201, made.text])
    const other = await send(`{"wallet":"${wallet}","amount_sat":10001}`)
    expect([other.status, other.json.code]).toEqual([409, 'IDEMPOTENCY_CONFLICT'])
  })

  it('does not look at how the address is written', async () => {
    const made = await order(first, 'address')
    const again = await first.app.inject({
      method: 'POST',
      url: '/v1/%6frders',
      headers: { host: 'x', authorization: `Bearer ${first.admin}`, ...key('address').headers },
      payload: { wallet: first.till.wallet, amount_sat: 10_000 },
    })
    expect([again.headers['idempotent-replayed'], again.body]).toEqual(['true', made.text])
  })

  it('refuses another body under the same key, and does nothing', async () => {
    expect((await order(first, 'other')).status).toBe(201)
    const before = await orders()
    for (const server of [first, second ?? first]) {
      const { status, json } = await order(server, 'other', { amount_sat: 20_000 })
      expect([status, json.code]).toEqual([409, 'IDEMPOTENCY_CONFLICT'])
    }
    expect(await orders()).toBe(before)
  })

  it('keeps nothing when validation fails, in the form or in the engine', async () => {
    for (const amount of [-1, 0, 1]) {
      const { status } = await order(first, `failed ${amount}`.replace(' ', '_'), {
        amount_sat: amount,
      })
      expect(status).toBe(400)
      expect((await order(first, `failed_${amount}`)).status).toBe(201)
    }
  })

  it('does the work once for twenty requests at the same time', async () => {
    const before = await orders()
    const all = await Promise.all(Array.from({ length: 20 }, () => order(first, 'twenty')))
    const made = all.filter(({ status }) => status === 201)
    expect(new Set(made.map(({ json }) => json.id)).size).toBe(1)
    for (const { status, json, headers } of all)
      if (status !== 201) {
        expect([status, json.code]).toEqual([409, 'IDEMPOTENCY_IN_FLIGHT'])
        expect(headers.get('retry-after')).toBe('1')
      }
    expect(await orders()).toBe(before + 1)
  })

  it.skipIf(_ === 'memory')(
    'does it once for two processes (SKIPPED in memory: there is one)',
    async () => {
      const other = second
      assert(other, 'a second process')
      const before = await orders()
      const rounds = 10
      for (let round = 0; round < rounds; round++) {
        const both = await Promise.all([order(first, `two_${round}`), order(other, `two_${round}`)])
        const made = both.filter(({ status }) => status === 201)
        expect(made.length).toBeGreaterThan(0)
        expect(new Set(made.map(({ text }) => text)).size).toBe(1)
        for (const { status, json } of both)
          if (status !== 201) expect([status, json.remedy]).toEqual([409, 'retry'])
      }
      expect(await orders()).toBe(before + rounds)
    },
  )

  it('is a matter of one route and one key of the API', async () => {
    const made = await order(first, 'scope')
    const wallet = first.till.wallet
    const hook = await first.call('POST', '/v1/webhooks', {
      body: { url: 'https://receiver.example/x', event_types: ['*'] },
      ...key('scope'),
    })
    expect([hook.status, hook.json.id]).toEqual([201, expect.stringMatching(/^whk_/)])
    const token = await first.key(['orders:write'])
    const body = { wallet, amount_sat: 10_000 }
    const theirs = await first.call('POST', '/v1/orders', { token, body, ...key('scope') })
    expect(theirs.status).toBe(201)
    expect(theirs.json.id).not.toBe(made.json.id)
  })

  it('gives the first answer of a verb that may run again, in every process', async () => {
    const move = (server: Served) =>
      server.call('POST', '/v1/test/moves', { token: first.admin, ...key('move') })
    const both = await Promise.all([move(first), move(second ?? first)])
    const again = await move(first)
    const made = both.filter(({ status }) => status === 201)
    expect(new Set([...made, again].map(({ json }) => json.id)).size).toBe(1)
    expect(again.headers.get('idempotent-replayed')).toBe('true')
  })

  it('is required where money moves', async () => {
    const { status, json } = await first.call('POST', '/v1/test/moves')
    expect([status, json.code]).toEqual([400, 'IDEMPOTENCY_KEY_MISSING'])
  })

  it.each([
    ['too long', 'k'.repeat(256)],
    ['a blank inside', 'a b'],
    ['empty', ''],
    ['no ASCII', 'ü'],
  ])('refuses a key that is %s', async (__, name) => {
    const bytes = `POST /v1/orders HTTP/1.1\r\nHost: x\r\nConnection: close\r\nAuthorization: Bearer ${first.admin}\r\nIdempotency-Key: ${name}\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}`
    const { status, body } = parseAnswer(await exchange(first.url, Buffer.from(bytes, 'latin1')))
    expect([status, JSON.parse(body).code]).toEqual([400, 'IDEMPOTENCY_KEY_INVALID'])
  })
})
