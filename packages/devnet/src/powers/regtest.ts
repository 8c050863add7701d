import { assembleBlock } from '../chain/assemble.ts'
import type { Block } from '../chain/block.ts'
import { type AcceptOutcome, Chain, type ChainBase } from '../chain/chain.ts'
import { type Rejection, rejectionText } from '../chain/checks.ts'
import { Happenings } from '../chain/happenings.ts'
import { ancestorAt, type BlockNode, type ChainChange } from '../chain/node.ts'
import type { Transaction } from '../chain/transaction.ts'
import { DevnetError, must } from '../failure.ts'
import { filterOf } from '../filters/blockfilter.ts'
import { type Acceptance, type AcceptOptions, Mempool } from '../mempool/mempool.ts'
import {
  acceptPackage,
  type PackageOptions,
  type PackageVerdict,
  testPackage,
} from '../mempool/package.ts'
import { selectForBlock } from '../mempool/select.ts'

export interface RegtestOptions {
  readonly base: ChainBase
  /** Told of every block and header that enters the tree. */
  readonly stored?: ((node: BlockNode, block: Block | undefined) => void) | undefined
  readonly verifySignatures: boolean
  /** Milliseconds since the epoch. */
  readonly clock: () => number
  /** Where the mempool ends, in Core's bytes of memory. Default: Core's 300,000,000. */
  readonly maxMempoolBytes?: number | undefined
  /** Goes into every coinbase, so that devnets with different seeds mine different blocks. */
  readonly seed: string
}
/** A chain, its mempool and a count of mined blocks, as they were at one moment. */
export interface RegtestState {
  readonly chain: Chain
  readonly mempool: Mempool
  readonly mined: number
}

/** `invalidateblock` gives the transactions of so many blocks back to the mempool, and those of deeper ones not. */
const KEPT_BLOCKS = 10
/** What Core sets aside for the coinbase of a block that it puts together. */
const RESERVED_WEIGHT = 4000

/** One node's view of the network: chain and mempool kept in step, blocks and transactions passed on to connected peers. */
export class Regtest {
  chain: Chain
  mempool: Mempool
  readonly happenings = new Happenings()
  readonly peers = new Set<Regtest>()
  readonly options: RegtestOptions
  readonly #seed: Uint8Array
  readonly #clock: () => number
  #mined = 0

  constructor(options: RegtestOptions) {
    this.options = options
    this.#seed = new TextEncoder().encode(options.seed).slice(0, 40)
    this.#clock = options.clock
    this.chain = new Chain(options.base, {
      verifySignatures: options.verifySignatures,
      now: () => this.now(),
      ...(options.stored ? { stored: options.stored } : {}),
    })
    // A start chain was mined here, block by empty block.
    if (this.chain.tip.height > 0) this.noteTemplate([])
    this.mempool = new Mempool(this.chain, this.happenings.say)
    if (options.maxMempoolBytes !== undefined) this.mempool.maxBytes = options.maxMempoolBytes
  }
  /** Seconds since the epoch. */
  now(): number {
    return Math.floor(this.#clock() / 1000)
  }
  milliseconds(): number {
    return this.#clock()
  }

  save(): RegtestState {
    const chain = new Chain(this.chain, this.chain.options)
    return { chain, mempool: new Mempool(chain, undefined, this.mempool), mined: this.#mined }
  }
  load(state: RegtestState): void {
    this.chain = new Chain(state.chain, this.chain.options)
    this.mempool = new Mempool(this.chain, this.happenings.say, state.mempool)
    // Blocks mined after a restore differ from those before it: the count never runs back.
    this.#mined = Math.max(this.#mined, state.mined)
    this.happenings.say({ kind: 'restored' })
  }

  /** Blocks mined so far, in every life of this devnet. */
  get mined(): number {
    return this.#mined
  }

  /** Goes on counting from here, so that a later life of this devnet mines no block again. */
  countFrom(mined: number): void {
    this.#mined = Math.max(this.#mined, mined)
  }

  /** Takes a block from anywhere. The mempool follows, and peers hear of it. */
  submit(block: Block): AcceptOutcome {
    const outcome = this.chain.accept(block, (change) => this.mempool.follow(change))
    if (outcome.kind === 'duplicate' || outcome.kind === 'duplicate-invalid') return outcome
    if (outcome.change) this.mempool.follow(outcome.change)
    if (outcome.kind === 'stored') for (const peer of this.peers) peer.submit(block)
    return outcome
  }
  /** Hands a transaction to the mempool; peers hear of it when it is new here. */
  offer(transaction: Transaction, options: AcceptOptions = {}): Acceptance {
    const verdict = this.mempool.accept(transaction, options)
    if (verdict.ok && !options.test) for (const peer of this.peers) peer.offer(transaction)
    return verdict
  }
  /** Hands a child with its parents to the mempool; peers hear of what is new here. */
  offerPackage(list: readonly Transaction[], options: PackageOptions = {}): PackageVerdict {
    const { pool } = this.mempool
    const fresh = list.filter(({ txid }) => !pool.entries.has(txid))
    const verdict = acceptPackage(this.mempool, list, options)
    const taken = fresh.filter(({ txid }) => pool.entries.has(txid))
    for (const peer of taken.length > 0 ? this.peers : []) {
      if (verdict.fault) for (const transaction of taken) peer.offer(transaction)
      else peer.offerPackage(list)
    }
    return verdict
  }
  /** The mempool's verdict on several transactions at once; nothing enters. */
  testPackage(list: readonly Transaction[]): PackageVerdict {
    return testPackage(this.mempool, list)
  }
  /** What `getmininginfo` tells of the last block that was put together here: its content without the coinbase. */
  lastTemplate: { readonly weight: number; readonly transactions: number } | undefined
  noteTemplate(transactions: readonly Transaction[]): void {
    const weight = transactions.reduce((sum, each) => sum + each.weight, RESERVED_WEIGHT)
    this.lastTemplate = { weight, transactions: transactions.length }
  }
  /** A block on `prev`, not yet submitted. Counts, so that equal contents give different blocks. */
  assemble(plan: {
    readonly prev: BlockNode
    readonly transactions: readonly Transaction[]
    readonly fees: bigint
    readonly coinbaseScript: Uint8Array
  }): Block {
    this.#mined += 1
    const extra = new Uint8Array(this.#seed.length + 4)
    extra.set(this.#seed)
    new DataView(extra.buffer).setUint32(this.#seed.length, this.#mined, true)
    this.noteTemplate(plan.transactions)
    return assembleBlock({ ...plan, extra, now: this.now() })
  }
  /** Mines the best of the mempool, as `generatetoaddress` does. */
  mine(coinbaseScript: Uint8Array): BlockNode {
    const { transactions, fees } = selectForBlock(this.mempool.pool)
    return this.#submitOwn(
      this.assemble({ prev: this.chain.tip, transactions, fees, coinbaseScript }),
    )
  }
  /** Mines exactly these, in this order. @throws DevnetError DEVNET_BLOCK_REFUSED with Core's reason. */
  mineExactly(transactions: readonly Transaction[], coinbaseScript: Uint8Array): BlockNode {
    const fees = this.feesOnTip(transactions)
    return this.#submitOwn(
      this.assemble({ prev: this.chain.tip, transactions, fees, coinbaseScript }),
    )
  }
  #submitOwn(block: Block): BlockNode {
    const outcome = this.submit(block)
    if (outcome.kind === 'stored') return outcome.node
    throw blockRefused(outcome.kind === 'refused' ? outcome.rejection : { reason: outcome.kind })
  }
  /** Satoshi that these transactions pay in fees when they follow each other on the tip; 0 where an input is unknown. */
  feesOnTip(transactions: readonly Transaction[]): bigint {
    const made = new Map<string, bigint>()
    let fees = 0n
    for (const transaction of transactions) {
      let rest = 0n
      let known = true
      for (const { key } of transaction.inputs) {
        const value = made.get(key) ?? this.chain.coins.get(key)?.value
        if (value === undefined) known = false
        else rest += value
      }
      transaction.outputs.forEach((output, vout) => {
        rest -= output.value
        made.set(`${transaction.txid}:${vout}`, output.value)
      })
      if (known && rest > 0n) fees += rest
    }
    return fees
  }

  /**
   * Drops the last `depth` blocks and mines the given ones instead, in one step for every observer. The new branch wins
   * even when it is not longer: the old one is then marked invalid, as `invalidateblock` does.
   */
  reorganize(
    depth: number,
    blocks: readonly (readonly Transaction[])[],
    lose: ReadonlySet<string>,
    coinbaseScript: Uint8Array,
  ): readonly BlockNode[] {
    const { chain } = this
    const oldTip = chain.tip
    const change: { disconnected: Block[]; connected: { node: BlockNode; block: Block }[] } = {
      disconnected: [],
      connected: [],
    }
    for (let i = 0; i < depth; i++) chain.disconnectTip(change)
    for (const transactions of blocks) {
      const fees = this.feesOnTip(transactions)
      const block = this.assemble({ prev: chain.tip, transactions, fees, coinbaseScript })
      const outcome = chain.store(block)
      const connected = outcome.kind === 'stored' && chain.connectTip(outcome.node, change)
      if (connected) continue
      const rejection = outcome.kind === 'refused' ? outcome.rejection : chain.lastFault
      this.#restoreBranch(change)
      throw blockRefused(rejection ?? { reason: outcome.kind })
    }
    if (chain.tip !== oldTip) this.#invalidateRivals()
    this.mempool.follow(change, lose)
    for (const { block } of change.connected) for (const peer of this.peers) peer.submit(block)
    return change.connected.map(({ node }) => node)
  }
  /** Marks every branch that would win over the present tip, so that this one stays where it was put. */
  #invalidateRivals(): void {
    const { chain } = this
    for (const leaf of [...chain.leaves]) {
      if (chain.isActive(leaf) || chain.failures.has(leaf.hash) || leaf.work < chain.tip.work)
        continue
      const fork = chain.forkOf(leaf)
      const first = must(ancestorAt(leaf, fork.height + 1), 'a branch has a first block')
      if (!chain.failures.has(first.hash)) chain.markFailed(first)
    }
  }
  #restoreBranch(change: {
    disconnected: Block[]
    connected: { node: BlockNode; block: Block }[]
  }): void {
    for (const { node } of [...change.connected]) this.chain.markFailed(node)
    while (change.connected.length > 0) this.chain.disconnectTip(change)
    this.chain.activateBest()
  }

  /** `invalidateblock`: the block and all after it no longer count. As in Core, the mempool follows block by block. */
  invalidate(node: BlockNode): void {
    const { chain, mempool } = this
    const before = chain.tip
    for (let left = 1; chain.isActive(node); left++) {
      const change: { disconnected: Block[]; connected: [] } = { disconnected: [], connected: [] }
      chain.disconnectTip(change)
      for (const block of change.disconnected) mempool.rewind(block, left <= KEPT_BLOCKS)
    }
    chain.markFailed(node)
    const best = chain.activateBest((change) => mempool.follow(change))
    mempool.follow(best)
    const moved = best.connected.length + best.disconnected.length > 0
    if (!moved && chain.tip !== before) this.happenings.say({ kind: 'tipChanged', node: chain.tip })
  }
  /** `preciousblock`: the block comes before all others of equal work. */
  prefer(node: BlockNode): void {
    this.chain.prefer(node)
    this.mempool.follow(this.chain.activateBest())
  }
  /** `reconsiderblock`: takes the mark back and moves to the best branch. */
  reconsider(node: BlockNode): void {
    this.chain.clearFailed(node)
    const follow = (change: ChainChange) => this.mempool.follow(change)
    follow(this.chain.activateBest(follow))
  }

  /** Deletes the blocks up to this height, as a pruned node would. Returns the height. */
  prune(height: number): number {
    const { chain } = this
    const last = chain.active[height]
    // Filters outlive the blocks that they are made of.
    if (last) filterOf(chain, last)
    for (const node of chain.active.slice(0, height + 1)) chain.blocks.delete(node.hash)
    chain.pruneHeight = Math.max(chain.pruneHeight, height + 1)
    return height
  }

  /** Joins two networks: each learns the other's blocks and transactions, now and from now on. */
  connect(other: Regtest): void {
    if (other === this || this.peers.has(other)) return
    this.peers.add(other)
    other.peers.add(this)
    this.#teach(other)
    other.#teach(this)
  }
  disconnect(other: Regtest): void {
    this.peers.delete(other)
    other.peers.delete(this)
  }
  #teach(other: Regtest): void {
    const missing: BlockNode[] = []
    let at: BlockNode | undefined = this.chain.tip
    for (; at && !other.chain.blocks.has(at.hash); at = at.prev) missing.push(at)
    for (const node of missing.reverse()) {
      other.submit(must(this.chain.blockOf(node), 'a block of the best chain is kept'))
    }
    const entries = this.mempool.pool.sorted()
    for (const { transaction } of entries) other.offer(transaction)
    // A parent that pays too little alone comes in with the child that pays for it.
    const known = other.mempool.pool.entries
    for (const { transaction, parents } of entries) {
      const waiting = [...parents].filter(({ txid }) => !known.has(txid))
      if (waiting.length === 0) continue
      other.offerPackage([...waiting.map((parent) => parent.transaction), transaction])
    }
  }
}

export const blockRefused = (rejection: Rejection): DevnetError =>
  new DevnetError(
    'DEVNET_BLOCK_REFUSED',
    `the block was refused: ${rejectionText(rejection)}`,
    rejectionText(rejection),
  )
