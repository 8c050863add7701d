import { type Expression, sql } from 'kysely'
import type { Doors } from './doors.ts'

/** Several runs of an index in one statement: each has its own order and page. */
export async function unionOf<Row>(
  { db }: Doors,
  runs: readonly Expression<Row>[],
): Promise<readonly Row[]> {
  if (runs.length === 0) return []
  const each = runs.map((run) => sql`select * from (${run}) as run`)
  return (await sql<Row>`${sql.join(each, sql` union all `)}`.execute(db)).rows
}

/** The page of all runs together, newest first. */
export const newestOf = <Row extends { readonly id: string }>(
  rows: readonly Row[],
  limit: number,
): readonly Row[] => rows.toSorted((a, b) => (a.id < b.id ? 1 : -1)).slice(0, limit)
