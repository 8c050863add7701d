import type { Transaction } from '../chain/transaction.ts'
import { inOrder, type PoolEntry } from './entry.ts'

/** Version 3: topologically restricted until confirmation. Source: BIP 431 and Core's truc_policy. */
export const TRUC_VERSION = 3
const MAX_SIZE = 10_000
const CHILD_MAX_SIZE = 1000
/** A transaction and its one relative, above or below. */
const FAMILY = 2

const named = ({ txid, wtxid }: Transaction): string => `${txid} (wtxid=${wtxid})`
const tooManyAncestors = (transaction: Transaction): string =>
  `tx ${named(transaction)} would have too many ancestors`
const tooManyDescendants = (parent: Transaction): string =>
  `tx ${named(parent)} would exceed descendant count limit`
const tooBig = (kind: string, transaction: Transaction, size: number, limit: number): string =>
  `version=3 ${kind} ${named(transaction)} is too big: ${size} > ${limit} virtual bytes`

/** Version 3 spends only version 3, and nothing else spends it, while unconfirmed. */
function inheritance(child: Transaction, parent: Transaction): string | undefined {
  const own = child.version === TRUC_VERSION
  if (own === (parent.version === TRUC_VERSION)) return undefined
  const [here, there] = own ? ['version=3', 'non-version=3'] : ['non-version=3', 'version=3']
  return `${here} tx ${named(child)} cannot spend from ${there} tx ${named(parent)}`
}

export interface TrucFault {
  readonly detail: string
  /** The only other child of the parent: evicting it would make room. */
  readonly sibling?: PoolEntry
}
/** The rules for one transaction with its ancestors in the mempool. Source: Core's SingleTRUCChecks. */
export function checkTruc(
  entry: PoolEntry,
  ancestors: ReadonlySet<PoolEntry>,
  conflicts: ReadonlySet<PoolEntry>,
): TrucFault | undefined {
  const { transaction, size } = entry
  for (const ancestor of inOrder(ancestors)) {
    const detail = inheritance(transaction, ancestor.transaction)
    if (detail) return { detail }
  }
  if (transaction.version !== TRUC_VERSION) return undefined
  if (size > MAX_SIZE) return { detail: tooBig('tx', transaction, size, MAX_SIZE) }
  if (ancestors.size + 1 > FAMILY) return { detail: tooManyAncestors(transaction) }
  const [parent] = ancestors
  if (!parent) return undefined
  if (size > CHILD_MAX_SIZE) {
    return { detail: tooBig('child tx', transaction, size, CHILD_MAX_SIZE) }
  }
  const children = inOrder(parent.children)
  const makesRoom = children.some((child) => conflicts.has(child))
  if (parent.withDescendants.count + 1 <= FAMILY || makesRoom) return undefined
  const detail = tooManyDescendants(parent.transaction)
  const [sibling] = children
  // After a reorganisation there may be more relatives than the rules allow: then nobody is evicted.
  const alone = parent.withDescendants.count === 2 && sibling?.withAncestors.count === 2
  return alone ? { detail, sibling } : { detail }
}

interface Parent {
  readonly transaction: Transaction
  readonly hasChild: boolean
}
/** The rules for one transaction of a package; `above`: its ancestors in the mempool. Source: Core's PackageTRUCChecks. */
export function checkPackageTruc(
  { transaction, size }: PoolEntry,
  above: ReadonlySet<PoolEntry>,
  all: readonly Transaction[],
): string | undefined {
  const spent = new Set(transaction.inputs.map(({ txid }) => txid))
  const inPackage = all.filter((other) => spent.has(other.txid))
  if (transaction.version !== TRUC_VERSION) {
    const parents = [...inOrder(above).map((entry) => entry.transaction), ...inPackage]
    for (const parent of parents) {
      const fault = inheritance(transaction, parent)
      if (fault) return fault
    }
    return undefined
  }
  if (size > MAX_SIZE) return tooBig('tx', transaction, size, MAX_SIZE)
  if (above.size + inPackage.length + 1 > FAMILY) return tooManyAncestors(transaction)
  const [entry] = above
  const [other] = inPackage
  if (!entry && !other) return undefined
  if (size > CHILD_MAX_SIZE) return tooBig('child tx', transaction, size, CHILD_MAX_SIZE)
  const parent: Parent | undefined = entry
    ? { transaction: entry.transaction, hasChild: entry.withDescendants.count > 1 }
    : other && { transaction: other, hasChild: false }
  return parent && checkPair(transaction, parent, all)
}
function checkPair(
  child: Transaction,
  { transaction: parent, hasChild }: Parent,
  all: readonly Transaction[],
): string | undefined {
  const fault = inheritance(child, parent)
  if (fault) return fault
  for (const other of all) {
    if (other === child) continue
    for (const { txid } of other.inputs) {
      if (txid === parent.txid) return tooManyDescendants(parent)
      if (txid === child.txid) return tooManyAncestors(other)
    }
  }
  return hasChild ? tooManyDescendants(parent) : undefined
}
