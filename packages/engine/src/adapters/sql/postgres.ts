import { sha256 } from '@noble/hashes/sha2.js'
import { utf8ToBytes } from '@noble/hashes/utils.js'
import { assert, AssertionError, fromHex, toHex } from '../../kernel/index.ts'
import { type Execute, queriesOn } from './connection.ts'
import { POSTGRES } from './dialect.ts'
import type { PostgresClient, PostgresPool } from './drivers.ts'
import { isAnswered, isSerialisation, postgresFault, unavailable } from './faults.ts'
import type { Home, Unit } from './home.ts'
import { pause } from './pause.ts'

/** How often a transaction that lost to another one runs again before its caller hears of it. */
const ATTEMPTS = 12
/** A lock that another transaction holds for longer is not worth waiting for. */
const LOCK_TIMEOUT_MS = 15_000
/** All processes that migrate, in all versions, agree on this number. */
const MIGRATION_LOCK = 7_316_420_941

const INT8 = 20
const BYTEA = 17
/** Our own reading of answers: what the process set up in pg for others stays as it is. */
const TYPES = {
  getTypeParser: (oid: number) => {
    if (oid === INT8) return (text: string) => BigInt(text)
    if (oid === BYTEA) return (text: string) => fromHex(text.slice(2))
    return (text: string) => text
  },
}

/** A statement is prepared under a name made from its text: the same in every store and process. */
const names = new Map<string, string>()
function nameOf(text: string): string | undefined {
  const known = names.get(text)
  if (known !== undefined || names.size >= 1000) return known
  const name = `kaccy_${toHex(sha256(utf8ToBytes(text)).subarray(0, 16))}`
  names.set(text, name)
  return name
}

/** What happened on one connection during one transaction. */
interface Course {
  /** The server ended the transaction in favour of another one. */
  serialisation: boolean
  /** The connection is of no use any more. */
  lost: boolean
}

const executeOn =
  (client: PostgresClient, course: Course): Execute =>
  async (text, parameters) => {
    try {
      const name = nameOf(text)
      const answer = await client.query({
        text,
        values: [...parameters],
        types: TYPES,
        ...(name === undefined ? {} : { name }),
      })
      return { rows: answer.rows, changed: BigInt(answer.rowCount ?? 0) }
    } catch (error) {
      if (isSerialisation(error)) course.serialisation = true
      if (!isAnswered(error)) course.lost = true
      throw postgresFault(error)
    }
  }

export interface PostgresHomeOptions {
  readonly pool: PostgresPool
  /** The PostgreSQL schema that holds the tables. */
  readonly schema: string
}

export function postgresHome({ pool, schema }: PostgresHomeOptions): Home {
  assert(/^[a-z_][a-z0-9_]{0,62}$/.test(schema), 'not a plain schema name')
  // An idle connection that breaks would otherwise end the process.
  pool.on('error', () => {})
  const running = new Set<Promise<unknown>>()
  const tracked = <T>(promise: Promise<T>): Promise<T> => {
    running.add(promise)
    const forget = () => {
      running.delete(promise)
    }
    promise.then(forget, forget)
    return promise
  }
  const settings = `set local search_path to "${schema}", pg_catalog;
    set local lock_timeout to ${LOCK_TIMEOUT_MS};
    set local bytea_output to hex;
    select set_config('synchronous_commit', 'on', true) where current_setting('synchronous_commit') = 'off'`
  const write = `begin isolation level read committed; ${settings}`
  const snapshot = `begin isolation level repeatable read read only; ${settings}`
  const migrate = `begin isolation level read committed;
    select pg_advisory_xact_lock(${MIGRATION_LOCK});
    do $$ begin
      if to_regnamespace('${schema}') is null then create schema "${schema}"; end if;
    end $$; ${settings}`
  return {
    dialect: POSTGRES,
    transact: (unit) => tracked(repeat(pool, write, unit)),
    read: (unit) => tracked(repeat(pool, snapshot, unit)),
    migrate: (unit) => tracked(repeat(pool, migrate, unit)),
    async close() {
      await Promise.allSettled(running)
    },
  }
}

/** Runs a unit until it commits or fails for a reason of its own. A commit of unknown outcome is never run again. */
async function repeat<T>(pool: PostgresPool, begin: string, unit: Unit<T>): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    const outcome = await runOnce(pool, begin, unit)
    if (outcome.kind === 'done') return outcome.value
    if (outcome.kind === 'failed') throw outcome.cause
    if (attempt >= ATTEMPTS) throw unavailable(outcome.cause)
    await pause(attempt)
  }
}

type Outcome<T> =
  | { readonly kind: 'done'; readonly value: T }
  | { readonly kind: 'failed'; readonly cause: unknown }
  | { readonly kind: 'again'; readonly cause: unknown }

async function runOnce<T>(pool: PostgresPool, begin: string, unit: Unit<T>): Promise<Outcome<T>> {
  let client: PostgresClient
  try {
    client = await pool.connect()
  } catch (error) {
    return { kind: 'failed', cause: unavailable(error) }
  }
  // A connection that breaks between two statements says so here, and the next statement fails.
  const course: Course = { serialisation: false, lost: false }
  const onError = () => {
    course.lost = true
  }
  client.on('error', onError)
  try {
    return await runOn(client, course, begin, unit)
  } finally {
    client.off('error', onError)
    client.release(course.lost)
  }
}

async function runOn<T>(
  client: PostgresClient,
  course: Course,
  begin: string,
  unit: Unit<T>,
): Promise<Outcome<T>> {
  let value: T
  try {
    await client.query({ text: begin }).catch((error: unknown) => {
      course.lost = true
      throw postgresFault(error)
    })
    value = await unit(queriesOn(POSTGRES, executeOn(client, course)))
  } catch (cause) {
    await client.query({ text: 'rollback' }).catch(() => {
      course.lost = true
    })
    return { kind: course.serialisation ? 'again' : 'failed', cause }
  }
  return commit(client, course, value)
}

async function commit<T>(client: PostgresClient, course: Course, value: T): Promise<Outcome<T>> {
  try {
    const { command } = await client.query({ text: 'commit' })
    if (command === 'COMMIT') return { kind: 'done', value }
    return { kind: 'failed', cause: new AssertionError('a failed transaction was committed') }
  } catch (error) {
    if (isSerialisation(error)) return { kind: 'again', cause: postgresFault(error) }
    // Whether the server committed before we lost it is unknown: only the caller, reading again, can tell.
    course.lost = true
    return { kind: 'failed', cause: unavailable(error, { outcome: 'unknown' }) }
  }
}
