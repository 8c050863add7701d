import { createAccess } from '../capabilities/access/index.ts'
import { createAlerts, type NewAlert, raiseAlerts } from '../capabilities/alerts/index.ts'
import {
  type AuditAnchor,
  type AuditFilter,
  auditHead,
  exportAudit,
  verifyAudit,
} from '../capabilities/audit/index.ts'
import {
  type ChainSource,
  createFees,
  createFollower,
  type Look,
  type OnProgress,
} from '../capabilities/chain/index.ts'
import {
  adoptFrom,
  type CoinsFilter,
  createIntake,
  createRescan,
  createWatch,
  DEFAULT_THRESHOLDS,
  type IntakeOptions,
  Orders,
  type PlatformOrders,
  type RateSource,
  type RescanProgress,
  reconcile,
  type Thresholds,
  type WalletTransactionsFilter,
  walletCoins,
  walletTransactions,
} from '../capabilities/deposits/index.ts'
import { type EventFilter, originatingStore } from '../capabilities/events/index.ts'
import { createIdempotency } from '../capabilities/idempotency/index.ts'
import { type EntryFilter, verifyBooks, walletBalance } from '../capabilities/ledger/index.ts'
import { createWallets, createWatchedScripts } from '../capabilities/wallet/index.ts'
import { createWebhooks, type TargetRules } from '../capabilities/webhooks/index.ts'
import {
  type Clock,
  createTally,
  type Entropy,
  type Logger,
  type Metrics,
  type Network,
  type OriginOf,
  type Sat,
  type Sha256,
  silentLogger,
  silentMetrics,
  silentTracer,
  type Tracer,
  type Transactor,
  type WalletId,
} from '../kernel/index.ts'
import { type PayoutOptions, wirePayouts } from './payouts.ts'
import type { Store, StoreTx } from './store.ts'

/** What the engine is built from. Drivers, clock and randomness are handed in; nothing is global. */
export interface EngineOptions {
  readonly network: Network
  readonly store: Store
  readonly source: ChainSource
  readonly clock: Clock
  readonly entropy: Entropy
  /** Hashes whole blocks: `systemSha256` where there is one. Portable code unless given. */
  readonly sha256?: Sha256
  readonly logger?: Logger
  readonly metrics?: Metrics
  readonly tracer?: Tracer
  /** Makes satoshi of prices in a currency; without one they are refused. */
  readonly rates?: RateSource
  /** A rate that is older is not used, milliseconds. Default 5 minutes. */
  readonly rateMaxAgeMs?: number
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
  /** For which request the caller works: it then stands in the events and audit entries of what is asked for. */
  readonly origin?: OriginOf
  /** What webhooks may lead to beyond public `https` URLs; the sender is made with the same. */
  readonly webhookTargets?: TargetRules
  /** What paying out needs; without it requests are recorded, and another process pays them. */
  readonly payouts?: PayoutOptions
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

/** The capabilities, wired; what they share is made here and nowhere else. */
function wire(options: EngineOptions) {
  const { source, clock, entropy, network, origin } = options
  const metrics = options.metrics ?? silentMetrics
  const tracer = options.tracer ?? silentTracer
  const { store, tally } = createTally<StoreTx>(options.store, metrics)
  // For what is asked for from outside; following the node is nobody's request.
  const asked = originatingStore(store, origin)
  const hashing = options.sha256 ? { sha256: options.sha256 } : {}
  const logger = options.logger ?? silentLogger
  const scripts = createWatchedScripts({ store, entropy })
  const watch = createWatch(store, scripts)
  const wallets = createWallets({
    store: asked,
    clock,
    entropy,
    network,
    onWatched: (added) => scripts.addScripts(added),
  })
  const intake = intakeOf(options, { watch, wallets, tally })
  const blocksPerCommit = options.blocksPerCommit ?? 16
  /** What transactions have to pay, as the node says; refused where it has no estimate. */
  const fees = createFees({ source, clock, metrics })
  const shared = { source, clock, network, logger, metrics }
  const payouts = wirePayouts({
    ...shared,
    store: asked,
    tally,
    fees,
    entropy,
    options: options.payouts,
  })
  const follower = createFollower({
    ...shared,
    ...hashing,
    store,
    consumer: payouts.followed(intake),
    watch,
    tracer,
    blocksPerCommit,
  })
  return {
    watch,
    wallets,
    follower,
    ...beside(options, asked),
    idempotency: createIdempotency({ store, clock }),
    orders: new Orders({
      store,
      clock,
      entropy,
      intake,
      wallets,
      origin,
      tracer,
      tally,
      ...(options.rates ? { rates: options.rates } : {}),
      ...(options.rateMaxAgeMs === undefined ? {} : { rateMaxAgeMs: options.rateMaxAgeMs }),
    }),
    fees,
    ...payouts.verbs,
    rescan: createRescan({ source, store, watch, intake, clock, blocksPerCommit, ...hashing }),
  }
}

/** The deposit side of the chain. */
const intakeOf = (
  { platform, clock, entropy, thresholds, largeDeposit, restartGraceMs }: EngineOptions,
  shared: Pick<IntakeOptions, 'watch' | 'wallets' | 'tally'>,
) =>
  createIntake({
    ...shared,
    thresholds: thresholds ?? DEFAULT_THRESHOLDS,
    ...(largeDeposit === undefined ? {} : { largeDeposit }),
    restartGraceMs: restartGraceMs ?? RESTART_GRACE_MS,
    adopt: adoptFrom(platform, clock, entropy),
    changed: async (tx, order, payments) => platform?.updateStatus(tx, order, payments),
  })

/** The capabilities that stand beside the flow of payments. @param store knows for which request it works */
const beside = (options: EngineOptions, store: Transactor<StoreTx>) => {
  const { clock, entropy, network, sha256, webhookTargets = {} } = options
  return {
    access: createAccess({ store, clock, entropy, network, ...(sha256 ? { sha256 } : {}) }),
    alerts: createAlerts({ store, clock }),
    /** Subscriptions; `runWebhooks` delivers. */
    webhooks: createWebhooks({ store, clock, entropy, targets: webhookTargets }),
  }
}

/** What can be asked of the store without any capability in between. */
const questions = ({ store, source, clock }: EngineOptions) => ({
  /** Reads events after a sequence number, oldest first. */
  events: (filter: EventFilter) => store.read((tx) => tx.events.list(filter)),
  /** The newest sequence number; 0 when there is none. All up to it can be read from now on. */
  eventHead: () => store.read((tx) => tx.events.head()),
  audit: {
    verify: (anchor?: AuditAnchor) => verifyAudit(store, anchor),
    /** The newest number and hash: what to write down elsewhere. */
    head: () => auditHead(store),
    list: (filter: AuditFilter) => store.read((tx) => tx.audit.list(filter)),
    export: (format: 'csv' | 'jsonl', filter: Omit<AuditFilter, 'limit'> = {}) =>
      exportAudit(store, filter, format),
  },
  ledger: {
    entries: (filter: EntryFilter) => store.read((tx) => tx.ledger.entries(filter)),
    accounts: (prefix: string, after: string | undefined, limit: number) =>
      store.read((tx) => tx.ledger.accounts(prefix, after, limit)),
    /** Counts every entry again and compares: I1, I7, I8. */
    verify: () => verifyBooks(store),
  },
  tip: () => store.read((tx) => tx.chain.tip()),
  /** Holds our coins against the node's, and the ledger against the coins (I23). */
  reconcile: (wallet: WalletId) => reconcile({ store, source, at: clock.now() }, wallet),
})

/**
 * The engine over one store and one chain source. It holds nothing that the store does not have, except the watch set,
 * which it loads here; so it can be killed at any moment and made anew.
 */
export async function createEngine(options: EngineOptions) {
  const { store, clock, network } = options
  const { watch, wallets, follower, rescan, ...wired } = wire(options)
  const { orders } = wired
  const { tracer = silentTracer } = options
  await watch.refresh()
  return {
    network,
    ...questions(options),
    wallets: {
      ...wallets,
      /** The accounts of the ledger; `layers` answers what can be spent. */
      balance: (wallet: WalletId) => store.read((tx) => walletBalance(tx, wallet)),
      layers: (wallet: WalletId) => wired.coins.layers(wallet),
      /** Its unspent payments, newest first. */
      coins: (wallet: WalletId, filter: CoinsFilter) => walletCoins(store, wallet, filter),
      /** What paid it or spent of it, newest first. */
      transactions: (wallet: WalletId, filter: Omit<WalletTransactionsFilter, 'wallet'>) =>
        walletTransactions(store, { ...filter, wallet }),
      async register(...input: Parameters<typeof wallets.register>) {
        const registered = await wallets.register(...input)
        // What the mempool holds was read without these scripts.
        if (registered.ok) follower.forgetMempool()
        return registered
      },
    },
    ...wired,
    /**
     * Looks at the node once and commits all that follows from it. Expiry comes last and only when the node is
     * trustworthy: a payment made in time must be found before its order ends.
     */
    sync(progress: SyncProgress = {}): Promise<SyncReport> {
      const work = async () => {
        const look = await follower.look(progress.onBlocks)
        const rescanned = await rescan(progress.onRescan)
        const expired = look.degraded ? 0 : await orders.expireDue()
        return { ...look, rescanned, expired }
      }
      return tracer.span('engine.sync', {}, work, ({ blocks, disconnected, degraded }) => ({
        blocks,
        disconnected,
        outcome: degraded ?? 'ok',
      }))
    },
    /** Raises what the loops notice about the node itself. */
    raise: (alerts: readonly NewAlert[]) =>
      store.transact((tx) => raiseAlerts(tx, clock.now(), alerts)),
  }
}
export type Engine = Awaited<ReturnType<typeof createEngine>>
