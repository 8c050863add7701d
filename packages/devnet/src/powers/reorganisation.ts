import type { Block } from '../chain/block.ts'
import type { Transaction } from '../chain/transaction.ts'
import { DevnetError, must } from '../failure.ts'
import type { Regtest } from './regtest.ts'

/** A raw transaction in hex, or the txid of one that the devnet has seen. */
export type TransactionRef = string

export interface ReorgOptions {
  /**
   * Transactions of the dropped blocks that the new branch holds again, each at its old height (or in the last new block),
   * with everything they build on. `all`: the same transactions in other blocks.
   */
  readonly keep?: readonly string[] | 'all'
  /**
   * Transactions that nobody remembers, with everything that builds on them: not in the new branch and not in the mempool, so
   * that their coins can be spent again. `all`: every transaction of the dropped blocks.
   */
  readonly drop?: readonly string[] | 'all'
  /**
   * How many blocks the new branch has; default one more than dropped, as a network would see it. Or the exact contents of each,
   * instead of `keep`: also double spends, also what the mempool refused.
   */
  readonly blocks?: number | readonly (readonly TransactionRef[])[]
  /** Receives the new coinbases. Default: the miner. */
  readonly coinbaseTo?: string
}
/** What a reorganisation did. Hashes from the lower to the higher block, txids in the order of their old blocks. */
export interface Reorganisation {
  /** The last block that both branches share. */
  readonly fork: { readonly height: number; readonly hash: string }
  /** Blocks that left the best chain. */
  readonly dropped: readonly string[]
  /** Blocks of the new branch. */
  readonly mined: readonly string[]
  /** Dropped transactions that are mined again. */
  readonly kept: readonly string[]
  /** Dropped transactions that wait in the mempool again. */
  readonly returned: readonly string[]
  /** Dropped transactions that are gone: `drop`, what built on it, and what the new branch made impossible. */
  readonly gone: readonly string[]
}

interface Placed {
  readonly transaction: Transaction
  /** 0 for the lowest dropped block. */
  readonly at: number
}
/** The transactions of the blocks that would be dropped, without coinbases, in their order. */
export class DroppedBlocks {
  readonly blocks: readonly Block[]
  readonly #placed = new Map<string, Placed>()

  constructor(regtest: Regtest, depth: number) {
    const { chain } = regtest
    const nodes = chain.active.slice(chain.tip.height - depth + 1)
    this.blocks = nodes.map((node) =>
      must(chain.blockOf(node), 'a block of the best chain is kept'),
    )
    this.blocks.forEach((block, at) => {
      for (const transaction of block.transactions.slice(1)) {
        this.#placed.set(transaction.txid, { transaction, at })
      }
    })
  }
  get txids(): readonly string[] {
    return [...this.#placed.keys()]
  }
  has(txid: string): boolean {
    return this.#placed.has(txid)
  }
  /** These and everything in the dropped blocks that they build on. */
  withAncestors(txids: Iterable<string>): Set<string> {
    const found = new Set<string>()
    const queue = [...txids]
    for (let txid = queue.pop(); txid !== undefined; txid = queue.pop()) {
      const placed = this.#placed.get(txid)
      if (!placed || found.has(txid)) continue
      found.add(txid)
      queue.push(...placed.transaction.inputs.map((input) => input.txid))
    }
    return found
  }
  /** These and everything in the dropped blocks that builds on them. */
  withDescendants(txids: Iterable<string>): Set<string> {
    const found = new Set(txids)
    for (const [txid, { transaction }] of this.#placed) {
      if (transaction.inputs.some((input) => found.has(input.txid))) found.add(txid)
    }
    return found
  }
  /** Contents of `length` new blocks with the kept transactions at their old places. */
  contents(kept: ReadonlySet<string>, length: number): readonly (readonly Transaction[])[] {
    const contents: Transaction[][] = Array.from({ length }, () => [])
    for (const [txid, { transaction, at }] of this.#placed) {
      if (kept.has(txid)) contents[Math.min(at, length - 1)]?.push(transaction)
    }
    return contents
  }
}

export interface ReorgPlan {
  readonly contents: readonly (readonly Transaction[])[]
  readonly lose: ReadonlySet<string>
}
const usage = (text: string): DevnetError => new DevnetError('DEVNET_USAGE', text)

/** What the new branch holds and what is lost. @throws DevnetError DEVNET_USAGE, DEVNET_TRANSACTION_UNKNOWN. */
export function planReorg(
  dropped: DroppedBlocks,
  options: ReorgOptions,
  find: (ref: TransactionRef) => Transaction,
): ReorgPlan {
  const wanted = options.drop === 'all' ? dropped.txids : (options.drop ?? [])
  const lose = dropped.withDescendants(wanted.map((txid) => find(txid).txid))
  const { blocks: length = dropped.blocks.length + 1 } = options
  if (typeof length === 'object') {
    if (options.keep !== undefined)
      throw usage('`blocks` names every transaction: `keep` is too much')
    return { contents: length.map((refs) => refs.map(find)), lose }
  }
  if (!Number.isSafeInteger(length) || length < 0) throw usage(`a branch of ${length} blocks`)
  const asked = options.keep === 'all' ? dropped.txids : (options.keep ?? [])
  const strange = asked.find((txid) => !dropped.has(txid))
  if (strange !== undefined) {
    const text = `${strange} is in none of the dropped blocks, so it cannot be kept`
    throw new DevnetError('DEVNET_TRANSACTION_UNKNOWN', text)
  }
  const kept = dropped.withAncestors(asked)
  const both = [...kept].find((txid) => lose.has(txid))
  if (both !== undefined)
    throw usage(`${both} cannot be both kept and dropped, nor build on what is`)
  if (kept.size > 0 && length === 0) throw usage('a branch without blocks keeps nothing')
  return { contents: dropped.contents(kept, length), lose }
}
