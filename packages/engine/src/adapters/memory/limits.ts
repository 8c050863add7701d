import {
  bucketStart,
  edgesOf,
  LEVELS,
  type LimitRows,
  type Reservation,
  type SumQuery,
  type SumSince,
} from '../../capabilities/limits/index.ts'
import { DAY_MS, type WithdrawalId } from '../../kernel/index.ts'
import type { Session } from './session.ts'
import { firstOf, GroupIndex, SortedIndex, Table, takeWhile } from './table.ts'

interface Entry {
  readonly withdrawal: WithdrawalId
  readonly subject: string
  readonly at: number
  readonly amount: bigint
}
interface Bucket {
  readonly subject: string
  readonly level: number
  readonly start: number
  readonly amount: bigint
  readonly count: number
}
const bucketKey = (subject: string, level: number, start: number) => `${level}/${start}/${subject}`

export function limitTables() {
  const bySubject = new SortedIndex<Entry>((row) => [row.subject, row.at, row.withdrawal])
  const byWithdrawal = new GroupIndex<Entry>((row) => [row.withdrawal])
  const byTime = new SortedIndex<Entry>((row) => [row.at, row.withdrawal, row.subject])
  const byStart = new SortedIndex<Bucket>((row) => [row.subject, row.level, row.start])
  const byAge = new SortedIndex<Bucket>((row) => [row.start, row.subject, row.level])
  return {
    bySubject,
    byWithdrawal,
    byTime,
    byStart,
    byAge,
    entries: new Table<Entry>('limit_entries', (row) => `${row.withdrawal}/${row.subject}`, [
      bySubject,
      byWithdrawal,
      byTime,
    ]),
    buckets: new Table<Bucket>(
      'limit_sums',
      (row) => bucketKey(row.subject, row.level, row.start),
      [byStart, byAge],
    ),
  }
}
type Tables = ReturnType<typeof limitTables>

/** Adds an entry to its minute, hour and day, or takes it out of them. */
function moveBuckets({ buckets }: Tables, session: Session, entry: Entry, sign: 1 | -1): void {
  const { subject, at } = entry
  for (const level of LEVELS) {
    const start = bucketStart(level, at)
    const key = bucketKey(subject, level, start)
    const { amount = 0n, count = 0 } = buckets.get(key) ?? {}
    const sum = { amount: amount + BigInt(sign) * entry.amount, count: count + sign }
    if (sum.count > 0) buckets.put(session, { subject, level, start, ...sum })
    else buckets.remove(session, key)
  }
}

function sumOf({ entries, bySubject, buckets, byStart }: Tables, query: SumQuery): SumSince {
  const { subject, from } = query
  const { minute, hour, day } = edgesOf(from)
  let amount = 0n
  let count = 0
  let oldestAt: number | undefined
  for (const entry of entries.rows(bySubject.ascending([subject, from]))) {
    if (entry.subject !== subject) break
    oldestAt ??= entry.at
    if (entry.at >= minute) break
    amount += entry.amount
    count += 1
  }
  const [minutes, hours, days] = LEVELS
  const spans = [
    [minutes, minute, hour],
    [hours, hour, day],
    [days, day, Number.POSITIVE_INFINITY],
  ] as const
  for (const [level, start, end] of spans) {
    const belongs = (row: Bucket) =>
      row.subject === subject && row.level === level && row.start < end
    // Just below the first place that counts.
    const run = buckets.rows(byStart.ascending([subject, level, start - 1]))
    for (const bucket of takeWhile(run, belongs)) {
      amount += bucket.amount
      count += bucket.count
    }
  }
  return { amount, count, ...(oldestAt === undefined ? {} : { oldestAt }) }
}

export function limitRows(tables: Tables, session: Session): LimitRows {
  const { entries, byWithdrawal, byTime, buckets, byAge } = tables
  const of = (withdrawal: WithdrawalId) => [...entries.rows(byWithdrawal.keys(withdrawal))]
  return {
    sums: async (queries) => queries.map((query) => sumOf(tables, query)),
    insert: async ({ withdrawal, subjects, amount, at }: Reservation) => {
      for (const subject of subjects) {
        const entry = { withdrawal, subject, at, amount }
        entries.insert(session, entry)
        moveBuckets(tables, session, entry, 1)
      }
    },
    remove: async (withdrawal) => {
      session.requireWriter()
      const found = of(withdrawal)
      for (const entry of found) {
        entries.remove(session, `${entry.withdrawal}/${entry.subject}`)
        moveBuckets(tables, session, entry, -1)
      }
      return found.length > 0
    },
    prune: async (before, limit) => {
      session.requireWriter()
      const old = firstOf(
        takeWhile(entries.rows(byTime.ascending()), (row) => row.at < before),
        limit,
      )
      for (const { withdrawal, subject } of old) entries.remove(session, `${withdrawal}/${subject}`)
      const ended = takeWhile(buckets.rows(byAge.ascending()), (row) => row.start < before - DAY_MS)
      for (const { subject, level, start } of firstOf(ended, limit))
        buckets.remove(session, bucketKey(subject, level, start))
      return old.length
    },
  }
}
