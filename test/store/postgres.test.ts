import { createSqlStore, openStore, type PostgresPool } from '@kaccy/bitcoin/adapters/sql'
import { eventOf, keychainOf, orderOf, walletIdOf } from '@kaccy/bitcoin/testing'
import pg from 'pg'
import { afterAll, expect, test } from 'vitest'
import { postgresForTests, postgresHome } from './homes.ts'

const server = await postgresForTests()
afterAll(() => server?.stop())

/** A store on a database of its own, and a client beside it. */
async function setUp(wrap: (pool: pg.Pool) => PostgresPool = (pool) => pool) {
  if (!server) throw new TypeError('skipped')
  const home = await postgresHome(server)
  const pool = server.pool(home.url, 10)
  const store = await openStore({ dialect: 'postgres', database: wrap(pool) })
  return { store, pool, url: home.url, head: () => home.store.read((tx) => tx.events.head()) }
}
/** The pool with something done around each query. */
const around =
  (hook: (client: pg.PoolClient, text: string, go: () => Promise<unknown>) => Promise<unknown>) =>
  (pool: pg.Pool): PostgresPool => ({
    on: (event, listener) => pool.on(event, listener),
    async connect() {
      const client = await pool.connect()
      return {
        query: (config: { text: string }) =>
          hook(client, config.text, () => client.query(config)) as never,
        release: (destroy?: boolean) => client.release(destroy),
        on: (event: 'error', listener: (error: Error) => void) => client.on(event, listener),
        off: (event: 'error', listener: (error: Error) => void) => client.off(event, listener),
      }
    },
  })
const lost = () => new Error('Connection terminated unexpectedly')

test.skipIf(!server)('two transactions that deadlock both commit in the end', async () => {
  const { store } = await setUp()
  await store.transact(async (tx) => {
    await tx.wallet.saveKeychain(keychainOf(1))
    await tx.wallet.saveKeychain(keychainOf(2))
  })
  let runs = 0
  const gates = [1, 2].map(() => Promise.withResolvers<void>())
  const bump = (first: number, second: number) =>
    store.transact(async (tx) => {
      runs += 1
      for (const n of [first, second]) {
        const keychain = await tx.wallet.lockKeychain(walletIdOf(n), 0)
        if (keychain)
          await tx.wallet.saveKeychain({ ...keychain, nextIndex: keychain.nextIndex + 1 })
        // Both have their first row before either asks for its second.
        gates[first - 1]?.resolve()
        await gates[second - 1]?.promise
      }
    })
  await Promise.all([bump(1, 2), bump(2, 1)])
  expect(runs).toBeGreaterThan(2)
  const keychains = await store.read((tx) => tx.wallet.keychains())
  expect(keychains.map(({ nextIndex }) => nextIndex)).toEqual([2, 2])
})

test.skipIf(!server)('a commit whose answer is lost is unknown, and never run again', async () => {
  for (const arrives of [true, false]) {
    let cut = false
    const { store, head } = await setUp(
      around(async (client, text, go) => {
        if (text !== 'commit' || !cut) return go()
        if (arrives) await go()
        else await client.query('rollback')
        throw lost()
      }),
    )
    cut = true
    let runs = 0
    const write = store.transact(async (tx) => {
      runs += 1
      await tx.events.append(1, [eventOf(1)])
    })
    await expect(write).rejects.toMatchObject({
      code: 'STORE_UNAVAILABLE',
      remedy: 'retry',
      details: { outcome: 'unknown' },
    })
    expect(runs).toBe(1)
    expect(await head()).toBe(arrives ? 1 : 0)
  }
})

test.skipIf(!server)('a connection that breaks inside a transaction undoes it', async () => {
  const { store, url, head } = await setUp()
  const admin = new pg.Client(url)
  await admin.connect()
  let runs = 0
  const write = store.transact(async (tx) => {
    runs += 1
    await tx.events.append(1, [eventOf(1)])
    await admin.query(
      `select pg_terminate_backend(pid) from pg_stat_activity where state = 'idle in transaction'`,
    )
    await tx.events.append(2, [eventOf(2)])
  })
  const error = await write.catch((reason: unknown) => reason)
  expect(error).toMatchObject({ code: 'STORE_UNAVAILABLE' })
  expect((error as { details: object }).details).not.toHaveProperty('outcome')
  expect([runs, await head()]).toEqual([1, 0])
  await admin.end()
  expect((await store.transact((tx) => tx.events.append(3, [eventOf(3)])))[0]?.seq).toBe(1)
})

test.skipIf(!server)('a server that dies is unavailable until it is back', async () => {
  const { store, head } = await setUp()
  await store.transact((tx) => tx.events.append(1, [eventOf(1)]))
  await server?.crash()
  // Pooled connections of before may fail once each.
  let seq: number | undefined
  for (let attempt = 0; attempt < 20 && seq === undefined; attempt++)
    seq = await store
      .transact(async (tx) => (await tx.events.append(2, [eventOf(2)]))[0]?.seq)
      .catch((error: unknown) => {
        expect(error).toMatchObject({ code: 'STORE_UNAVAILABLE' })
        return undefined
      })
  expect(seq).toBe(2)
  expect(await head()).toBe(2)
})

test('where there is no server, the store is unavailable', async () => {
  const pool = new pg.Pool({ connectionString: 'postgres://nobody@127.0.0.1:1/none' })
  const store = createSqlStore({ dialect: 'postgres', database: pool })
  await expect(store.read(async () => 1)).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' })
  await expect(store.check()).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' })
  await pool.end()
})

test.skipIf(!server)('what the process set up in pg for others stays as it is', async () => {
  const { store, pool } = await setUp()
  await store.transact((tx) => tx.events.append(1, [eventOf(1)]))
  const { rows } = await pool.query(`select 5::int8 as n, current_setting('search_path') as path`)
  expect(rows).toEqual([{ n: '5', path: '"$user", public' }])
})

test.skipIf(!server)('commits wait for the disk even where the database does not', async () => {
  const settings: unknown[] = []
  const { store, pool } = await setUp(
    around(async (client, text, go) => {
      if (text === 'commit') settings.push((await client.query('show synchronous_commit')).rows[0])
      return go()
    }),
  )
  await pool.query('alter role postgres set synchronous_commit = off')
  await pool.query(
    `select pg_terminate_backend(pid) from pg_stat_activity where pid <> pg_backend_pid() and state = 'idle'`,
  )
  for (let i = 0; i < 3; i++)
    await store.transact((tx) => tx.events.append(1, [eventOf(1)])).catch(() => {})
  await pool.query('alter role postgres reset synchronous_commit')
  expect(settings.at(-1)).toEqual({ synchronous_commit: 'on' })
})

test.skipIf(!server)('text that cannot be kept is refused by name', async () => {
  const { store } = await setUp()
  const insert = store.transact((tx) => tx.deposits.insertOrder(orderOf(1, { customer: 'a\0b' })))
  await expect(insert).rejects.toMatchObject({ code: 'FIELD_INVALID' })
  await expect(store.read((tx) => tx.deposits.orderByExternalId('a\0b'))).rejects.toMatchObject({
    code: 'FIELD_INVALID',
  })
})

test.skipIf(!server)('two stores live in one database under two schemas', async () => {
  const { store, pool, head } = await setUp()
  const other = await openStore({
    dialect: 'postgres',
    database: pool,
    schema: 'second',
    migrate: true,
  })
  await store.transact((tx) => tx.events.append(1, [eventOf(1)]))
  expect(await other.read((tx) => tx.events.head())).toBe(0)
  expect(await head()).toBe(1)
  expect(() => createSqlStore({ dialect: 'postgres', database: pool, schema: 'x"; drop' })).toThrow(
    'schema name',
  )
})
