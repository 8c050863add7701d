import type { Sat, SatPerKvB, Txid } from '../../kernel/index.ts'

/** One of our transactions in the mempool of a node, with what builds on it and what it builds on. */
export interface MempoolStanding {
  readonly fee: Sat
  readonly vsize: number
  /** Itself included. */
  readonly ancestors: { readonly count: number; readonly vsize: number; readonly fees: Sat }
  /** Itself included. */
  readonly descendants: { readonly count: number; readonly vsize: number; readonly fees: Sat }
}

/** What a node demands of a replacement. */
export interface RelayRules {
  /** What a replacement adds at least for its own size (BIP 125, rule 4). */
  readonly incrementalRate: SatPerKvB
  /** Below this nothing enters the mempool now. */
  readonly minRate: SatPerKvB
}

/**
 * What the mempool of our node holds. Implemented by `adapters/bitcoind`. Throws what `ChainSource` throws when the node
 * does not answer.
 */
export interface MempoolSource {
  /** In the order asked; undefined where the mempool does not have it. */
  standings(txids: readonly Txid[]): Promise<readonly (MempoolStanding | undefined)[]>
  rules(): Promise<RelayRules>
}
