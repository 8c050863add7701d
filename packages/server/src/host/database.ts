import { existsSync, mkdirSync } from 'node:fs'
import { dirname } from 'node:path'
import {
  createSqlStore,
  openStore,
  SCHEMA_VERSION,
  type SqlStore,
} from '@kaccy/bitcoin/adapters/sql'
import { EngineError, type Network } from '@kaccy/bitcoin/kernel'
import Database from 'better-sqlite3'
import pg from 'pg'
import type { Config } from '../config/settings.ts'
import { maskDatabase } from '../config/show.ts'
import { isPostgres } from '../config/value.ts'

export interface OpenDatabase {
  readonly store: SqlStore
  /** For messages: the file, or the address without its password. */
  readonly name: string
  /** Connections of PostgreSQL's pool. */
  readonly connections?: () => Connections
  /** Waits for what is running, then lets go of file or connections. */
  close(): Promise<void>
}
export interface Connections {
  readonly total: number
  readonly idle: number
  /** Callers that wait for one. */
  readonly waiting: number
}
/** `migrate`: a fresh database gets its tables, an old one the new ones. `unchecked`: whatever it is. */
export type OpenMode = 'check' | 'migrate' | 'unchecked'

/** @throws EngineError SERVER_DATABASE_UNUSABLE, STORE_SCHEMA_NEWER, STORE_SCHEMA_OLDER, STORE_UNAVAILABLE */
export async function openDatabase(config: Config, mode: OpenMode): Promise<OpenDatabase> {
  const url = config['database.url']
  const driver = isPostgres(url) ? postgres(config) : sqlite(url)
  try {
    const { options } = driver
    const store =
      mode === 'unchecked'
        ? createSqlStore(options)
        : await openStore({ ...options, migrate: mode === 'migrate' || (await isFresh(options)) })
    return {
      store,
      name: maskDatabase(url),
      ...(driver.connections ? { connections: driver.connections } : {}),
      async close() {
        await store.close()
        await driver.close()
      },
    }
  } catch (error) {
    await driver.close()
    throw error
  }
}

/** False for a database file that nobody has made yet. */
export const databaseExists = (config: Config): boolean =>
  isPostgres(config['database.url']) || existsSync(config['database.url'])

type Options = Parameters<typeof createSqlStore>[0]
interface Driver {
  readonly options: Options
  readonly connections?: () => Connections
  close(): Promise<void>
}

/** An empty database may be filled without asking; one with an older schema is somebody's decision. */
async function isFresh(options: Options): Promise<boolean> {
  const probe = createSqlStore(options)
  try {
    await probe.check()
    return false
  } catch (error) {
    if (error instanceof EngineError && error.code === 'STORE_SCHEMA_OLDER')
      return error.details['found'] === 0
    throw error
  } finally {
    await probe.close()
  }
}

function sqlite(path: string): Driver {
  try {
    if (path !== ':memory:') mkdirSync(dirname(path), { recursive: true })
    const database = new Database(path)
    // The first statement reads the file: whatever else lies there is found out here.
    database.pragma('schema_version')
    return {
      options: { dialect: 'sqlite', database },
      async close() {
        database.close()
      },
    }
  } catch (error) {
    throw unusable(path, error)
  }
}

function postgres(config: Config): Driver {
  const url = config['database.url']
  if (!URL.canParse(url)) throw unusable(maskDatabase(url), new Error('not an address'))
  const password = config['database.password']?.reveal()
  const pool = new pg.Pool({
    connectionString: url,
    connectionTimeoutMillis: 10_000,
    max: 10,
    ...(password === undefined ? {} : { password }),
  })
  return {
    options: { dialect: 'postgres', database: pool },
    connections: () => ({
      total: pool.totalCount,
      idle: pool.idleCount,
      waiting: pool.waitingCount,
    }),
    close: () => pool.end(),
  }
}

const unusable = (name: string, error: unknown): EngineError =>
  new EngineError(
    'SERVER_DATABASE_UNUSABLE',
    `${name} cannot be opened: ${error instanceof Error ? error.message : String(error)}`,
    { cause: error },
  )

const NETWORK = 'network'

/**
 * A database follows one network for ever. Which one is known from its wallets, or was kept when a node of that network
 * was first followed; until then a slip of the tongue decides nothing.
 * @throws EngineError SERVER_DATABASE_NETWORK
 */
export async function holdNetwork(store: SqlStore, network: Network): Promise<void> {
  const known = await store.read(
    async (tx) => (await tx.chain.memo(NETWORK)) ?? (await tx.wallet.wallets())[0]?.network,
  )
  if (known === undefined || known === network) return
  throw new EngineError(
    'SERVER_DATABASE_NETWORK',
    `the database follows ${known}, the configuration says ${network}`,
    { details: { database: known, configuration: network } },
  )
}

/** Remembers the network, once a node has shown that it is on it. */
export async function keepNetwork(store: SqlStore, network: Network): Promise<void> {
  if ((await store.read((tx) => tx.chain.memo(NETWORK))) !== undefined) return
  await store.transact((tx) => tx.chain.saveMemo(NETWORK, network))
}

/** The schema that the database has; 0 when it is empty. @throws EngineError STORE_SCHEMA_NEWER */
export async function schemaOf({ store }: Pick<OpenDatabase, 'store'>): Promise<number> {
  try {
    await store.check()
    return SCHEMA_VERSION
  } catch (error) {
    if (error instanceof EngineError && error.code === 'STORE_SCHEMA_OLDER')
      return Number(error.details['found'])
    throw error
  }
}
