import { sql } from 'kysely'
import type { AnalyticsRows, DayRecord } from '../../capabilities/analytics/index.ts'
import type { WalletId } from '../../kernel/index.ts'
import { insertRows } from './batch.ts'
import { WITHDRAWAL_DAYS } from './columns-policy.ts'
import { type Doors, num } from './doors.ts'
import type { WithdrawalDayRow } from './schema-policy.ts'

const rowOf = (day: DayRecord): WithdrawalDayRow => ({
  day: day.day,
  wallet: day.wallet,
  customer: day.customer,
  requested: BigInt(day.requested),
  requested_sat: day.requestedSat,
  settled: BigInt(day.settled),
  settled_sat: day.settledSat,
  reversed: BigInt(day.reversed),
  reversed_sat: day.reversedSat,
  fees_sat: day.feesSat,
  confirmed: BigInt(day.confirmed),
  confirm_ms: BigInt(day.confirmMs),
})
const dayOf = (row: WithdrawalDayRow): DayRecord => ({
  day: row.day,
  wallet: row.wallet as WalletId,
  customer: row.customer,
  requested: num(row.requested),
  requestedSat: row.requested_sat,
  settled: num(row.settled),
  settledSat: row.settled_sat,
  reversed: num(row.reversed),
  reversedSat: row.reversed_sat,
  feesSat: row.fees_sat,
  confirmed: num(row.confirmed),
  confirmMs: num(row.confirm_ms),
})
const isBefore = (a: WithdrawalDayRow, b: WithdrawalDayRow): boolean => {
  if (a.day !== b.day) return a.day < b.day
  return a.wallet === b.wallet ? a.customer < b.customer : a.wallet < b.wallet
}

export function analyticsRows(doors: Doors): AnalyticsRows {
  const { db, session } = doors
  return {
    async add(changes) {
      session.requireWriter()
      // In one order for everybody, so that two who add to the same days do not wait for each other.
      const rows = changes.map(rowOf).sort((a, b) => (isBefore(a, b) ? -1 : 1))
      const how = { addTo: ['day', 'wallet', 'customer'] }
      await insertRows(doors, 'withdrawal_days', WITHDRAWAL_DAYS, rows, how)
    },
    async days({ wallet, customer, from, until, before, limit }) {
      let query = db.selectFrom('withdrawal_days').selectAll()
      if (wallet !== undefined) query = query.where('wallet', '=', wallet)
      if (customer !== undefined) query = query.where('customer', '=', customer)
      if (from !== undefined) query = query.where('day', '>=', from)
      if (until !== undefined) query = query.where('day', '<=', until)
      if (before !== undefined)
        query = query.where(
          sql<boolean>`(day, wallet, customer) < (${before.day}, ${before.wallet}, ${before.customer})`,
        )
      const sorted = query.orderBy('day', 'desc').orderBy('wallet', 'desc')
      return (await sorted.orderBy('customer', 'desc').limit(limit).execute()).map(dayOf)
    },
  }
}
