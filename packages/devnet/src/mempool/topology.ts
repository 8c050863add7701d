import { type Rejection, reject } from '../chain/checks.ts'
import type { Transaction } from '../chain/transaction.ts'

export const MAX_PACKAGE_COUNT = 25
const MAX_PACKAGE_WEIGHT = 404_000

function isSorted(list: readonly Transaction[]): boolean {
  const later = new Set(list.map(({ txid }) => txid))
  return list.every(({ txid, inputs }) => {
    const early = inputs.some((input) => later.has(input.txid))
    later.delete(txid)
    return !early
  })
}
function isConsistent(list: readonly Transaction[]): boolean {
  const seen = new Set<string>()
  return list.every(({ inputs }) => {
    if (inputs.length === 0 || inputs.some(({ key }) => seen.has(key))) return false
    // Twice within one transaction breaks another rule, which has its own words.
    for (const { key } of inputs) seen.add(key)
    return true
  })
}
/** What a list of transactions must be to be looked at together. Source: Core's IsWellFormedPackage. */
export function checkPackage(list: readonly Transaction[]): Rejection | undefined {
  if (list.length > MAX_PACKAGE_COUNT) return reject('package-too-many-transactions')
  const weight = list.reduce((sum, transaction) => sum + transaction.weight, 0)
  if (list.length > 1 && weight > MAX_PACKAGE_WEIGHT) return reject('package-too-large')
  if (new Set(list.map(({ txid }) => txid)).size !== list.length) {
    return reject('package-contains-duplicates')
  }
  if (!isSorted(list)) return reject('package-not-sorted')
  return isConsistent(list) ? undefined : reject('conflict-in-package')
}
/** True when the last one spends every other. */
export function isChildWithParents(list: readonly Transaction[]): boolean {
  const child = list[list.length - 1]
  if (!child || list.length < 2) return false
  const spent = new Set(child.inputs.map(({ txid }) => txid))
  return list.slice(0, -1).every(({ txid }) => spent.has(txid))
}
/** As `isChildWithParents`, and no parent spends another. */
export function isChildWithParentsTree(list: readonly Transaction[]): boolean {
  if (!isChildWithParents(list)) return false
  const parents = list.slice(0, -1)
  const own = new Set(parents.map(({ txid }) => txid))
  return parents.every(({ inputs }) => !inputs.some(({ txid }) => own.has(txid)))
}
