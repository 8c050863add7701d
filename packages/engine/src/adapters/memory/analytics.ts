import type { AnalyticsRows, DayRecord } from '../../capabilities/analytics/index.ts'
import type { Session } from './session.ts'
import { firstOf, SortedIndex, Table, takeWhile } from './table.ts'

const keyOf = ({ day, wallet, customer }: Pick<DayRecord, 'day' | 'wallet' | 'customer'>) =>
  JSON.stringify([day, wallet, customer])

export function analyticsTables() {
  const byDay = new SortedIndex<DayRecord>((row) => [row.day, row.wallet, row.customer])
  return { byDay, days: new Table<DayRecord>('withdrawal_days', keyOf, [byDay]) }
}

const plus = (a: DayRecord, b: DayRecord): DayRecord => ({
  ...a,
  requested: a.requested + b.requested,
  requestedSat: a.requestedSat + b.requestedSat,
  settled: a.settled + b.settled,
  settledSat: a.settledSat + b.settledSat,
  reversed: a.reversed + b.reversed,
  reversedSat: a.reversedSat + b.reversedSat,
  feesSat: a.feesSat + b.feesSat,
  confirmed: a.confirmed + b.confirmed,
  confirmMs: a.confirmMs + b.confirmMs,
})

export const analyticsRows = (
  { days, byDay }: ReturnType<typeof analyticsTables>,
  session: Session,
): AnalyticsRows => ({
  add: async (changes) => {
    session.requireWriter()
    for (const change of changes) {
      const stored = days.get(keyOf(change))
      days.put(session, stored ? plus(stored, change) : change)
    }
  },
  days: async ({ wallet, customer, from = '', until, before, limit }) => {
    const start = before && [before.day, before.wallet, before.customer]
    const run = takeWhile(days.rows(byDay.descending(start)), (row) => row.day >= from)
    return firstOf(
      run,
      limit,
      (row) =>
        (until === undefined || row.day <= until) &&
        (wallet === undefined || row.wallet === wallet) &&
        (customer === undefined || row.customer === customer),
    )
  },
})
