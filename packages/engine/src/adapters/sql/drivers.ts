/** The part of a better-sqlite3 database that this adapter uses. The caller opens it and closes it. */
export interface SqliteDatabase {
  readonly name: string
  readonly memory: boolean
  readonly inTransaction: boolean
  prepare(sql: string): SqliteStatement
  exec(sql: string): unknown
  pragma(sql: string, options?: { readonly simple?: boolean }): unknown
  close(): unknown
}
export interface SqliteStatement {
  readonly reader: boolean
  safeIntegers(on: boolean): unknown
  all(...parameters: unknown[]): unknown[]
  run(...parameters: unknown[]): { readonly changes: number | bigint }
}

/** The part of a pg pool that this adapter uses. The caller opens it and closes it. */
export interface PostgresPool {
  connect(): Promise<PostgresClient>
  on(event: 'error', listener: (error: Error) => void): unknown
}
export interface PostgresClient {
  query(config: PostgresQuery): Promise<PostgresAnswer>
  release(destroy?: boolean): void
  on(event: 'error', listener: (error: Error) => void): unknown
  off(event: 'error', listener: (error: Error) => void): unknown
}
export interface PostgresQuery {
  readonly text: string
  readonly values?: unknown[]
  readonly name?: string
  readonly types?: { getTypeParser(oid: number, format?: unknown): (text: string) => unknown }
}
export interface PostgresAnswer {
  readonly command: string
  readonly rowCount: number | null
  readonly rows: unknown[]
}
