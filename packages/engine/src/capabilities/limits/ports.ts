import type { Sat, WithdrawalId } from '../../kernel/index.ts'

/** Whose requests are added up together: `platform`, `user/<id>`, `customer/<id>`, `wallet/<id>`, `destination/<script in hex>`. */
export type LimitSubject = string

/** What was counted of a subject in a time. */
export interface Sum {
  /** Satoshi. */
  readonly amount: bigint
  readonly count: number
}
/** Everything of a subject that was counted at this moment or later. */
export interface SumQuery {
  readonly subject: LimitSubject
  /** Milliseconds since the epoch. */
  readonly from: number
}
export interface SumSince extends Sum {
  /** When the oldest of it was counted; undefined when there is nothing. */
  readonly oldestAt?: number
}
/** One withdrawal as it is counted, once for each of its subjects. */
export interface Reservation {
  readonly withdrawal: WithdrawalId
  readonly subjects: readonly LimitSubject[]
  readonly amount: Sat
  readonly at: number
}

/** Rows of this capability. Whoever writes them holds the head of the policies (`PolicyRows.lockHead`). */
export interface LimitRows {
  /** Exact to the millisecond, in the order of the queries; reads a bounded number of rows, however long the history is. */
  sums(queries: readonly SumQuery[]): Promise<readonly SumSince[]>
  /** @throws EngineError STORE_CONFLICT when the withdrawal is counted already */
  insert(reservation: Reservation): Promise<void>
  /** Takes it out of every sum that it is in. Answers whether there was one. */
  remove(withdrawal: WithdrawalId): Promise<boolean>
  /** Forgets what was counted before `before`, oldest first, at most `limit` entries. Answers how many. */
  prune(before: number, limit: number): Promise<number>
}
