import type {
  BlockHash,
  BlockRef,
  Network,
  OutPoint,
  Sat,
  SatPerKvB,
  Txid,
} from '../../kernel/index.ts'

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

/** One branch of a descriptor, from index 0 to `last`. */
export interface DescriptorRange {
  readonly descriptor: string
  /** Undefined for a descriptor without a range. */
  readonly last?: number
}
export interface CoinScan {
  readonly tip: BlockRef
  readonly coins: readonly { readonly point: OutPoint; readonly amount: Sat }[]
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

/** What a node thinks a transaction has to pay, and where that comes from. */
export interface FeeEstimate {
  /** Blocks within which it should be mined. */
  readonly target: number
  /** Blocks that the estimate really speaks of; nodes raise a target that they know too little about. */
  readonly blocks: number
  readonly mode: 'economical' | 'conservative'
  readonly rate: SatPerKvB
  readonly source: 'estimatesmartfee'
}
/** Below this the node takes no transaction. */
export interface FeeFloor {
  readonly rate: SatPerKvB
  readonly source: 'mempool'
}
/** What the node said of fees at one moment. What it did not say is absent: nothing is invented. */
export interface FeeReport {
  /** By target ascending. Targets without an estimate are left out. */
  readonly estimates: readonly FeeEstimate[]
  /** The floor of the mempool now: it rises while the mempool is full. */
  readonly mempoolMinimum?: FeeFloor
  /** The floor that the node's configuration sets. */
  readonly relayMinimum?: FeeFloor
  /** Why there is no estimate, in the node's words. */
  readonly reasons: readonly string[]
  /** When the node answered, milliseconds since the epoch. */
  readonly at: number
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
  /** @param previousEpoch the last `epoch` we know, also from before a restart of ours: kept if it may be the same life. */
  mempool(previousEpoch?: string): Promise<MempoolView>
  /** Raw mempool transactions in the order asked; undefined where the mempool no longer has one. */
  mempoolTransactions(txids: readonly Txid[]): Promise<readonly (Uint8Array | undefined)[]>
  /** Unspent state of outpoints in the order asked, mempool included; undefined is spent or unknown. */
  coins(points: readonly OutPoint[]): Promise<readonly (NodeCoin | undefined)[]>
  /**
   * Raw bytes of a transaction: of this block, or from the mempool without one. Undefined where the node does not have it
   * there. The caller checks the hash. @throws NODE_BLOCK_PRUNED
   */
  transaction?(txid: Txid, block?: BlockRef): Promise<Uint8Array | undefined>
  /** Fee rates of mempool transactions in the order asked, where the node knows them. Only for statistics. */
  feeRates?(txids: readonly Txid[]): Promise<readonly (SatPerKvB | undefined)[]>
  /** What transactions have to pay now, by targets (`FEE_TARGETS`); a node that lacks a call gives what it has. */
  fees?(): Promise<FeeReport>
  /**
   * Every confirmed coin that the node finds for these descriptors (scantxoutset), and the block it counted at. Undefined
   * where the node cannot search. Reads the whole coin database: minutes on the main chain.
   */
  scanCoins?(ranges: readonly DescriptorRange[]): Promise<CoinScan | undefined>
  /** Calls `listener` when something may have changed. Only a hint: polling stays the floor. */
  onWake?(listener: () => void): () => void
  close?(): Promise<void>
}

/** The headers we believe, newest at the tip; the tip is the cursor that moves with every commit. */
export interface ChainRows {
  tip(): Promise<ChainHeader | undefined>
  /**
   * The tip, held until the transaction ends, also against other processes (I27). Taken first by every transaction that
   * moves the cursor or judges by it: between two of them nothing of the other can be half seen.
   */
  lockCursor(): Promise<ChainHeader | undefined>
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
  /** Small facts about the node that must outlive a restart, e.g. which life of it we saw last. */
  memo(key: string): Promise<string | undefined>
  saveMemo(key: string, value: string): Promise<void>
}

/** A transaction that touches what we watch. `outputs` holds only those that pay a watched script. */
export interface MatchedTx {
  readonly txid: Txid
  readonly coinbase: boolean
  readonly inputs: readonly OutPoint[]
  /** Virtual bytes (BIP 141). */
  readonly vsize: number
  readonly feeRate?: SatPerKvB
  readonly outputs: readonly {
    readonly vout: number
    readonly amount: Sat
    readonly script: Uint8Array
  }[]
}
export interface MatchedBlock {
  readonly header: ChainHeader
  readonly transactions: readonly MatchedTx[]
}

/** One move of the best chain, to be applied as a whole: the view jumps from the old tip to the new one. */
export interface ChainMove {
  /** Present for a reorganisation: everything above it left the best chain. */
  readonly fork?: BlockRef
  /** The blocks that joined, ascending. Empty when the chain only got shorter. */
  readonly blocks: readonly MatchedBlock[]
  readonly tip: BlockRef
  readonly previousTip: BlockRef
  /** Our clock, milliseconds since the epoch. */
  readonly at: number
}

/** What changed in the mempool since the last look, already held against what we watch. */
export interface MempoolMove {
  /** Transactions that are in the mempool now and touch what we watch (also those that only conflict with ours). */
  readonly matched: readonly MatchedTx[]
  /** Whether a transaction is in the mempool now. */
  readonly has: (txid: Txid) => boolean
  /** `proof`: absence means that it left. `none`: the node restarted or is still loading; absence proves nothing. */
  readonly absence: 'proof' | 'none'
  readonly tip: BlockRef
  readonly at: number
}

/** Who learns of the chain, inside the transaction that moves the cursor. A throw moves nothing. */
export interface ChainConsumer<Tx> {
  /** Blocks above `fork` are about to leave: whatever they spent may be spent otherwise now, so it has to be watched. */
  beforeReorg(tx: Tx, fork: BlockRef): Promise<void>
  moveChain(tx: Tx, move: ChainMove): Promise<void>
  moveMempool(tx: Tx, move: MempoolMove): Promise<void>
  /**
   * Another text whenever something else is known of transactions, whichever process found it. A mempool that was read
   * before is an old one then: what it lacks need not be missing.
   */
  knowledge(tx: Tx): Promise<string>
  /** Another text whenever keys with a past are watched: what was read before has to be read again for them. */
  audience(tx: Tx): Promise<string>
}

/** What to look for in raw bytes: a filter that never misses; a false hit is sorted out by the consumer. */
export interface Watch {
  /** Takes up what other processes and the last commit added. Called after the bytes arrived and before they are scanned. */
  refresh(): Promise<void>
  hasScript(bytes: Uint8Array, offset: number, length: number): boolean
  /** `offset` points at 36 bytes as in a raw input: hash in wire order, index little-endian. */
  hasOutpoint(bytes: Uint8Array, offset: number): boolean
  addOutpoint(point: OutPoint): void
}
/** A watch that can also look from inside a transaction, where it sees what everybody before it has committed. */
export interface WatchIn<Tx> extends Watch {
  /**
   * Takes up what is new since the last `refresh`. True when there was anything: bytes that were scanned before have
   * to be scanned again. It must not count as taken up: the transaction may come to nothing.
   */
  refreshIn(tx: Tx): Promise<boolean>
}
