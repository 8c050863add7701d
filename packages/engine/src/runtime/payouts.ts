import { withdrawalDays, type DayFilter } from '../capabilities/analytics/index.ts'
import {
  type Broadcast,
  type Broadcaster,
  createBroadcast,
} from '../capabilities/broadcast/index.ts'
import type { ChainConsumer, ChainSource, FeeReport } from '../capabilities/chain/index.ts'
import { createCoins, DEFAULT_SPEND_POLICY, type SpendPolicy } from '../capabilities/coins/index.ts'
import {
  type ConsolidationSettings,
  createConsolidation,
  createConsolidationOwner,
  DEFAULT_CONSOLIDATION,
} from '../capabilities/consolidation/index.ts'
import * as policy from '../capabilities/policy/index.ts'
import { createSigning, type ReceiptKey, type Signer } from '../capabilities/signing/index.ts'
import {
  type BumpWish,
  createFeeQuotes,
  createFollow,
  createSpending,
  followedBy,
  type FeeSource,
  type MempoolSource,
  type SpendFilter,
  type SpendOwners,
  type Spending,
} from '../capabilities/spending/index.ts'
import type { WalletRecord } from '../capabilities/wallet/index.ts'
import {
  aboveMostFee,
  createChildOwner,
  bookingFees,
  createOwner,
  createWithdrawals,
  DEFAULT_RHYTHM,
  DEFAULT_RULES,
  lockBeforeFollow,
  type PlanRhythm,
  planDue,
  type WithdrawalRules,
} from '../capabilities/withdrawals/index.ts'
import {
  type Clock,
  EngineError,
  type Entropy,
  type Logger,
  type Metrics,
  type Network,
  type OutPoint,
  type Refusal,
  type Result,
  type SatPerKvB,
  type SpendId,
  type Tally,
  type Transactor,
} from '../kernel/index.ts'
import type { PayoutSteps } from './run-payouts.ts'
import type { StoreTx } from './store.ts'

/** What paying out needs beyond the store and the chain. Without it requests are recorded, and another process pays them. */
export interface PayoutOptions {
  /** `createBitcoindBroadcaster`. */
  readonly broadcaster: Broadcaster
  /** `createBitcoindMempool`. */
  readonly mempool: MempoolSource
  /** Who signs for a wallet, in the order in which they are asked. None: people bring signatures. */
  readonly signersOf?: (wallet: WalletRecord) => readonly Signer[]
  /** Signs the policy receipts that signers demand. Without one no signer is asked. */
  readonly receiptKey?: ReceiptKey
  /** Asked where the node has no estimate, in this order. */
  readonly feeSources?: readonly FeeSource[]
  /** Used where nobody knows a rate, because somebody wrote it down on purpose; satoshi per 1000 vbytes. */
  readonly fixedFeeRate?: SatPerKvB
  /** What a coin costs to spend on an ordinary day, satoshi per 1000 vbytes. Default 10,000. */
  readonly longTermFeeRate?: SatPerKvB
  /** Ceilings and defaults of requests. */
  readonly rules?: Partial<WithdrawalRules>
  /** How long requests wait for company. */
  readonly rhythm?: Partial<PlanRhythm>
  /** Which coins may be spent before the ledger has them. */
  readonly spendPolicy?: SpendPolicy
  /** Order of inputs and outputs. Default `random`. */
  readonly order?: 'bip69' | 'random'
  /** Several withdrawals to one address share an output of a batch. Default false: a recipient sees each of them. */
  readonly mergesAddresses?: boolean
  /** How long a transaction may wait before an automatic bump is considered again, milliseconds. Default 30 minutes. */
  readonly bumpEveryMs?: number
  /** When and how small coins are put together. Default: only when somebody asks. */
  readonly consolidation?: Partial<ConsolidationSettings>
  /** From this depth on a payout counts as settled. Default 6. */
  readonly settleDepth?: number
}

export interface PayoutParts {
  /** Knows for which request it works. */
  readonly store: Transactor<StoreTx>
  readonly tally: Tally<StoreTx>
  readonly source: ChainSource
  readonly fees: () => Promise<Result<FeeReport, Refusal>>
  readonly clock: Clock
  readonly entropy: Entropy
  readonly network: Network
  readonly logger: Logger
  readonly metrics: Metrics
  readonly options: PayoutOptions | undefined
}

const notHere = (): never => {
  throw new EngineError('PAYOUTS_NOT_CONFIGURED', 'this process has no node to pay out through')
}
/** Stands for what this process was not given: asking it is an error of the set-up, and nothing is pretended. */
const ABSENT: Pick<PayoutOptions, 'broadcaster' | 'mempool'> = {
  broadcaster: { send: async () => notHere() },
  mempool: { standings: async () => notHere(), rules: async () => notHere() },
}

/** Blocks move withdrawals, so the locks that these need come before all others. */
const lockedFirst = (consumer: ChainConsumer<StoreTx>): ChainConsumer<StoreTx> => ({
  ...consumer,
  async moveChain(tx, move) {
    await lockBeforeFollow(tx)
    await consumer.moveChain(tx, move)
  },
})

const quotesOf = ({ fees, clock, options }: PayoutParts) =>
  createFeeQuotes({
    report: fees,
    clock,
    ...(options?.feeSources ? { sources: options.feeSources } : {}),
    ...(options?.fixedFeeRate === undefined ? {} : { fixed: options.fixedFeeRate }),
    ...(options?.longTermFeeRate === undefined ? {} : { longTermRate: options.longTermFeeRate }),
  })

const mergingOf = ({ mergesAddresses }: Partial<PayoutOptions> = {}) =>
  mergesAddresses === undefined ? {} : { mergesAddresses }

const spendVerbs = (
  spending: Spending<StoreTx>,
  { sendSoon }: Broadcast,
  rules: WithdrawalRules,
) => ({
  get: (id: SpendId) => spending.get(id),
  list: (filter: SpendFilter) => spending.list(filter),
  /** A transaction of our own change that pays for the one which made it; its fee within the ceilings of the house. */
  childOf: async (id: SpendId, wish: BumpWish, actor: string) =>
    aboveMostFee(rules, wish.maxFee) ?? (await spending.childOf(id, wish, actor)),
  sendSoon,
})

const holdsIn = (store: Transactor<StoreTx>) => ({
  /** What keeps some coins from being spent, as one snapshot. */
  holds: (points: readonly OutPoint[]) =>
    store.read(async (tx) => ({
      leases: await tx.coins.leases(points),
      frozen: await tx.coins.frozen(points),
    })),
})

/** Everything that pays out, wired. `followed` has to stand around the deposits' intake wherever the chain is followed. */
export function wirePayouts(parts: PayoutParts) {
  const { store, tally, source, clock, entropy, network, logger, metrics, options } = parts
  const { broadcaster, mempool } = options ?? ABSENT
  const { settleDepth, spendPolicy = DEFAULT_SPEND_POLICY } = options ?? {}
  const rules = { ...DEFAULT_RULES, ...options?.rules }
  const rhythm = { ...DEFAULT_RHYTHM, ...options?.rhythm }
  const owner = createOwner({ policy, rules, tally })
  const owners: SpendOwners<StoreTx> = {
    payout: owner,
    child: createChildOwner({ policy, rules, tally }),
    consolidation: bookingFees<StoreTx>(createConsolidationOwner()),
  }
  const shared = { store, clock, entropy, network, owners, tally }
  const order = options?.order === undefined ? {} : { order: options.order }
  const depth = settleDepth === undefined ? {} : { settleDepth }
  const quotes = quotesOf(parts)
  const spending = createSpending<StoreTx>({
    ...shared,
    ...depth,
    source,
    mempool,
    quotes,
    ...order,
    ...(options?.bumpEveryMs === undefined ? {} : { bumpEveryMs: options.bumpEveryMs }),
  })
  const broadcast = createBroadcast<StoreTx>({ ...shared, broadcaster })
  const signing = createSigning({
    ...shared,
    logger,
    metrics,
    signersOf: options?.signersOf ?? (() => []),
    ...(options?.receiptKey ? { receiptKey: options.receiptKey } : {}),
  })
  const deps = { ...shared, policy, rules, rhythm, spendPolicy, spends: spending }
  const consolidation = createConsolidation({
    ...shared,
    source,
    quotes,
    ...order,
    settings: { ...DEFAULT_CONSOLIDATION, ...options?.consolidation },
    spends: spending,
  })
  const { signDue, ...psbts } = signing
  const steps: PayoutSteps = {
    plan: async () =>
      (await planDue({ ...deps, source, quotes, ...order, ...mergingOf(options) })).planned.length,
    sign: async () => (await signDue()).signed,
    send: async () => {
      const { accepted } = await broadcast.sendDue()
      // What a signer sent by itself has an id that only it knew.
      return accepted + (await spending.recognise())
    },
    bump: async () => (await spending.bumpDue()).bumped.length,
    consolidate: consolidation.due,
  }
  return {
    followed: (intake: ChainConsumer<StoreTx>) =>
      lockedFirst(followedBy(intake, createFollow<StoreTx>({ owners, tally, ...depth }))),
    verbs: {
      withdrawals: createWithdrawals(deps),
      /** Transactions to sign. */
      psbts,
      spends: spendVerbs(spending, broadcast, rules),
      coins: { ...createCoins({ store, clock, policy: spendPolicy }), ...holdsIn(store) },
      /** Several coins become one. */
      consolidation: consolidation.verbs,
      policies: policy.createPolicies({ store, clock, network }),
      analytics: { days: (filter: DayFilter) => store.read((tx) => withdrawalDays(tx, filter)) },
      /** The turns of paying out, for `runPayouts`. */
      payouts: steps,
    },
  }
}
