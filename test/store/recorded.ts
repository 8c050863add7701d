import { openStore, type PostgresPool } from '@kaccy/bitcoin/adapters/sql'
import { storeConformance } from '@kaccy/bitcoin/testing'
import Database from 'better-sqlite3'
import type pg from 'pg'
import { postgresHome } from './homes.ts'
import type { TestPostgres } from '../counterparts/postgres.ts'

/** A statement as the store sent it, with the parameters it sent first. */
export interface Statement {
  readonly text: string
  readonly values: readonly unknown[]
}
type Note = (text: string, values: readonly unknown[]) => void

const isQuery = (text: string) => /^\s*(select|insert|update|delete)\b/.test(text)
/** Keeps one example of each text. */
function notebook() {
  const statements = new Map<string, Statement>()
  const note: Note = (text, values) => {
    if (isQuery(text) && !/schema_migrations|sqlite_master/.test(text) && !statements.has(text))
      statements.set(text, { text, values })
  }
  return { note, statements }
}

/** A SQLite handle that notes what is run on it. */
export const recordingSqlite = (database: Database.Database, note: Note): Database.Database =>
  new Proxy(database, {
    get(target, name) {
      if (name !== 'prepare') {
        const value = Reflect.get(target, name, target)
        return typeof value === 'function' ? value.bind(target) : value
      }
      return (text: string) => {
        const statement = target.prepare(text)
        return {
          reader: statement.reader,
          safeIntegers: (on: boolean) => statement.safeIntegers(on),
          all: (values: unknown[] = []) => {
            note(text, values)
            return statement.all(values)
          },
          run: (values: unknown[] = []) => {
            note(text, values)
            return statement.run(values)
          },
        }
      }
    },
  })

/** A PostgreSQL pool that notes what is run on it. */
export const recordingPool = (pool: pg.Pool, note: Note): PostgresPool => ({
  on: (event, listener) => pool.on(event, listener),
  async connect() {
    const client = await pool.connect()
    return {
      query: async (config: { text: string; values?: unknown[] }) => {
        note(config.text, config.values ?? [])
        return client.query(config) as never
      },
      release: (destroy?: boolean) => client.release(destroy),
      on: (event: 'error', listener: (error: Error) => void) => client.on(event, listener),
      off: (event: 'error', listener: (error: Error) => void) => client.off(event, listener),
    }
  },
})

/** Every statement that the conformance suite makes SQLite run, and a database to explain them on. */
export async function sqliteStatements(): Promise<{
  readonly statements: readonly Statement[]
  readonly database: Database.Database
}> {
  const { note, statements } = notebook()
  const make = async () => {
    const database = recordingSqlite(new Database(':memory:'), note)
    return { store: await openStore({ dialect: 'sqlite', database, migrate: true }) }
  }
  for (const check of storeConformance(make)) await check.run()
  const database = new Database(':memory:')
  await openStore({ dialect: 'sqlite', database, migrate: true })
  return { statements: [...statements.values()], database }
}

/** The same for PostgreSQL. */
export async function postgresStatements(server: TestPostgres) {
  const { note, statements } = notebook()
  const make = async () => {
    const home = await postgresHome(server)
    const pool = server.pool(home.url, 60)
    return {
      store: await openStore({ dialect: 'postgres', database: recordingPool(pool, note) }),
      dispose: async () => {
        await pool.end()
        await home.dispose?.()
      },
    }
  }
  for (const check of storeConformance(make)) await check.run()
  const { url } = await postgresHome(server)
  return { statements: [...statements.values()], pool: server.pool(url, 1) }
}
