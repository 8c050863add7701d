import { type Expression, sql } from 'kysely'
import type { Doors } from './doors.ts'

/** A query of rows that stand in an index in the order that is asked for. */
interface Run<Row> extends Expression<Row> {
  execute(): Promise<Row[]>
}

/** Several runs of an index in one statement: each has its own order and page. */
export async function unionOf<Row>(
  { db }: Doors,
  runs: readonly Run<Row>[],
): Promise<readonly Row[]> {
  const [first, ...others] = runs
  if (!first) return []
  if (others.length === 0) return first.execute()
  const each = runs.map((run) => sql`select * from (${run}) as run`)
  return (await sql<Row>`${sql.join(each, sql` union all `)}`.execute(db)).rows
}

/** The page of all runs together, newest first. */
export const newestOf = <Row extends { readonly id: string }>(
  rows: readonly Row[],
  limit: number,
): readonly Row[] => rows.toSorted((a, b) => (a.id < b.id ? 1 : -1)).slice(0, limit)
