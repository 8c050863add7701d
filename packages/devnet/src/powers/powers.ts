import { addressOf } from '../chain/address.ts'
import { decodeBlock } from '../chain/block.ts'
import { toHex, tryFromHex } from '../chain/bytes.ts'
import { Chain, type ChainBase } from '../chain/chain.ts'
import { rejectionText } from '../chain/checks.ts'
import { minerKey, strangerKey } from '../chain/start.ts'
import { decodeTransaction, type Transaction } from '../chain/transaction.ts'
import { DevnetError, must } from '../failure.ts'
import { dropBelow } from '../mempool/trim.ts'
import type { WalletsState } from '../wallet/keep.ts'
import { Wallets } from '../wallet/wallets.ts'
import type { ClockState, NodeClock } from './clock.ts'
import { type CoinRef, Coins, type CoinsState, type Spend, type SpendOptions } from './coins.ts'
import { Faults } from './faults.ts'
import { laggingCopy } from './lag.ts'
import { type Payment, scriptOfAddress, wholeSatoshi } from './payment.ts'
import type { Posture } from './posture.ts'
import { blockRefused, Regtest, type RegtestOptions, type RegtestState } from './regtest.ts'
import {
  DroppedBlocks,
  planReorg,
  type Reorganisation,
  type ReorgOptions,
  type TransactionRef,
} from './reorganisation.ts'
import type { ReplaceOptions } from './replacement.ts'
import { type BlockPoint, ChainView } from './view.ts'

/** Chain, mempool, coins, clock and posture of one moment. */
export interface Snapshot {
  readonly regtest: RegtestState
  readonly coins: CoinsState
  readonly wallets: WalletsState
  readonly posture: Posture
  readonly clock: ClockState
}
export interface PowersOptions {
  readonly base: ChainBase
  readonly verifySignatures: boolean
  readonly clock: NodeClock
  readonly seed: string
  readonly stored?: RegtestOptions['stored'] | undefined
  readonly maxMempoolBytes?: number | undefined
}
/** What a journey through time did. */
export interface Journey {
  /** Seconds since the epoch: where the clock is now. */
  readonly time: number
  /** Transactions that waited too long by now. */
  readonly expired: readonly string[]
  /** Hashes of the blocks mined on arrival. */
  readonly mined: readonly string[]
}
const TXID = /^[0-9a-f]{64}$/
const MAX_COUNT = 1_000_000

/** What can be done to a chain that a real node would not let happen. Every method is done when it returns. */
export class Powers {
  /** Calls that shall go wrong. */
  readonly faults: Faults
  /** The chain as plain values. */
  readonly view: ChainView
  /** What the node says of itself: may be changed at any time. */
  readonly posture: Posture = {
    initialBlockDownload: false,
    mempoolLoaded: true,
    feeRate: undefined,
  }
  /** How this devnet was made. */
  readonly settings: {
    readonly seed: string
    readonly verifySignatures: boolean
    /** `machine`: real time; `given`: a function of the caller; `standing`: only `travel` moves it. */
    readonly clock: NodeClock['kind']
  }
  /** The wallets of the node, as its RPC serves them. */
  readonly wallets: Wallets
  protected readonly regtest: Regtest
  protected readonly coins: Coins
  protected readonly clock: NodeClock

  constructor({ base, verifySignatures, clock, seed, ...rest }: PowersOptions) {
    this.clock = clock
    this.settings = { seed, verifySignatures, clock: clock.kind }
    this.regtest = new Regtest({ base, verifySignatures, clock: clock.now, seed, ...rest })
    this.coins = new Coins(this.regtest, verifySignatures ? 'real' : 'dummy')
    this.wallets = new Wallets({
      regtest: this.regtest,
      seed,
      feeRate: () => this.#estimate(),
    })
    this.view = new ChainView(this.regtest)
    this.faults = new Faults((blocks) => laggingCopy(this.regtest, blocks))
  }
  /** What the wallets pay where nobody says: Core's estimate for six blocks. */
  #estimate(): bigint | undefined {
    const { feeRate } = this.posture
    if (feeRate === 'unknown') return undefined
    return feeRate ?? this.regtest.mempool.estimator.smart(6, false).rate
  }
  /** Called at the end of every power that changed something, before it returns. */
  protected settle<T>(value: T): T {
    return value
  }
  get tip(): BlockPoint {
    return this.view.tip()
  }
  /** Where change and mined coins go: a stranger's P2WPKH address. */
  get strangerAddress(): string {
    return must(addressOf(strangerKey.script), 'a key has an address')
  }

  // --- blocks ---------------------------------------------------------------------------------
  /** Mines `count` blocks from the mempool. Returns their hashes. */
  mine(count = 1, options: { readonly to?: string } = {}): readonly string[] {
    checkCount(count)
    const script = coinbaseScript(options.to)
    return this.settle(Array.from({ length: count }, () => this.regtest.mine(script).hash))
  }
  /** Mines one block with exactly these transactions in this order, also such that the mempool refused. @throws DEVNET_BLOCK_REFUSED. */
  mineBlock(
    block: {
      readonly transactions?: readonly TransactionRef[]
      readonly txids?: readonly string[]
      readonly coinbaseTo?: string
    } = {},
  ): string {
    const refs = [...(block.txids ?? []), ...(block.transactions ?? [])]
    const transactions = refs.map((ref) => this.#transaction(ref))
    const node = this.regtest.mineExactly(transactions, coinbaseScript(block.coinbaseTo))
    return this.settle(node.hash)
  }
  /**
   * Drops the last `depth` blocks and mines others instead, in one step for every observer. Without options the new branch is
   * one block longer and empty, and what was in the old one waits in the mempool again; `keep`, `drop` and `blocks` say
   * otherwise. A branch that is not longer wins too: the old one is then marked invalid, as `invalidateblock` does.
   * @throws DevnetError DEVNET_BLOCK_REFUSED, DEVNET_USAGE, DEVNET_TRANSACTION_UNKNOWN: then nothing changed.
   */
  reorg(depth: number, options: ReorgOptions = {}): Reorganisation {
    const { height } = this.view.tip()
    if (!Number.isSafeInteger(depth) || depth < 0 || depth > height) {
      throw new DevnetError('DEVNET_USAGE', `cannot drop ${depth} blocks of ${height}`)
    }
    const old = new DroppedBlocks(this.regtest, depth)
    const plan = planReorg(old, options, (ref) => this.#transaction(ref))
    const script = coinbaseScript(options.coinbaseTo)
    const nodes = this.regtest.reorganize(depth, plan.contents, plan.lose, script)
    const { chain, mempool } = this.regtest
    const again = new Set(plan.contents.flat().map(({ txid }) => txid))
    const kept = old.txids.filter((txid) => again.has(txid))
    const returned = old.txids.filter((txid) => mempool.pool.entries.has(txid))
    const fork = must(chain.active[height - depth], 'a chain has a genesis')
    return this.settle({
      fork: { height: fork.height, hash: fork.hash },
      dropped: old.blocks.map(({ header }) => header.hash),
      mined: nodes.map(({ hash }) => hash),
      kept,
      returned,
      gone: old.txids.filter((txid) => !again.has(txid) && !mempool.pool.entries.has(txid)),
    })
  }
  /** Takes a raw block (hex) as from a peer. @throws DEVNET_BLOCK_REFUSED. */
  submitBlock(hex: string): void {
    const bytes = tryFromHex(hex)
    const block = bytes && decodeBlock(bytes)
    if (!block) throw blockRefused({ reason: 'block decode failed' })
    const outcome = this.regtest.submit(block)
    if (outcome.kind === 'refused') throw blockRefused(outcome.rejection)
    this.settle(undefined)
  }
  /** Deletes the blocks up to this height, as a pruned node does. @throws DevnetError DEVNET_USAGE above the tip. */
  prune(height: number): void {
    if (!Number.isSafeInteger(height) || height < 0 || height > this.tip.height) {
      throw new DevnetError('DEVNET_USAGE', `cannot delete up to ${height} of ${this.tip.height}`)
    }
    this.regtest.prune(height)
    this.settle(undefined)
  }

  // --- transactions ---------------------------------------------------------------------------
  /** Hands a raw transaction (hex) to the mempool. @throws DEVNET_TRANSACTION_REFUSED with Core's reason; the devnet still knows it. */
  send(raw: string): string {
    const transaction = this.#transaction(raw)
    if (this.regtest.mempool.pool.entries.has(transaction.txid)) return transaction.txid
    const verdict = this.regtest.offer(transaction)
    if (verdict.ok) return this.settle(transaction.txid)
    const reason = rejectionText(verdict.rejection)
    throw new DevnetError('DEVNET_TRANSACTION_REFUSED', `refused: ${reason}`, reason)
  }
  /** As `send`, but a refusal is an answer: undefined when taken, else Core's reason. */
  trySend(raw: string): string | undefined {
    try {
      this.send(raw)
      return undefined
    } catch (fault) {
      if (fault instanceof DevnetError && fault.reason !== undefined) return fault.reason
      throw fault
    }
  }
  /** Builds and signs a transaction from a stranger's coin, without sending it. The same in every run. */
  spend(options: SpendOptions): Spend {
    return this.settle(this.coins.spend(options))
  }
  /** Pays an address from the stranger's wallet, unconfirmed. The payment is output 0. */
  pay(
    address: string,
    amount: bigint | number,
    options: {
      readonly rbf?: boolean
      /** Satoshi per vbyte. */
      readonly feeRate?: bigint | number
      readonly inputs?: readonly CoinRef[]
    } = {},
  ): Spend {
    const payment: Payment = { address, amount }
    return this.coins.whole(() => {
      const spend = this.coins.pay(payment, options)
      this.send(spend.raw)
      return spend
    })
  }
  /** Pays and mines: the coin has `confirmations` (default 1). */
  faucet(
    address: string,
    amount: bigint | number,
    options: { readonly confirmations?: number } = {},
  ): Spend {
    const { confirmations = 1 } = options
    checkCount(confirmations)
    const spend = this.pay(address, amount)
    this.mine(confirmations)
    return spend
  }
  /**
   * Sends what takes the place of a mempool transaction: the same payments at a higher fee, or `to` for a double spend, or
   * other `outs`. The fee is just enough unless given. Signs for the stranger, the miner and `keys`.
   * @throws DevnetError DEVNET_TRANSACTION_UNKNOWN, DEVNET_TRANSACTION_REFUSED, DEVNET_KEY_UNKNOWN, DEVNET_FUNDS_SHORT.
   */
  replace(txid: string, options: ReplaceOptions = {}): Spend {
    return this.coins.whole(() => {
      const spend = this.coins.replacement(txid, options)
      this.send(spend.raw)
      return spend
    })
  }
  /** The stranger's coin of this name: two spends of one name conflict. */
  strangerCoin(name: string): {
    readonly txid: string
    readonly vout: number
    readonly value: bigint
  } {
    return this.settle(this.coins.named(name))
  }
  /** Throws transactions out of the mempool with everything that builds on them. Returns all that left. */
  evict(...txids: readonly string[]): readonly string[] {
    const { pool } = this.regtest.mempool
    return this.settle(txids.flatMap((txid) => pool.removeFamily(txid, 'evicted')))
  }
  /**
   * Raises the mempool's minimum to `rate` satoshi per vbyte and drops what pays less, as a full mempool would; a parent whose
   * child pays enough stays. 1 is the normal floor. Returns the txids that left.
   */
  feeSpike(rate: bigint | number): readonly string[] {
    const { mempool } = this.regtest
    const floor = wholeSatoshi(rate)
    if (floor < 0n) throw new DevnetError('DEVNET_USAGE', `no fee rate: ${rate} sat/vB`)
    mempool.minFeeRate = floor * 1000n
    return this.settle(dropBelow(mempool.pool, mempool.minFeeRate))
  }
  /** Raw hex of any transaction that the devnet has seen. */
  rawTransaction(txid: string): string | undefined {
    const transaction = this.coins.transaction(txid)
    return transaction && toHex(transaction.raw)
  }
  #transaction(ref: TransactionRef): Transaction {
    if (TXID.test(ref)) {
      const known = this.coins.transaction(ref)
      if (known) return known
      throw new DevnetError('DEVNET_TRANSACTION_UNKNOWN', `no transaction ${ref} was seen`)
    }
    const bytes = tryFromHex(ref)
    const transaction = bytes && decodeTransaction(bytes)
    if (!transaction) throw new DevnetError('DEVNET_TRANSACTION_INVALID', 'not a transaction')
    this.coins.learn(transaction)
    return transaction
  }

  // --- time and state -------------------------------------------------------------------------
  /** Seconds since the epoch, as the node sees it. */
  get now(): number {
    return this.regtest.now()
  }
  /**
   * Moves the node's clock forward. What waited longer than two weeks leaves the mempool at once. The median time, against which
   * lock times are held, moves with blocks only: `blocks: 6` mines as many as bring it past the moment of the journey.
   * @throws DevnetError DEVNET_USAGE for a way back.
   */
  travel(seconds: number, options: { readonly blocks?: number } = {}): Journey {
    const { blocks = 0 } = options
    checkCount(blocks)
    this.clock.forward(seconds * 1000)
    const expired = this.regtest.mempool.expire()
    return { time: this.now, expired, mined: this.mine(blocks) }
  }
  /** As `travel`, to an instant: a Date, or seconds since the epoch. */
  travelTo(instant: Date | number, options: { readonly blocks?: number } = {}): Journey {
    const target = instant instanceof Date ? instant.getTime() : instant * 1000
    return this.travel((target - this.clock.now()) / 1000, options)
  }
  /** Chain, mempool, coins, clock and posture as they are now. Cheap: shares what does not change. */
  snapshot(): Snapshot {
    return {
      regtest: this.regtest.save(),
      coins: this.coins.save(),
      wallets: this.wallets.save(),
      posture: { ...this.posture },
      clock: this.clock.save(),
    }
  }
  /**
   * Back to a snapshot, as often as wanted. Blocks mined afterwards differ from those mined before: no hash comes twice.
   * @throws DevnetError DEVNET_SNAPSHOT_UNKNOWN for what `snapshot` did not return.
   */
  restore(snapshot: Snapshot): void {
    if (!(snapshot?.regtest?.chain instanceof Chain)) {
      throw new DevnetError('DEVNET_SNAPSHOT_UNKNOWN', 'not a snapshot of a devnet')
    }
    this.regtest.load(snapshot.regtest)
    this.coins.load(snapshot.coins)
    this.wallets.load(snapshot.wallets)
    this.clock.load(snapshot.clock)
    Object.assign(this.posture, snapshot.posture)
    this.settle(undefined)
  }
}

/** How many blocks to mine. @throws DevnetError DEVNET_USAGE before anything changed. */
function checkCount(count: number): void {
  if (Number.isSafeInteger(count) && count >= 0 && count <= MAX_COUNT) return
  throw new DevnetError('DEVNET_USAGE', `cannot mine ${count} blocks`)
}
const coinbaseScript = (address: string | undefined): Uint8Array =>
  address === undefined ? minerKey.script : scriptOfAddress(address)
