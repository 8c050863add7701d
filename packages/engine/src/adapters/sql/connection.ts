import {
  type CompiledQuery,
  type DatabaseConnection,
  type Driver,
  Kysely,
  PostgresIntrospector,
  type QueryResult,
  SqliteIntrospector,
} from 'kysely'
import { AssertionError } from '../../kernel/index.ts'
import type { SqlDialect } from './dialect.ts'
import type { Schema } from './schema.ts'

/** Runs one statement on one connection. Integers go in and come out as bigint. */
export type Execute = (
  text: string,
  parameters: readonly unknown[],
) => Promise<{ readonly rows: unknown[]; readonly changed: bigint }>

class OneConnection implements DatabaseConnection {
  readonly #execute: Execute
  constructor(execute: Execute) {
    this.#execute = execute
  }
  async executeQuery<R>({ sql, parameters }: CompiledQuery): Promise<QueryResult<R>> {
    const { rows, changed } = await this.#execute(sql, parameters)
    return { rows: rows as R[], numAffectedRows: changed }
  }
  // biome-ignore lint/correctness/useYield: the interface asks for it, and nothing here streams
  async *streamQuery<R>(): AsyncIterableIterator<QueryResult<R>> {
    throw new AssertionError('pages are read one query at a time')
  }
}

/** Kysely builds the queries; transactions and connections are ours, because group commits are. */
class OneConnectionDriver implements Driver {
  readonly #connection: DatabaseConnection
  constructor(execute: Execute) {
    this.#connection = new OneConnection(execute)
  }
  async init(): Promise<void> {}
  async acquireConnection(): Promise<DatabaseConnection> {
    return this.#connection
  }
  async beginTransaction(): Promise<void> {}
  async commitTransaction(): Promise<void> {}
  async rollbackTransaction(): Promise<void> {}
  async releaseConnection(): Promise<void> {}
  async destroy(): Promise<void> {}
}

/** The query builder over one connection. */
export const queriesOn = (dialect: SqlDialect, execute: Execute): Kysely<Schema> =>
  new Kysely<Schema>({
    dialect: {
      createAdapter: () => dialect.createAdapter(),
      createDriver: () => new OneConnectionDriver(execute),
      createQueryCompiler: () => dialect.createQueryCompiler(),
      createIntrospector: (db) =>
        dialect.name === 'sqlite' ? new SqliteIntrospector(db) : new PostgresIntrospector(db),
    },
  })
