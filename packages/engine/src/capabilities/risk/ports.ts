import type { Sat, WithdrawalId } from '../../kernel/index.ts'

/** One request as a profile remembers it. */
export interface RecentRequest {
  readonly withdrawal: WithdrawalId
  readonly at: number
  readonly amount: Sat
}
/** What was paid before: habit is learned from settled withdrawals only, so that nobody can teach it by asking. */
export interface Habit {
  readonly paid: number
  /** Satoshi. */
  readonly total: bigint
  readonly largest: Sat
  readonly firstPaidAt?: number
  /** How many of them were asked for in each hour of the day, UTC: 24 numbers. */
  readonly hours: readonly number[]
}
/** What is known of who asks: one row for each user, or for the wallet where a request names no user. */
export interface RiskProfile {
  /** `user/<id>` or `wallet/<id>`. */
  readonly subject: string
  /** The newest requests, oldest first, also those that were given up: at most 20. */
  readonly recent: readonly RecentRequest[]
  readonly habit: Habit
}

/** Rows of this capability. Whoever writes them holds the head of the policies (`PolicyRows.lockHead`). */
export interface RiskRows {
  profile(subject: string): Promise<RiskProfile | undefined>
  /** Inserts or replaces. */
  saveProfile(profile: RiskProfile): Promise<void>
  /** How many withdrawals of this subject to this script (hex) were settled. */
  paidTo(subject: string, script: string): Promise<number>
  /** Counts one more. */
  addPaid(subject: string, script: string): Promise<void>
}
