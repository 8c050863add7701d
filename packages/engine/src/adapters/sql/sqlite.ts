import { AsyncResource } from 'node:async_hooks'
import { assert } from '../../kernel/index.ts'
import { queriesOn } from './connection.ts'
import { SQLITE } from './dialect.ts'
import type { SqliteDatabase, SqliteStatement } from './drivers.ts'
import { isSqliteBusy, sqliteFault, unavailable } from './faults.ts'
import type { Home, Unit } from './home.ts'
import { pause } from './pause.ts'
import { executeOn } from './sqlite-handle.ts'
import { createReaders } from './sqlite-readers.ts'

/** Transactions that share one commit at most; more would make the first of them wait for the last. */
const GROUP = 64
/** How long another process may hold the file before we give up, in milliseconds. */
const PATIENCE_MS = 15_000

/** The words around each job, prepared once. */
interface Marks {
  readonly database: SqliteDatabase
  readonly save: SqliteStatement
  readonly release: SqliteStatement
}

interface Job {
  readonly mode: 'write' | 'read'
  run(): Promise<void>
  /** Told once the commit is durable, or why there is none. */
  settle(failure: { readonly cause: unknown } | undefined): void
  failed: boolean
}

/**
 * One turn of the event loop. SQLite answers without one, so requests that wait on other sockets would be read only after the
 * commit of the first, and every one of them would wait for a disk of its own.
 */
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

export function sqliteHome(database: SqliteDatabase): Home {
  const marks = prepareDatabase(database)
  const db = queriesOn(SQLITE, executeOn(database))
  const readers = createReaders(database)
  const queue: Job[] = []
  let pumping: Promise<void> | undefined

  const pump = async () => {
    while (queue.length > 0) {
      await turn()
      const alone = queue[0]?.mode === 'read'
      const end = queue.findIndex((job) => job.mode === 'read')
      await runGroup(marks, queue.splice(0, alone ? 1 : Math.min(GROUP, end < 0 ? GROUP : end)))
    }
    pumping = undefined
  }
  const enqueue = <T>(mode: Job['mode'], unit: Unit<T>): Promise<T> =>
    new Promise((resolve, reject) => {
      let outcome: { readonly value: T } | undefined
      // The group runs in the context of whoever came first; each job runs in that of its own caller.
      const bound = AsyncResource.bind(unit)
      queue.push({
        mode,
        failed: false,
        async run() {
          outcome = { value: await bound(db) }
        },
        settle(failure) {
          if (failure) reject(failure.cause)
          else if (outcome) resolve(outcome.value)
        },
      })
      pumping ??= pump()
    })

  return {
    dialect: SQLITE,
    transact: (unit) => enqueue('write', unit),
    read: (unit) => (readers ? readers.read(unit) : enqueue('read', unit)),
    migrate: (unit) => enqueue('write', unit),
    async close() {
      await pumping
      await readers?.close()
    },
  }
}

/** Durable at every commit, one writer beside many readers, constraints held. */
function prepareDatabase(database: SqliteDatabase): Marks {
  try {
    // Long enough for another process that opens the file at the same moment; short afterwards, see `begin`.
    database.pragma('busy_timeout = 5000')
    database.pragma('journal_mode = WAL')
    database.pragma('synchronous = FULL')
    database.pragma('foreign_keys = ON')
    database.pragma('cache_size = -32000')
    database.pragma('busy_timeout = 20')
    return {
      database,
      save: database.prepare('savepoint job'),
      release: database.prepare('release job'),
    }
  } catch (error) {
    throw sqliteFault(error)
  }
}

/** Takes the file for writing. While another process has it we wait outside SQLite, so that this process goes on. */
async function begin(database: SqliteDatabase): Promise<void> {
  const started = performance.now()
  for (;;) {
    try {
      database.exec('begin immediate')
      return
    } catch (error) {
      if (!isSqliteBusy(error) || performance.now() - started > PATIENCE_MS)
        throw sqliteFault(error)
      await pause(1)
    }
  }
}

/** Runs the jobs one after the other in one transaction, each behind its own savepoint, and settles them after the commit. */
async function runGroup(marks: Marks, jobs: readonly Job[]): Promise<void> {
  const { database } = marks
  try {
    await begin(database)
  } catch (cause) {
    for (const job of jobs) job.settle({ cause })
    return
  }
  for (const job of jobs) await runJob(marks, job)
  const survivors = jobs.filter((job) => !job.failed)
  try {
    if (!database.inTransaction) throw unavailable(new Error('the transaction was given up'))
    database.exec(survivors.length > 0 ? 'commit' : 'rollback')
  } catch (error) {
    if (database.inTransaction) database.exec('rollback')
    for (const job of survivors) job.settle({ cause: sqliteFault(error) })
    return
  }
  for (const job of survivors) job.settle(undefined)
}

async function runJob(marks: Marks, job: Job): Promise<void> {
  const { database, save, release } = marks
  try {
    assert(database.inTransaction, 'the transaction ended before its time')
    save.run()
  } catch (error) {
    job.failed = true
    job.settle({ cause: sqliteFault(error) })
    return
  }
  try {
    await job.run()
    release.run()
  } catch (cause) {
    job.failed = true
    undo(database)
    job.settle({ cause })
  }
}

/** Takes back what a job did. Where its savepoint is gone, everything is: SQLite gave up the whole transaction. */
function undo(database: SqliteDatabase): void {
  if (!database.inTransaction) return
  try {
    database.exec('rollback to job; release job')
  } catch {
    // Half a group must not be committed: the jobs before this one fail with it.
    if (database.inTransaction) database.exec('rollback')
  }
}
