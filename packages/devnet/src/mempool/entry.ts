import type { Transaction } from '../chain/transaction.ts'
import type { LockPoints } from './locks.ts'
import { policySize } from './policy.ts'
import { transactionUsage } from './usage.ts'

/** Sums over a transaction and its unconfirmed ancestors, or descendants. Fees with what `prioritisetransaction` added. */
export interface Totals {
  count: number
  /** In vbytes of policy. */
  size: number
  /** Satoshi. */
  fees: bigint
  sigops: number
}
export interface EntryFacts {
  readonly transaction: Transaction
  /** Satoshi. */
  readonly fee: bigint
  /** Seconds since the epoch, when it entered. */
  readonly time: number
  /** Height of the tip when it entered. */
  readonly height: number
  /** Signature operation cost, see BIP 141. */
  readonly sigops: number
  /** Handed in here and not yet asked for by a peer. */
  readonly unbroadcast: boolean
  /** When its relative lock times are over; absent where nobody asked. */
  readonly locks?: LockPoints | undefined
}

/** The bytes of a hash as the wire orders them: Core compares hashes like that. */
export const wireOrder = (hash: string): string => (hash.match(/../g) ?? []).reverse().join('')

/** One unconfirmed transaction with its place among the others. Only the pool writes links and totals. */
export class PoolEntry implements EntryFacts {
  readonly transaction: Transaction
  readonly fee: bigint
  readonly time: number
  readonly height: number
  readonly sigops: number
  readonly unbroadcast: boolean
  /** Virtual size as policy counts it: not below 5 vbytes per signature operation. */
  readonly size: number
  /** Bytes of memory that Core would use for it. */
  readonly usage: number
  /** Sorts entries as Core sorts their hashes. */
  readonly order: string
  /** The fee that mining and limits look at. */
  modifiedFee: bigint
  locks: LockPoints | undefined
  readonly parents = new Set<PoolEntry>()
  readonly children = new Set<PoolEntry>()
  withAncestors: Totals
  withDescendants: Totals

  constructor(facts: EntryFacts, modifiedFee: bigint = facts.fee) {
    this.transaction = facts.transaction
    this.fee = facts.fee
    this.time = facts.time
    this.height = facts.height
    this.sigops = facts.sigops
    this.unbroadcast = facts.unbroadcast
    this.modifiedFee = modifiedFee
    this.locks = facts.locks
    const known = facts instanceof PoolEntry ? facts : undefined
    this.size = known?.size ?? policySize(facts.transaction.weight, facts.sigops)
    this.usage = known?.usage ?? transactionUsage(facts.transaction)
    this.order = known?.order ?? wireOrder(facts.transaction.txid)
    this.withAncestors = this.alone()
    this.withDescendants = this.alone()
  }
  get txid(): string {
    return this.transaction.txid
  }
  /** The totals of a transaction without family. */
  alone(): Totals {
    return { count: 1, size: this.size, fees: this.modifiedFee, sigops: this.sigops }
  }
  /** The same entry without links, for another pool. */
  copy(): PoolEntry {
    const copy = new PoolEntry(this, this.modifiedFee)
    copy.withAncestors = { ...this.withAncestors }
    copy.withDescendants = { ...this.withDescendants }
    return copy
  }
}

/** Adds (`sign` 1) or takes away (-1) one entry. */
export function count(totals: Totals, entry: PoolEntry, sign: 1 | -1): void {
  totals.count += sign
  totals.size += sign * entry.size
  totals.fees += sign === 1 ? entry.modifiedFee : -entry.modifiedFee
  totals.sigops += sign * entry.sigops
}
export const byOrder = (a: PoolEntry, b: PoolEntry): number => (a.order < b.order ? -1 : 1)
/** The entries in Core's order of hashes. */
export const inOrder = (entries: Iterable<PoolEntry>): PoolEntry[] => [...entries].sort(byOrder)
export const txidsOf = (entries: Iterable<PoolEntry>): string[] =>
  Array.from(entries, ({ txid }) => txid)

/** Everything above the given entries, themselves included. */
export function withAncestors(from: Iterable<PoolEntry>): Set<PoolEntry> {
  const found = new Set(from)
  for (const entry of found) for (const parent of entry.parents) found.add(parent)
  return found
}
/** Everything below the given entries, themselves included. */
export function withDescendants(from: Iterable<PoolEntry>): Set<PoolEntry> {
  const found = new Set(from)
  for (const entry of found) for (const child of entry.children) found.add(child)
  return found
}
/** Better fee rate first; among equals the larger hash, as Core compares. Without modified fees: they stay private. */
export function compareScore(a: PoolEntry, b: PoolEntry): number {
  const left = a.fee * BigInt(b.size)
  const right = b.fee * BigInt(a.size)
  if (left !== right) return left > right ? -1 : 1
  return byOrder(b, a)
}
