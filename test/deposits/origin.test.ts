import { AsyncLocalStorage } from 'node:async_hooks'
import { createMemoryStore } from '@kaccy/bitcoin/adapters/memory'
import { openStore } from '@kaccy/bitcoin/adapters/sql'
import { type Origin, sat } from '@kaccy/bitcoin/kernel'
import Database from 'better-sqlite3'
import { expect, test } from 'vitest'
import { Till } from './till.ts'

const HOMES = {
  memory: async () => createMemoryStore(),
  SQLite: () => openStore({ dialect: 'sqlite', database: new Database(':memory:'), migrate: true }),
}

/** A till that works for the request of the context it is called in, as a server has it. */
async function served(home: keyof typeof HOMES) {
  const requests = new AsyncLocalStorage<Origin>()
  const store = await HOMES[home]()
  const till = await Till.open({ store, origin: () => requests.getStore() })
  const trace = { traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01' }
  const as = <T>(requestId: string, work: () => Promise<T>): Promise<T> =>
    requests.run({ requestId, ...trace }, work)
  /** What was told and written down since, each with the request that it names. */
  const since = async (seq: number, number: number) => {
    const events = await till.engine.events({ after: seq, limit: 10_000 })
    const trail = await till.engine.audit.list({ after: number, limit: 10_000 })
    return {
      events: events.map(({ type, origin }) => `${type} ${origin?.requestId}`),
      trail: trail.map(({ action, details }) => `${action} ${details['request_id']}`),
      traced: events.filter(({ origin }) => origin?.traceparent === trace.traceparent).length,
    }
  }
  const marks = async () => ({
    seq: (await till.allEvents()).length,
    number: (await till.audited()).length,
  })
  const saying = async (work: () => Promise<unknown>) => {
    const { seq, number } = await marks()
    await work()
    return since(seq, number)
  }
  return { till, as, saying }
}

const key = { name: 'shop', scopes: ['orders:read'] }

test.each(['memory', 'SQLite'] as const)(
  'on %s every verb of a request leaves its id in events and trail',
  async (home) => {
    const { till, as, saying } = await served(home)
    const { engine, wallet } = till
    const [first, second] = [
      await till.order({ amount: 5_000 }),
      await till.order({ amount: 6_000 }),
    ]
    const verbs: Record<string, () => Promise<unknown>> = {
      cancel: () => engine.orders.cancel(first.id, 'api:key_1'),
      settle: () => engine.orders.settle(second.id, 'ann', 'cash'),
      create: () => till.order({ amount: 7_000 }),
      register: () => till.register({ account: 3 }),
      rename: () => engine.wallets.rename(wallet, 'other', 'api:key_1'),
      rescan: () => engine.wallets.requestRescan(wallet, 0, 'api:key_1'),
      retire: () => engine.wallets.retire(wallet, 'api:key_1'),
      key: () => engine.access.create(key, 'operator:ann'),
      acknowledge: async () => {
        await engine.raise([
          { key: 'x', kind: 'drift', severity: 'info', subject: 'x', message: 'x', data: {} },
        ])
        await as('req_acknowledge', () =>
          engine.alerts.acknowledge('alr_1', { actor: 'operator:a' }),
        )
      },
    }
    for (const [verb, work] of Object.entries(verbs)) {
      const request = `req_${verb}`
      const run = verb === 'acknowledge' ? work : () => as(request, work)
      const { events, trail, traced } = await saying(run)
      const own = events.filter((line) => !line.startsWith('alert.raised'))
      expect([verb, own.length > 0, trail.length > 0]).toEqual([verb, true, true])
      expect([...own, ...trail].filter((line) => !line.endsWith(` ${request}`))).toEqual([])
      expect(traced).toBe(own.length)
    }
    expect((await engine.audit.verify()).ok).toBe(true)
  },
)

test.each(['memory', 'SQLite'] as const)(
  'on %s orders that share a commit name each its own request, and those of nobody none',
  async (home) => {
    const { till, as, saying } = await served(home)
    // The first ones stand beside warnings of the gap limit.
    for (let i = 0; i < 25; i++) await till.order()
    const make = (amount: number) => till.order({ amount })
    const { seq } = { seq: (await till.allEvents()).length }
    const said = await saying(() =>
      Promise.all([
        as('req_1', () => make(10_001)),
        make(10_000),
        ...[2, 3, 4].map((n) => as(`req_${n}`, () => make(10_000 + n))),
      ]),
    )
    expect(said.events.filter((line) => line.startsWith('order.'))).toHaveLength(5)
    const events = await till.engine.events({ after: seq, limit: 100, types: ['order.created'] })
    const trail = (await till.engine.audit.list({ action: 'order.create', limit: 100 })).slice(-5)
    for (const [lines, requestOf] of [
      [events.map(({ data, origin }) => ({ data, request: origin?.requestId })), 'events'],
      [trail.map(({ details }) => ({ data: details, request: details['request_id'] })), 'trail'],
    ] as const)
      for (const { data, request } of lines) {
        const number = Number(data['amount_sat']) - 10_000
        expect([requestOf, number, request]).toEqual([
          requestOf,
          number,
          number === 0 ? undefined : `req_${number}`,
        ])
      }
  },
)

test('what the engine finds out by itself names no request, also when a request was first', async () => {
  const { till, as, saying } = await served('memory')
  const order = await as('req_1', () => till.order({ amount: 5_000 }))
  const said = await saying(async () => {
    till.pay('coin', [order, 5_000])
    await till.mine(6)
  })
  expect(said.events.length).toBeGreaterThan(3)
  expect([...said.events, ...said.trail].filter((line) => !line.endsWith(' undefined'))).toEqual([])
})

test('every event of an order, a payment or a wallet names the wallet', async () => {
  const till = await Till.open({ lookahead: 30 })
  const { engine, wallet } = till
  const order = await till.order({ amount: 5_000 })
  await engine.orders.cancel((await till.order({ amount: 5_000 })).id, 'operator:ann')
  await engine.orders.settle((await till.order({ amount: 5_000 })).id, 'ann', 'cash')
  for (let i = 0; i < 30; i++)
    await engine.orders.create({ wallet, amount: sat(9_000n), expiresInMs: 60_000 }, 'operator:ann')
  till.pay('coin', [order, 4_000])
  await till.mine(6)
  till.now += 3_600_000
  await till.look()
  await engine.wallets.rename(wallet, 'other', 'operator:ann')
  await engine.wallets.requestRescan(wallet, 0, 'operator:ann')
  await till.look()
  await engine.wallets.exportRecovery(wallet, 'operator:ann')
  await engine.wallets.retire(wallet, 'operator:ann')
  const events = await till.allEvents()
  const areas = events.filter(({ type }) => /^(order|payment|wallet|alert)\./.test(type))
  expect(new Set(areas.map(({ type }) => type.split('.')[0])).size).toBe(4)
  expect(areas.filter(({ type }) => type === 'wallet.gap_warning').length).toBeGreaterThan(0)
  const without = areas.filter(({ data }) => data['wallet'] !== wallet)
  expect(without.map(({ type }) => type)).toEqual([])
})
