import { type Rejection, reject } from '../chain/checks.ts'
import { byOrder, type PoolEntry } from './entry.ts'
import { FAMILY_LIMITS, type FamilyLimits } from './policy.ts'
import type { Pool } from './pool.ts'

/** Core's extra room for one small child of a full family. */
const CARVE_OUT_SIZE = 10_000

/** What enters: one transaction, or a package that is looked at as one. */
interface Newcomer {
  readonly count: number
  readonly size: number
}
/** The unconfirmed ancestors, or Core's words for the limit that they break. */
export type Ancestors = ReadonlySet<PoolEntry> | string

/** Walks up in Core's order, so that of several broken limits the same one is named. */
function climb(staged: Set<PoolEntry>, own: Newcomer, limits: FamilyLimits): Ancestors {
  const found = new Set<PoolEntry>()
  let size = own.size
  while (staged.size > 0) {
    const entry = [...staged].reduce((first, other) => (byOrder(first, other) < 0 ? first : other))
    found.add(entry)
    staged.delete(entry)
    size += entry.size
    const below = entry.withDescendants
    if (below.size + own.size > limits.descendantSize) {
      return `exceeds descendant size limit for tx ${entry.txid} [limit: ${limits.descendantSize}]`
    }
    if (below.count + own.count > limits.descendants) {
      return `too many descendants for tx ${entry.txid} [limit: ${limits.descendants}]`
    }
    if (size > limits.ancestorSize) {
      return `exceeds ancestor size limit [limit: ${limits.ancestorSize}]`
    }
    for (const parent of entry.parents) {
      if (!found.has(parent)) staged.add(parent)
      if (staged.size + found.size + own.count > limits.ancestors) {
        return `too many unconfirmed ancestors [limit: ${limits.ancestors}]`
      }
    }
  }
  return found
}
/** The ancestors of a transaction that is about to enter, unless the family grows too large. */
export function ancestorsWithin(pool: Pool, entry: PoolEntry, limits: FamilyLimits): Ancestors {
  const parents = pool.parentsOf(entry.transaction)
  if (parents.size + 1 > limits.ancestors) {
    return `too many unconfirmed parents [limit: ${limits.ancestors}]`
  }
  return climb(parents, { count: 1, size: entry.size }, limits)
}

/**
 * Core's limits of unconfirmed families. With `carveOuts`, a replacement of one transaction takes that one's place in the
 * count, and a small child of a full family with one ancestor is let in unless it is version 3.
 */
export function checkFamilyLimits(
  pool: Pool,
  entry: PoolEntry,
  conflicts: ReadonlySet<PoolEntry>,
  carveOuts: boolean,
): ReadonlySet<PoolEntry> | Rejection {
  let limits = FAMILY_LIMITS
  const [only] = conflicts
  if (carveOuts && conflicts.size === 1 && only) {
    limits = {
      ...limits,
      descendants: limits.descendants + 1,
      descendantSize: limits.descendantSize + only.withDescendants.size,
    }
  }
  const first = ancestorsWithin(pool, entry, limits)
  if (typeof first !== 'string') return first
  const small = entry.size <= CARVE_OUT_SIZE && entry.transaction.version !== 3
  if (carveOuts && small) {
    const second = ancestorsWithin(pool, entry, {
      ancestors: 2,
      ancestorSize: limits.ancestorSize,
      descendants: limits.descendants + 1,
      descendantSize: limits.descendantSize + CARVE_OUT_SIZE,
    })
    if (typeof second !== 'string') return second
  }
  return reject('too-long-mempool-chain', first)
}

/** The limits for a package, all of it counted for every ancestor. Source: Core's CheckPackageLimits. */
export function checkPackageLimits(
  pool: Pool,
  entries: readonly PoolEntry[],
  size: number,
): Rejection | undefined {
  const limits = FAMILY_LIMITS
  const fail = (detail: string): Rejection => reject('package-mempool-limits', detail)
  const { length } = entries
  if (length > limits.ancestors) {
    const limit = `[limit: ${limits.ancestors}]`
    return fail(`package count ${length} exceeds ancestor count limit ${limit}`)
  }
  if (size > limits.ancestorSize) {
    const limit = `[limit: ${limits.ancestorSize}]`
    return fail(`package size ${size} exceeds ancestor size limit ${limit}`)
  }
  const parents = new Set(entries.flatMap(({ transaction }) => [...pool.parentsOf(transaction)]))
  if (parents.size + length > limits.ancestors) {
    return fail(`too many unconfirmed parents [limit: ${limits.ancestors}]`)
  }
  const ancestors = climb(parents, { count: length, size }, limits)
  return typeof ancestors === 'string' ? fail(`possibly ${ancestors}`) : undefined
}
