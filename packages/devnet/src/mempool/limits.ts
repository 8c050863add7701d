import { type Rejection, reject } from '../chain/checks.ts'
import type { Transaction } from '../chain/transaction.ts'
import { FAMILY_LIMITS, type FamilyLimits } from './policy.ts'
import type { Pool } from './pool.ts'

function exceeded(pool: Pool, transaction: Transaction, limits: FamilyLimits): string | undefined {
  const parents = pool.parents(transaction)
  if (parents.size + 1 > limits.ancestors) {
    return `too many unconfirmed parents [limit: ${limits.ancestors}]`
  }
  const ancestors = pool.ancestors(transaction)
  for (const txid of ancestors) {
    const family = pool.descendants(txid)
    const size = pool.sizeOf(family) + pool.sizeOf([txid]) + transaction.vsize
    if (size > limits.descendantSize) {
      return `exceeds descendant size limit for tx ${txid} [limit: ${limits.descendantSize}]`
    }
    if (family.size + 2 > limits.descendants) {
      return `too many descendants for tx ${txid} [limit: ${limits.descendants}]`
    }
  }
  if (pool.sizeOf(ancestors) + transaction.vsize > limits.ancestorSize) {
    return `exceeds ancestor size limit [limit: ${limits.ancestorSize}]`
  }
  if (ancestors.size + 1 > limits.ancestors) {
    return `too many unconfirmed ancestors [limit: ${limits.ancestors}]`
  }
  return undefined
}

/**
 * Core's limits of unconfirmed families. A replacement of one transaction takes that one's place in the count; a small
 * child of a full family with one ancestor is let in (the CPFP carve-out).
 */
export function checkFamilyLimits(
  pool: Pool,
  transaction: Transaction,
  conflicts: ReadonlySet<string>,
): Rejection | undefined {
  let limits = FAMILY_LIMITS
  const [only] = conflicts
  if (conflicts.size === 1 && only !== undefined) {
    const freed = pool.sizeOf([only, ...pool.descendants(only)])
    limits = {
      ...limits,
      descendants: limits.descendants + 1,
      descendantSize: limits.descendantSize + freed,
    }
  }
  const reason = exceeded(pool, transaction, limits)
  if (reason === undefined) return undefined
  const carveOut: FamilyLimits = {
    ancestors: 2,
    ancestorSize: limits.ancestorSize,
    descendants: limits.descendants + 1,
    descendantSize: limits.descendantSize + 10_000,
  }
  const small = transaction.vsize <= 10_000
  if (small && exceeded(pool, transaction, carveOut) === undefined) return undefined
  return reject('too-long-mempool-chain', reason)
}
