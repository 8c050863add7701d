import { type Kysely, sql } from 'kysely'
import { type Clock, EngineError } from '../../kernel/index.ts'
import { num } from './doors.ts'
import type { Home } from './home.ts'
import { MIGRATIONS, SCHEMA_VERSION } from './migrations/index.ts'
import type { Schema } from './schema.ts'

/** What `migrate` did: the version before and after it. */
export interface MigrationReport {
  readonly from: number
  readonly to: number
}

/** The version that the database has; 0 for an empty one. */
async function versionOf(db: Kysely<Schema>, dialect: Home['dialect']): Promise<number> {
  const found =
    dialect.name === 'sqlite'
      ? sql`select 1 as found from sqlite_master where name = 'schema_migrations'`
      : sql`select 1 as found where to_regclass('schema_migrations') is not null`
  if ((await found.execute(db)).rows.length === 0) return 0
  const query = sql<{ version: bigint }>`select max(version) as version from schema_migrations`
  const [row] = (await query.execute(db)).rows
  return row ? num(row.version) : 0
}

function refuseNewer(version: number): void {
  if (version <= SCHEMA_VERSION) return
  throw new EngineError(
    'STORE_SCHEMA_NEWER',
    `the database has schema ${version}; this version of the program knows ${SCHEMA_VERSION}`,
    { details: { found: version, known: SCHEMA_VERSION } },
  )
}

/**
 * Brings the schema up to date. All pending steps run in one transaction that has the database for itself: a process that
 * is killed half-way leaves the old schema, two that start together run it once. Running it again changes nothing.
 * @throws EngineError STORE_SCHEMA_NEWER
 */
export function migrate(home: Home, clock: Clock): Promise<MigrationReport> {
  return home.migrate(async (db) => {
    const from = await versionOf(db, home.dialect)
    refuseNewer(from)
    const { words } = home.dialect
    if (from === 0) {
      const columns = [
        `version ${words.int} primary key`,
        `name ${words.text} not null`,
        `applied_at ${words.int} not null`,
      ]
      await sql.raw(words.table('schema_migrations', columns)).execute(db)
    }
    for (const { version, name, statements } of MIGRATIONS.slice(from)) {
      for (const statement of statements(words)) await sql.raw(statement).execute(db)
      await sql`insert into schema_migrations (version, name, applied_at)
        values (${BigInt(version)}, ${name}, ${BigInt(clock.now())})`.execute(db)
    }
    return { from, to: SCHEMA_VERSION }
  })
}

/** @throws EngineError STORE_SCHEMA_NEWER, STORE_SCHEMA_OLDER: this code would misread the tables. */
export async function checkSchema(home: Home): Promise<void> {
  const version = await home.read((db) => versionOf(db, home.dialect))
  refuseNewer(version)
  if (version < SCHEMA_VERSION)
    throw new EngineError(
      'STORE_SCHEMA_OLDER',
      `the database has schema ${version}; this version of the program needs ${SCHEMA_VERSION}`,
      { details: { found: version, needed: SCHEMA_VERSION } },
    )
}
