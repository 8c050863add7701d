import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openStore, type SqlStore } from '@kaccy/bitcoin/adapters/sql'
import Database from 'better-sqlite3'
import pg from 'pg'
import { findPostgres, startPostgres } from '../../test/counterparts/postgres.ts'

/** A database with our store in it, and the plain way to write a row into the same database. */
export interface Home {
  readonly name: string
  readonly store: SqlStore
  /** Inserts one payment event and commits it: what a program without a plan does for each hit. */
  insertOne(number: number): Promise<void>
  close(): Promise<void>
}

const TABLE =
  'create table usual (id bigint primary key, txid text not null, vout bigint not null, amount bigint not null, address text not null, unique (txid, vout))'
const row = (number: number) =>
  [number, number.toString(16).padStart(64, '0'), 0, 100_000, `bcrt1q${number}`] as const

async function sqliteHome(): Promise<Home> {
  const folder = await mkdtemp(join(tmpdir(), 'kaccy-bench-'))
  const database = new Database(join(folder, 'bench.db'))
  const store = await openStore({ dialect: 'sqlite', database, migrate: true })
  const other = new Database(join(folder, 'usual.db'))
  other.pragma('journal_mode = WAL')
  other.pragma('synchronous = FULL')
  other.exec(TABLE)
  const insert = other.prepare('insert into usual values (?, ?, ?, ?, ?)')
  return {
    name: 'SQLite',
    store,
    insertOne: async (number) => void insert.run(...row(number)),
    close: async () => {
      await store.close()
      database.close()
      other.close()
      await rm(folder, { recursive: true, force: true })
    },
  }
}

async function postgresHome(): Promise<Home> {
  const server = await startPostgres()
  const url = await server.createDatabase()
  const pool = new pg.Pool({ connectionString: url, max: 8 })
  const store = await openStore({ dialect: 'postgres', database: pool, migrate: true })
  await pool.query(TABLE)
  return {
    name: 'PostgreSQL',
    store,
    insertOne: async (number) =>
      void (await pool.query('insert into usual values ($1, $2, $3, $4, $5)', [...row(number)])),
    close: async () => {
      await store.close()
      await pool.end()
      await server.stop()
    },
  }
}

/** The databases that are here; the reason why one is not goes to standard error. */
export async function homes(): Promise<readonly (() => Promise<Home>)[]> {
  const found = await findPostgres()
  if ('found' in found) return [sqliteHome, postgresHome]
  process.stderr.write(`PostgreSQL is left out: ${found.missing}\n`)
  return [sqliteHome]
}
