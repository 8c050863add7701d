import { formatMoney, type Rejection, reject } from '../chain/checks.ts'
import type { Transaction } from '../chain/transaction.ts'
import { inOrder, type PoolEntry, withDescendants } from './entry.ts'
import { feeAt, formatRate, INCREMENTAL_FEE_RATE, MAX_REPLACEMENTS, rateOf } from './policy.ts'
import type { Pool } from './pool.ts'

/** A refusal; `reconsiderable`: a package may change it. */
export interface Refusal extends Rejection {
  readonly kind?: 'reconsiderable' | 'missing'
}
/** What wants to take the place of others. */
export interface Replacement {
  readonly txid: string
  /** Satoshi, with what `prioritisetransaction` added. */
  readonly fees: bigint
  readonly size: number
}

/** Entries of the pool that spend a coin which this transaction spends too. */
export function directConflicts(pool: Pool, transaction: Transaction): Set<PoolEntry> {
  const conflicts = new Set<PoolEntry>()
  for (const input of transaction.inputs) {
    const spender = pool.entries.get(pool.spenders.get(input.key) ?? '')
    if (spender) conflicts.add(spender)
  }
  return conflicts
}
/** Core's words when the rate is not above that of each direct conflict. */
function rateFault({ txid, fees, size }: Replacement, direct: ReadonlySet<PoolEntry>) {
  const rate = rateOf(fees, size)
  for (const conflict of inOrder(direct)) {
    const old = rateOf(conflict.modifiedFee, conflict.size)
    if (rate > old) continue
    const rates = `new feerate ${formatRate(rate)} <= old feerate ${formatRate(old)}`
    return `rejecting replacement ${txid}; ${rates}`
  }
  return undefined
}
/** Core's words for too many evictions. Shared descendants count for each of their conflicts. */
export function crowdFault(txid: string, direct: ReadonlySet<PoolEntry>): string | undefined {
  let evictions = 0
  for (const conflict of inOrder(direct)) {
    evictions += conflict.withDescendants.count
    if (evictions <= MAX_REPLACEMENTS) continue
    const numbers = `(${evictions} > ${MAX_REPLACEMENTS})`
    return `rejecting replacement ${txid}; too many potential replacements ${numbers}\n`
  }
  return undefined
}
function newInputFault(pool: Pool, transaction: Transaction, evicted: ReadonlySet<PoolEntry>) {
  const known = new Set<string>()
  for (const entry of evicted) for (const { txid } of entry.transaction.inputs) known.add(txid)
  const at = transaction.inputs.findIndex(({ txid }) => !known.has(txid) && pool.entries.has(txid))
  if (at < 0) return undefined
  return `replacement ${transaction.txid} adds unconfirmed input, idx ${at}`
}
/** Core's words when the fees do not cover what is evicted and the relay of what comes. Source: BIP 125 rules 3 and 4. */
export function paymentFault(
  evictedFees: bigint,
  { txid, fees, size }: Replacement,
): string | undefined {
  if (fees < evictedFees) {
    const numbers = `${formatMoney(fees)} < ${formatMoney(evictedFees)}`
    return `rejecting replacement ${txid}, less fees than conflicting txs; ${numbers}`
  }
  const needed = feeAt(INCREMENTAL_FEE_RATE, size)
  if (fees - evictedFees >= needed) return undefined
  const numbers = `${formatMoney(fees - evictedFees)} < ${formatMoney(needed)}`
  return `rejecting replacement ${txid}, not enough additional fees to relay; ${numbers}`
}
export const feesOf = (entries: Iterable<PoolEntry>): bigint => {
  let fees = 0n
  for (const { modifiedFee } of entries) fees += modifiedFee
  return fees
}

/**
 * Whether an entry may take the place of its conflicts, in Core 28's order of checks: fee rate above each direct
 * conflict, at most 100 evictions, no new unconfirmed inputs, fee above everything evicted, and enough more to pay
 * for its own relay. Source: BIP 125 rules 2 to 5; rule 1 (signalling) is off since Core 28 (full replacement).
 */
export function checkReplacement(
  pool: Pool,
  entry: PoolEntry,
  direct: ReadonlySet<PoolEntry>,
  sibling: boolean,
): { readonly evicted: ReadonlySet<PoolEntry> } | Refusal {
  const { transaction, txid, modifiedFee: fees, size } = entry
  const replacement = { txid, fees, size }
  const words = (reason: string) => (sibling ? `${reason} (including sibling eviction)` : reason)
  const poor = (detail: string): Refusal => ({
    ...reject(words('insufficient fee'), detail),
    kind: 'reconsiderable',
  })
  const rate = rateFault(replacement, direct)
  if (rate) return poor(rate)
  const crowd = crowdFault(txid, direct)
  if (crowd) return reject(words('too many potential replacements'), crowd)
  const evicted = withDescendants(direct)
  const added = newInputFault(pool, transaction, evicted)
  if (added) return reject(words('replacement-adds-unconfirmed'), added)
  const payment = paymentFault(feesOf(evicted), replacement)
  return payment ? poor(payment) : { evicted }
}
