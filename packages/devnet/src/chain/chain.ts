import { must } from '../failure.ts'
import { type Block, decodeBlock, genesisHex } from './block.ts'
import { checkBlock, checkBlockInContext, checkHeader, checkWork } from './blockrules.ts'
import { tryFromHex } from './bytes.ts'
import type { Rejection } from './checks.ts'
import { type CoinMap, connectBlock, disconnectBlock } from './connect.ts'
import { Contenders } from './contenders.ts'
import { LayeredMap } from './layered.ts'
import {
  ancestorAt,
  type BlockNode,
  type BlockUndo,
  type ChainChange,
  type Coin,
  makeNode,
} from './node.ts'

/** Where a transaction stands: its block, also one that has left the best chain since. */
export interface TransactionPlace {
  readonly hash: string
  readonly position: number
}
/** Everything a chain knows, frozen, to stand under many devnets. */
export interface ChainBase {
  readonly nodes: ReadonlyMap<string, BlockNode>
  readonly blocks: ReadonlyMap<string, Block>
  readonly undo: ReadonlyMap<string, BlockUndo>
  readonly coins: ReadonlyMap<string, Coin>
  readonly index: ReadonlyMap<string, TransactionPlace>
  readonly active: readonly BlockNode[]
}
export interface ChainOptions {
  readonly verifySignatures: boolean
  /** Seconds since the epoch. */
  readonly now: () => number
  /** Told of every block and header that enters the tree. */
  readonly stored?: (node: BlockNode, block: Block | undefined) => void
}
/** `none`: nothing new. Otherwise the block is stored, and the change says what it did to the tip. */
export type AcceptOutcome =
  | { readonly kind: 'stored'; readonly node: BlockNode; readonly change: ChainChange }
  | { readonly kind: 'duplicate' }
  | { readonly kind: 'duplicate-invalid' }
  | { readonly kind: 'refused'; readonly rejection: Rejection; readonly change?: ChainChange }

export type FailureMark = 'failed' | 'child'
/** A change of tip that is still going on. */
export interface OpenChange {
  disconnected: Block[]
  connected: { node: BlockNode; block: Block }[]
  undone?: { node: BlockNode; block: Block }[]
}

function genesisBase(): ChainBase {
  const block = must(decodeBlock(must(tryFromHex(genesisHex), 'genesis hex')), 'genesis block')
  const node = makeNode(block.header, undefined, 0)
  return {
    nodes: new Map([[node.hash, node]]),
    blocks: new Map([[node.hash, block]]),
    undo: new Map(),
    // Nobody can spend the genesis coinbase: Core never puts it into the set.
    coins: new Map(),
    index: new Map(),
    active: [node],
  }
}
let genesis: ChainBase | undefined
/** Core's regtest genesis alone. */
export const genesisChain = (): ChainBase => {
  genesis ??= genesisBase()
  return genesis
}

const NO_CHANGE: ChainChange = { disconnected: [], connected: [] }
const refused = (rejection: Rejection): AcceptOutcome => ({ kind: 'refused', rejection })

/** The block tree, the best chain in it and its unspent set. Every method is synchronous and leaves a consistent state. */
export class Chain {
  readonly options: ChainOptions
  readonly nodes: LayeredMap<string, BlockNode>
  readonly blocks: LayeredMap<string, Block>
  readonly undo: LayeredMap<string, BlockUndo>
  readonly coins: CoinMap
  readonly index: LayeredMap<string, TransactionPlace>
  readonly active: BlockNode[]
  /** `failed`: the block breaks a rule or was invalidated; `child`: one before it does. */
  readonly failures: Map<string, FailureMark>
  readonly leaves: Set<BlockNode>
  /** Blocks below this height were deleted (`pruneblockchain`). */
  pruneHeight: number
  readonly #contenders: Contenders
  /** Left the best chain since the last `activateBest`. */
  readonly #dropped = new Set<BlockNode>()
  #sequence: number
  #lastFault: { readonly node: BlockNode; readonly rejection: Rejection } | undefined

  constructor(from: ChainBase | Chain, options: ChainOptions) {
    this.options = options
    this.active = [...from.active]
    if (from instanceof Chain) {
      this.nodes = from.nodes.copy()
      this.blocks = from.blocks.copy()
      this.undo = from.undo.copy()
      this.coins = from.coins.copy()
      this.index = from.index.copy()
      this.failures = new Map(from.failures)
      this.leaves = new Set(from.leaves)
      this.pruneHeight = from.pruneHeight
      this.#sequence = from.#sequence
      this.#contenders = new Contenders(from.#contenders)
    } else {
      this.nodes = new LayeredMap(from.nodes)
      this.blocks = new LayeredMap(from.blocks)
      this.undo = new LayeredMap(from.undo)
      this.coins = new LayeredMap(from.coins)
      this.index = new LayeredMap(from.index)
      this.failures = new Map()
      this.leaves = new Set(from.active.slice(-1))
      this.pruneHeight = 0
      this.#sequence = from.nodes.size
      this.#contenders = new Contenders(this.tip)
    }
  }
  get tip(): BlockNode {
    return must(this.active[this.active.length - 1], 'a chain has a tip')
  }
  isActive(node: BlockNode): boolean {
    return this.active[node.height] === node
  }
  blockOf(node: BlockNode): Block | undefined {
    return this.blocks.get(node.hash)
  }
  /** The last block of `node`'s branch that is on the best chain. */
  forkOf(node: BlockNode): BlockNode {
    let at = node
    while (!this.isActive(at)) at = must(at.prev, 'branches meet at genesis')
    return at
  }
  /** Everything frozen, as a base for other chains. Costs the whole chain: do it once. */
  freeze(): ChainBase {
    return {
      nodes: this.nodes.flatten(),
      blocks: this.blocks.flatten(),
      undo: this.undo.flatten(),
      coins: this.coins.flatten(),
      index: this.index.flatten(),
      active: [...this.active],
    }
  }

  /** Stores a block and moves to the branch with the most work. `refused` only for what is wrong with this very block. */
  accept(block: Block, follow?: (change: ChainChange) => void): AcceptOutcome {
    const stored = this.store(block)
    if (stored.kind !== 'stored') return stored
    const change = this.activateBest(follow)
    const fault = this.#lastFault
    if (fault?.node === stored.node) return { kind: 'refused', rejection: fault.rejection, change }
    return { kind: 'stored', node: stored.node, change }
  }

  /**
   * Checks a block as far as its branch allows and puts it into the tree, without moving the tip. What could have been bent on
   * the way (merkle root, witnesses) is refused without a mark: the true block may still come. Source: Core, AcceptBlock.
   */
  store(block: Block): AcceptOutcome {
    const { hash, prev: parent } = block.header
    const known = this.nodes.get(hash)
    if (this.failures.has(hash)) return { kind: 'duplicate-invalid' }
    if (known && (this.undo.has(hash) || this.isActive(known))) return { kind: 'duplicate' }
    const bad = checkBlock(block)
    if (bad) return { kind: 'refused', rejection: bad }
    const header = this.storeHeader(block)
    if (header.kind !== 'stored') return header
    if (this.blocks.has(hash)) return { kind: 'duplicate' }
    const { node } = header
    const fault = checkBlockInContext(block, must(this.nodes.get(parent), 'its parent is known'))
    if (fault) {
      if (!fault.bent) this.#mark(node, 'failed')
      return { kind: 'refused', rejection: fault }
    }
    this.blocks.set(hash, block)
    this.#contenders.receive(node, this.tip, () => this.#sequence++)
    this.options.stored?.(node, block)
    return { kind: 'stored', node, change: NO_CHANGE }
  }
  /** Puts a header into the tree; its block may follow. Source: Core, AcceptBlockHeader. */
  storeHeader({ header }: Pick<Block, 'header'>): AcceptOutcome {
    const known = this.nodes.get(header.hash)
    if (known && this.failures.has(known.hash)) return refused({ reason: 'duplicate' })
    if (known) return { kind: 'stored', node: known, change: NO_CHANGE }
    const weak = checkWork(header)
    if (weak) return refused(weak)
    const prev = this.nodes.get(header.prev)
    if (!prev) return refused({ reason: 'prev-blk-not-found' })
    if (this.failures.has(prev.hash)) return refused({ reason: 'bad-prevblk' })
    const now = Math.max(this.options.now(), this.tip.header.time)
    const fault = checkHeader(header, prev, now)
    if (fault) return refused(fault)
    if (this.#hasFailedAncestor(prev)) return refused({ reason: 'bad-prevblk' })
    const node = makeNode(header, prev, this.#sequence)
    this.#sequence += 1
    this.nodes.set(node.hash, node)
    this.leaves.delete(prev)
    this.leaves.add(node)
    this.#contenders.await(node)
    this.options.stored?.(node, undefined)
    return { kind: 'stored', node, change: NO_CHANGE }
  }
  /** A block of which an ancestor failed unnoticed: everything between is marked now. */
  #hasFailedAncestor(node: BlockNode): boolean {
    if (this.undo.has(node.hash)) return false
    for (const [hash, mark] of this.failures) {
      const failed = mark === 'failed' ? this.nodes.get(hash) : undefined
      if (!failed || ancestorAt(node, failed.height) !== failed) continue
      for (let at = node; at !== failed; at = must(at.prev, 'a descendant has ancestors')) {
        this.#mark(at, 'child')
      }
      return true
    }
    return false
  }

  /** Why the last block that failed to connect did. */
  get lastFault(): Rejection | undefined {
    return this.#lastFault?.rejection
  }
  /**
   * Moves to the valid branch with the most work; among equals the one that came first. `follow` is told of every attempt that
   * ended at a block that breaks a rule, while the tip stands before that block, as the mempool of Core is.
   */
  activateBest(follow?: (change: ChainChange) => void): ChainChange {
    let change: OpenChange = { disconnected: [], connected: [] }
    this.#lastFault = undefined
    while (this.failures.has(this.tip.hash)) this.disconnectTip(change)
    this.#contenders.add(this.tip)
    for (;;) {
      const best = this.#mostWork()
      if (best === this.tip) break
      const fork = this.forkOf(best)
      const branch: BlockNode[] = []
      for (let at = best; at !== fork; at = must(at.prev, 'a fork has ancestors')) branch.push(at)
      while (this.tip !== fork) this.disconnectTip(change)
      const connected = branch.reverse().every((node) => this.connectTip(node, change))
      this.#contenders.add(this.tip)
      if (connected || !follow) continue
      follow(change)
      change = { disconnected: [], connected: [] }
    }
    this.#dropped.clear()
    return change
  }
  /** The best contender whose way from the best chain is whole and unmarked; the others drop out. Source: Core, FindMostWorkChain. */
  #mostWork(): BlockNode {
    for (;;) {
      const best = must(this.#contenders.best(), 'the tip stands for itself')
      let at = best
      while (!this.isActive(at) && !this.failures.has(at.hash) && this.blocks.has(at.hash)) {
        at = must(at.prev, 'branches meet at genesis')
      }
      if (this.isActive(at)) return best
      const failed = this.failures.has(at.hash)
      for (let out = best; out !== at; out = must(out.prev, 'a branch has ancestors')) {
        if (failed) this.#mark(out, 'child')
        else this.#contenders.delete(out)
      }
      this.#contenders.delete(at)
    }
  }
  /** Puts a stored child of the tip on the best chain; false and a mark when it breaks a rule. */
  connectTip(node: BlockNode, change: OpenChange): boolean {
    const block = must(this.blocks.get(node.hash), 'a candidate has its block')
    const undo = connectBlock(this.coins, block, node, this.options.verifySignatures)
    if ('reason' in undo) {
      this.#lastFault = { node, rejection: undo }
      this.#mark(node, 'failed')
      return false
    }
    this.undo.set(node.hash, undo)
    this.active.push(node)
    block.transactions.forEach((transaction, position) => {
      this.index.set(transaction.txid, { hash: node.hash, position })
    })
    this.#contenders.joined(node)
    this.#contenders.add(node)
    this.#contenders.prune(node)
    change.connected.push({ node, block })
    return true
  }
  /** Takes the tip off the best chain, whatever its work. */
  disconnectTip(change: OpenChange): void {
    const node = this.tip
    const block = must(this.blocks.get(node.hash), 'a connected block is kept')
    disconnectBlock(this.coins, block, must(this.undo.get(node.hash), 'undo of a connected block'))
    this.active.pop()
    this.#contenders.left(node)
    this.#dropped.add(node)
    const last = change.connected[change.connected.length - 1]
    if (last?.node === node) {
      change.connected.pop()
      change.undone = [...(change.undone ?? []), last]
    } else change.disconnected.push(block)
  }

  #mark(node: BlockNode, mark: FailureMark): void {
    this.failures.set(node.hash, mark)
    this.#contenders.delete(node)
  }
  /**
   * Marks a block as invalid, and what stood or stands on it in the best chain. The tip does not move: call `activateBest`.
   * Descendants elsewhere get their mark when they are looked at, as in Core. Source: Core, InvalidateBlock.
   */
  markFailed(node: BlockNode): void {
    const above = this.isActive(node) ? this.active.slice(node.height + 1) : []
    for (const other of [...above, ...this.#dropped]) {
      if (other !== node && this.#descends(other, node)) this.#mark(other, 'child')
    }
    this.#mark(node, 'failed')
    this.reopen(this.isActive(node) ? must(node.prev, 'genesis cannot fail') : this.tip)
  }
  /** Every block aside that is no worse than `tip` stands for it again: where the tip went back by another way than work. */
  reopen(tip: BlockNode = this.tip): void {
    this.#contenders.add(tip)
    this.#contenders.reopen(tip, this.failures)
  }
  /** Takes the mark from a block, from all after it and from all before it. Source: Core, ResetBlockFailureFlags. */
  clearFailed(node: BlockNode): void {
    for (const hash of [...this.failures.keys()]) {
      const other = must(this.nodes.get(hash), 'a marked block is known')
      const after = this.#descends(other, node)
      if (!after && !this.#descends(node, other)) continue
      this.failures.delete(hash)
      const whole = this.#contenders.isWhole(other) && this.blocks.has(hash)
      if (after && whole && this.#contenders.isWorse(this.tip, other)) this.#contenders.add(other)
    }
  }
  /** Lets a block come before all others of equal work (`preciousblock`). The tip does not move: call `activateBest`. */
  prefer(node: BlockNode): void {
    this.#contenders.prefer(node, this.tip, this.failures.has(node.hash))
  }
  #descends(node: BlockNode, from: BlockNode): boolean {
    return ancestorAt(node, from.height) === from
  }
}
