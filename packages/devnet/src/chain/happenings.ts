import type { Block } from './block.ts'
import type { BlockNode } from './node.ts'
import type { Transaction } from './transaction.ts'

/** Why a transaction left the mempool. `mined`: a block holds it; `conflict`: a block holds a spend of the same coin. */
export type RemovalReason =
  | 'mined'
  | 'conflict'
  | 'replaced'
  | 'reorg'
  | 'expiry'
  | 'sizelimit'
  | 'evicted'

/** One step of the node, in the order in which Core notifies: what a block evicts, the block, what comes back, the tip. */
export type Happening =
  | { readonly kind: 'blockDisconnected'; readonly block: Block }
  | { readonly kind: 'blockConnected'; readonly block: Block; readonly node: BlockNode }
  /** `sequence`: the mempool's count after this step. */
  | {
      readonly kind: 'transactionAdded'
      readonly transaction: Transaction
      readonly sequence: number
    }
  | {
      readonly kind: 'transactionRemoved'
      readonly transaction: Transaction
      readonly reason: RemovalReason
      readonly sequence: number
    }
  /** After everything else of one change of the best chain. */
  | { readonly kind: 'tipChanged'; readonly node: BlockNode }
  /** Chain and mempool were replaced as a whole: what was derived from them must be derived again. */
  | { readonly kind: 'restored' }

export type Say = (happening: Happening) => void

/** Tells whoever listens, at once and in order. A listener must not change the chain. */
export class Happenings {
  readonly #listeners = new Set<Say>()

  /** Returns the call that ends it. */
  listen(listener: Say): () => void {
    this.#listeners.add(listener)
    return () => void this.#listeners.delete(listener)
  }
  readonly say: Say = (happening) => {
    for (const listener of this.#listeners) listener(happening)
  }
}
