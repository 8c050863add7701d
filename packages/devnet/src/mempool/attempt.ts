import type { Chain } from '../chain/chain.ts'
import { checkAmounts, checkTransaction, isFinal, reject } from '../chain/checks.ts'
import type { Coin } from '../chain/node.ts'
import type { Transaction } from '../chain/transaction.ts'
import { sigopCost } from '../script/sigops.ts'
import { verifyScripts } from '../script/verify.ts'
import { inOrder, PoolEntry } from './entry.ts'
import { checkStandardInputs, checkStandardWitness } from './inputs.ts'
import { checkFamilyLimits } from './limits.ts'
import { locksHold, lockPointsOf } from './locks.ts'
import {
  checkSize,
  checkStandard,
  dustOutputs,
  feeAt,
  MAX_SIGOP_COST,
  MIN_RELAY_FEE_RATE,
} from './policy.ts'
import type { Pool } from './pool.ts'
import { directConflicts, type Refusal } from './replace.ts'
import { checkTruc, TRUC_VERSION } from './truc.ts'

/** What an attempt to enter may do. Source: the arguments that Core gives its MemPoolAccept. */
export interface Terms {
  /** Only the verdict: nothing enters. */
  readonly test: boolean
  /** No fee limits and no trimming: for transactions that come back from a block. */
  readonly bypassLimits: boolean
  readonly replacement: boolean
  readonly siblingEviction: boolean
  readonly carveOuts: boolean
  /** Part of a package: whoever submits it trims the pool at the end. */
  readonly inPackage: boolean
  /** The mempool's minimum is asked of the whole package instead. */
  readonly packageRates: boolean
  /** Satoshi per 1000 vbytes that no single transaction may exceed. */
  readonly maxRate?: bigint
  readonly unbroadcast: boolean
}
/** What an attempt needs of the node. */
export interface Ground {
  readonly pool: Pool
  readonly chain: Chain
  /** Satoshi per 1000 vbytes after evictions; 0 when there were none. */
  readonly rollingRate: bigint
  /** The coin as a new transaction sees it, mempool spends not considered. */
  coinAt(txid: string, key: string, vout: number): Coin | undefined
}
/** A transaction that passed everything but replacement and scripts. */
export interface Candidate {
  readonly entry: PoolEntry
  readonly spent: readonly Coin[]
  readonly ancestors: ReadonlySet<PoolEntry>
  /** What it takes the place of, without descendants. */
  readonly conflicts: ReadonlySet<PoolEntry>
  /** One of `conflicts` is no conflict but the sibling that makes room. */
  readonly sibling: boolean
}
export const isRefusal = (value: object): value is Refusal => 'reason' in value

/** Fee rules against the mempool's moving minimum and the relay fee. Source: Core's CheckFeeRate. */
export function checkRate(ground: Ground, size: number, fees: bigint): Refusal | undefined {
  const floor = feeAt(ground.rollingRate, size)
  if (fees < floor) {
    return { ...reject('mempool min fee not met', `${fees} < ${floor}`), kind: 'reconsiderable' }
  }
  const relay = feeAt(MIN_RELAY_FEE_RATE, size)
  if (fees >= relay) return undefined
  return { ...reject('min relay fee not met', `${fees} < ${relay}`), kind: 'reconsiderable' }
}

function spentCoins(
  ground: Ground,
  transaction: Transaction,
  made: ReadonlyMap<string, Coin>,
): Coin[] | undefined {
  const coins: Coin[] = []
  for (const { txid, key, vout } of transaction.inputs) {
    const coin = made.get(key) ?? ground.coinAt(txid, key, vout)
    if (!coin) return undefined
    coins.push(coin)
  }
  return coins
}
/** A node that knows ephemeral dust names the fee rule where it can; a refusal it is either way. */
function dustRefusal(transaction: Transaction, spent: readonly Coin[] | undefined): Refusal {
  const into = spent?.reduce((sum, { value }) => sum + value, 0n) ?? 0n
  const out = transaction.outputs.reduce((sum, { value }) => sum + value, 0n)
  const single = dustOutputs(transaction) === 1 && into > out
  return reject('dust', single ? 'tx with dust output must be 0-fee' : undefined)
}
function checkAlone(
  { chain, pool }: Ground,
  transaction: Transaction,
  spent: readonly Coin[] | undefined,
): Refusal | undefined {
  const fault = checkTransaction(transaction)
  if (fault) return fault
  if (transaction.isCoinbase) return reject('coinbase')
  const standard = checkStandard(transaction) ?? checkSize(transaction)
  if (standard) return standard.reason === 'dust' ? dustRefusal(transaction, spent) : standard
  const { tip } = chain
  if (!isFinal(transaction, tip.height + 1, tip.medianTime)) return reject('non-final')
  if (pool.wtxids.has(transaction.wtxid)) return reject('txn-already-in-mempool')
  if (pool.entries.has(transaction.txid)) return reject('txn-same-nonwitness-data-in-mempool')
  return undefined
}
function missing({ chain }: Ground, { txid, outputs }: Transaction): Refusal {
  const known = outputs.some((_, vout) => chain.coins.has(`${txid}:${vout}`))
  return known
    ? reject('txn-already-known')
    : { ...reject('bad-txns-inputs-missingorspent'), kind: 'missing' }
}
function measure(
  { chain, pool }: Ground,
  transaction: Transaction,
  spent: readonly Coin[],
  unbroadcast: boolean,
): PoolEntry | Refusal {
  const { tip } = chain
  const heights = spent.map((coin) => coin.height)
  const locks = lockPointsOf(transaction, heights, chain)
  if (!locksHold(locks, tip)) return reject('non-BIP68-final')
  const fee = checkAmounts(transaction, spent, tip.height + 1)
  if (typeof fee !== 'bigint') return fee
  const odd = checkStandardInputs(transaction, spent) ?? checkStandardWitness(transaction, spent)
  if (odd) return odd
  const sigops = sigopCost(transaction, spent)
  const time = chain.options.now()
  const facts = { transaction, fee, time, height: tip.height, sigops, unbroadcast, locks }
  const entry = new PoolEntry(facts, fee + (pool.deltas.get(transaction.txid) ?? 0n))
  return sigops > MAX_SIGOP_COST ? reject('bad-txns-too-many-sigops', `${sigops}`) : entry
}
function checkFees(ground: Ground, entry: PoolEntry, terms: Terms): Refusal | undefined {
  if (terms.bypassLimits) return undefined
  const relay = feeAt(MIN_RELAY_FEE_RATE, entry.size)
  // Version 3 families leave together, so a child's fee cannot get lost.
  if (entry.transaction.version !== TRUC_VERSION && entry.modifiedFee < relay) {
    return reject('min relay fee not met', `${entry.modifiedFee} < ${relay}`)
  }
  return terms.packageRates ? undefined : checkRate(ground, entry.size, entry.modifiedFee)
}
function place(
  pool: Pool,
  entry: PoolEntry,
  direct: ReadonlySet<PoolEntry>,
  terms: Terms,
): Omit<Candidate, 'spent'> | Refusal {
  const ancestors = checkFamilyLimits(pool, entry, direct, terms.carveOuts)
  if ('reason' in ancestors) return ancestors
  const truc = checkTruc(entry, ancestors, direct)
  const sibling = terms.siblingEviction ? truc?.sibling : undefined
  if (truc && !sibling) return reject('TRUC-violation', truc.detail)
  const conflicts = sibling ? new Set([...direct, sibling]) : direct
  for (const ancestor of inOrder(ancestors)) {
    if (!conflicts.has(ancestor)) continue
    const detail = `${entry.txid} spends conflicting transaction ${ancestor.txid}`
    return reject('bad-txns-spends-conflicting-tx', detail)
  }
  return { entry, ancestors, conflicts, sibling: sibling !== undefined }
}

/** Everything but replacement and scripts, in Core's order. `made`: coins of earlier transactions of the same package. */
export function preCheck(
  ground: Ground,
  transaction: Transaction,
  terms: Terms,
  made: ReadonlyMap<string, Coin> = new Map(),
): Candidate | Refusal {
  const spent = spentCoins(ground, transaction, made)
  const alone = checkAlone(ground, transaction, spent)
  if (alone) return alone
  const direct = directConflicts(ground.pool, transaction)
  if (direct.size > 0 && !terms.replacement) return reject('bip125-replacement-disallowed')
  if (!spent) return missing(ground, transaction)
  const entry = measure(ground, transaction, spent, terms.unbroadcast)
  if (isRefusal(entry)) return entry
  const poor = checkFees(ground, entry, terms)
  if (poor) return poor
  const placed = place(ground.pool, entry, direct, terms)
  return isRefusal(placed) ? placed : { ...placed, spent }
}

/** Runs the scripts; what only policy forbids is told apart from what no block may hold. */
export function checkScripts({ chain }: Ground, { entry, spent }: Candidate): Refusal | undefined {
  if (!chain.options.verifySignatures) return undefined
  const failure = verifyScripts(entry.transaction, spent, 'policy')
  return failure && reject(failure.reason)
}
