import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createMemoryStore } from '@kaccy/bitcoin/adapters/memory'
import { openStore } from '@kaccy/bitcoin/adapters/sql'
import type { MakeStore, Subject } from '@kaccy/bitcoin/testing'
import Database from 'better-sqlite3'
import { reasonToSkip } from '../counterparts/node.ts'
import { findPostgres, startPostgres, type TestPostgres } from '../counterparts/postgres.ts'

export const memoryHome: MakeStore = async () => ({ store: createMemoryStore() })

/** SQLite on a file, as in production; `reopen` uses a handle of its own, as another process would. */
export async function sqliteHome(): Promise<Subject & { readonly path: string }> {
  const folder = await mkdtemp(join(tmpdir(), 'kaccy-store-'))
  const path = join(folder, 'store.db')
  const handles: Database.Database[] = []
  const open = (migrate: boolean) => {
    const database = new Database(path)
    handles.push(database)
    return openStore({ dialect: 'sqlite', database, migrate })
  }
  return {
    path,
    store: await open(true),
    reopen: () => open(false),
    async dispose() {
      for (const handle of handles) handle.close()
      await rm(folder, { recursive: true, force: true })
    },
  }
}

/** SQLite without a file: one handle, readers wait their turn. */
export const sqliteInMemory: MakeStore = async () => {
  const database = new Database(':memory:')
  return {
    store: await openStore({ dialect: 'sqlite', database, migrate: true }),
    dispose: async () => {
      database.close()
    },
  }
}

/** A server for the tests of one file, or the reason why they are skipped. In CI a missing server is a failure. */
export async function postgresForTests(): Promise<TestPostgres | undefined> {
  const reason = reasonToSkip('PostgreSQL', await findPostgres())
  return reason === undefined ? startPostgres() : undefined
}

/** A database of its own on the server; `reopen` uses a pool of its own, as another process would. */
export async function postgresHome(
  server: TestPostgres,
): Promise<Subject & { readonly url: string }> {
  const url = await server.createDatabase()
  const pools: ReturnType<TestPostgres['pool']>[] = []
  const open = (migrate: boolean) => {
    const database = server.pool(url, 30)
    pools.push(database)
    return openStore({ dialect: 'postgres', database, migrate })
  }
  return {
    url,
    store: await open(true),
    reopen: () => open(false),
    async dispose() {
      await Promise.all(pools.map((pool) => pool.end()))
    },
  }
}
