import { must } from '../failure.ts'
import { type Block, decodeBlock, genesisHex } from './block.ts'
import { checkBlock, checkBlockInContext, checkHeader } from './blockrules.ts'
import { tryFromHex } from './bytes.ts'
import type { Rejection } from './checks.ts'
import { type CoinMap, connectBlock, disconnectBlock } from './connect.ts'
import { LayeredMap } from './layered.ts'
import { type BlockNode, type BlockUndo, type ChainChange, type Coin, makeNode } from './node.ts'

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

/** The block tree, the best chain in it and its unspent set. Every method is synchronous and leaves a consistent state. */
export class Chain {
  readonly options: ChainOptions
  readonly nodes: LayeredMap<string, BlockNode>
  readonly blocks: LayeredMap<string, Block>
  readonly undo: LayeredMap<string, BlockUndo>
  readonly coins: CoinMap
  readonly index: LayeredMap<string, TransactionPlace>
  readonly active: BlockNode[]
  readonly failures: Map<string, FailureMark>
  readonly leaves: Set<BlockNode>
  /** Blocks that `preciousblock` let come before others of equal work, with their rank. */
  readonly precious: Map<string, number>
  /** Blocks below this height were deleted (`pruneblockchain`). */
  pruneHeight: number
  #sequence: number

  constructor(from: ChainBase | Chain, options: ChainOptions) {
    this.options = options
    if (from instanceof Chain) {
      this.nodes = from.nodes.copy()
      this.blocks = from.blocks.copy()
      this.undo = from.undo.copy()
      this.coins = from.coins.copy()
      this.index = from.index.copy()
      this.failures = new Map(from.failures)
      this.leaves = new Set(from.leaves)
      this.precious = new Map(from.precious)
      this.pruneHeight = from.pruneHeight
      this.#sequence = from.#sequence
    } else {
      this.nodes = new LayeredMap(from.nodes)
      this.blocks = new LayeredMap(from.blocks)
      this.undo = new LayeredMap(from.undo)
      this.coins = new LayeredMap(from.coins)
      this.index = new LayeredMap(from.index)
      this.failures = new Map()
      this.leaves = new Set(from.active.slice(-1))
      this.precious = new Map()
      this.pruneHeight = 0
      this.#sequence = from.nodes.size
    }
    this.active = [...from.active]
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

  /** Stores a block and moves to the branch with the most work. */
  accept(block: Block): AcceptOutcome {
    const stored = this.store(block)
    if (stored.kind !== 'stored') return stored
    const change = this.activateBest()
    const mark = this.failures.get(stored.node.hash)
    const rejection = this.#lastFault
    if (mark && rejection) return { kind: 'refused', rejection, change }
    return { kind: 'stored', node: stored.node, change }
  }

  /** Checks a block as far as its branch allows and puts it into the tree, without moving the tip. */
  store(block: Block): AcceptOutcome {
    const { hash, prev: parent } = block.header
    const known = this.nodes.get(hash)
    if (known && this.failures.has(hash)) return { kind: 'duplicate-invalid' }
    if (known && this.blocks.has(hash)) return { kind: 'duplicate' }
    const bad = checkBlock(block)
    if (bad) return { kind: 'refused', rejection: bad }
    const header = this.storeHeader(block)
    if (header.kind !== 'stored') return header
    const { node } = header
    const prev = must(this.nodes.get(parent), 'the header was accepted on it')
    const fault = checkBlockInContext(block, prev)
    if (fault) {
      this.failures.set(hash, 'failed')
      return { kind: 'refused', rejection: fault }
    }
    this.blocks.set(hash, block)
    this.options.stored?.(node, block)
    return { kind: 'stored', node, change: { disconnected: [], connected: [] } }
  }
  /** Puts a header into the tree; its block may follow. */
  storeHeader({ header }: Pick<Block, 'header'>): AcceptOutcome {
    const known = this.nodes.get(header.hash)
    const none: ChainChange = { disconnected: [], connected: [] }
    if (known) return { kind: 'stored', node: known, change: none }
    const prev = this.nodes.get(header.prev)
    if (!prev) return { kind: 'refused', rejection: { reason: 'prev-blk-not-found' } }
    if (this.failures.has(prev.hash)) {
      return { kind: 'refused', rejection: { reason: 'bad-prevblk' } }
    }
    const now = Math.max(this.options.now(), this.tip.header.time)
    const fault = checkHeader(header, prev, now)
    if (fault) return { kind: 'refused', rejection: fault }
    const node = makeNode(header, prev, this.#sequence++)
    this.nodes.set(node.hash, node)
    this.leaves.delete(prev)
    this.leaves.add(node)
    this.options.stored?.(node, undefined)
    return { kind: 'stored', node, change: none }
  }

  #lastFault: Rejection | undefined
  /** Why the last block that failed to connect did. */
  get lastFault(): Rejection | undefined {
    return this.#lastFault
  }
  /** Moves to the valid branch with the most work; among equals the one that came first. */
  activateBest(): ChainChange {
    const change: OpenChange = { disconnected: [], connected: [] }
    this.#lastFault = undefined
    while (true) {
      const best = this.#bestCandidate()
      if (best === this.tip) return change
      const fork = this.forkOf(best)
      const branch: BlockNode[] = []
      for (let at = best; at !== fork; at = must(at.prev, 'a fork has ancestors')) branch.push(at)
      while (this.tip !== fork) this.disconnectTip(change)
      for (const node of branch.reverse()) if (!this.connectTip(node, change)) break
    }
  }
  /** The highest block on the way to this leaf that the chain could move to. */
  #usable(leaf: BlockNode): BlockNode | undefined {
    let usable: BlockNode | undefined
    let at: BlockNode | undefined = leaf
    for (; at && !this.isActive(at); at = at.prev) {
      if (this.failures.has(at.hash) || !this.blocks.has(at.hash)) usable = undefined
      else usable ??= at
    }
    if (usable) return usable
    while (at && this.failures.has(at.hash)) at = at.prev
    return at
  }
  #rank(node: BlockNode): number {
    return this.precious.get(node.hash) ?? node.sequence
  }
  /** Lets a block come before all others of equal work; nothing happens when the tip has more. The tip does not move. */
  prefer(node: BlockNode): void {
    if (node.work < this.tip.work) return
    this.precious.set(node.hash, Math.min(0, ...this.precious.values()) - 1)
  }
  #bestCandidate(): BlockNode {
    let best: BlockNode | undefined
    for (const leaf of [...this.leaves, this.tip]) {
      const node = this.#usable(leaf)
      if (!node) continue
      if (!best || node.work > best.work) best = node
      else if (node.work === best.work && this.#rank(node) < this.#rank(best)) best = node
    }
    return must(best, 'genesis is always usable')
  }
  /** Puts a stored child of the tip on the best chain; false and a mark when it breaks a rule. */
  connectTip(node: BlockNode, change: OpenChange): boolean {
    const block = must(this.blocks.get(node.hash), 'a candidate has its block')
    const undo = connectBlock(this.coins, block, node, this.options.verifySignatures)
    if ('reason' in undo) {
      this.#lastFault = undo
      this.markFailed(node)
      return false
    }
    this.undo.set(node.hash, undo)
    this.active.push(node)
    block.transactions.forEach((transaction, position) => {
      this.index.set(transaction.txid, { hash: node.hash, position })
    })
    change.connected.push({ node, block })
    return true
  }
  /** Takes the tip off the best chain, whatever its work. */
  disconnectTip(change: OpenChange): void {
    const node = this.tip
    const block = must(this.blocks.get(node.hash), 'a connected block is kept')
    disconnectBlock(this.coins, block, must(this.undo.get(node.hash), 'undo of a connected block'))
    this.active.pop()
    // What was connected and taken off within one change never reached the mempool.
    const last = change.connected[change.connected.length - 1]
    if (last?.node === node) change.connected.pop()
    else change.disconnected.push(block)
  }

  /** Marks a block and all after it as invalid. The tip does not move: call `activateBest`. */
  markFailed(node: BlockNode): void {
    this.failures.set(node.hash, 'failed')
    for (const leaf of this.leaves) {
      if (leaf === node || !this.#descends(leaf, node)) continue
      for (let at = leaf; at !== node; at = must(at.prev, 'a descendant has ancestors')) {
        if (!this.failures.has(at.hash)) this.failures.set(at.hash, 'child')
      }
    }
  }
  /** Takes the mark from a block, from all after it and from all before it. */
  clearFailed(node: BlockNode): void {
    for (const hash of [...this.failures.keys()]) {
      const other = must(this.nodes.get(hash), 'a marked block is known')
      if (this.#descends(other, node) || this.#descends(node, other)) this.failures.delete(hash)
    }
  }
  #descends(node: BlockNode, from: BlockNode): boolean {
    let at: BlockNode | undefined = node
    while (at && at.height > from.height) at = at.prev
    return at === from
  }
}
