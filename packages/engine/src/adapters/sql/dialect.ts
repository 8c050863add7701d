import {
  type DialectAdapter,
  PostgresAdapter,
  PostgresQueryCompiler,
  type QueryCompiler,
  type RawBuilder,
  SqliteAdapter,
  SqliteQueryCompiler,
  sql,
} from 'kysely'
import { EngineError, toHex } from '../../kernel/index.ts'
import type { Words } from './migrations/index.ts'
import type { Columns, Kind } from './schema.ts'

type Value = string | bigint | Uint8Array | null

/** Where the two databases need different words for the same thing. Everything else is one set of queries. */
export interface SqlDialect {
  readonly name: 'sqlite' | 'postgres'
  readonly words: Words
  createAdapter(): DialectAdapter
  createQueryCompiler(): QueryCompiler
  /** True where rows are locked one by one; false where a writer has the whole database. */
  readonly locksRows: boolean
  /** `select` of any number of rows handed over as one parameter (set): the text of the statement never changes with it. */
  select(kinds: Kinds, rows: Rows): Fragment
  /** Those parameters, in the order in which the text of `select` names them. */
  parameters(kinds: Kinds, rows: Rows): readonly unknown[]
}
/** Columns in order with their kinds. */
export type Kinds = readonly (readonly [string, Kind])[]
type Rows = readonly (readonly Value[])[]
export type Fragment = RawBuilder<Record<string, unknown>>

/** Neither database keeps NUL or half a surrogate pair in text, and both would fail in their own way. */
const UNSTORABLE = /[\0\p{Cs}]/u
function storable(text: string, column: string): string {
  if (UNSTORABLE.test(text))
    throw new EngineError('FIELD_INVALID', `${column} holds text that cannot be stored`, {
      details: { param: column },
    })
  return text
}

function jsonOf(value: Value | undefined, column: string): string {
  if (value === null || value === undefined) return 'null'
  if (typeof value === 'bigint') return value.toString()
  return typeof value === 'string' ? JSON.stringify(storable(value, column)) : `"${toHex(value)}"`
}

/** SQLite takes a set of rows as one JSON text. Integers are written digit by digit, bytes as hex. */
export const SQLITE: SqlDialect = {
  name: 'sqlite',
  locksRows: false,
  words: {
    text: 'text',
    int: 'integer',
    bytes: 'blob',
    table: (name, columns) => `create table ${name} (${columns.join(', ')}) strict`,
  },
  createAdapter: () => new SqliteAdapter(),
  createQueryCompiler: () => new SqliteQueryCompiler(),
  parameters(kinds, rows) {
    const lines = rows.map(
      (row) => `[${row.map((value, i) => jsonOf(value, kinds[i]?.[0] ?? '')).join(',')}]`,
    )
    return [`[${lines.join(',')}]`]
  },
  select(kinds, rows) {
    const columns = kinds.map(([name, kind], i) => {
      const cell = sql`value ->> ${sql.lit(i)}`
      return sql`${kind === 'bytes' ? sql`unhex(${cell})` : cell} as ${sql.ref(name)}`
    })
    return sql`select ${sql.join(columns)} from json_each(${sql.val(SQLITE.parameters(kinds, rows)[0])})`
  },
}

const POSTGRES_TYPES: Readonly<Record<Kind, string>> = { text: 'text', int: 'int8', bytes: 'bytea' }

/** PostgreSQL takes a set of rows as one array for each column. Text is compared by its bytes, as SQLite does. */
export const POSTGRES: SqlDialect = {
  name: 'postgres',
  locksRows: true,
  words: {
    text: 'text collate "C"',
    int: 'bigint',
    bytes: 'bytea',
    table: (name, columns) => `create table ${name} (${columns.join(', ')})`,
  },
  createAdapter: () => new PostgresAdapter(),
  createQueryCompiler: () => new PostgresQueryCompiler(),
  parameters: (kinds, rows) =>
    kinds.map(([name], i) =>
      rows.map((row) => {
        const value = row[i] ?? null
        return typeof value === 'string' ? storable(value, name) : value
      }),
    ),
  select(kinds, rows) {
    const parameters = POSTGRES.parameters(kinds, rows)
    const arrays = kinds.map(
      ([, kind], i) => sql`${sql.val(parameters[i])}::${sql.raw(POSTGRES_TYPES[kind])}[]`,
    )
    const names = kinds.map(([name]) => sql.ref(name))
    return sql`select * from unnest(${sql.join(arrays)}) as given(${sql.join(names)})`
  },
}

export const kindsOf = <Row extends object>(columns: Columns<Row>): Kinds =>
  Object.entries(columns) as [string, Kind][]

/** Whole rows of a table as the parameters of a `select` in the order of `columns`. */
export function parametersOf<Row extends object>(
  dialect: SqlDialect,
  columns: Columns<Row>,
  rows: readonly Row[],
): readonly unknown[] {
  const kinds = kindsOf(columns)
  const cells = rows.map((row) =>
    kinds.map(([name]) => (row as Record<string, Value>)[name] ?? null),
  )
  return dialect.parameters(kinds, cells)
}
