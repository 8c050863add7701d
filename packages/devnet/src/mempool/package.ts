import { type Rejection, reject } from '../chain/checks.ts'
import type { Coin } from '../chain/node.ts'
import type { Transaction } from '../chain/transaction.ts'
import {
  type Candidate,
  checkRate,
  checkScripts,
  isRefusal,
  preCheck,
  type Terms,
} from './attempt.ts'
import { diagramFault } from './diagram.ts'
import { type PoolEntry, txidsOf, withDescendants } from './entry.ts'
import { ancestorsWithin, checkPackageLimits } from './limits.ts'
import { type Acceptance, type Mempool, refused } from './mempool.ts'
import { FAMILY_LIMITS, formatRate, rateOf } from './policy.ts'
import { crowdFault, feesOf, paymentFault, type Refusal } from './replace.ts'
import { checkPackage, isChildWithParents } from './topology.ts'
import { checkPackageTruc } from './truc.ts'

/** What became of one transaction of a package. */
export type PackageResult =
  | { readonly kind: 'judged'; readonly verdict: Acceptance }
  /** It was in the mempool already. */
  | { readonly kind: 'present'; readonly entry: PoolEntry }
  /** The same transaction with another witness is there; this one was not looked at. */
  | { readonly kind: 'otherWitness'; readonly wtxid: string }
export interface PackageVerdict {
  /** `package`: a rule about all of them; `transaction`: one of them failed, see there. */
  readonly fault?: Rejection & { readonly scope: 'package' | 'transaction' }
  /** By wtxid; transactions that were not looked at are missing. */
  readonly results: ReadonlyMap<string, PackageResult>
}
export interface PackageOptions {
  /** Satoshi per 1000 vbytes that no single transaction may exceed. */
  readonly maxRate?: bigint
}
type Results = Map<string, PackageResult>
const judged = (verdict: Acceptance): PackageResult => ({ kind: 'judged', verdict })
const FAILED = { reason: 'transaction failed', scope: 'transaction' } as const
const wide = (rejection: Rejection): PackageVerdict => ({
  fault: { ...rejection, scope: 'package' },
  results: new Map(),
})
const failedAt = (transaction: Transaction, refusal: Refusal): PackageVerdict => ({
  fault: FAILED,
  results: new Map([[transaction.wtxid, judged(refused(refusal))]]),
})

const TEST_TERMS: Terms = {
  test: true,
  bypassLimits: false,
  replacement: false,
  siblingEviction: false,
  carveOuts: false,
  inPackage: false,
  packageRates: false,
  unbroadcast: false,
}
const PACKAGE_TERMS: Terms = {
  ...TEST_TERMS,
  test: false,
  replacement: true,
  inPackage: true,
  packageRates: true,
}

/** Everything together: sizes, fees, and what is evicted for it. */
interface Whole {
  readonly candidates: readonly Candidate[]
  readonly fees: bigint
  readonly size: number
}
/** Replacement by a parent and its child together. Source: Core's package RBF in PackageMempoolChecks. */
function checkPackageReplacement({
  candidates,
  fees,
  size,
}: Whole): { readonly evicted: ReadonlySet<PoolEntry> } | Refusal {
  const fail = (words: string, detail?: string): Refusal =>
    reject(`package RBF failed: ${words}`, detail)
  const [parent, child] = candidates
  const list = candidates.map(({ entry }) => entry.transaction)
  if (!parent || !child || candidates.length !== 2 || !isChildWithParents(list)) {
    return fail('package must be 1-parent-1-child')
  }
  if (candidates.some(({ ancestors }) => ancestors.size > 0)) {
    return fail('new transaction cannot have mempool ancestors')
  }
  const direct = new Set([...parent.conflicts, ...child.conflicts])
  const { txid } = child.entry
  const crowd = crowdFault(txid, direct)
  if (crowd) return fail('too many potential replacements', crowd)
  const evicted = withDescendants(direct)
  const payment = paymentFault(feesOf(evicted), { txid, fees, size })
  if (payment) return fail('insufficient anti-DoS fees', payment)
  const together = rateOf(fees, size)
  const first = rateOf(parent.entry.modifiedFee, parent.entry.size)
  if (together <= first) {
    const rates = `package feerate ${formatRate(together)} <= parent feerate is ${formatRate(first)}`
    return fail('package feerate is less than or equal to parent feerate', rates)
  }
  const diagram = diagramFault(direct, evicted, { fees, size })
  return diagram ? fail(diagram) : { evicted }
}

function candidatesOf(
  mempool: Mempool,
  list: readonly Transaction[],
  terms: Terms,
): Candidate[] | PackageVerdict {
  const made = new Map<string, Coin>()
  const height = mempool.chain.tip.height + 1
  const candidates: Candidate[] = []
  for (const transaction of list) {
    const candidate = preCheck(mempool, transaction, terms, made)
    if (isRefusal(candidate)) return failedAt(transaction, candidate)
    const { modifiedFee, size } = candidate.entry
    if (terms.maxRate !== undefined && rateOf(modifiedFee, size) > terms.maxRate) {
      return failedAt(transaction, reject('max feerate exceeded'))
    }
    candidates.push(candidate)
    transaction.outputs.forEach((output, vout) => {
      made.set(`${transaction.txid}:${vout}`, { ...output, height, coinbase: false })
    })
  }
  return candidates
}
/** Several transactions, judged together. Source: Core's AcceptMultipleTransactions. */
function acceptMultiple(
  mempool: Mempool,
  list: readonly Transaction[],
  terms: Terms,
): PackageVerdict {
  const malformed = checkPackage(list)
  if (malformed) return wide(malformed)
  const candidates = candidatesOf(mempool, list, terms)
  if (!Array.isArray(candidates)) return candidates
  for (const { entry, ancestors } of candidates) {
    const truc = checkPackageTruc(entry, ancestors, list)
    if (truc) return wide(reject('TRUC-violation', truc))
  }
  const entries = candidates.map(({ entry }) => entry)
  const size = entries.reduce((sum, entry) => sum + entry.size, 0)
  const whole: Whole = { candidates, fees: feesOf(entries), size }
  const child = list[list.length - 1]
  const poor = terms.packageRates ? checkRate(mempool, size, whole.fees) : undefined
  if (poor && child) return failedAt(child, poor)
  return finishPackage(mempool, whole, terms)
}
function finishPackage(mempool: Mempool, whole: Whole, terms: Terms): PackageVerdict {
  const { candidates, fees, size } = whole
  const entries = candidates.map(({ entry }) => entry)
  let evicted: ReadonlySet<PoolEntry> = new Set()
  if (candidates.length > 1) {
    const crowded = checkPackageLimits(mempool.pool, entries, size)
    if (crowded) return wide(crowded)
    if (candidates.some(({ conflicts }) => conflicts.size > 0)) {
      const replacement = checkPackageReplacement(whole)
      if (isRefusal(replacement)) return wide(replacement)
      evicted = replacement.evicted
    }
  }
  const everyone = entries.map(({ transaction }) => transaction.wtxid)
  const results: Results = new Map()
  for (const [i, candidate] of candidates.entries()) {
    const { entry } = candidate
    const { wtxid } = entry.transaction
    const fault = checkScripts(mempool, candidate)
    if (fault) {
      // A test also tells which ones before it were found good.
      if (!terms.test) results.clear()
      return { fault: FAILED, results: results.set(wtxid, judged(refused(fault))) }
    }
    const verdict: Acceptance = {
      ok: true,
      entry,
      replaced: i === 0 ? txidsOf(evicted) : [],
      rate: terms.packageRates ? rateOf(fees, size) : rateOf(entry.modifiedFee, entry.size),
      includes: terms.packageRates ? everyone : [wtxid],
    }
    results.set(wtxid, judged(verdict))
  }
  if (!terms.test) submit(mempool, candidates, evicted, terms)
  return { results }
}
function submit(
  mempool: Mempool,
  candidates: readonly Candidate[],
  evicted: ReadonlySet<PoolEntry>,
  terms: Terms,
): void {
  const { pool } = mempool
  let leaving = evicted
  for (const candidate of candidates) {
    // Earlier ones of the package are ancestors by now; the limits were checked for all of them together.
    const found = ancestorsWithin(pool, candidate.entry, FAMILY_LIMITS)
    const ancestors = typeof found === 'string' ? candidate.ancestors : found
    mempool.enter({ ...candidate, ancestors }, leaving)
    leaving = new Set()
  }
  for (const { entry } of candidates) mempool.announce(entry, terms)
}

/** The verdict on several transactions that may spend each other; nothing enters. Conflicts with the mempool are refused. */
export const testPackage = (mempool: Mempool, list: readonly Transaction[]): PackageVerdict =>
  acceptMultiple(mempool, list, TEST_TERMS)

/** The terms for one transaction of a package by itself. */
const aloneOf = (terms: Terms): Terms => ({ ...terms, siblingEviction: true, packageRates: false })
const none = (failed: boolean): PackageVerdict =>
  failed ? { fault: FAILED, results: new Map() } : { results: new Map() }
/** What is left after each was tried by itself. */
function acceptOpen(mempool: Mempool, open: readonly Transaction[], terms: Terms): PackageVerdict {
  const [first, ...more] = open
  if (!first || more.length > 0) return acceptMultiple(mempool, open, terms)
  const verdict = mempool.acceptSingle(first, aloneOf(terms))
  const results: Results = new Map([[first.wtxid, judged(verdict)]])
  return verdict.ok ? { results } : { fault: FAILED, results }
}

/** Each by itself, on the terms of a package. */
function acceptEach(mempool: Mempool, list: readonly Transaction[], terms: Terms) {
  const done: Results = new Map()
  const failed: Results = new Map()
  const open: Transaction[] = []
  let final = false
  for (const transaction of list) {
    const { txid, wtxid } = transaction
    const entry = mempool.pool.entries.get(txid)
    if (entry && entry.transaction.wtxid === wtxid) done.set(wtxid, { kind: 'present', entry })
    else if (entry) {
      done.set(wtxid, { kind: 'otherWitness', wtxid: entry.transaction.wtxid })
    } else {
      const verdict = mempool.acceptSingle(transaction, aloneOf(terms))
      if (verdict.ok) {
        done.set(wtxid, judged(verdict))
        continue
      }
      failed.set(wtxid, judged(verdict))
      // Only fees and parents can look different in company.
      if (verdict.rejection.kind === undefined) final = true
      else open.push(transaction)
    }
  }
  return { done, failed, open, final }
}
/**
 * A child with its parents: each alone first, then those that only lack fees together. Source: Core's AcceptPackage.
 * Transactions may enter although others fail.
 */
export function acceptPackage(
  mempool: Mempool,
  list: readonly Transaction[],
  options: PackageOptions = {},
): PackageVerdict {
  const terms: Terms = { ...PACKAGE_TERMS, ...options }
  const malformed = checkPackage(list)
  if (malformed) return wide(malformed)
  if (!isChildWithParents(list)) return wide(reject('package-not-child-with-parents'))
  const own = new Set(list.slice(0, -1).map(({ txid }) => txid))
  const inputs = list[list.length - 1]?.inputs ?? []
  if (!inputs.every(({ txid, key }) => own.has(txid) || mempool.chain.coins.has(key))) {
    return wide(reject('package-not-child-with-unconfirmed-parents'))
  }
  const { done, failed, open, final } = acceptEach(mempool, list, terms)
  const together = final || open.length === 0 ? none(final) : acceptOpen(mempool, open, terms)
  mempool.limit()
  return conclude(mempool, list, together, done, failed)
}
/** What was taken may have been evicted again at the end. */
function conclude(
  { pool }: Mempool,
  list: readonly Transaction[],
  together: PackageVerdict,
  done: Results,
  failed: Results,
): PackageVerdict {
  let { fault } = together
  const results: Results = new Map()
  for (const { txid, wtxid } of list) {
    const late = together.results.get(wtxid)
    const entered =
      late?.kind === 'judged' ? late.verdict.ok : late === undefined && done.has(wtxid)
    const result = late ?? done.get(wtxid) ?? failed.get(wtxid)
    if (entered && !pool.entries.has(txid)) {
      fault = FAILED
      results.set(wtxid, judged(refused(reject('mempool full'))))
    } else if (result) results.set(wtxid, result)
  }
  return { ...(fault ? { fault } : {}), results }
}
