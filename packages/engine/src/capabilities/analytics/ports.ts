import type { Sat, WalletId } from '../../kernel/index.ts'

/** Which sums: a day (UTC), a wallet, a customer; `''` for withdrawals without a customer. */
export interface DayKey {
  /** `2027-03-28`. */
  readonly day: string
  readonly wallet: WalletId
  readonly customer: string
}
/**
 * Running sums of the withdrawals of one day, wallet and customer, in satoshi and milliseconds: everything counts on the
 * day it was requested. A record can also be a change of these sums; then numbers may be below zero.
 */
export interface DayRecord extends DayKey {
  readonly requested: number
  readonly requestedSat: bigint
  readonly settled: number
  readonly settledSat: bigint
  /** Rejected, cancelled or failed. */
  readonly reversed: number
  readonly reversedSat: bigint
  /** Network fees of these withdrawals, as far as they are known. */
  readonly feesSat: bigint
  /** How many have a first confirmation, and how long they took from the request to it, in all. */
  readonly confirmed: number
  readonly confirmMs: number
}
/** What changes the sums of a day. A change of a known fee and of a known confirmation names both values. */
export type DayMove = Readonly<
  | { kind: 'requested' | 'settled' | 'unsettled' | 'reversed'; amount: Sat }
  | { kind: 'fee'; before: Sat; after: Sat }
  | { kind: 'confirmed' | 'unconfirmed'; ms: number }
>
export interface DayFilter {
  readonly wallet?: WalletId
  readonly customer?: string
  /** First and last day, both included. */
  readonly from?: string
  readonly until?: string
  /** Days before this key: the cursor of the next page. */
  readonly before?: DayKey
  readonly limit: number
}
/** Rows of this capability. */
export interface AnalyticsRows {
  /** Adds to the sums of these days, each at most once in a call; rows are written in the order of their keys. */
  add(changes: readonly DayRecord[]): Promise<void>
  /** Newest day first, then by wallet and customer, descending. */
  days(filter: DayFilter): Promise<readonly DayRecord[]>
}
