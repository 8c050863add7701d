import { type Compilable, CompiledQuery, type RawBuilder, sql } from 'kysely'
import { kindsOf, parametersOf, type SqlDialect } from './dialect.ts'
import type { Columns, Kind } from './schema.ts'
import type { Doors } from './doors.ts'

/** Rows per statement: large enough that a block costs a handful of statements, small enough to bound one statement's memory. */
export const CHUNK = 5000

export function* chunksOf<T>(rows: readonly T[], size = CHUNK): Generator<readonly T[]> {
  for (let i = 0; i < rows.length; i += size) yield rows.slice(i, i + size)
}

/** One statement may touch a row once: of several records for one key the last stands, at the place of the first. */
export const lastOfEach = <T>(
  records: readonly T[],
  keyOf: (record: T) => string,
): readonly T[] => [...new Map(records.map((record) => [keyOf(record), record])).values()]

/** `column` is one of `values`, which go in as one parameter however many they are. */
export const among = (
  dialect: SqlDialect,
  column: string,
  kind: Kind,
  values: readonly (string | bigint | Uint8Array)[],
): RawBuilder<boolean> =>
  sql<boolean>`${sql.ref(column)} in (${dialect.select(
    [[column, kind]],
    values.map((value) => [value]),
  )})`

/** (`txid`, `vout`) is one of `points`. */
export const amongPoints = (
  dialect: SqlDialect,
  columns: readonly [string, string],
  points: readonly (readonly [Uint8Array, bigint])[],
): RawBuilder<boolean> =>
  sql<boolean>`(${sql.ref(columns[0])}, ${sql.ref(columns[1])}) in (${dialect.select(
    [
      [columns[0], 'bytes'],
      [columns[1], 'int'],
    ],
    points,
  )})`

type OnConflict =
  /** A row with the same unique key is an error. */
  | 'refuse'
  /** A row with the same unique key stays as it is. */
  | 'keep'
  /** A row with the same `key` takes over the new values. */
  | { readonly replaceBy: readonly string[] }
  /** A row with the same `key` grows by the new values. */
  | { readonly addTo: readonly string[] }

/** Texts of statements by dialect and what they do, such as table and what happens on conflict: they never change, so they are built once. */
const texts = new Map<string, string>()

/**
 * The rows of a query that nearly every request asks: its text is built once, because building it takes longer than
 * the database takes to answer.
 * @param name tells it from all other queries
 * @param build the query with values in the places of its parameters, of which only the text is used
 * @param parameters in the order of the text
 */
export async function rowsOf<Row>(
  { db, dialect }: Doors,
  name: string,
  build: () => Compilable<Row>,
  parameters: readonly unknown[],
): Promise<Row[]> {
  const key = `${dialect.name} ${name}`
  let text = texts.get(key)
  if (text === undefined) {
    text = build().compile().sql
    texts.set(key, text)
  }
  return (await db.executeQuery<Row>(CompiledQuery.raw(text, [...parameters]))).rows
}

/** Inserts any number of rows in few statements. */
export async function insertRows<Row extends object>(
  { db, dialect }: Doors,
  table: string,
  columns: Columns<Row>,
  rows: readonly Row[],
  onConflict: OnConflict = 'refuse',
): Promise<void> {
  const name = `${dialect.name} ${table} ${JSON.stringify(onConflict)}`
  let text = texts.get(name)
  if (text === undefined) {
    text = insertText(dialect, table, columns, onConflict).compile(db).sql
    texts.set(name, text)
  }
  for (const chunk of chunksOf(rows))
    await db.executeQuery(CompiledQuery.raw(text, [...parametersOf(dialect, columns, chunk)]))
}

/**
 * Writes the columns that are not in `key` of rows that exist, in few statements: cheaper than replacing them, because
 * only indexes of those columns are touched. Answers how many rows there were.
 */
export async function updateRows<Row extends object>(
  { db, dialect }: Doors,
  table: string,
  columns: Columns<Row>,
  key: readonly (keyof Row & string)[],
  rows: readonly NoInfer<Row>[],
): Promise<bigint> {
  const name = `${dialect.name} ${table} update`
  let text = texts.get(name)
  if (text === undefined) {
    text = updateText(dialect, table, columns, key).compile(db).sql
    texts.set(name, text)
  }
  let changed = 0n
  for (const chunk of chunksOf(rows)) {
    const query = CompiledQuery.raw(text, [...parametersOf(dialect, columns, chunk)])
    changed += (await db.executeQuery(query)).numAffectedRows ?? 0n
  }
  return changed
}

function updateText<Row extends object>(
  dialect: SqlDialect,
  table: string,
  columns: Columns<Row>,
  key: readonly string[],
): RawBuilder<unknown> {
  const fresh = (name: string) => sql.ref(`fresh.${name}`)
  const changes = Object.keys(columns)
    .filter((name) => !key.includes(name))
    .map((name) => sql`${sql.ref(name)} = ${fresh(name)}`)
  const same = key.map((name) => sql`${sql.ref(`${table}.${name}`)} = ${fresh(name)}`)
  return sql`update ${sql.table(table)} set ${sql.join(changes)}
    from (${dialect.select(kindsOf(columns), [])}) as fresh
    where ${sql.join(same, sql` and `)}`
}

function insertText<Row extends object>(
  dialect: SqlDialect,
  table: string,
  columns: Columns<Row>,
  onConflict: OnConflict,
): RawBuilder<unknown> {
  const names = Object.keys(columns)
  return sql`insert into ${sql.table(table)} (${sql.join(names.map((name) => sql.ref(name)))})
    select * from (${dialect.select(kindsOf(columns), [])}) as fresh where true
    ${conflictClause(table, onConflict, names)}`
}

function conflictClause(
  table: string,
  onConflict: OnConflict,
  names: readonly string[],
): RawBuilder<unknown> {
  if (onConflict === 'refuse') return sql``
  if (onConflict === 'keep') return sql`on conflict do nothing`
  const adds = 'addTo' in onConflict
  const key = adds ? onConflict.addTo : onConflict.replaceBy
  const changes = names
    .filter((name) => !key.includes(name))
    .map((name) => {
      const fresh = sql`excluded.${sql.ref(name)}`
      const value = adds ? sql`${sql.ref(`${table}.${name}`)} + ${fresh}` : fresh
      return sql`${sql.ref(name)} = ${value}`
    })
  return sql`on conflict (${sql.join(key.map((name) => sql.ref(name)))})
    do update set ${sql.join(changes)}`
}
