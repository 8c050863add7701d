import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  createSqlStore,
  MIGRATIONS,
  openStore,
  SCHEMA_VERSION,
  type SqlStoreOptions,
} from '@kaccy/bitcoin/adapters/sql'
import { eventOf } from '@kaccy/bitcoin/testing'
import Database from 'better-sqlite3'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { postgresForTests } from './homes.ts'

const server = await postgresForTests()
const folder = await mkdtemp(join(tmpdir(), 'kaccy-migrations-'))
afterAll(async () => {
  await server?.stop()
  await rm(folder, { recursive: true, force: true })
})

interface Place {
  /** A driver of its own each time, as another process would have. */
  driver(): SqlStoreOptions
  /** Runs SQL past the store. */
  run(sql: string): Promise<readonly unknown[]>
}
let files = 0
async function sqlitePlace(): Promise<Place> {
  const path = join(folder, `${++files}.db`)
  const raw = new Database(path)
  return {
    driver: () => ({ dialect: 'sqlite', database: new Database(path), clock: { now: () => 77 } }),
    run: async (sql) => {
      const statement = raw.prepare(sql)
      return statement.reader ? statement.all() : [statement.run()]
    },
  }
}
async function postgresPlace(): Promise<Place> {
  if (!server) throw new TypeError('skipped')
  const url = await server.createDatabase()
  const raw = server.pool(url)
  return {
    driver: () => ({
      dialect: 'postgres',
      database: server.pool(url, 4),
      clock: { now: () => 77 },
    }),
    run: async (sql) =>
      ((await raw.query(`set search_path to kaccy; ${sql}`)) as never)[1]?.['rows'] ?? [],
  }
}

test('numbers are 1, 2, 3, …', () => {
  expect(MIGRATIONS.map(({ version }) => version)).toEqual(
    Array.from({ length: SCHEMA_VERSION }, (_, i) => i + 1),
  )
})

describe.each([
  ['SQLite', sqlitePlace, true],
  ['PostgreSQL', postgresPlace, server !== undefined],
] as const)('%s', (_name, makePlace, there) => {
  let place: Place
  beforeAll(async () => {
    if (there) place = await makePlace()
  })

  test.skipIf(!there)(
    'an empty database is too old, and migrating it twice changes nothing',
    async () => {
      await expect(openStore(place.driver())).rejects.toMatchObject({
        code: 'STORE_SCHEMA_OLDER',
        remedy: 'human',
        details: { found: 0, needed: SCHEMA_VERSION },
      })
      const store = createSqlStore(place.driver())
      expect(await store.migrate()).toEqual({ from: 0, to: SCHEMA_VERSION })
      await store.transact((tx) => tx.events.append(1, [eventOf(1)]))
      expect(await store.migrate()).toEqual({ from: SCHEMA_VERSION, to: SCHEMA_VERSION })
      expect(await store.read((tx) => tx.events.head())).toBe(1)
      await openStore(place.driver())
    },
  )

  test.skipIf(!there)('a newer schema is refused, also by migrating', async () => {
    const fresh = await makePlace()
    const store = await openStore({ ...fresh.driver(), migrate: true })
    await fresh.run(
      `insert into schema_migrations (version, name, applied_at) values (${SCHEMA_VERSION + 1}, 'later', 1)`,
    )
    const newer = { code: 'STORE_SCHEMA_NEWER', remedy: 'human' }
    await expect(store.check()).rejects.toMatchObject(newer)
    await expect(store.migrate()).rejects.toMatchObject(newer)
    await expect(openStore(fresh.driver())).rejects.toMatchObject(newer)
    await expect(openStore({ ...fresh.driver(), migrate: true })).rejects.toMatchObject(newer)
  })

  test.skipIf(!there)('many that start together migrate once', async () => {
    const fresh = await makePlace()
    const stores = await Promise.all(
      Array.from({ length: 8 }, () => openStore({ ...fresh.driver(), migrate: true })),
    )
    await Promise.all(
      stores.map((store) => store.transact((tx) => tx.events.append(1, [eventOf(1)]))),
    )
    expect(await stores[0]?.read((tx) => tx.events.head())).toBe(8)
    const rows = await fresh.run('select version from schema_migrations')
    expect(rows).toHaveLength(SCHEMA_VERSION)
  })
})

test('a database of the first version keeps its events, which came from no request that is known', async () => {
  const place = await sqlitePlace()
  const words = {
    text: 'text',
    int: 'integer',
    bytes: 'blob',
    table: (name: string, columns: readonly string[]) =>
      `create table ${name} (${columns.join(', ')}) strict`,
  }
  const [first] = MIGRATIONS
  const versions = ['version integer primary key', 'name text', 'applied_at integer']
  await place.run(words.table('schema_migrations', versions))
  await place.run(`insert into schema_migrations values (1, 'deposit path', 1)`)
  for (const statement of first?.statements(words) ?? []) await place.run(statement)
  await place.run(`insert into events values (1, 5, 'order.created', 'ord_1', '{"order":"ord_1"}')`)
  await place.run(`update counters set value = 1 where name = 'events'`)
  const store = createSqlStore(place.driver())
  expect(await store.migrate()).toEqual({ from: 1, to: SCHEMA_VERSION })
  const origin = { requestId: 'req_1' }
  await store.transact((tx) => tx.events.append(6, [eventOf(1, { origin })]))
  const events = await store.read((tx) => tx.events.list({ after: 0, limit: 9 }))
  expect(events.map(({ id, origin: from }) => [id, from])).toEqual([
    ['evt_1', undefined],
    ['evt_2', origin],
  ])
})

test('SQLite: a process that dies at any statement of a migration leaves nothing of it', async () => {
  const statements = MIGRATIONS.flatMap(({ statements }) =>
    statements({ text: 'text', int: 'integer', bytes: 'blob', table: (name) => name }),
  ).length
  for (let dies = 1; dies <= statements; dies += 5) {
    const place = await sqlitePlace()
    const options = place.driver()
    if (options.dialect !== 'sqlite') throw new TypeError('not SQLite')
    const database = options.database as Database.Database
    let left = dies
    const dying = new Proxy(database, {
      get(target, name) {
        // Closing without a commit is what the death of the process means for the file.
        if (name === 'prepare' && left-- <= 0 && target.open) target.close()
        const value = Reflect.get(target, name, target)
        return typeof value === 'function' ? value.bind(target) : value
      },
    })
    const migrating = (async () =>
      createSqlStore({ dialect: 'sqlite', database: dying as never }).migrate())()
    await expect(migrating).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' })
    expect(await place.run('select name from sqlite_master')).toEqual([])
    const store = await openStore({ ...place.driver(), migrate: true })
    expect(await store.read((tx) => tx.events.head())).toBe(0)
  }
})

test.skipIf(!server)('PostgreSQL: the same', async () => {
  for (const dies of [1, 10, 40]) {
    const place = await postgresPlace()
    const options = place.driver()
    if (options.dialect !== 'postgres') throw new TypeError('not PostgreSQL')
    const pool = options.database
    let left = dies
    const dying = {
      on: () => {},
      connect: async () => {
        const client = await pool.connect()
        return {
          query: async (config: Parameters<typeof client.query>[0]) => {
            if (left-- > 0) return client.query(config)
            await client.query({ text: 'select pg_terminate_backend(pg_backend_pid())' })
            throw new TypeError('unreachable')
          },
          release: client.release.bind(client),
          on: client.on.bind(client),
          off: client.off.bind(client),
        }
      },
    }
    const migrating = createSqlStore({ dialect: 'postgres', database: dying }).migrate()
    await expect(migrating).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' })
    const store = createSqlStore(options)
    await expect(store.check()).rejects.toMatchObject({ details: { found: 0 } })
    expect(await store.migrate()).toEqual({ from: 0, to: SCHEMA_VERSION })
  }
})
