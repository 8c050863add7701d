import { type PoolEntry, txidsOf, withDescendants } from './entry.ts'
import { INCREMENTAL_FEE_RATE, rateOf } from './policy.ts'
import type { Pool } from './pool.ts'

/** Satoshi and vbytes of the better of two rates: alone, or with everything that builds on it. */
function scoreOf(entry: PoolEntry): { readonly fees: bigint; readonly size: number } {
  const { fees, size } = entry.withDescendants
  const together = fees * BigInt(entry.size) > entry.modifiedFee * BigInt(size)
  return together ? { fees, size } : { fees: entry.modifiedFee, size: entry.size }
}
/** The worst payer; among equals the youngest. Source: Core's CompareTxMemPoolEntryByDescendantScore. */
function worst(pool: Pool): PoolEntry | undefined {
  let found: PoolEntry | undefined
  let least = { fees: 0n, size: 0 }
  for (const entry of pool.entries.values()) {
    const score = scoreOf(entry)
    const order = score.fees * BigInt(least.size) - least.fees * BigInt(score.size)
    if (found && (order > 0n || (order === 0n && entry.time < found.time))) continue
    found = entry
    least = score
  }
  return found
}
/**
 * Throws the worst payers out, with what builds on them, until the pool takes no more than `limit` bytes. `raise` hears the
 * fee rate that is to be exceeded from now on, in satoshi per 1000 vbytes. Source: Core's TrimToSize.
 */
export function trim(pool: Pool, limit: number, raise: (rate: bigint) => void): void {
  while (pool.usage > limit) {
    const entry = worst(pool)
    if (!entry) return
    const { fees, size } = entry.withDescendants
    raise(rateOf(fees, size) + INCREMENTAL_FEE_RATE)
    pool.removeAll(withDescendants([entry]), 'sizelimit')
  }
}
/**
 * Throws out what pays less than `floor` (satoshi per 1000 vbytes), the poorest first and with what builds on it: a parent
 * whose child pays for it stays. Returns the txids that left.
 */
export function dropBelow(pool: Pool, floor: bigint): readonly string[] {
  const gone: string[] = []
  for (let entry = worst(pool); entry; entry = worst(pool)) {
    const { fees, size } = scoreOf(entry)
    if (rateOf(fees, size) >= floor) break
    gone.push(...txidsOf(pool.removeAll(withDescendants([entry]), 'sizelimit')))
  }
  return gone
}
