import type { Transaction } from '../chain/transaction.ts'

/** Where a transaction of a wallet stands. `conflicted`: a block holds a spend of one of its coins. */
export type Standing =
  | {
      readonly kind: 'confirmed'
      readonly hash: string
      readonly height: number
      readonly index: number
    }
  | { readonly kind: 'conflicted'; readonly hash: string; readonly height: number }
  | { readonly kind: 'mempool' }
  | { readonly kind: 'inactive'; readonly abandoned: boolean }
export const INACTIVE: Standing = { kind: 'inactive', abandoned: false }

/**
 * A transaction that a wallet knows, also replaced, conflicted and abandoned ones. Only its ledger changes it: what changed
 * must be written down.
 */
export interface Entry {
  readonly transaction: Transaction
  readonly standing: Standing
  /** Seconds since the epoch: when the wallet learned of it, and when it is said to have happened. */
  readonly received: number
  readonly time: number
  /** Order of arrival. */
  readonly order: number
  /** `comment`, `to`, `replaces_txid`, `replaced_by_txid`. */
  readonly notes: ReadonlyMap<string, string>
  /** Transactions in the mempool that spend one of its coins. */
  readonly mempoolConflicts: ReadonlySet<string>
}
/** An entry in the hands of its ledger. */
export interface OpenEntry extends Entry {
  standing: Standing
  readonly notes: Map<string, string>
  readonly mempoolConflicts: Set<string>
}
export const copyEntry = (entry: Entry): OpenEntry => ({
  ...entry,
  notes: new Map(entry.notes),
  mempoolConflicts: new Set(entry.mempoolConflicts),
})
