import { createMemoryStore } from '@kaccy/bitcoin/adapters/memory'
import type { CreatedOrder, OrderInput } from '@kaccy/bitcoin/deposits'
import type { Once } from '@kaccy/bitcoin/idempotency'
import { EngineError, sat, type WalletId } from '@kaccy/bitcoin/kernel'
import { digest } from '@kaccy/bitcoin/testing'
import { expect, test } from 'vitest'
import { Till } from './till.ts'

const ACTOR = 'api:key_1'
const onceOf = (key: string, body = 1): Once<CreatedOrder> => ({
  request: { scope: 'key_1', key, digest: digest(body) },
  answer: ({ order, created }) => ({ status: created ? 201 : 200, body: order.id }),
})

async function openTill(options: Parameters<typeof createMemoryStore>[0] = {}) {
  const store = createMemoryStore(options)
  const till = await Till.open({ store })
  const { engine } = till
  const create = (once?: Once<CreatedOrder>, more: Partial<OrderInput> = {}) =>
    engine.orders.create({ wallet: till.wallet, amount: sat(5_000n), ...more }, ACTOR, once)
  const kept = async (key: string, body = 1) => {
    const found = await engine.idempotency.find(onceOf(key, body).request)
    return found.ok ? found.value && `${found.value.status} ${found.value.body}` : found.error.code
  }
  const count = async () => (await engine.orders.list({ limit: 1000 })).length
  return { till, engine, create, kept, count }
}
type Made = Awaited<ReturnType<Till['engine']['orders']['create']>>
const outcome = (made: Made) => (made.ok ? made.value.order.id : made.error.code)

test('a request that comes again makes no second order, and its first answer is there', async () => {
  const { create, kept, count } = await openTill()
  const id = outcome(await create(onceOf('a')))
  expect(id).toMatch(/^ord_/)
  expect(outcome(await create(onceOf('a')))).toBe('IDEMPOTENCY_ANSWERED')
  expect(outcome(await create(onceOf('a', 2)))).toBe('IDEMPOTENCY_CONFLICT')
  expect(await kept('a')).toBe(`201 ${id}`)
  expect(await count()).toBe(1)
})

test('what has an external id already is answered with it, and that answer is kept', async () => {
  const { create, kept, count } = await openTill()
  const id = outcome(await create(onceOf('a'), { externalId: 'x' }))
  expect(outcome(await create(onceOf('b'), { externalId: 'x' }))).toBe(id)
  expect(await kept('b')).toBe(`200 ${id}`)
  const both = await Promise.all(['c', 'd'].map((key) => create(onceOf(key), { externalId: 'y' })))
  const other = both.map(outcome)
  expect(new Set(other).size).toBe(1)
  expect([await kept('c'), await kept('d')].toSorted()).toEqual([
    `200 ${other[0]}`,
    `201 ${other[0]}`,
  ])
  expect(await count()).toBe(2)
})

test('of requests with one key in one commit the first makes the order', async () => {
  const { create, kept, count } = await openTill()
  const made = await Promise.all([
    create(onceOf('a')),
    create(onceOf('b')),
    create(onceOf('a')),
    create(onceOf('a', 2)),
    create(),
    create(onceOf('b')),
  ])
  const [a = '', b = '', ...rest] = made.map(outcome)
  expect(rest).toEqual([
    'IDEMPOTENCY_ANSWERED',
    'IDEMPOTENCY_CONFLICT',
    expect.stringMatching(/^ord_/),
    'IDEMPOTENCY_ANSWERED',
  ])
  expect([await kept('a'), await kept('b')]).toEqual([`201 ${a}`, `201 ${b}`])
  expect(await count()).toBe(3)
})

test('a refusal keeps nothing, also for those with the same key beside it', async () => {
  const { till, engine, create, kept, count } = await openTill()
  const invalid = { expiresInMs: 1 }
  expect(outcome(await create(onceOf('a'), invalid))).toBe('ORDER_EXPIRY_INVALID')
  const nowhere = { wallet: 'wal_none' as WalletId }
  expect(outcome(await create(onceOf('a'), nowhere))).toBe('WALLET_NOT_FOUND')
  await create(undefined, { externalId: 'x' })
  const reused = { externalId: 'x', amount: sat(7_000n) }
  const beside = [create(onceOf('a'), reused), create(onceOf('a'), reused), create(onceOf('a', 2))]
  expect((await Promise.all(beside)).map(outcome)).toEqual([
    'ORDER_EXTERNAL_ID_REUSED',
    'ORDER_EXTERNAL_ID_REUSED',
    'IDEMPOTENCY_CONFLICT',
  ])
  expect(await kept('a')).toBeUndefined()
  expect(outcome(await create(onceOf('a', 2)))).toMatch(/^ord_/)
  expect(await count()).toBe(2)
  // What was answered is answered, whatever became of the wallet.
  await engine.wallets.retire(till.wallet, ACTOR)
  expect(outcome(await create(onceOf('a', 2)))).toBe('IDEMPOTENCY_ANSWERED')
  expect(outcome(await create(onceOf('b')))).toBe('WALLET_RETIRED')
})

test.each(['before', 'after'] as const)(
  'a process that dies right %s the commit leaves order and answer, or neither',
  async (moment) => {
    let dies = false
    const { create, kept, count } = await openTill({
      onCommit: (at) => {
        if (!dies || at !== moment) return
        dies = false
        throw new EngineError('STORE_UNAVAILABLE', 'killed')
      },
    })
    dies = true
    await expect(create(onceOf('a'))).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' })
    const committed = moment === 'after' ? 1 : 0
    expect(await count()).toBe(committed)
    expect((await kept('a')) !== undefined).toBe(committed === 1)
    const again = outcome(await create(onceOf('a')))
    expect(again).toMatch(committed ? /^IDEMPOTENCY_ANSWERED$/ : /^ord_/)
    expect(await count()).toBe(1)
  },
)

test('an answer that cannot be told undoes its order', async () => {
  const { create, count, till } = await openTill()
  const broken = {
    ...onceOf('a'),
    answer: () => {
      throw new EngineError('FIELD_INVALID', 'no words')
    },
  }
  const beside = await Promise.allSettled([create(onceOf('b')), create(broken), create()])
  expect(beside.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled'])
  expect(await count()).toBe(2)
  await till.expectSound()
})
