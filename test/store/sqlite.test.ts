import { AsyncLocalStorage } from 'node:async_hooks'
import { openStore } from '@kaccy/bitcoin/adapters/sql'
import { eventOf, orderOf } from '@kaccy/bitcoin/testing'
import Database from 'better-sqlite3'
import { afterEach, expect, test } from 'vitest'
import { sqliteHome } from './homes.ts'

type Handle = Parameters<typeof openStore>[0] & { readonly dialect: 'sqlite' }

const cleanUp: (() => Promise<void>)[] = []
afterEach(async () => {
  for (const clean of cleanUp.splice(0)) await clean()
})

/** A store on a file whose handle tells what is executed and may fail at it. */
async function watched(onExec: (sql: string) => void = () => {}) {
  const home = await sqliteHome()
  const database = new Database(home.path)
  const log: string[] = []
  const handle = new Proxy(database, {
    get(target, name) {
      if (name === 'exec')
        return (sql: string) => {
          log.push(sql)
          onExec(sql)
          return target.exec(sql)
        }
      const value = Reflect.get(target, name, target)
      return typeof value === 'function' && name !== 'constructor' ? value.bind(target) : value
    },
  })
  const store = await openStore({ dialect: 'sqlite', database: handle as Handle['database'] })
  cleanUp.push(async () => {
    await store.close()
    database.close()
    await home.store.close()
    await home.dispose?.()
  })
  return { store, log, path: home.path, database }
}
const upTo = (count: number) => Array.from({ length: count }, (_, i) => i + 1)
const count = (log: readonly string[], sql: string) => log.filter((line) => line === sql).length

test('calls of the same moment share one commit, and each resolves after it', async () => {
  const { store, log } = await watched()
  const acknowledged: number[] = []
  await Promise.all(
    upTo(60).map(async (n) => {
      await store.transact((tx) => tx.events.append(n, [eventOf(n)]))
      acknowledged.push(count(log, 'commit'))
    }),
  )
  expect(count(log, 'begin immediate')).toBe(1)
  expect(acknowledged).toEqual(upTo(60).map(() => 1))
  expect(await store.read((tx) => tx.events.head())).toBe(60)
})

test('one that fails undoes itself only', async () => {
  const { store, log } = await watched()
  const outcomes = await Promise.allSettled(
    upTo(30).map((n) =>
      store.transact(async (tx) => {
        const [event] = await tx.events.append(n, [eventOf(n)])
        if (n % 3 === 0) throw new RangeError('no')
        return event?.seq
      }),
    ),
  )
  expect(count(log, 'commit')).toBe(1)
  const numbers = outcomes.flatMap((outcome) =>
    outcome.status === 'fulfilled' ? [outcome.value] : [],
  )
  expect(numbers).toEqual(upTo(20))
})

test('a group in which all fail commits nothing', async () => {
  const { store, log } = await watched()
  const fail = () =>
    store.transact(async (tx) => {
      await tx.events.append(1, [eventOf(1)])
      throw new RangeError('no')
    })
  const outcomes = await Promise.allSettled([fail(), fail()])
  expect(outcomes.map(({ status }) => status)).toEqual(['rejected', 'rejected'])
  // The next commit comes after the end of the group.
  await store.transact(async () => {})
  expect([count(log, 'commit'), count(log, 'rollback')]).toEqual([1, 1])
})

test('a commit that the disk refuses fails everybody in it and leaves nothing', async () => {
  let full = true
  const { store } = await watched((sql) => {
    if (sql === 'commit' && full)
      throw new Database.SqliteError('database or disk is full', 'SQLITE_FULL')
  })
  const write = (n: number) => store.transact((tx) => tx.events.append(n, [eventOf(n)]))
  const outcomes = await Promise.allSettled([write(1), write(2)])
  for (const outcome of outcomes)
    expect(outcome).toMatchObject({
      status: 'rejected',
      reason: {
        code: 'STORE_UNAVAILABLE',
        remedy: 'retry',
        details: { driver_code: 'SQLITE_FULL' },
      },
    })
  full = false
  expect(await store.read((tx) => tx.events.head())).toBe(0)
  expect((await write(3))[0]?.seq).toBe(1)
})

test('a transaction that SQLite gave up takes its whole group with it, and the next one works', async () => {
  let gaveUp = false
  const { store, database } = await watched((sql) => {
    // What a full disk does to the transaction in the middle of a statement.
    if (sql.startsWith('rollback to') && !gaveUp) {
      gaveUp = true
      database.exec('rollback')
    }
  })
  const outcomes = await Promise.allSettled([
    store.transact((tx) => tx.events.append(1, [eventOf(1)])),
    store.transact(async () => {
      throw new RangeError('no')
    }),
    store.transact((tx) => tx.events.append(2, [eventOf(2)])),
  ])
  expect(
    outcomes.map((outcome) => outcome.status === 'rejected' && String(outcome.reason)),
  ).toEqual([
    expect.stringContaining('given up'),
    'RangeError: no',
    expect.stringContaining('before its time'),
  ])
  expect((await store.transact((tx) => tx.events.append(3, [eventOf(3)])))[0]?.seq).toBe(1)
})

test('work runs in the context of its own caller', async () => {
  const { store } = await watched()
  const caller = new AsyncLocalStorage<number>()
  const seen = await Promise.all(
    upTo(5).map((n) => caller.run(n, () => store.transact(async () => caller.getStore()))),
  )
  expect(seen).toEqual(upTo(5))
})

test('while another process writes, this one waits without standing still', async () => {
  const { store, path } = await watched()
  const other = new Database(path)
  other.exec('begin immediate')
  let written = false
  const write = store
    .transact((tx) => tx.events.append(1, [eventOf(1)]))
    .then(() => {
      written = true
    })
  // Turns of the event loop go by, and readers read.
  for (let i = 0; i < 5; i++) {
    await new Promise((resolve) => setImmediate(resolve))
    expect(await store.read((tx) => tx.events.head())).toBe(0)
  }
  expect(written).toBe(false)
  other.exec('commit')
  other.close()
  await write
  expect(await store.read((tx) => tx.events.head())).toBe(1)
})

test('the handle that was handed in stays as it was for its owner', async () => {
  const { store, database } = await watched()
  await store.transact((tx) => tx.deposits.insertOrder(orderOf(1)))
  expect(database.prepare('select 1 as one').get()).toEqual({ one: 1 })
  await store.close()
  expect(database.open).toBe(true)
})

test('every commit reaches the disk before it is acknowledged', async () => {
  const { database } = await watched()
  expect(database.pragma('journal_mode', { simple: true })).toBe('wal')
  expect(database.pragma('synchronous', { simple: true })).toBe(2)
  expect(database.pragma('foreign_keys', { simple: true })).toBe(1)
})

test.each(['a\0b', 'half \ud800', '\udfff'])(
  'text that cannot be kept is refused: %j',
  async (text) => {
    const { store } = await watched()
    const insert = store.transact((tx) =>
      tx.deposits.insertOrder(orderOf(1, { description: text })),
    )
    await expect(insert).rejects.toMatchObject({
      code: 'FIELD_INVALID',
      details: { param: 'description' },
    })
    expect(await store.read((tx) => tx.deposits.orderByExternalId(text))).toBeUndefined()
  },
)
