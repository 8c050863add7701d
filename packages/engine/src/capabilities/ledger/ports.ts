import type { BlockRef, OrderId, PaymentId, Sat, WalletId } from '../../kernel/index.ts'

/**
 * What a posting says happened; `reversal` and `unseen` undo a `credit` and a `seen`, nothing is ever edited. A withdrawal
 * `hold`s its money and either gives it up (`release`) or pays with it (`capture`, undone by `uncapture`); `fee` and `unfee`
 * move what miners get, and what customers and recipients bear of it.
 */
export type EntryKind =
  | 'seen'
  | 'unseen'
  | 'credit'
  | 'reversal'
  | 'spent'
  | 'unspent'
  | 'change'
  | 'unchange'
  | 'hold'
  | 'release'
  | 'capture'
  | 'uncapture'
  | 'fee'
  | 'unfee'

/** An account is a path, see design: `coins/<wallet>`, `pending/<wallet>`, `expected/<order>`, `owed/<customer or order>`, … */
export type Account = string

/** One movement: `amount` leaves `credit` and arrives in `debit`. Its two sides make the sum zero by form (I1). */
export interface Posting {
  /** Unique for ever: the same fact can be booked only once (I2), e.g. `credit/<outpoint>/1`. */
  readonly key: string
  readonly kind: EntryKind
  readonly debit: Account
  readonly credit: Account
  readonly amount: Sat
  readonly wallet: WalletId
  readonly payment?: PaymentId
  readonly order?: OrderId
  readonly block?: BlockRef
}
export interface LedgerEntry extends Posting {
  /** Dense, from 1, in commit order. */
  readonly number: number
  readonly at: number
}
/** Sums of both sides; which of them is the larger is the nature of the account. */
export interface AccountTotals {
  readonly account: Account
  readonly debits: bigint
  readonly credits: bigint
}
export interface EntryFilter {
  readonly account?: Account
  readonly order?: OrderId
  readonly payment?: PaymentId
  readonly wallet?: WalletId
  /** Exclusive lower bound of `number`. */
  readonly after?: number
  readonly limit: number
}
export interface LedgerRows {
  /** Appends and moves the running totals of both accounts. @throws AssertionError when a key exists. */
  post(at: number, postings: readonly Posting[]): Promise<readonly LedgerEntry[]>
  /** Running totals (kept with each posting, so a balance costs one row). Zero totals for an unknown account. */
  totals(accounts: readonly Account[]): Promise<readonly AccountTotals[]>
  /** Running totals of all accounts whose path starts with `prefix`. */
  accounts(
    prefix: string,
    after: Account | undefined,
    limit: number,
  ): Promise<readonly AccountTotals[]>
  /** The same sums counted from the entries themselves, for verification. */
  recount(prefix: string): Promise<readonly AccountTotals[]>
  entries(filter: EntryFilter): Promise<readonly LedgerEntry[]>
}
