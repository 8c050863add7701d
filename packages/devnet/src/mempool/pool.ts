import type { RemovalReason, Say } from '../chain/happenings.ts'
import type { Transaction } from '../chain/transaction.ts'
import {
  compareScore,
  count,
  inOrder,
  type PoolEntry,
  txidsOf,
  withAncestors,
  withDescendants,
} from './entry.ts'
import { FAMILY_LIMITS, signalsReplacement } from './policy.ts'
import { poolUsage } from './usage.ts'

export { compareScore, type EntryFacts, PoolEntry } from './entry.ts'

/** The unconfirmed transactions, who spends what, and the totals of every family, kept as entries come and go. */
export class Pool {
  readonly entries = new Map<string, PoolEntry>()
  /** Outpoint key to the txid that spends it. */
  readonly spenders = new Map<string, string>()
  readonly wtxids = new Map<string, string>()
  /** Satoshi by which `prioritisetransaction` changed a fee, also of transactions that are not here (yet). */
  readonly deltas = new Map<string, bigint>()
  /** Counts arrivals and departures, from 1. */
  sequence = 1
  /** Total vbytes and fees, kept for `getmempoolinfo`. */
  bytes = 0
  fees = 0n
  #links = 0
  #slots = 0
  #inner = 0
  readonly #say: Say

  constructor(say: Say = () => {}) {
    this.#say = say
  }
  /** Bytes of memory as Core counts them; the size limit looks at this. */
  get usage(): number {
    return poolUsage({
      entries: this.entries.size,
      spent: this.spenders.size,
      deltas: this.deltas.size,
      links: this.#links,
      slots: this.#slots,
      transactions: this.#inner,
    })
  }

  /** Puts an entry below its ancestors. Children that are here already are linked by `adopt`. Tells nobody: see `announce`. */
  add(entry: PoolEntry, ancestors: ReadonlySet<PoolEntry>): void {
    const { transaction } = entry
    this.entries.set(transaction.txid, entry)
    this.wtxids.set(transaction.wtxid, transaction.txid)
    for (const input of transaction.inputs) this.spenders.set(input.key, transaction.txid)
    for (const parent of this.parentsOf(transaction)) this.#link(parent, entry)
    entry.withAncestors = entry.alone()
    entry.withDescendants = entry.alone()
    for (const ancestor of ancestors) {
      count(ancestor.withDescendants, entry, 1)
      count(entry.withAncestors, ancestor, 1)
    }
    this.bytes += entry.size
    this.fees += entry.fee
    this.#inner += entry.usage
    if (this.entries.size > this.#slots) this.#slots = Math.max(1, this.#slots * 2)
  }
  /** Tells of an arrival, after everything that it pushed out is gone. */
  announce({ transaction }: PoolEntry): void {
    this.sequence += 1
    this.#say({ kind: 'transactionAdded', transaction, sequence: this.sequence })
  }
  #link(parent: PoolEntry, child: PoolEntry): void {
    if (parent.children.has(child)) return
    parent.children.add(child)
    child.parents.add(parent)
    this.#links += 1
  }
  #unlink(parent: PoolEntry, child: PoolEntry): void {
    if (!parent.children.delete(child)) return
    child.parents.delete(parent)
    this.#links -= 1
  }

  /** Takes one entry out and leaves what builds on it, as a block does. */
  remove(txid: string, reason: RemovalReason): PoolEntry | undefined {
    const entry = this.entries.get(txid)
    if (!entry) return undefined
    for (const below of withDescendants([entry])) {
      if (below !== entry) count(below.withAncestors, entry, -1)
    }
    this.#detach([entry])
    this.#drop(entry, reason)
    return entry
  }
  /** Takes a set out that holds all its descendants. */
  removeAll(stage: ReadonlySet<PoolEntry>, reason: RemovalReason): PoolEntry[] {
    const leaving = inOrder(stage)
    this.#detach(leaving)
    for (const entry of leaving) this.#drop(entry, reason)
    return leaving
  }
  #detach(leaving: readonly PoolEntry[]): void {
    for (const entry of leaving) {
      for (const above of withAncestors([entry])) {
        if (above !== entry) count(above.withDescendants, entry, -1)
      }
    }
    for (const entry of leaving) {
      for (const parent of entry.parents) this.#unlink(parent, entry)
      for (const child of entry.children) this.#unlink(entry, child)
    }
  }
  #drop(entry: PoolEntry, reason: RemovalReason): void {
    const { transaction } = entry
    this.entries.delete(transaction.txid)
    this.wtxids.delete(transaction.wtxid)
    for (const input of transaction.inputs) this.spenders.delete(input.key)
    this.bytes -= entry.size
    this.fees -= entry.fee
    this.#inner -= entry.usage
    if (this.entries.size > 0 && this.entries.size * 2 < this.#slots) {
      this.#slots = this.entries.size
    }
    this.sequence += 1
    this.#say({ kind: 'transactionRemoved', transaction, reason, sequence: this.sequence })
  }
  /** Takes an entry and everything that builds on it out. Returns all that left. */
  removeFamily(txid: string, reason: RemovalReason): string[] {
    const entry = this.entries.get(txid)
    return entry ? txidsOf(this.removeAll(withDescendants([entry]), reason)) : []
  }
  /** As `removeFamily`, also where the transaction itself is not here but spends of it are. */
  removeRecursive(transaction: Transaction, reason: RemovalReason): void {
    const own = this.entries.get(transaction.txid)
    const roots = own ? [own] : this.#spendersOf(transaction)
    this.removeAll(withDescendants(roots), reason)
  }
  #spendersOf({ txid, outputs }: Transaction): PoolEntry[] {
    return outputs.flatMap((_, vout) => {
      const spender = this.spenders.get(`${txid}:${vout}`)
      return (spender !== undefined && this.entries.get(spender)) || []
    })
  }

  /**
   * Links transactions that came back from blocks, oldest first, to the spends of them that were here all the time, and
   * throws out what now has too many ancestors. Source: Core's UpdateTransactionsFromBlock.
   */
  adopt(txids: readonly string[]): void {
    const back = new Set(txids.flatMap((txid) => this.entries.get(txid) ?? []))
    const crowded = new Set<PoolEntry>()
    for (const entry of [...back].reverse()) {
      for (const child of this.#spendersOf(entry.transaction)) {
        if (!back.has(child)) this.#link(entry, child)
      }
      for (const below of withDescendants([entry])) {
        // What came back was counted when it was added.
        if (back.has(below)) continue
        count(entry.withDescendants, below, 1)
        count(below.withAncestors, entry, 1)
        const { count: size, size: vsize } = below.withAncestors
        if (size > FAMILY_LIMITS.ancestors || vsize > FAMILY_LIMITS.ancestorSize) crowded.add(below)
      }
    }
    for (const entry of inOrder(crowded)) this.removeFamily(entry.txid, 'sizelimit')
  }

  /** Adds to the fee that mining and limits look at, also for a transaction that is yet to come. */
  prioritise(txid: string, delta: bigint): void {
    const sum = (this.deltas.get(txid) ?? 0n) + delta
    if (sum === 0n) this.deltas.delete(txid)
    else this.deltas.set(txid, sum)
    const entry = this.entries.get(txid)
    if (!entry) return
    entry.modifiedFee += delta
    for (const above of withAncestors([entry])) above.withDescendants.fees += delta
    for (const below of withDescendants([entry])) below.withAncestors.fees += delta
  }

  /** Entries that a transaction spends, which need not be in the pool itself. */
  parentsOf(transaction: Transaction): Set<PoolEntry> {
    const parents = new Set<PoolEntry>()
    for (const { txid } of transaction.inputs) {
      const parent = this.entries.get(txid)
      if (parent) parents.add(parent)
    }
    return parents
  }
  /** Txids of what a transaction spends here. */
  parents(transaction: Transaction): Set<string> {
    return new Set(txidsOf(this.parentsOf(transaction)))
  }
  /** Txids of what spends `txid`. */
  children(txid: string): Set<string> {
    return new Set(txidsOf(inOrder(this.entries.get(txid)?.children ?? [])))
  }
  /** Unconfirmed ancestors of a transaction that need not be in the pool itself. */
  ancestors(transaction: Transaction): Set<string> {
    return new Set(txidsOf(inOrder(withAncestors(this.parentsOf(transaction)))))
  }
  /** Everything in the pool that builds on `txid`, without itself. */
  descendants(txid: string): Set<string> {
    const entry = this.entries.get(txid)
    const found = withDescendants(entry ? [entry] : [])
    return new Set(txidsOf(inOrder(found).filter((below) => below !== entry)))
  }
  /** BIP 125 signal of the transaction or of one of its unconfirmed ancestors. */
  isReplaceable(entry: PoolEntry): boolean {
    for (const { transaction } of withAncestors([entry])) {
      if (signalsReplacement(transaction)) return true
    }
    return false
  }
  /** Parents before children, then the better fee rate; the order of `getrawmempool`. */
  sorted(): PoolEntry[] {
    const depth = (entry: PoolEntry): number => entry.withAncestors.count
    return [...this.entries.values()].sort((a, b) => depth(a) - depth(b) || compareScore(a, b))
  }
  /** An independent copy that tells `say` of what happens to it from now on. */
  copy(say?: Say): Pool {
    const copy = new Pool(say)
    for (const [txid, entry] of this.entries) copy.entries.set(txid, entry.copy())
    for (const entry of this.entries.values()) {
      const child = copy.entries.get(entry.txid)
      for (const { txid } of entry.parents) {
        const parent = copy.entries.get(txid)
        if (parent && child) copy.#link(parent, child)
      }
    }
    for (const [key, txid] of this.spenders) copy.spenders.set(key, txid)
    for (const [wtxid, txid] of this.wtxids) copy.wtxids.set(wtxid, txid)
    for (const [txid, delta] of this.deltas) copy.deltas.set(txid, delta)
    copy.bytes = this.bytes
    copy.fees = this.fees
    copy.sequence = this.sequence
    copy.#slots = this.#slots
    copy.#inner = this.#inner
    return copy
  }
}
