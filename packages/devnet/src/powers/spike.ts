import type { Mempool } from '../mempool/mempool.ts'
import type { PoolEntry } from '../mempool/pool.ts'

/** Satoshi per 1000 vbytes at which Core would throw an entry out last: its own rate, or the better one with its descendants. */
function keepRate({ pool }: Mempool, { transaction, fee }: PoolEntry): bigint {
  const own = (fee * 1000n) / BigInt(transaction.vsize)
  const family = pool.descendants(transaction.txid)
  if (family.size === 0) return own
  const size = BigInt(transaction.vsize + pool.sizeOf(family))
  const together = ((fee + pool.feesOf(family)) * 1000n) / size
  return together > own ? together : own
}
/**
 * Raises the mempool's minimum to `floor` (satoshi per 1000 vbytes) and drops what pays less, the poorest first and with its
 * descendants, as a full mempool does: a parent whose child pays for it stays. Returns the txids that left.
 */
export function raiseFloor(mempool: Mempool, floor: bigint): readonly string[] {
  mempool.minFeeRate = floor
  const { pool } = mempool
  const gone: string[] = []
  const poorest = () =>
    [...pool.entries.values()]
      .map((entry) => ({ txid: entry.transaction.txid, rate: keepRate(mempool, entry) }))
      .filter(({ rate }) => rate < floor)
      .sort((a, b) => (a.rate < b.rate ? -1 : 1))
  // What loses its descendants may become poor by it, which only a new look shows.
  for (let poor = poorest(); poor.length > 0; poor = poorest()) {
    for (const { txid } of poor) {
      const entry = pool.entries.get(txid)
      if (!entry || keepRate(mempool, entry) >= floor) continue
      gone.push(...pool.removeFamily(txid, 'sizelimit'))
    }
  }
  return gone
}
