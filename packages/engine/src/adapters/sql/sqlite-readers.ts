import type { Kysely } from 'kysely'
import { queriesOn } from './connection.ts'
import { SQLITE } from './dialect.ts'
import type { SqliteDatabase, SqliteStatement } from './drivers.ts'
import { sqliteFault } from './faults.ts'
import type { Unit } from './home.ts'
import type { Schema } from './schema.ts'
import { executeOn } from './sqlite-handle.ts'

/** Snapshots at the same time; each is one open handle. */
const READERS = 4

interface Reader {
  readonly database: SqliteDatabase
  readonly db: Kysely<Schema>
  /** The words around each snapshot, prepared once. */
  readonly begin: SqliteStatement
  readonly end: SqliteStatement
}
type Opener = new (
  name: string,
  options: { readonly readonly: boolean; readonly fileMustExist: boolean },
) => SqliteDatabase

/**
 * Handles of our own on the same file, so that a reader sees the last commit and not a writer's work in progress.
 * Undefined for a database in memory, which only its one handle can see: there readers wait their turn.
 */
export function createReaders(main: SqliteDatabase) {
  if (main.memory || main.name === '') return undefined
  const open: Reader[] = []
  const idle: Reader[] = []
  const waiting: ((reader: Reader) => void)[] = []
  let busy = 0
  let drained: (() => void) | undefined

  const openReader = (): Reader => {
    try {
      const Database = main.constructor as Opener
      const database = new Database(main.name, { readonly: true, fileMustExist: true })
      database.pragma('busy_timeout = 1000')
      database.pragma('cache_size = -8000')
      const reader = {
        database,
        db: queriesOn(SQLITE, executeOn(database)),
        begin: database.prepare('begin'),
        end: database.prepare('rollback'),
      }
      open.push(reader)
      return reader
    } catch (error) {
      throw sqliteFault(error)
    }
  }
  const acquire = (): Reader | Promise<Reader> => {
    const free = idle.pop()
    if (free) return free
    if (open.length < READERS) return openReader()
    return new Promise((resolve) => {
      waiting.push(resolve)
    })
  }
  const release = (reader: Reader) => {
    const next = waiting.shift()
    if (next) next(reader)
    else idle.push(reader)
  }
  return {
    async read<T>(unit: Unit<T>): Promise<T> {
      busy += 1
      try {
        const reader = await acquire()
        try {
          return await snapshot(reader, unit)
        } finally {
          release(reader)
        }
      } finally {
        busy -= 1
        if (busy === 0) drained?.()
      }
    },
    async close(): Promise<void> {
      if (busy > 0)
        await new Promise<void>((resolve) => {
          drained = resolve
        })
      for (const { database } of open.splice(0)) database.close()
      idle.length = 0
    },
  }
}

async function snapshot<T>({ database, db, begin, end }: Reader, unit: Unit<T>): Promise<T> {
  try {
    begin.run()
  } catch (error) {
    throw sqliteFault(error)
  }
  try {
    return await unit(db)
  } finally {
    if (database.inTransaction) end.run()
  }
}
