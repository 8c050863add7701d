import type { Block } from '../chain/block.ts'
import type { Chain } from '../chain/chain.ts'
import { checkAmounts, isFinal, reject } from '../chain/checks.ts'
import type { Happening, Say } from '../chain/happenings.ts'
import type { ChainChange, Coin } from '../chain/node.ts'
import type { Transaction } from '../chain/transaction.ts'
import {
  type Candidate,
  checkScripts,
  type Ground,
  isRefusal,
  preCheck,
  type Terms,
} from './attempt.ts'
import { type EntryFacts, PoolEntry, txidsOf, withAncestors, withDescendants } from './entry.ts'
import { FeeEstimator } from './estimator.ts'
import { locksHold, lockPointsOf } from './locks.ts'
import { type MinimumState, RollingMinimum } from './minimum.ts'
import { EXPIRY_SECONDS, MAX_MEMPOOL_BYTES, MIN_RELAY_FEE_RATE, rateOf } from './policy.ts'
import { Pool } from './pool.ts'
import { checkReplacement, type Refusal } from './replace.ts'
import { trim } from './trim.ts'

export type Acceptance =
  | {
      readonly ok: true
      readonly entry: PoolEntry
      readonly replaced: readonly string[]
      /** Satoshi per 1000 vbytes that counted for it, and the wtxids whose fees and sizes are in there. */
      readonly rate: bigint
      readonly includes: readonly string[]
    }
  | { readonly ok: false; readonly rejection: Refusal; readonly missingInputs: boolean }
export interface AcceptOptions {
  /** Only the verdict: nothing enters. */
  readonly test?: boolean
  /** Skips fee limits: for transactions that come back from a block. */
  readonly bypassLimits?: boolean
  readonly unbroadcast?: boolean
}
const SINGLE: Terms = {
  test: false,
  bypassLimits: false,
  replacement: true,
  siblingEviction: true,
  carveOuts: true,
  inPackage: false,
  packageRates: false,
  unbroadcast: false,
}
/** Core learns fees only while its tip is not older than this. */
const CURRENT_TIP_SECONDS = 3 * 3600

export const refused = (rejection: Refusal): Acceptance => ({
  ok: false,
  rejection,
  missingInputs: rejection.kind === 'missing',
})

/** Unconfirmed transactions under Core 28's default policy. */
export class Mempool implements Ground {
  readonly pool: Pool
  readonly chain: Chain
  /** Learns from everything that comes and goes. */
  readonly estimator: FeeEstimator
  /** Bytes of memory, as Core counts them, above which the worst payers leave. */
  maxBytes = MAX_MEMPOOL_BYTES
  readonly #say: Say
  readonly #minimum: RollingMinimum
  /** A minimum that was set by hand stays until it is set again. */
  #held = 0n

  constructor(chain: Chain, say: Say = () => {}, from?: Mempool) {
    this.chain = chain
    this.#say = say
    const tell = (happening: Happening): void => {
      const gone = happening.kind === 'transactionRemoved' && happening.reason !== 'mined'
      if (gone) this.estimator.remove(happening.transaction.txid)
      say(happening)
    }
    this.pool = from ? from.pool.copy(tell) : new Pool(tell)
    this.estimator = from ? from.estimator.copy() : new FeeEstimator(chain.tip.height)
    this.#minimum = from ? from.#minimum.copy() : new RollingMinimum(chain.options.now())
    if (from) {
      this.maxBytes = from.maxBytes
      this.#held = from.#held
    }
  }
  get rollingRate(): bigint {
    const { pool, maxBytes } = this
    const rolling = this.#minimum.current(this.chain.options.now(), pool.usage, maxBytes)
    return rolling > this.#held ? rolling : this.#held
  }
  /** Satoshi per 1000 vbytes below which nothing enters. Setting it replaces what evictions made of it. */
  get minFeeRate(): bigint {
    const rate = this.rollingRate
    return rate > MIN_RELAY_FEE_RATE ? rate : MIN_RELAY_FEE_RATE
  }
  set minFeeRate(rate: bigint) {
    this.#held = rate > MIN_RELAY_FEE_RATE ? rate : 0n
    this.#minimum.reset()
  }

  /** How the minimum came to be, to be kept in a file. */
  saveMinimum(): MinimumState & { readonly held: string } {
    return { ...this.#minimum.save(), held: `${this.#held}` }
  }
  loadMinimum({ held, ...rolling }: MinimumState & { readonly held: string }): void {
    this.#held = BigInt(held)
    this.#minimum.load(rolling)
  }

  /** The coin as a new transaction sees it: unconfirmed outputs included, mempool spends not considered. */
  coinAt(txid: string, key: string, vout: number): Coin | undefined {
    const output = this.pool.entries.get(txid)?.transaction.outputs[vout]
    if (!output) return this.chain.coins.get(key)
    return { ...output, height: this.chain.tip.height + 1, coinbase: false }
  }

  /** Takes a transaction in or says why not, in Core's words and Core's order of checks. */
  accept(transaction: Transaction, options: AcceptOptions = {}): Acceptance {
    return this.acceptSingle(transaction, { ...SINGLE, ...options })
  }
  /** As `accept`, on the terms of a package where it is part of one. Source: Core's AcceptSingleTransaction. */
  acceptSingle(transaction: Transaction, terms: Terms): Acceptance {
    const candidate = preCheck(this, transaction, terms)
    if (isRefusal(candidate)) return refused(candidate)
    const { entry, conflicts, sibling } = candidate
    const rate = rateOf(entry.modifiedFee, entry.size)
    if (terms.maxRate !== undefined && rate > terms.maxRate) {
      return refused(reject('max feerate exceeded'))
    }
    const replaced =
      conflicts.size > 0 ? checkReplacement(this.pool, entry, conflicts, sibling) : undefined
    if (replaced && isRefusal(replaced)) return refused(replaced)
    const fault = checkScripts(this, candidate)
    if (fault) return refused(fault)
    const evicted = replaced?.evicted ?? new Set<PoolEntry>()
    const verdict: Acceptance = {
      ok: true,
      entry,
      replaced: terms.test ? [] : txidsOf(evicted),
      rate,
      includes: [transaction.wtxid],
    }
    if (terms.test) return verdict
    this.enter(candidate, evicted)
    if (!terms.inPackage && !terms.bypassLimits) this.limit()
    if (!this.pool.entries.has(entry.txid)) {
      return refused({ ...reject('mempool full'), kind: 'reconsiderable' })
    }
    this.announce(entry, terms)
    return verdict
  }
  /** Puts a candidate in the place of what it evicts. */
  enter({ entry, ancestors }: Candidate, evicted: ReadonlySet<PoolEntry>): void {
    this.pool.removeAll(evicted, 'replaced')
    this.pool.add(entry, ancestors)
  }
  /** Tells of an entry, and lets the estimator learn from those that came alone under all rules. */
  announce(entry: PoolEntry, terms: Terms): void {
    this.pool.announce(entry)
    const { chain } = this
    const current = chain.tip.header.time >= chain.options.now() - CURRENT_TIP_SECONDS
    const plain = !terms.bypassLimits && !terms.inPackage && entry.parents.size === 0
    if (plain && current) this.estimator.add(entry)
  }
  /** Puts entries in that were accepted in an earlier life, without a verdict and without telling anybody. */
  refill(facts: readonly EntryFacts[]): void {
    const waiting = new Map(facts.map((entry) => [entry.transaction.txid, entry]))
    const place = (entry: EntryFacts): void => {
      const { transaction } = entry
      if (!waiting.delete(transaction.txid)) return
      for (const { txid } of transaction.inputs) {
        const parent = waiting.get(txid)
        if (parent) place(parent)
      }
      this.pool.add(new PoolEntry(entry), withAncestors(this.pool.parentsOf(transaction)))
    }
    for (const entry of facts) place(entry)
  }
  /** What Core does after every arrival: old transactions leave, then the worst payers while there is too little room. */
  limit(): void {
    this.expire()
    trim(this.pool, this.maxBytes, (rate) => this.#minimum.raise(rate))
  }
  /** Drops what waited longer than two weeks, with descendants. */
  expire(): string[] {
    const oldest = this.chain.options.now() - EXPIRY_SECONDS
    const old: PoolEntry[] = []
    for (const entry of this.pool.entries.values()) if (entry.time < oldest) old.push(entry)
    return old.length > 0 ? txidsOf(this.pool.removeAll(withDescendants(old), 'expiry')) : []
  }

  /**
   * Follows a change of the best chain: mined and conflicting transactions leave, those of removed blocks come back but for
   * `lose`, and what is no longer valid on the new tip goes with its descendants.
   */
  follow(change: ChainChange, lose: ReadonlySet<string> = new Set()): void {
    const { undone = [] } = change
    for (const block of change.disconnected) this.#say({ kind: 'blockDisconnected', block })
    for (const { block, node } of undone) this.#removeMined(block.transactions, node.height)
    for (const { block, node } of change.connected) {
      this.#removeMined(block.transactions, node.height)
      this.#say({ kind: 'blockConnected', block, node })
    }
    for (const txid of lose) this.pool.removeFamily(txid, 'reorg')
    if (change.disconnected.length > 0) this.#bringBack(change, lose)
    const moved = change.disconnected.length + change.connected.length > 0
    if (moved) this.#say({ kind: 'tipChanged', node: this.chain.tip })
  }
  /** One block was taken off the best chain, and others may follow. Its transactions come back only when `keep` is true. */
  rewind(block: Block, keep: boolean): void {
    this.#say({ kind: 'blockDisconnected', block })
    const lose = keep ? [] : block.transactions.map(({ txid }) => txid)
    this.#bringBack({ disconnected: [block], connected: [] }, new Set(lose))
  }
  #removeMined(transactions: readonly Transaction[], height: number): void {
    const { pool } = this
    const mined: PoolEntry[] = []
    for (const transaction of transactions) {
      const entry = pool.remove(transaction.txid, 'mined')
      if (entry) mined.push(entry)
      for (const { key } of transaction.isCoinbase ? [] : transaction.inputs) {
        const spender = pool.spenders.get(key)
        if (spender === undefined) continue
        pool.deltas.delete(spender)
        pool.removeFamily(spender, 'conflict')
      }
      pool.deltas.delete(transaction.txid)
    }
    this.estimator.block(height, mined)
    this.#minimum.blockFound(this.chain.options.now())
  }
  /** Oldest first. What does not get in again takes its unconfirmed spends along. Source: Core's MaybeUpdateMempoolForReorg. */
  #bringBack(change: ChainChange, lose: ReadonlySet<string>): void {
    const again = new Set<string>()
    for (const { block } of change.connected) {
      for (const { txid } of block.transactions) again.add(txid)
    }
    const back: string[] = []
    const undone = (change.undone ?? []).map(({ block }) => block)
    for (const block of [...undone, ...change.disconnected].reverse()) {
      for (const transaction of block.transactions) {
        const { txid, isCoinbase } = transaction
        if (again.has(txid)) continue
        const wanted = !isCoinbase && !lose.has(txid)
        if (wanted && this.accept(transaction, { bypassLimits: true }).ok) back.push(txid)
        else this.pool.removeRecursive(transaction, 'reorg')
      }
    }
    this.pool.adopt(back)
    this.#dropInvalid()
    this.limit()
  }
  #dropInvalid(): void {
    const entries = [...this.pool.entries.values()]
    const invalid = entries.filter((entry) => !this.#isValid(entry))
    this.pool.removeAll(withDescendants(invalid), 'reorg')
  }
  #isValid(entry: PoolEntry): boolean {
    const { chain } = this
    const { tip } = chain
    const { transaction, locks } = entry
    const spent: Coin[] = []
    for (const { txid, key, vout } of transaction.inputs) {
      const coin = this.coinAt(txid, key, vout)
      if (!coin) return false
      spent.push(coin)
    }
    // As in Core, what was worked out stays as long as the blocks that it rests on.
    if (!locks?.deepest || !chain.isActive(locks.deepest)) {
      const heights = spent.map((coin) => coin.height)
      entry.locks = lockPointsOf(transaction, heights, chain)
    }
    return (
      isFinal(transaction, tip.height + 1, tip.medianTime) &&
      (!entry.locks || locksHold(entry.locks, tip)) &&
      typeof checkAmounts(transaction, spent, tip.height + 1) === 'bigint'
    )
  }
}
