import type { Kysely } from 'kysely'
import type { SqlDialect } from './dialect.ts'
import type { Schema } from './schema.ts'

/** A piece of work on one connection, inside one transaction. It may run again on a fresh one. */
export type Unit<T> = (db: Kysely<Schema>) => Promise<T>

/** A database as transactions: what differs between SQLite and PostgreSQL besides words. */
export interface Home {
  readonly dialect: SqlDialect
  /** Commits what `unit` did, durably, before it resolves; a throw undoes it. */
  transact<T>(unit: Unit<T>): Promise<T>
  /** One consistent snapshot. */
  read<T>(unit: Unit<T>): Promise<T>
  /** Like `transact`, but alone in the whole database, and where the tables may not exist yet. */
  migrate<T>(unit: Unit<T>): Promise<T>
  /** Waits for what is running. Closes what this adapter opened, not what was handed in. */
  close(): Promise<void>
}
