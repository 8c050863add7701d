import { sql } from 'kysely'
import {
  bucketStart,
  edgesOf,
  LEVELS,
  type LimitRows,
  type SumQuery,
  type SumSince,
} from '../../capabilities/limits/index.ts'
import { DAY_MS } from '../../kernel/index.ts'
import { insertRows } from './batch.ts'
import { LIMIT_ENTRIES, LIMIT_SUMS } from './columns-policy.ts'
import { type Doors, int, num, present } from './doors.ts'
import type { LimitEntryRow, LimitSumRow } from './schema-policy.ts'

/** What entries add to the sums of their minutes, hours and days, in the order in which rows are locked. */
function sumsOf(entries: readonly LimitEntryRow[], sign: 1n | -1n): readonly LimitSumRow[] {
  return entries
    .flatMap(({ subject, at, amount }) =>
      LEVELS.map((level): LimitSumRow => {
        const start = bucketStart(level, num(at))
        return {
          subject,
          level: int(level),
          start: int(start),
          amount: sign * amount,
          count: sign,
        }
      }),
    )
    .sort((a, b) =>
      a.subject === b.subject ? Number(a.level - b.level) : a.subject < b.subject ? -1 : 1,
    )
}

const WINDOW = [
  ['subject', 'text'],
  ['place', 'int'],
  ['first', 'int'],
  ['minute', 'int'],
  ['hour', 'int'],
  ['day', 'int'],
] as const
interface Found {
  place: bigint
  amount: bigint
  count: bigint
  oldest: bigint | null
}

async function sums(
  { db, dialect }: Doors,
  queries: readonly SumQuery[],
): Promise<readonly SumSince[]> {
  const given = queries.map(({ subject, from }, place) => {
    const { minute, hour, day } = edgesOf(from)
    return [subject, int(place), int(from), int(minute), int(hour), int(day)]
  })
  const [minutes, hours, days] = LEVELS
  const entries = (what: 'sum(e.amount)' | 'count(*)') =>
    sql`coalesce((select ${sql.raw(what)} from limit_entries e
      where e.subject = asked.subject and e.at >= asked.first and e.at < asked.minute), 0)`
  const grain = (column: 'amount' | 'count', level: number, from: string, until?: string) =>
    sql`coalesce((select sum(${sql.ref(`s.${column}`)}) from limit_sums s
      where s.subject = asked.subject and s.level = ${sql.lit(level)} and s.start >= ${sql.ref(`asked.${from}`)}
      ${until === undefined ? sql`` : sql`and s.start < ${sql.ref(`asked.${until}`)}`}), 0)`
  const total = (column: 'amount' | 'count') =>
    sql`${grain(column, minutes, 'minute', 'hour')} + ${grain(column, hours, 'hour', 'day')}
      + ${grain(column, days, 'day')}`
  const { rows } = await sql<Found>`select asked.place as place,
      cast(${entries('sum(e.amount)')} + ${total('amount')} as bigint) as amount,
      cast(${entries('count(*)')} + ${total('count')} as bigint) as count,
      (select min(e.at) from limit_entries e
        where e.subject = asked.subject and e.at >= asked.first) as oldest
    from (${dialect.select(WINDOW, given)}) as asked`.execute(db)
  const found = new Map(rows.map((row) => [num(row.place), row]))
  return queries.map((_, place): SumSince => {
    const row = found.get(place)
    const oldest = row?.oldest ?? null
    return {
      amount: row?.amount ?? 0n,
      count: num(row?.count ?? 0n),
      ...present('oldestAt', oldest === null ? null : num(oldest)),
    }
  })
}

export function limitRows(doors: Doors): LimitRows {
  const { db, session } = doors
  const add = (rows: readonly LimitSumRow[]) =>
    insertRows(doors, 'limit_sums', LIMIT_SUMS, rows, { addTo: ['subject', 'level', 'start'] })
  return {
    sums: (queries) => (queries.length === 0 ? Promise.resolve([]) : sums(doors, queries)),
    async insert({ withdrawal, subjects, amount, at }) {
      session.requireWriter()
      const rows = subjects.map((subject) => ({ withdrawal, subject, at: int(at), amount }))
      await insertRows(doors, 'limit_entries', LIMIT_ENTRIES, rows)
      await add(sumsOf(rows, 1n))
    },
    async remove(withdrawal) {
      session.requireWriter()
      const query = db.deleteFrom('limit_entries').where('withdrawal', '=', withdrawal)
      const rows = await query.returningAll().execute()
      if (rows.length > 0) await add(sumsOf(rows, -1n))
      return rows.length > 0
    },
    async prune(before, limit) {
      session.requireWriter()
      const { numAffectedRows } = await sql`delete from limit_entries
        where (withdrawal, subject) in (select withdrawal, subject from limit_entries
          where at < ${int(before)} order by at, withdrawal, subject limit ${int(limit)})`.execute(
        db,
      )
      await sql`delete from limit_sums
        where (subject, level, start) in (select subject, level, start from limit_sums
          where start < ${int(before - DAY_MS)} order by start, subject, level limit ${int(limit)})`.execute(
        db,
      )
      return num(numAffectedRows ?? 0n)
    },
  }
}
