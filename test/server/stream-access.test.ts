import type { Scope } from '@kaccy/bitcoin/access'
import { type EventGrant, mayEventBeSeen } from '@kaccy/bitcoin/events'
import { assert } from '@kaccy/bitcoin/kernel'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { Listener, openStreamed, refusedAt, type Streamed } from './streamed.ts'

let streamed: Streamed
const counted = new Map<string, number>()
beforeAll(async () => {
  streamed = await openStreamed({
    streams: { total: 12, perKey: 3, perAddress: 8 },
    settings: { origins: ['https://app.example'] },
    parts: {
      metrics: {
        count: (name, by = 1, labels = {}) => add(`${name} ${Object.values(labels)}`, by),
        gauge: (name, value, labels = {}) =>
          void counted.set(`${name} ${Object.values(labels)}`, value),
        observe: () => {},
      },
    },
  })
})
afterAll(() => streamed.served.close())
const add = (name: string, by: number) => void counted.set(name, (counted.get(name) ?? 0) + by)

/** A key with its id, so that it can be changed. */
async function keyWith(scopes: readonly Scope[]) {
  const { engine } = streamed.served.till
  const made = await engine.access.create({ name: 'test', scopes }, 'operator:test')
  assert(made.ok, 'made')
  return { id: made.value.key.id, token: made.value.secret.reveal(), engine }
}
const READS = [
  'orders:read',
  'payments:read',
  'wallets:read',
  'chain:read',
  'alerts:read',
  'webhooks:read',
  'keys:read',
] as const satisfies readonly Scope[]

test('a key hears what it may see and nothing else, in the past and in the present', async () => {
  const { till } = streamed.served
  const other = await till.register({ account: 1 })
  const start = await streamed.head()
  const areas = 'order payment wallet chain alert webhook key audit withdrawal'.split(' ')
  const tell = () =>
    streamed.emit(
      ...areas.flatMap((area) =>
        [{ wallet: till.wallet }, { wallet: other }, {}].map((data) => ({
          type: `${area}.happened`,
          subject: `${area}_1`,
          data,
        })),
      ),
    )
  await tell()
  const grants: EventGrant[] = [
    { scopes: ['admin'] },
    { scopes: ['admin'], wallets: [till.wallet] },
    ...READS.map((scope) => ({ scopes: ['events:read', scope] })),
    ...READS.map((scope) => ({ scopes: ['events:read', scope], wallets: [other] })),
    { scopes: ['events:read'] },
    { scopes: ['events:read', ...READS], wallets: [till.wallet, other] },
  ]
  for (const grant of grants) {
    const token = await streamed.served.key(grant.scopes as Scope[], grant.wallets)
    const query = `?after=${start}`
    const listener = new Listener(streamed.url, { token, query })
    await listener.opened
    await tell()
    const head = await streamed.head()
    const expected = (await till.engine.events({ after: start, limit: 10_000 }))
      .filter((event) => mayEventBeSeen(event, grant))
      .map(({ seq }) => seq)
    await expect.poll(() => listener.seqs.length).toBeGreaterThanOrEqual(expected.length)
    expect([grant, listener.seqs, head > 0]).toEqual([grant, expected, true])
    listener.close()
  }
})

test('no key, a wrong one, none of the scope, none in the address', async () => {
  const at = (dial: ConstructorParameters<typeof Listener>[1]) => refusedAt(streamed.url, dial)
  expect(await at({})).toEqual({ status: 401, code: 'TOKEN_MISSING' })
  expect(await at({ token: 'kc_dev_nonsense' })).toMatchObject({ status: 401 })
  const token = await streamed.served.key(['orders:read'])
  expect(await at({ token })).toEqual({ status: 403, code: 'SCOPE_MISSING' })
  expect(await at({ query: `?token=${streamed.served.admin}` })).toMatchObject({ status: 401 })
})

test('a browser sends its key as a protocol, and hears only the name of the other', async () => {
  const protocols = ['kaccy.v1', `bearer.${streamed.served.admin}`]
  const listener = new Listener(streamed.url, { protocols, origin: 'https://app.example' })
  await listener.opened
  expect(listener.socket.protocol).toBe('kaccy.v1')
  listener.close()
  const alone = { protocols: [`bearer.${streamed.served.admin}`] }
  expect(await refusedAt(streamed.url, alone)).toEqual({ status: 401, code: 'TOKEN_MISSING' })
  const wrong = { protocols: ['kaccy.v1', 'bearer.kc_dev_wrong'] }
  expect((await refusedAt(streamed.url, wrong)).status).toBe(401)
})

test('a key that is revoked while connected hears nothing that comes after', async () => {
  const { id, token, engine } = await keyWith(['events:read', 'keys:read', 'orders:read'])
  const listener = new Listener(streamed.url, { token })
  await listener.opened
  await streamed.many(1)
  const head = await streamed.head()
  await listener.until(head)
  const revoked = engine.access.revoke(id, 'operator:test')
  await revoked
  await streamed.many(5)
  expect(await listener.ended).toEqual({
    code: 4001,
    reason: `KEY_REVOKED; resume with after=${head}`,
  })
  expect(listener.seqs).toEqual([head])
})

test('a key that loses a scope while connected hears no more of it', async () => {
  const { id, token, engine } = await keyWith(['events:read', 'orders:read', 'payments:read'])
  const listener = new Listener(streamed.url, { token })
  await listener.opened
  await streamed.emit({ type: 'payment.credited' })
  const first = await streamed.head()
  await listener.until(first)
  await engine.access.update(id, { scopes: ['events:read', 'orders:read'] }, 'operator:test')
  await streamed.emit({ type: 'payment.credited' }, { type: 'order.created' })
  const head = await streamed.head()
  await listener.until(head)
  expect(listener.seqs).toEqual([first, head])
  listener.close()
})

test('a key that expires is cut at the next look at it', async () => {
  const own = await openStreamed({ streams: { recheckMs: 30 } })
  const { till } = own.served
  const made = await till.engine.access.create(
    { name: 'short', scopes: ['events:read'], expiresAt: till.now + 1_000 },
    'operator:test',
  )
  assert(made.ok, 'made')
  const listener = new Listener(own.url, { token: made.value.secret.reveal() })
  await listener.opened
  till.now += 1_000
  expect((await listener.ended).reason).toMatch(/^KEY_EXPIRED; resume with after=\d+$/)
  await own.served.close()
})

test('one key, one address and all together have so many streams; a closed one makes room', async () => {
  await expect.poll(() => counted.get('kaccy_stream_clients websocket') ?? 0).toBe(0)
  const one = await streamed.served.key(['events:read'])
  const listeners = [1, 2, 3].map(() => new Listener(streamed.url, { token: one }))
  await Promise.all(listeners.map(({ opened }) => opened))
  const full = await refusedAt(streamed.url, { token: one })
  expect(full).toEqual({ status: 429, code: 'STREAMS_TOO_MANY', retryAfter: '10' })
  const two = await streamed.served.key(['events:read'])
  listeners[0]?.close()
  await expect.poll(() => counted.get('kaccy_stream_clients websocket')).toBe(2)
  const others = [one, two, two, two].map((token) => new Listener(streamed.url, { token }))
  await Promise.all(others.map(({ opened }) => opened))
  const three = await streamed.served.key(['events:read'])
  const more = [three, three].map((token) => new Listener(streamed.url, { token }))
  await Promise.all(more.map(({ opened }) => opened))
  // Eight are open from this address.
  expect(await refusedAt(streamed.url, { token: three })).toMatchObject({ status: 429 })
  for (const listener of [...listeners, ...others, ...more]) listener.close()
  await expect.poll(() => counted.get('kaccy_stream_clients websocket')).toBe(0)
  expect(counted.get('kaccy_stream_disconnects_total KEY_REVOKED')).toBe(1)
  expect(counted.get('kaccy_stream_events_total websocket')).toBeGreaterThan(100)
})

test('all together', async () => {
  const own = await openStreamed({ streams: { total: 2 } })
  const token = own.served.admin
  const listeners = [1, 2].map(() => new Listener(own.url, { token }))
  await Promise.all(listeners.map(({ opened }) => opened))
  expect(await refusedAt(own.url, { token })).toMatchObject({ status: 503, code: 'STREAMS_FULL' })
  await own.many(2)
  const head = await own.head()
  await Promise.all(listeners.map((one) => one.until(head)))
  await own.served.close()
  for (const { ended } of listeners)
    expect(await ended).toEqual({ code: 1001, reason: `going away; resume with after=${head}` })
})
