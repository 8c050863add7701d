import { dayOf } from '../../kernel/index.ts'
import type { AnalyticsRows, DayFilter, DayKey, DayMove, DayRecord } from './ports.ts'

export const emptyDay = ({ day, wallet, customer }: DayKey): DayRecord => ({
  day,
  wallet,
  customer,
  requested: 0,
  requestedSat: 0n,
  settled: 0,
  settledSat: 0n,
  reversed: 0,
  reversedSat: 0n,
  feesSat: 0n,
  confirmed: 0,
  confirmMs: 0,
})

/** The sums of a day after one more thing happened to one of its withdrawals. */
export function applyToDay(day: DayRecord, move: DayMove): DayRecord {
  if (move.kind === 'fee') return { ...day, feesSat: day.feesSat + move.after - move.before }
  if ('ms' in move) {
    const sign = move.kind === 'confirmed' ? 1 : -1
    return { ...day, confirmed: day.confirmed + sign, confirmMs: day.confirmMs + sign * move.ms }
  }
  const { kind, amount } = move
  if (kind === 'requested')
    return { ...day, requested: day.requested + 1, requestedSat: day.requestedSat + amount }
  if (kind === 'reversed')
    return { ...day, reversed: day.reversed + 1, reversedSat: day.reversedSat + amount }
  const sign = kind === 'settled' ? 1 : -1
  return {
    ...day,
    settled: day.settled + sign,
    settledSat: day.settledSat + BigInt(sign) * amount,
  }
}

/** Something that happened to a withdrawal. */
export interface DayChange {
  readonly wallet: DayKey['wallet']
  readonly customer?: string
  /** When the withdrawal was requested, milliseconds since the epoch: everything counts on that day. */
  readonly requestedAt: number
  readonly move: DayMove
}

/** The row doors of this capability. */
export interface AnalyticsTx {
  readonly analytics: AnalyticsRows
}

/**
 * Adds what happened to the sums of its days, in the transaction in which it happened. Hand over all of a transaction in one
 * call: rows are locked in the order of their keys.
 */
export async function recordDays(tx: AnalyticsTx, changes: readonly DayChange[]): Promise<void> {
  const days = new Map<string, DayRecord>()
  for (const { wallet, customer = '', requestedAt, move } of changes) {
    const key = { day: dayOf(requestedAt), wallet, customer }
    const name = JSON.stringify([key.day, wallet, customer])
    days.set(name, applyToDay(days.get(name) ?? emptyDay(key), move))
  }
  if (days.size > 0) await tx.analytics.add([...days.values()])
}

/** The sums of days, newest first, a page at a time. */
export const withdrawalDays = (tx: AnalyticsTx, filter: DayFilter): Promise<readonly DayRecord[]> =>
  tx.analytics.days(filter)
