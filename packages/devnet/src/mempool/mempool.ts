import type { Chain } from '../chain/chain.ts'
import {
  checkAmounts,
  checkTransaction,
  isFinal,
  type Rejection,
  reject,
  sequenceLocksHold,
} from '../chain/checks.ts'
import type { Say } from '../chain/happenings.ts'
import type { ChainChange, Coin } from '../chain/node.ts'
import type { Transaction } from '../chain/transaction.ts'
import { sigopCost } from '../script/sigops.ts'
import { verifyScripts } from '../script/verify.ts'
import { checkFamilyLimits } from './limits.ts'
import {
  checkEphemeralDust,
  checkSize,
  checkStandard,
  checkStandardInputs,
  EXPIRY_SECONDS,
  feeAt,
  MIN_RELAY_FEE_RATE,
} from './policy.ts'
import { Pool, type PoolEntry } from './pool.ts'
import { checkReplacement, directConflicts } from './replace.ts'

export type Acceptance =
  | { readonly ok: true; readonly entry: PoolEntry; readonly replaced: readonly string[] }
  | { readonly ok: false; readonly rejection: Rejection; readonly missingInputs: boolean }
export interface AcceptOptions {
  /** Only the verdict: nothing enters. */
  readonly test?: boolean
  /** Skips fee and family limits: for transactions that come back from a block. */
  readonly bypassLimits?: boolean
  readonly unbroadcast?: boolean
  /** The mempool's moving minimum does not apply: a child pays for this one. The relay fee does. */
  readonly paidByChild?: boolean
}
const no = (rejection: Rejection, missingInputs = false): Acceptance => ({
  ok: false,
  rejection,
  missingInputs,
})

/** Unconfirmed transactions under Core 28's default policy. */
export class Mempool {
  readonly pool: Pool
  readonly #chain: Chain
  readonly #say: Say
  /** Satoshi per 1000 vbytes below which nothing enters; rises in a fee spike. */
  minFeeRate = MIN_RELAY_FEE_RATE

  constructor(chain: Chain, say: Say = () => {}, from?: Mempool) {
    this.#chain = chain
    this.#say = say
    this.pool = from ? from.pool.copy(say) : new Pool(say)
    if (from) this.minFeeRate = from.minFeeRate
  }

  /** The coin as a new transaction sees it: unconfirmed outputs included, mempool spends not considered. */
  coinAt(txid: string, key: string, vout: number): Coin | undefined {
    const output = this.pool.entries.get(txid)?.transaction.outputs[vout]
    if (!output) return this.#chain.coins.get(key)
    return { ...output, height: this.#chain.tip.height + 1, coinbase: false }
  }
  #spentCoins(transaction: Transaction): Coin[] | undefined {
    const coins: Coin[] = []
    for (const input of transaction.inputs) {
      const coin = this.coinAt(input.txid, input.key, input.vout)
      if (!coin) return undefined
      coins.push(coin)
    }
    return coins
  }

  /** Takes a transaction in or says why not, in Core's words and Core's order of checks. */
  accept(transaction: Transaction, options: AcceptOptions = {}): Acceptance {
    const early = this.#checkAlone(transaction)
    if (early) return no(early)
    const spent = this.#spentCoins(transaction)
    if (!spent) return this.#missing(transaction)
    const checked = this.#checkSpending(transaction, spent, options)
    if (typeof checked !== 'bigint') return no(checked)
    const direct = directConflicts(this.pool, transaction)
    const family = this.#checkFamily(transaction, checked, direct, options)
    if ('reason' in family) return no(family)
    if (this.#chain.options.verifySignatures) {
      const fault = verifyScripts(transaction, spent, 'policy')
      if (fault) return no(reject(fault.reason))
    }
    const entry: PoolEntry = {
      transaction,
      fee: checked,
      time: this.#chain.options.now(),
      height: this.#chain.tip.height,
      unbroadcast: options.unbroadcast ?? false,
    }
    if (!options.test) {
      for (const txid of family.evicted) this.pool.remove(txid, 'replaced')
      this.pool.add(entry)
    }
    return { ok: true, entry, replaced: family.evicted }
  }
  #checkAlone(transaction: Transaction): Rejection | undefined {
    const fault = checkTransaction(transaction)
    if (fault) return fault
    if (transaction.isCoinbase) return reject('coinbase')
    const nonStandard = checkStandard(transaction) ?? checkSize(transaction)
    if (nonStandard) return nonStandard
    const { tip } = this.#chain
    if (!isFinal(transaction, tip.height + 1, tip.medianTime)) return reject('non-final')
    if (this.pool.wtxids.has(transaction.wtxid)) return reject('txn-already-in-mempool')
    if (this.pool.entries.has(transaction.txid)) {
      return reject('txn-same-nonwitness-data-in-mempool')
    }
    return undefined
  }
  #missing(transaction: Transaction): Acceptance {
    const { coins } = this.#chain
    const known = transaction.outputs.some((_, vout) => coins.has(`${transaction.txid}:${vout}`))
    return known
      ? no(reject('txn-already-known'))
      : no(reject('bad-txns-inputs-missingorspent'), true)
  }
  #checkSpending(
    transaction: Transaction,
    spent: readonly Coin[],
    options: AcceptOptions,
  ): bigint | Rejection {
    const { tip } = this.#chain
    const heights = spent.map((coin) => coin.height)
    if (!sequenceLocksHold(transaction, heights, tip)) return reject('non-BIP68-final')
    const fee = checkAmounts(transaction, spent, tip.height + 1)
    if (typeof fee !== 'bigint') return fee
    const fault = checkStandardInputs(transaction, spent) ?? checkEphemeralDust(transaction, fee)
    if (fault) return fault
    if (sigopCost(transaction, spent) > 16_000) return reject('bad-txns-too-many-sigops')
    if (options.bypassLimits) return fee
    const { vsize } = transaction
    const floor = feeAt(this.minFeeRate, vsize)
    if (this.minFeeRate > MIN_RELAY_FEE_RATE && fee < floor && !options.paidByChild) {
      return reject('mempool min fee not met', `${fee} < ${floor}`)
    }
    const relay = feeAt(MIN_RELAY_FEE_RATE, vsize)
    return fee < relay ? reject('min relay fee not met', `${fee} < ${relay}`) : fee
  }
  #checkFamily(
    transaction: Transaction,
    fee: bigint,
    direct: ReadonlySet<string>,
    options: AcceptOptions,
  ): { readonly evicted: readonly string[] } | Rejection {
    const limits = options.bypassLimits
      ? undefined
      : checkFamilyLimits(this.pool, transaction, direct)
    if (limits) return limits
    if (direct.size === 0) return { evicted: [] }
    for (const ancestor of this.pool.ancestors(transaction)) {
      if (!direct.has(ancestor)) continue
      const { txid } = transaction
      const detail = `${txid} spends conflicting transaction ${ancestor}`
      return reject('bad-txns-spends-conflicting-tx', detail)
    }
    return checkReplacement(this.pool, transaction, fee, direct)
  }

  /**
   * Follows a change of the best chain: mined and conflicting transactions leave, those of removed blocks come back but for
   * `lose`, and what is no longer valid on the new tip goes with its descendants.
   */
  follow(change: ChainChange, lose: ReadonlySet<string> = new Set()): void {
    for (const block of change.disconnected) this.#say({ kind: 'blockDisconnected', block })
    for (const { block, node } of change.connected) {
      for (const transaction of block.transactions) this.#removeMined(transaction)
      this.#say({ kind: 'blockConnected', block, node })
    }
    for (const txid of lose) this.pool.removeFamily(txid, 'reorg')
    if (change.disconnected.length > 0) {
      for (const block of [...change.disconnected].reverse()) {
        for (const transaction of block.transactions.slice(1)) {
          if (lose.has(transaction.txid)) continue
          this.accept(transaction, { bypassLimits: true })
        }
      }
      this.#dropInvalid()
    }
    this.expire()
    const moved = change.disconnected.length + change.connected.length > 0
    if (moved) this.#say({ kind: 'tipChanged', node: this.#chain.tip })
  }
  #removeMined(transaction: Transaction): void {
    this.pool.remove(transaction.txid, 'mined')
    if (transaction.isCoinbase) return
    for (const input of transaction.inputs) {
      const spender = this.pool.spenders.get(input.key)
      if (spender !== undefined) this.pool.removeFamily(spender, 'conflict')
    }
  }
  #dropInvalid(): void {
    const { tip } = this.#chain
    for (const { transaction } of [...this.pool.entries.values()]) {
      if (!this.pool.entries.has(transaction.txid)) continue
      const spent = this.#spentCoins(transaction)
      const valid =
        spent !== undefined &&
        isFinal(transaction, tip.height + 1, tip.medianTime) &&
        sequenceLocksHold(
          transaction,
          spent.map((coin) => coin.height),
          tip,
        ) &&
        typeof checkAmounts(transaction, spent, tip.height + 1) === 'bigint'
      if (!valid) this.pool.removeFamily(transaction.txid, 'reorg')
    }
  }
  /** Drops what waited longer than two weeks, with descendants. */
  expire(): string[] {
    const oldest = this.#chain.options.now() - EXPIRY_SECONDS
    const gone: string[] = []
    for (const { transaction, time } of this.pool.entries.values()) {
      if (time < oldest) gone.push(...this.pool.removeFamily(transaction.txid, 'expiry'))
    }
    return gone
  }
}
