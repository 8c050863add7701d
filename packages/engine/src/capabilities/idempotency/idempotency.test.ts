import { expect, test } from 'vitest'
import { createMemoryStore } from '../../adapters/memory/index.ts'
import { digest } from '../../testing/index.ts'
import { EngineError, ok, type Result, type Refusal, refuse } from '../../kernel/index.ts'
import {
  againAfterConflict,
  createIdempotency,
  DEFAULT_KEEP_MS,
  doOnce,
  LEAST_KEEP_MS,
  type Once,
} from './index.ts'

const START = 1_780_000_000_000
const HOUR = 60 * 60 * 1000
const requestOf = (key: string, body = 1) => ({ scope: 'key_1', key, digest: digest(body) })
const onceOf = (key: string, body = 1): Once<string> => ({
  request: requestOf(key, body),
  answer: (made) => ({ status: 201, body: `made ${made}` }),
})

function setUp() {
  const store = createMemoryStore()
  const time = { now: START }
  const idempotency = createIdempotency({ store, clock: { now: () => time.now } })
  let works = 0
  const run = (
    once: Once<string> | undefined,
    work: () => Promise<Result<string, Refusal<'NOT_FOUND'>>> = async () => ok(`${++works}`),
  ) => store.transact((tx) => doOnce(tx, once, time.now, work))
  const find = async (key: string, body = 1) => {
    const found = await idempotency.find(requestOf(key, body))
    return found.ok ? found.value : found.error.code
  }
  return { store, time, idempotency, run, find }
}
const outcome = (result: Result<unknown, Refusal>) => (result.ok ? result.value : result.error.code)

test('a request is done once, and its first answer is found again', async () => {
  const { run, find, time } = setUp()
  expect(await find('a')).toBeUndefined()
  expect(outcome(await run(onceOf('a')))).toBe('1')
  time.now += 5
  expect(outcome(await run(onceOf('a')))).toBe('IDEMPOTENCY_ANSWERED')
  expect(await find('a')).toEqual({ status: 201, body: 'made 1', at: START })
  expect(outcome(await run(onceOf('b')))).toBe('2')
})

test('another request with the same key is refused, and says which header is to blame', async () => {
  const { run, find, idempotency } = setUp()
  await run(onceOf('a'))
  expect(await run(onceOf('a', 2))).toMatchObject({
    error: { code: 'IDEMPOTENCY_CONFLICT', param: 'idempotency_key' },
  })
  expect(await find('a', 2)).toBe('IDEMPOTENCY_CONFLICT')
  const answer = { status: 200, body: '' }
  expect(outcome(await idempotency.keep(requestOf('a', 2), answer))).toBe('IDEMPOTENCY_CONFLICT')
})

test('keys of two callers are two keys', async () => {
  const { run } = setUp()
  const elsewhere = { ...onceOf('a'), request: { ...requestOf('a', 2), scope: 'key_2' } }
  expect(outcome(await run(onceOf('a')))).toBe('1')
  expect(outcome(await run(elsewhere))).toBe('2')
})

test('without a key every request is done', async () => {
  const { run } = setUp()
  expect([outcome(await run(undefined)), outcome(await run(undefined))]).toEqual(['1', '2'])
})

test('what is refused or fails keeps nothing', async () => {
  const { run, find } = setUp()
  const no = async () => refuse('NOT_FOUND', 'nothing')
  expect(outcome(await run(onceOf('a'), no))).toBe('NOT_FOUND')
  const fails = async () => {
    throw new EngineError('STORE_UNAVAILABLE', 'gone')
  }
  await expect(run(onceOf('a'), fails)).rejects.toThrow('gone')
  const broken = {
    ...onceOf('a'),
    answer: () => {
      throw new EngineError('STORE_UNAVAILABLE', 'no words')
    },
  }
  await expect(run(broken)).rejects.toThrow('no words')
  expect(await find('a')).toBeUndefined()
  expect(outcome(await run(onceOf('a', 2)))).toBe('2')
})

test('an answer that is kept afterwards is the first one, whoever comes later', async () => {
  const { idempotency, time, find } = setUp()
  const first = await idempotency.keep(requestOf('a'), { status: 200, body: 'one' })
  time.now += 9
  const second = await idempotency.keep(requestOf('a'), { status: 200, body: 'two' })
  expect(second).toEqual(first)
  expect(await find('a')).toEqual({ status: 200, body: 'one', at: START })
  const racing = ['x', 'y'].map((body) => idempotency.keep(requestOf('b'), { status: 200, body }))
  const [one, two] = await Promise.all(racing)
  expect(one).toEqual(two)
})

test('answers are kept a week, a day at the least, and removed however many there are', async () => {
  const { store, idempotency, time, find } = setUp()
  const many = Array.from({ length: 2500 }, (_, i) => ({
    ...requestOf(`old ${i}`),
    status: 200,
    body: '',
    at: START - DEFAULT_KEEP_MS - 1 - i,
  }))
  await store.transact((tx) => tx.idempotency.insert(many))
  await idempotency.keep(requestOf('new'), { status: 200, body: '' })
  let steps = 0
  const { transact } = store
  store.transact = (work) => {
    steps += 1
    return transact(work)
  }
  expect(await idempotency.prune()).toBe(2500)
  expect(steps).toBe(3)
  store.transact = transact
  expect(await find('new')).toBeDefined()
  time.now = START + LEAST_KEEP_MS
  for (const age of [0, -HOUR, HOUR]) expect(await idempotency.prune(age)).toBe(0)
  time.now += 1
  expect(await idempotency.prune(HOUR)).toBe(1)
  expect(await find('new')).toBeUndefined()
})

test('only a conflict of keys is tried again, and once', async () => {
  let attempts = 0
  const failing = (code: 'STORE_CONFLICT' | 'STORE_UNAVAILABLE', times: number) => async () => {
    attempts += 1
    if (attempts <= times) throw new EngineError(code, 'no')
    return attempts
  }
  expect(await againAfterConflict(failing('STORE_CONFLICT', 1))).toBe(2)
  attempts = 0
  await expect(againAfterConflict(failing('STORE_CONFLICT', 2))).rejects.toThrow('no')
  expect(attempts).toBe(2)
  attempts = 0
  await expect(againAfterConflict(failing('STORE_UNAVAILABLE', 1))).rejects.toThrow('no')
  expect(attempts).toBe(1)
})

test('the answer of what moved money outlives every pruning', async () => {
  const { run, find, time, idempotency } = setUp()
  const { request, answer } = onceOf('paid')
  await run({ request: { ...request, isForEver: true }, answer })
  await idempotency.keep({ ...requestOf('kept'), isForEver: true }, { status: 200, body: 'x' })
  await run(onceOf('made'))
  time.now += 100 * 365 * 24 * HOUR
  expect(await idempotency.prune()).toBe(1)
  expect(await find('paid')).toMatchObject({ status: 201, body: 'made 1' })
  expect(await find('kept')).toMatchObject({ status: 200, body: 'x' })
  expect(await find('made')).toBeUndefined()
  expect(outcome(await run(onceOf('paid')))).toBe('IDEMPOTENCY_ANSWERED')
})
