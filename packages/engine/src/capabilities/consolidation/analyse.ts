import {
  type Entropy,
  feeFor,
  type Network,
  ok,
  paymentId,
  type Refusal,
  type Result,
  refuse,
  type Sat,
  type SatPerKvB,
  sat,
  sumSat,
  type Transactor,
  toHex,
  type WalletId,
} from '../../kernel/index.ts'
import { inputShape, transactionWeight } from '../../protocol/coins/index.ts'
import type { Descriptor } from '../../protocol/descriptor/index.ts'
import { type Coin, candidatesOf, DEFAULT_SPEND_POLICY } from '../coins/index.ts'
import {
  type Draft,
  type DraftRefusal,
  descriptorOf,
  draftSpend,
  type FeeQuote,
  type FeeQuoteRefusal,
  type FeeQuotes,
  tipOf,
} from '../spending/index.ts'
import {
  type CoinGroup,
  chooseGroup,
  groupsOf,
  type KnownCoin,
  notAbove,
  spareCoins,
  worthSpending,
} from './grouping.ts'
import { isUnderWay } from './machine.ts'
import type { ConsolidationRecord, GroupKind } from './ports.ts'
import { type Savings, savingsOf } from './savings.ts'
import type { ConsolidationSettings } from './settings.ts'
import type { ConsolidationTx } from './transaction.ts'

/** What a caller may ask for within the settings of the engine. */
export interface ConsolidationWish {
  /** Satoshi per 1000 vbytes; default: what low priority costs now. */
  readonly rate?: SatPerKvB
  /** At most so many inputs. */
  readonly maxInputs?: number
}
export interface AnalyseDeps {
  readonly store: Transactor<ConsolidationTx>
  readonly entropy: Entropy
  readonly network: Network
  readonly quotes: FeeQuotes
  readonly settings: ConsolidationSettings
  /** Order of the inputs. Default `random`. */
  readonly order?: 'bip69' | 'random'
}

/** What a run would do, and what it is worth. Nothing is promised or written yet. */
export interface Analysis extends Savings {
  readonly wallet: WalletId
  readonly group: GroupKind
  readonly scripts: number
  /** Free coins of the wallet, and how many of them payouts and the settings leave over. */
  readonly coins: number
  readonly spare: number
  readonly amount: Sat
  /** The one coin that it makes. */
  readonly output: Sat
  readonly quote: FeeQuote
  readonly draft: Draft
  readonly descriptor: Descriptor
}
export type AnalyseRefusal =
  | Refusal<
      | 'WALLET_NOT_FOUND'
      | 'CONSOLIDATION_WITHDRAWALS_WAIT'
      | 'CONSOLIDATION_UNDER_WAY'
      | 'CONSOLIDATION_RATE_TOO_HIGH'
      | 'CONSOLIDATION_NOT_NEEDED'
    >
  | FeeQuoteRefusal
  | DraftRefusal

/** Whom coins belong to is looked up for so many at most, the smallest ones. */
const MOST_LOOKED_UP = 5_000

/** The scene of one moment. */
interface Scene {
  readonly descriptor: Descriptor
  readonly tipHeight: number
  readonly free: readonly Coin[]
  readonly spare: readonly Coin[]
  readonly groups: readonly CoinGroup[]
}

/**
 * Looks which coins of a wallet could be put together now and what that would cost and save. Writes nothing.
 * @throws nothing of the node: one that does not answer counts as a source that knows no rate
 */
export async function analyse(
  deps: AnalyseDeps,
  wallet: WalletId,
  wish: ConsolidationWish = {},
): Promise<Result<Analysis, AnalyseRefusal>> {
  const { rate } = wish
  const barred = await deps.store.read((tx) => barredBy(tx, wallet))
  if (barred) return barred
  const quote = await deps.quotes(
    rate === undefined ? { kind: 'priority', priority: 'low' } : { kind: 'rate', rate },
  )
  if (!quote.ok) return quote
  const maxRate = ceilingOf(deps.settings, quote.value)
  if (quote.value.rate > maxRate) return refuseRate(quote.value, maxRate)
  const scene = await deps.store.read((tx) => sceneOf(deps, tx, wallet, quote.value))
  return draftOf(deps, wallet, scene, quote.value, wish)
}

/** Never above it, whoever asks. */
export const ceilingOf = ({ maxRate }: ConsolidationSettings, quote: FeeQuote): SatPerKvB =>
  maxRate ?? quote.longTermRate

/** Why nothing may be put together in this wallet now; asked again under its lock. */
export async function barredBy(
  tx: ConsolidationTx,
  wallet: WalletId,
): Promise<{ readonly ok: false; readonly error: AnalyseRefusal } | undefined> {
  if (!(await tx.wallet.wallet(wallet)))
    return refuse('WALLET_NOT_FOUND', 'no wallet has this id', {
      param: 'wallet',
      details: { wallet },
    })
  const { queued } = await tx.coins.funds(wallet)
  if (queued > 0n)
    return refuse(
      'CONSOLIDATION_WITHDRAWALS_WAIT',
      `requests to pay wait for ${queued} sat of this wallet`,
      { details: { wallet, queued_sat: Number(queued) } },
    )
  const run = await underWay(tx, wallet)
  if (run)
    return refuse('CONSOLIDATION_UNDER_WAY', `run ${run.id} of this wallet is ${run.status}`, {
      details: { wallet, consolidation: run.id, status: run.status },
    })
  return undefined
}

async function underWay(
  { consolidations }: ConsolidationTx,
  wallet: WalletId,
): Promise<ConsolidationRecord | undefined> {
  for (const status of ['planned', 'consolidating'] as const) {
    const [run] = await consolidations.list({ wallet, status, limit: 1 })
    if (run && isUnderWay(run.status)) return run
  }
  return undefined
}

async function sceneOf(
  { network, settings }: AnalyseDeps,
  tx: ConsolidationTx,
  wallet: WalletId,
  { rate }: FeeQuote,
): Promise<Scene> {
  const descriptor = await descriptorOf(tx, network, wallet)
  const { height: tipHeight } = await tipOf(tx)
  // Coins that are not buried yet are no bargain: a run that stands on them falls with them.
  const free = await candidatesOf(tx, wallet, { ...DEFAULT_SPEND_POLICY, ownChange: false })
  const beyond = spareCoins(free, settings.reserve)
  const { weight } = inputShape(descriptor)
  const spare = notAbove(worthSpending(beyond, rate, weight), settings.largest)
  const known = await knownCoins(tx, spare.slice(0, MOST_LOOKED_UP))
  return { descriptor, tipHeight, free, spare, groups: groupsOf(known, settings) }
}

async function knownCoins(
  { deposits }: ConsolidationTx,
  coins: readonly Coin[],
): Promise<readonly KnownCoin[]> {
  const payments = await deposits.payments(coins.map(({ point }) => paymentId(point)))
  const change = new Set(payments.flatMap(({ id, purpose }) => (purpose === 'change' ? [id] : [])))
  const orders = await deposits.ordersByScripts(coins.map(({ script }) => script))
  const byScript = new Map(orders.map((order) => [toHex(order.script), order]))
  return coins.map((coin) => {
    const order = byScript.get(toHex(coin.script))
    return {
      coin,
      isChange: change.has(paymentId(coin.point)),
      ...(order ? { order: order.customer === undefined ? {} : { customer: order.customer } } : {}),
    }
  })
}

function draftOf(
  deps: AnalyseDeps,
  wallet: WalletId,
  scene: Scene,
  quote: FeeQuote,
  wish: ConsolidationWish,
): Result<Analysis, AnalyseRefusal> {
  const { settings, entropy, order = 'random' } = deps
  const { descriptor, tipHeight, free, spare, groups } = scene
  const most = Math.min(
    settings.maxInputs,
    wish.maxInputs ?? settings.maxInputs,
    fitting(deps, descriptor),
  )
  const { minInputs } = settings
  const group = chooseGroup(groups, { minInputs, most })
  if (!group) return refuseNeed(wallet, scene, minInputs)
  const maxRate = ceilingOf(settings, quote)
  const { rate, longTermRate, minRate } = quote
  const drafted = draftSpend({
    wallet,
    descriptor,
    purpose: 'consolidation',
    coins: [],
    required: group.coins,
    payments: [],
    feeFrom: 'change',
    fee: {
      rate,
      longTermRate,
      ...(minRate === undefined ? {} : { minRate }),
      maxFee: feeFor(maxRate, settings.maxWeight),
      maxRate,
    },
    maxWeight: settings.maxWeight,
    tipHeight,
    order,
    entropy,
  })
  if (!drafted.ok) return drafted
  const draft = drafted.value
  const savings = savingsOf({
    inputs: draft.coins.length,
    inputWeight: inputShape(descriptor).weight,
    weight: draft.weight,
    fee: draft.fee,
    longTermRate,
  })
  return ok({
    ...savings,
    wallet,
    group: group.kind,
    scripts: new Set(draft.coins.map(({ script }) => toHex(script))).size,
    coins: free.length,
    spare: spare.length,
    amount: sumSat(draft.coins.map(({ amount }) => amount)),
    output: draft.change ?? sat(0n),
    quote,
    draft,
    descriptor,
  })
}

/** How many inputs fit beside one output of ours. */
function fitting({ settings }: AnalyseDeps, descriptor: Descriptor): number {
  const shape = inputShape(descriptor)
  // Counts of up to five bytes, an output of up to 43, and a byte for an input without witness beside others.
  const bare = transactionWeight({ inputs: [], outputs: [] }) + 4 * (43 + 8) + 2
  return Math.max(0, Math.floor((settings.maxWeight - bare) / (shape.weight + 1)))
}

const refuseRate = ({ rate, source }: FeeQuote, maxRate: SatPerKvB) =>
  refuse(
    'CONSOLIDATION_RATE_TOO_HIGH',
    `a transaction has to pay ${rate} sat/kvB now, and putting coins together may pay ${maxRate}`,
    { details: { rate_sat_kvb: Number(rate), max_rate_sat_kvb: Number(maxRate), source } },
  )
const refuseNeed = (wallet: WalletId, { free, spare, groups }: Scene, minInputs: number) =>
  refuse(
    'CONSOLIDATION_NOT_NEEDED',
    `no ${minInputs} coins of this wallet may be put together: it has ${free.length} free ones`,
    {
      details: {
        wallet,
        coins: free.length,
        spare: spare.length,
        largest_group: Math.max(0, ...groups.map(({ coins }) => coins.length)),
        min_inputs: minInputs,
      },
    },
  )
