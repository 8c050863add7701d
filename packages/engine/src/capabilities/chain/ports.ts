import type { BlockHash, BlockRef, Network, OutPoint, Sat, Txid } from '../../kernel/index.ts'

/** What the node says of itself. `epoch` changes whenever the node process restarted. */
export interface NodeInfo {
  readonly network: Network
  readonly genesis: BlockHash
  readonly tip: BlockRef
  /** Best header height; above `tip.height` while the node is behind. */
  readonly headers: number
  readonly initialBlockDownload: boolean
  /** Lowest block the node still has; undefined when it keeps everything. */
  readonly pruneHeight?: number
  /** Seconds since the epoch of the tip's header, for the staleness alarm. */
  readonly tipTime?: number
}

export interface ChainHeader extends BlockRef {
  readonly prev: BlockHash
  /** Seconds since the epoch, as the miner wrote it: evidence, never a clock. */
  readonly time: number
}

export interface MempoolView {
  readonly txids: readonly Txid[]
  /** False while the node still reads its mempool from disk: absence proves nothing then. */
  readonly loaded: boolean
  /** Identifies one life of the node process: another value means that it restarted in between. */
  readonly epoch: string
}

/** An unspent output as the node has it (gettxout): `confirmations` 0 means mempool. */
export interface NodeCoin {
  readonly amount: Sat
  readonly script: Uint8Array
  readonly confirmations: number
  readonly coinbase: boolean
}

/**
 * Where chain facts come from. Implemented by `adapters/bitcoind`; several nodes may hide behind one.
 *
 * Obligations: every call answers for the best chain at that moment; two calls may see two chains, the caller checks by
 * hash. A missing thing is `undefined` where the type says so. Everything else that is not an answer throws an
 * `EngineError`: `NODE_UNREACHABLE`, `NODE_WARMING_UP`, `NODE_TIMEOUT` (remedy retry), `NODE_BLOCK_PRUNED` (remedy
 * human; details name height and hash), `NODE_ANSWER_INVALID`, `NODE_UNAUTHORIZED` (remedy human).
 */
export interface ChainSource {
  info(): Promise<NodeInfo>
  /** Hash of the best chain's block at this height; undefined above the tip. */
  hashAt(height: number): Promise<BlockHash | undefined>
  /** Header of any block the node knows, also off the best chain (`onBestChain` tells). */
  header(hash: BlockHash): Promise<(ChainHeader & { readonly onBestChain: boolean }) | undefined>
  /** Raw block bytes. @throws NODE_BLOCK_PRUNED */
  block(ref: BlockRef): Promise<Uint8Array>
  mempool(): Promise<MempoolView>
  /** Raw mempool transactions in the order asked; undefined where the mempool no longer has one. */
  mempoolTransactions(txids: readonly Txid[]): Promise<readonly (Uint8Array | undefined)[]>
  /** Unspent state of outpoints in the order asked, mempool included; undefined is spent or unknown. */
  coins(points: readonly OutPoint[]): Promise<readonly (NodeCoin | undefined)[]>
  /** Calls `listener` when something may have changed. Only a hint: polling stays the floor. */
  onWake?(listener: () => void): () => void
  close?(): Promise<void>
}

/** The headers we believe, newest at the tip; the tip is the cursor that moves with every commit. */
export interface ChainRows {
  tip(): Promise<ChainHeader | undefined>
  /** The lowest header kept: where following began, or a rescan reached down to. */
  base(): Promise<ChainHeader | undefined>
  headerAt(height: number): Promise<ChainHeader | undefined>
  /** Headers of `heights` that are kept, in any order. */
  headersAt(heights: readonly number[]): Promise<readonly ChainHeader[]>
  /** Appends above the tip. @throws AssertionError unless each extends the one before it by height and hash. */
  append(headers: readonly ChainHeader[]): Promise<void>
  /** Drops every header above `height`. */
  truncateTo(height: number): Promise<void>
  /** Puts headers below the base (ascending, the last one is the base's parent). @throws AssertionError when they do not link. */
  prepend(headers: readonly ChainHeader[]): Promise<void>
}
