import type {
  BlockRef,
  Clock,
  Logger,
  Metrics,
  Network,
  Sha256,
  Tracer,
  Transactor,
} from '../../kernel/index.ts'
import type { ChainConsumer, ChainRows, ChainSource, WatchIn } from './ports.ts'

/** The row door that the follower itself needs; a consumer's transaction has more. */
export interface ChainTx {
  readonly chain: ChainRows
}
export interface FollowerOptions<Tx extends ChainTx> {
  readonly source: ChainSource
  readonly store: Transactor<Tx>
  readonly consumer: ChainConsumer<Tx>
  readonly watch: WatchIn<Tx>
  readonly network: Network
  readonly clock: Clock
  readonly logger: Logger
  readonly metrics: Metrics
  readonly tracer?: Tracer
  /** Hashes whole blocks; portable code unless given. */
  readonly sha256?: Sha256
  /** Blocks of ordinary catch-up that share one commit. Default 16. */
  readonly blocksPerCommit?: number
  /** Raw mempool transactions asked for at a time. Default 200. */
  readonly transactionsPerBatch?: number
}
/** Told while catching up: where we are, and where the node is. */
export type OnProgress = (tip: BlockRef, target: BlockRef) => void

export const readChain = <Tx extends ChainTx, T>(
  store: Transactor<Tx>,
  work: (rows: ChainRows) => Promise<T>,
): Promise<T> => store.read((tx) => work(tx.chain))
