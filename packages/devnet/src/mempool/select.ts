import type { Transaction } from '../chain/transaction.ts'
import { MIN_RELAY_FEE_RATE, rateOf } from './policy.ts'
import { compareScore, type Pool, type PoolEntry } from './pool.ts'

const BLOCK_ROOM = 4_000_000 - 4000

/** The transactions of the next block, best package fee rate first, parents before children; and their fees. */
export function selectForBlock(pool: Pool): {
  readonly transactions: readonly Transaction[]
  readonly fees: bigint
} {
  const ranked = [...pool.entries.values()].map((entry) => ({ entry, ...packageOf(pool, entry) }))
  ranked.sort((a, b) => {
    if (a.rate !== b.rate) return a.rate > b.rate ? -1 : 1
    return a.family.length - b.family.length || compareScore(a.entry, b.entry)
  })
  const chosen = new Set<string>()
  const transactions: Transaction[] = []
  let room = BLOCK_ROOM
  let fees = 0n
  for (const { family, rate } of ranked) {
    if (rate < MIN_RELAY_FEE_RATE) continue
    const open = family.filter(({ transaction }) => !chosen.has(transaction.txid))
    const weight = open.reduce((sum, { transaction }) => sum + transaction.weight, 0)
    if (weight > room) continue
    for (const { transaction, fee } of open) {
      chosen.add(transaction.txid)
      transactions.push(transaction)
      fees += fee
      room -= transaction.weight
    }
  }
  return { transactions, fees }
}

interface Package {
  /** Ancestors first, the entry last. */
  readonly family: readonly PoolEntry[]
  readonly rate: bigint
}
function packageOf(pool: Pool, entry: PoolEntry): Package {
  const ancestors = [...pool.ancestors(entry.transaction)]
  if (ancestors.length === 0) {
    return { family: [entry], rate: rateOf(entry.fee, entry.transaction.vsize) }
  }
  const fees = pool.feesOf(ancestors) + entry.fee
  const rate = rateOf(fees, pool.sizeOf(ancestors) + entry.transaction.vsize)
  const family = ancestors
    .flatMap((txid) => pool.entries.get(txid) ?? [])
    .map((ancestor) => ({ ancestor, depth: pool.ancestors(ancestor.transaction).size }))
    .sort((a, b) => a.depth - b.depth)
    .map(({ ancestor }) => ancestor)
  return { family: [...family, entry], rate }
}
