import { formatMoney, type Rejection, reject } from '../chain/checks.ts'
import type { Transaction } from '../chain/transaction.ts'
import { feeAt, formatRate, INCREMENTAL_FEE_RATE, MAX_REPLACEMENTS, rateOf } from './policy.ts'
import type { Pool } from './pool.ts'

/** Transactions of the pool that spend a coin which this one spends too. */
export function directConflicts(pool: Pool, transaction: Transaction): Set<string> {
  const conflicts = new Set<string>()
  for (const input of transaction.inputs) {
    const spender = pool.spenders.get(input.key)
    if (spender !== undefined) conflicts.add(spender)
  }
  return conflicts
}

/**
 * Whether `transaction` may take the place of its conflicts, in Core 28's order of checks: fee rate above each direct
 * conflict, at most 100 evictions, no new unconfirmed inputs, fee above everything evicted, and enough more to pay
 * for its own relay. Source: BIP 125 rules 2 to 5; rule 1 (signalling) is off since Core 28 (full replacement).
 */
export function checkReplacement(
  pool: Pool,
  transaction: Transaction,
  fee: bigint,
  direct: ReadonlySet<string>,
): { readonly evicted: readonly string[] } | Rejection {
  const { txid, vsize } = transaction
  const rate = rateOf(fee, vsize)
  const family = new Set<string>()
  const parentsOfConflicts = new Set<string>()
  for (const conflict of direct) {
    const entry = pool.entries.get(conflict)
    if (!entry) continue
    const old = rateOf(entry.fee, entry.transaction.vsize)
    if (rate <= old) {
      const rates = `new feerate ${formatRate(rate)} <= old feerate ${formatRate(old)}`
      return reject('insufficient fee', `rejecting replacement ${txid}; ${rates}`)
    }
    for (const member of pool.descendants(conflict)) family.add(member)
    family.add(conflict)
    for (const parent of pool.parents(entry.transaction)) parentsOfConflicts.add(parent)
  }
  if (family.size > MAX_REPLACEMENTS) {
    const numbers = `(${family.size} > ${MAX_REPLACEMENTS})`
    return reject(
      'too many potential replacements',
      `rejecting replacement ${txid}; too many potential replacements ${numbers}\n`,
    )
  }
  const added = transaction.inputs.findIndex(
    (input) => pool.entries.has(input.txid) && !parentsOfConflicts.has(input.txid),
  )
  if (added >= 0) {
    return reject(
      'replacement-adds-unconfirmed',
      `replacement ${txid} adds unconfirmed input, idx ${added}`,
    )
  }
  const fault = checkPayment(pool.feesOf(family), transaction, fee)
  return fault ?? { evicted: [...family] }
}
function checkPayment(
  evictedFees: bigint,
  { txid, vsize }: Transaction,
  fee: bigint,
): Rejection | undefined {
  if (fee < evictedFees) {
    const numbers = `${formatMoney(fee)} < ${formatMoney(evictedFees)}`
    return reject(
      'insufficient fee',
      `rejecting replacement ${txid}, less fees than conflicting txs; ${numbers}`,
    )
  }
  const needed = feeAt(INCREMENTAL_FEE_RATE, vsize)
  if (fee - evictedFees < needed) {
    const numbers = `${formatMoney(fee - evictedFees)} < ${formatMoney(needed)}`
    return reject(
      'insufficient fee',
      `rejecting replacement ${txid}, not enough additional fees to relay; ${numbers}`,
    )
  }
  return undefined
}
