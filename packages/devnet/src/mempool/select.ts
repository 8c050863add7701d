import type { Transaction } from '../chain/transaction.ts'
import {
  byOrder,
  count,
  type PoolEntry,
  type Totals,
  withAncestors,
  withDescendants,
} from './entry.ts'
import { feeAt, MIN_RELAY_FEE_RATE } from './policy.ts'
import type { Pool } from './pool.ts'

/** Room in a block: Core leaves some for the coinbase. */
const MAX_WEIGHT = 4_000_000 - 4000
const COINBASE_WEIGHT = 4000
const MAX_SIGOPS = 80_000
const COINBASE_SIGOPS = 400
const MAX_FAILURES = 1000

/** What the next block holds, in its order. */
export interface Selection {
  readonly transactions: readonly Transaction[]
  readonly entries: readonly PoolEntry[]
  /** Satoshi. */
  readonly fees: bigint
}
/** An entry with what it brings along: its ancestors that are not in the block yet, and itself. */
interface Candidate {
  readonly entry: PoolEntry
  readonly open: Totals
}
/** Core scores a package by the worse of two rates: its own, and that with its ancestors. */
function scoreOf({ entry, open }: Candidate): { readonly fees: bigint; readonly size: number } {
  const own = entry.modifiedFee * BigInt(open.size)
  const together = open.fees * BigInt(entry.size)
  return own > together ? open : { fees: entry.modifiedFee, size: entry.size }
}
function compare(a: Candidate, b: Candidate): number {
  const [left, right] = [scoreOf(a), scoreOf(b)]
  const [first, second] = [left.fees * BigInt(right.size), right.fees * BigInt(left.size)]
  if (first !== second) return first > second ? -1 : 1
  return byOrder(a.entry, b.entry)
}

/** Entries whose ancestors went into the block, best first; outdated places are skipped when they come up. */
class Changed {
  readonly #latest = new Map<PoolEntry, Candidate>()
  readonly #heap: Candidate[] = []

  /** An ancestor of `entry` is in the block now. */
  update(entry: PoolEntry, ancestor: PoolEntry): void {
    const open = { ...(this.#latest.get(entry)?.open ?? entry.withAncestors) }
    count(open, ancestor, -1)
    const candidate = { entry, open }
    this.#latest.set(entry, candidate)
    this.#push(candidate)
  }
  has(entry: PoolEntry): boolean {
    return this.#latest.has(entry)
  }
  delete(entry: PoolEntry): void {
    this.#latest.delete(entry)
  }
  get best(): Candidate | undefined {
    for (let [top] = this.#heap; top; [top] = this.#heap) {
      if (this.#latest.get(top.entry) === top) return top
      this.#pop()
    }
    return undefined
  }
  #push(candidate: Candidate): void {
    const heap = this.#heap
    let at = heap.length
    heap.push(candidate)
    while (at > 0) {
      const above = (at - 1) >> 1
      const parent = heap[above]
      if (!parent || compare(parent, candidate) <= 0) break
      heap[at] = parent
      heap[above] = candidate
      at = above
    }
  }
  #pop(): void {
    const heap = this.#heap
    const moved = heap.pop()
    if (!moved || heap.length === 0) return
    let at = 0
    heap[0] = moved
    for (;;) {
      const left = heap[2 * at + 1]
      const right = heap[2 * at + 2]
      if (!left) return
      const useRight = right !== undefined && compare(right, left) < 0
      const child = useRight ? right : left
      if (compare(moved, child) <= 0) return
      const below = 2 * at + (useRight ? 2 : 1)
      heap[at] = child
      heap[below] = moved
      at = below
    }
  }
}

/** One block while it is filled. */
class Filling {
  readonly chosen = new Set<PoolEntry>()
  readonly changed = new Changed()
  weight = COINBASE_WEIGHT
  #sigops = COINBASE_SIGOPS
  fees = 0n

  fits({ open }: Candidate): boolean {
    return this.weight + 4 * open.size < MAX_WEIGHT && this.#sigops + open.sigops < MAX_SIGOPS
  }
  /** Ancestors first, in Core's order. */
  take(entry: PoolEntry): void {
    const family = [...withAncestors([entry])].filter((member) => !this.chosen.has(member))
    family.sort((a, b) => a.withAncestors.count - b.withAncestors.count || byOrder(a, b))
    for (const member of family) {
      this.chosen.add(member)
      this.changed.delete(member)
      this.weight += member.transaction.weight
      this.#sigops += member.sigops
      this.fees += member.fee
    }
    for (const member of family) {
      if (member.children.size === 0) continue
      for (const below of withDescendants([member])) {
        if (!this.chosen.has(below)) this.changed.update(below, member)
      }
    }
  }
}

/**
 * The transactions of the next block: best package first, where a package is a transaction with its ancestors, down to the
 * relay fee. Source: Core's BlockAssembler.
 */
export function selectForBlock(pool: Pool): Selection {
  const ranked = [...pool.entries.values()]
    .map((entry): Candidate => ({ entry, open: entry.withAncestors }))
    .sort(compare)
  const block = new Filling()
  const failed = new Set<PoolEntry>()
  let failures = 0
  for (let at = 0; ; ) {
    const next = ranked[at]
    const { entry } = next ?? {}
    if (entry && (block.changed.has(entry) || block.chosen.has(entry) || failed.has(entry))) {
      at += 1
      continue
    }
    const changed = block.changed.best
    const fromChanged = changed !== undefined && (!next || compare(changed, next) < 0)
    const candidate = fromChanged ? changed : next
    if (!candidate) break
    if (!fromChanged) at += 1
    const { open } = candidate
    if (open.fees < feeAt(MIN_RELAY_FEE_RATE, open.size)) break
    if (block.fits(candidate)) {
      failures = 0
      block.take(candidate.entry)
      continue
    }
    if (fromChanged) {
      block.changed.delete(candidate.entry)
      failed.add(candidate.entry)
    }
    failures += 1
    if (failures > MAX_FAILURES && block.weight > MAX_WEIGHT - COINBASE_WEIGHT) break
  }
  const entries = [...block.chosen]
  return { entries, transactions: entries.map(({ transaction }) => transaction), fees: block.fees }
}
