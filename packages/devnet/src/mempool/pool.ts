import type { RemovalReason, Say } from '../chain/happenings.ts'
import type { Transaction } from '../chain/transaction.ts'
import { signalsReplacement } from './policy.ts'

export interface PoolEntry {
  readonly transaction: Transaction
  /** Satoshi. */
  readonly fee: bigint
  /** Seconds since the epoch, when it entered. */
  readonly time: number
  /** Height of the tip when it entered. */
  readonly height: number
  /** Handed in here and not yet asked for by a peer. */
  readonly unbroadcast: boolean
}

/** The unconfirmed transactions and who spends what. Families are read from the links, never stored. */
export class Pool {
  readonly entries = new Map<string, PoolEntry>()
  /** Outpoint key to the txid that spends it. */
  readonly spenders = new Map<string, string>()
  readonly wtxids = new Map<string, string>()
  /** Counts arrivals and departures other than into a block, from 1. */
  sequence = 1
  /** Total vbytes and fees, kept for `getmempoolinfo`. */
  bytes = 0
  fees = 0n
  readonly #say: Say

  constructor(say: Say = () => {}) {
    this.#say = say
  }

  add(entry: PoolEntry): void {
    const { transaction } = entry
    this.entries.set(transaction.txid, entry)
    this.wtxids.set(transaction.wtxid, transaction.txid)
    for (const input of transaction.inputs) this.spenders.set(input.key, transaction.txid)
    this.bytes += transaction.vsize
    this.fees += entry.fee
    this.sequence += 1
    this.#say({ kind: 'transactionAdded', transaction, sequence: this.sequence })
  }
  /** Takes one entry out. Every way out is counted, also the one into a block. */
  remove(txid: string, reason: RemovalReason): PoolEntry | undefined {
    const entry = this.entries.get(txid)
    if (!entry) return undefined
    this.entries.delete(txid)
    this.wtxids.delete(entry.transaction.wtxid)
    for (const input of entry.transaction.inputs) this.spenders.delete(input.key)
    this.bytes -= entry.transaction.vsize
    this.fees -= entry.fee
    this.sequence += 1
    const { transaction } = entry
    this.#say({ kind: 'transactionRemoved', transaction, reason, sequence: this.sequence })
    return entry
  }
  /** Takes an entry and everything that builds on it out; the given one comes last. */
  removeFamily(txid: string, reason: RemovalReason): string[] {
    if (!this.entries.has(txid)) return []
    const family = [...this.descendants(txid), txid]
    for (const member of family) this.remove(member, reason)
    return family
  }
  parents(transaction: Transaction): Set<string> {
    const parents = new Set<string>()
    for (const { txid } of transaction.inputs) if (this.entries.has(txid)) parents.add(txid)
    return parents
  }
  children(txid: string): Set<string> {
    const children = new Set<string>()
    const outputs = this.entries.get(txid)?.transaction.outputs.length ?? 0
    for (let vout = 0; vout < outputs; vout++) {
      const child = this.spenders.get(`${txid}:${vout}`)
      if (child !== undefined) children.add(child)
    }
    return children
  }
  /** Unconfirmed ancestors of a transaction that need not be in the pool itself. */
  ancestors(transaction: Transaction): Set<string> {
    const found = new Set<string>()
    const queue = [...this.parents(transaction)]
    for (let txid = queue.pop(); txid !== undefined; txid = queue.pop()) {
      if (found.has(txid)) continue
      found.add(txid)
      const entry = this.entries.get(txid)
      if (entry) queue.push(...this.parents(entry.transaction))
    }
    return found
  }
  /** Everything in the pool that builds on `txid`, without itself. */
  descendants(txid: string): Set<string> {
    const found = new Set<string>()
    const queue = [...this.children(txid)]
    for (let child = queue.pop(); child !== undefined; child = queue.pop()) {
      if (found.has(child)) continue
      found.add(child)
      queue.push(...this.children(child))
    }
    return found
  }
  sizeOf(txids: Iterable<string>): number {
    let size = 0
    for (const txid of txids) size += this.entries.get(txid)?.transaction.vsize ?? 0
    return size
  }
  feesOf(txids: Iterable<string>): bigint {
    let fees = 0n
    for (const txid of txids) fees += this.entries.get(txid)?.fee ?? 0n
    return fees
  }
  /** BIP 125 signal of the transaction or of one of its unconfirmed ancestors. */
  isReplaceable(entry: PoolEntry): boolean {
    if (signalsReplacement(entry.transaction)) return true
    for (const txid of this.ancestors(entry.transaction)) {
      const ancestor = this.entries.get(txid)
      if (ancestor && signalsReplacement(ancestor.transaction)) return true
    }
    return false
  }
  /** Parents before children, then the better fee rate; the order of `getrawmempool`. */
  sorted(): PoolEntry[] {
    const ranked = [...this.entries.values()].map((entry) => ({
      entry,
      depth: this.ancestors(entry.transaction).size,
    }))
    ranked.sort((a, b) => a.depth - b.depth || compareScore(a.entry, b.entry))
    return ranked.map(({ entry }) => entry)
  }
  /** An independent copy that tells `say` of what happens to it from now on. */
  copy(say?: Say): Pool {
    const copy = new Pool(say)
    for (const [txid, entry] of this.entries) copy.entries.set(txid, entry)
    for (const [key, txid] of this.spenders) copy.spenders.set(key, txid)
    for (const [wtxid, txid] of this.wtxids) copy.wtxids.set(wtxid, txid)
    copy.bytes = this.bytes
    copy.fees = this.fees
    copy.sequence = this.sequence
    return copy
  }
}

/** Better fee rate first; among equals the larger hash in wire order, as Core compares. */
export function compareScore(a: PoolEntry, b: PoolEntry): number {
  const left = a.fee * BigInt(b.transaction.vsize)
  const right = b.fee * BigInt(a.transaction.vsize)
  if (left !== right) return left > right ? -1 : 1
  return wireOrder(a.transaction.txid) > wireOrder(b.transaction.txid) ? -1 : 1
}
const wireOrder = (txid: string): string => (txid.match(/../g) ?? []).reverse().join('')
