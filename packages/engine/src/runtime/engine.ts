import { type AlertRecord, createAlerts, raiseAlerts } from '../capabilities/alerts/index.ts'
import { exportAudit, verifyAudit } from '../capabilities/audit/index.ts'
import {
  type ChainSource,
  createFollower,
  type Follower,
  type Look,
  type OnProgress,
} from '../capabilities/chain/index.ts'
import {
  adoptFrom,
  confirmationStatistics,
  createIntake,
  createOrders,
  createRescan,
  DEFAULT_THRESHOLDS,
  explainOrder,
  type OrderRecord,
  type PlatformOrders,
  type RescanProgress,
  reconcile,
  type Thresholds,
  watchCoins,
} from '../capabilities/deposits/index.ts'
import { verifyBooks, walletBalance } from '../capabilities/ledger/index.ts'
import { createWatchedScripts, createWallets } from '../capabilities/wallet/index.ts'
import {
  type Clock,
  EngineError,
  type Entropy,
  type Logger,
  type Metrics,
  type Network,
  type OrderId,
  type Sat,
  silentLogger,
  silentMetrics,
  type WalletId,
} from '../kernel/index.ts'
import type { Store } from './store.ts'

/** What the engine is built from. Drivers, clock and randomness are handed in; nothing is global. */
export interface EngineOptions {
  readonly network: Network
  readonly store: Store
  readonly source: ChainSource
  readonly clock: Clock
  readonly entropy: Entropy
  readonly logger?: Logger
  readonly metrics?: Metrics
  /** Levels for payments that belong to no order. */
  readonly thresholds?: Thresholds
  /** Payments of at least this many satoshi are announced to people. */
  readonly largeDeposit?: Sat
  /** How long a restarted node may take to show an unconfirmed payment again. Default 10 minutes. */
  readonly restartGraceMs?: number
  /** Blocks that share one commit while catching up. Default 16. */
  readonly blocksPerCommit?: number
  /** A platform that keeps its own orders. */
  readonly platform?: PlatformOrders
}

/** One look at everything: chain, mempool, rescans, expiry. */
export interface SyncReport extends Look {
  readonly rescanned: number
  readonly expired: number
}
export interface SyncProgress {
  readonly onBlocks?: OnProgress
  readonly onRescan?: (progress: RescanProgress) => void
}

const RESTART_GRACE_MS = 10 * 60 * 1000

/**
 * The engine over one store and one chain source. It holds nothing that the store does not have, except the watch set,
 * which it loads here; so it can be killed at any moment and made anew.
 */
export async function createEngine(options: EngineOptions) {
  const { store, source, clock, entropy, network } = options
  const logger = options.logger ?? silentLogger
  const metrics = options.metrics ?? silentMetrics
  const watch = createWatchedScripts({ store, entropy })
  const wallets = createWallets({
    store,
    clock,
    entropy,
    network,
    onWatched: (scripts) => watch.addScripts(scripts),
  })
  const intake = createIntake({
    watch,
    wallets,
    thresholds: options.thresholds ?? DEFAULT_THRESHOLDS,
    ...(options.largeDeposit === undefined ? {} : { largeDeposit: options.largeDeposit }),
    restartGraceMs: options.restartGraceMs ?? RESTART_GRACE_MS,
    adopt: adoptFrom(options.platform, clock, entropy),
    changed: async (tx, order, payments) => options.platform?.updateStatus(tx, order, payments),
  })
  const orders = createOrders({ store, clock, entropy, intake, wallets })
  const blocksPerCommit = options.blocksPerCommit ?? 16
  const follower: Follower = createFollower({
    source,
    store,
    consumer: intake,
    watch,
    network,
    clock,
    logger,
    metrics,
    blocksPerCommit,
  })
  const rescan = createRescan({ source, store, watch, intake, clock, blocksPerCommit })
  await watch.refresh()
  await watchCoins(store, watch)

  return {
    network,
    wallets: {
      ...wallets,
      async register(...input: Parameters<typeof wallets.register>) {
        const registered = await wallets.register(...input)
        // What the mempool holds was read without these scripts.
        if (registered.ok) follower.forgetMempool()
        return registered
      },
      balance: (wallet: WalletId) => store.read((tx) => walletBalance(tx, wallet)),
    },
    orders: {
      ...orders,
      explain: (id: OrderId) => store.read((tx) => explainOrder(tx, id)),
      statistics: (span: Parameters<typeof confirmationStatistics>[1]) =>
        confirmationStatistics(store, span),
    },
    alerts: createAlerts({ store, clock }),
    /** Reads events after a sequence number, oldest first. */
    events: (filter: {
      readonly after: number
      readonly limit: number
      readonly subject?: string
    }) => store.read((tx) => tx.events.list(filter)),
    audit: {
      verify: (anchor?: Parameters<typeof verifyAudit>[1]) => verifyAudit(store, anchor),
      export: (...[format, filter]: ExportArguments) => exportAudit(store, filter ?? {}, format),
    },
    ledger: {
      entries: (filter: Parameters<LedgerEntries>[0]) =>
        store.read((tx) => tx.ledger.entries(filter)),
      /** Counts every entry again and compares: I1, I7, I8. */
      verify: () => verifyBooks(store),
    },
    tip: () => store.read((tx) => tx.chain.tip()),
    reconcile: (wallet: WalletId) => reconcile({ store, source, at: clock.now() }, wallet),

    /**
     * Looks at the node once and commits all that follows from it. Expiry comes last and only when the node is
     * trustworthy: a payment made in time must be found before its order ends.
     */
    async sync(progress: SyncProgress = {}): Promise<SyncReport> {
      const look = await follower.look(progress.onBlocks)
      const rescanned = await rescan(progress.onRescan)
      const expired = look.degraded ? 0 : await orders.expireDue()
      return { ...look, rescanned, expired }
    },
    /** Raises what the loops notice about the node itself. */
    raise: (alerts: Parameters<typeof raiseAlerts>[2]): Promise<readonly AlertRecord[]> =>
      store.transact((tx) => raiseAlerts(tx, clock.now(), alerts)),
  }
}
type LedgerEntries = Parameters<Parameters<Store['read']>[0]>[0]['ledger']['entries']
type ExportArguments = [format: 'csv' | 'jsonl', filter?: Parameters<typeof exportAudit>[1]]
export type Engine = Awaited<ReturnType<typeof createEngine>>
export type { OrderRecord }
export { EngineError }
