import type { DayKey, DayRecord } from '@kaccy/bitcoin/analytics'
import type { WalletId } from '@kaccy/bitcoin/kernel'
import type { PayoutDayJson } from '../schemas/analytics.ts'
import { satoshi } from './basics.ts'

export const payoutDayJson = (row: DayRecord): PayoutDayJson => ({
  day: row.day,
  wallet: row.wallet,
  customer: row.customer === '' ? null : row.customer,
  requested: row.requested,
  requested_sat: satoshi(row.requestedSat),
  settled: row.settled,
  settled_sat: satoshi(row.settledSat),
  reversed: row.reversed,
  reversed_sat: satoshi(row.reversedSat),
  fees_sat: satoshi(row.feesSat),
  confirmed: row.confirmed,
  mean_confirm_ms: row.confirmed > 0 ? Math.round(row.confirmMs / row.confirmed) : null,
})

/** Customers have names of any form: the cursor is their JSON. */
export const writeDayCursor = ({ day, wallet, customer }: DayKey): string =>
  Buffer.from(JSON.stringify([day, wallet, customer])).toString('base64url')

/** Undefined for what is no cursor of ours. */
export function readDayCursor(text: string): DayKey | undefined {
  try {
    const parsed: unknown = JSON.parse(Buffer.from(text, 'base64url').toString('utf8'))
    if (!Array.isArray(parsed) || parsed.length !== 3) return undefined
    const [day, wallet, customer] = parsed as unknown[]
    if (typeof day !== 'string' || typeof wallet !== 'string' || typeof customer !== 'string')
      return undefined
    return { day, wallet: wallet as WalletId, customer }
  } catch {
    // Somebody made it up.
    return undefined
  }
}
