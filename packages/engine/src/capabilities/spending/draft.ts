import {
  assert,
  type Entropy,
  type OutPoint,
  ok,
  outPointKey,
  type Result,
  type Sat,
  type SatPerKvB,
  type SpendId,
  sat,
  type WalletId,
  type Weight,
  type WithdrawalId,
} from '../../kernel/index.ts'
import {
  changeShape,
  inputShape,
  type PlannedPayment,
  type SelectionRefusal,
  selectCoins,
} from '../../protocol/coins/index.ts'
import type { Descriptor } from '../../protocol/descriptor/index.ts'
import type { Coin } from '../coins/index.ts'
import type { SpendPurpose } from './ports.ts'

/** One output to make. */
export interface DraftPayment {
  readonly script: Uint8Array
  readonly amount: Sat
  /** Whom it pays: several where one address is paid once for all of them. */
  readonly withdrawals: readonly WithdrawalId[]
}

/** What the fee should be and what it must not exceed; rates in satoshi per 1000 vbytes. */
export interface FeeWish {
  readonly rate: SatPerKvB
  /** What spending a coin costs on an ordinary day. */
  readonly longTermRate: SatPerKvB
  /** What the node relays at least now. */
  readonly minRate?: SatPerKvB
  readonly maxFee: Sat
  readonly maxRate: SatPerKvB
  /** The fee is at least `fee` and `rate` for the whole size on top (BIP 125 rules 3 and 4, or a parent to pay for). */
  readonly minFee?: { readonly fee: Sat; readonly rate: SatPerKvB }
}

/** What to draft a transaction from. */
export interface DraftRequest {
  readonly wallet: WalletId
  readonly descriptor: Descriptor
  readonly purpose: SpendPurpose
  readonly parent?: SpendId
  /** What may be chosen from. */
  readonly coins: readonly Coin[]
  /** What has to be spent. */
  readonly required?: readonly Coin[]
  readonly payments: readonly DraftPayment[]
  readonly feeFrom: 'change' | 'payments'
  readonly fee: FeeWish
  readonly maxWeight?: Weight
  readonly dustRate?: SatPerKvB
  readonly minChange?: Sat
  readonly avoidPartialSpends?: boolean
  /** Lock time is this height, or one of the hundred before it. */
  readonly tipHeight: number
  readonly order: 'bip69' | 'random'
  readonly entropy: Entropy
}

/** A transaction but for the address of its change: chosen coins, outputs and fee. Pure data; nothing is promised yet. */
export interface Draft {
  readonly wallet: WalletId
  readonly purpose: SpendPurpose
  readonly parent?: SpendId
  /** The coin that every later version spends as well. */
  readonly anchor: OutPoint
  readonly coins: readonly Coin[]
  readonly payments: readonly DraftPayment[]
  /** What each payment bears of the fee, in their order; zero where the wallet pays it. */
  readonly shares: readonly Sat[]
  readonly change?: Sat
  readonly fee: Sat
  readonly rate: SatPerKvB
  readonly weight: Weight
  readonly maxFee: Sat
  readonly maxRate: SatPerKvB
  readonly lockTime: number
  readonly order: 'bip69' | 'random'
  /** Decides a random order; drawn once, so that a transaction that runs again makes the same. */
  readonly shuffle: Uint8Array
}

/** FUNDS_INSUFFICIENT, FEE_CEILING_EXCEEDED, FEE_BELOW_MINIMUM, TRANSACTION_TOO_HEAVY or AMOUNT_IS_DUST, with the figures. */
export type DraftRefusal = SelectionRefusal

/** Bitcoin Core discourages fee sniping with the height of the tip, and for privacy now and then with an older one. */
const OLDER_LOCK_TIMES = 100

/**
 * Chooses coins for payments within the ceilings, and everything else of a transaction but the address of its change. Pure: the
 * same request with the same entropy has the same answer.
 */
export function draftSpend(request: DraftRequest): Result<Draft, DraftRefusal> {
  const { descriptor, required = [], payments, fee, entropy } = request
  const known = new Map<string, Coin>()
  const candidate = candidates(descriptor, known)
  const optional = <K extends string, V>(key: K, value: V | undefined) =>
    (value === undefined ? {} : { [key]: value }) as { [P in K]?: V }
  const dust = optional('dustRate', request.dustRate)
  const selected = selectCoins({
    coins: request.coins.map(candidate),
    required: required.map(candidate),
    payments: payments as readonly PlannedPayment[],
    change: changeShape(descriptor, dust),
    rate: fee.rate,
    longTermRate: fee.longTermRate,
    maxFee: fee.maxFee,
    maxRate: fee.maxRate,
    ...optional('minFee', fee.minFee),
    ...optional('minRate', fee.minRate),
    ...optional('maxWeight', request.maxWeight),
    ...dust,
    ...optional('minChange', request.minChange),
    ...optional('avoidPartialSpends', request.avoidPartialSpends),
    entropy,
    feeFrom: request.feeFrom,
  })
  if (!selected.ok) return selected
  const { value } = selected
  const coins = value.coins.map(({ point }) => {
    const coin = known.get(outPointKey(point))
    assert(coin, 'a chosen coin that nobody offered')
    return coin
  })
  const paid = payments.map((payment, i) => ({
    ...payment,
    amount: value.payments[i] ?? payment.amount,
  }))
  return ok({
    wallet: request.wallet,
    purpose: request.purpose,
    ...optional('parent', request.parent),
    anchor: anchorOf(required.length > 0 ? required : coins),
    coins,
    payments: paid,
    shares: payments.map(({ amount }, i) => sat(amount - (paid[i]?.amount ?? amount))),
    ...optional('change', value.change),
    fee: value.fee,
    rate: value.rate,
    weight: value.weight,
    maxFee: fee.maxFee,
    maxRate: fee.maxRate,
    lockTime: lockTimeAt(request.tipHeight, entropy),
    order: request.order,
    shuffle: entropy.bytes(SHUFFLE * (coins.length + payments.length + 1)),
  })
}

/** Bytes of chance for each input and output: two alike would be ordered by what they are. */
export const SHUFFLE = 8

function candidates(descriptor: Descriptor, known: Map<string, Coin>) {
  const shape = inputShape(descriptor)
  return (coin: Coin) => {
    known.set(outPointKey(coin.point), coin)
    return { ...shape, point: coin.point, amount: coin.amount, group: coin.address }
  }
}

/**
 * The coin that all versions will have in common: the deepest one, because an anchor that can itself vanish ties nothing
 * together; of equals the largest.
 */
export function anchorOf(coins: readonly Coin[]): OutPoint {
  const [first, ...rest] = coins
  assert(first, 'a transaction without coins')
  const depth = ({ height }: Coin) => height ?? Number.MAX_SAFE_INTEGER
  let best = first
  for (const coin of rest) {
    const deeper = depth(coin) - depth(best)
    if (deeper < 0 || (deeper === 0 && coin.amount > best.amount)) best = coin
  }
  return best.point
}

/** Source: Bitcoin Core, DiscourageFeeSniping. */
function lockTimeAt(tipHeight: number, entropy: Entropy): number {
  const [chance = 0, back = 0] = entropy.bytes(2)
  return chance % 10 === 0 ? Math.max(0, tipHeight - (back % OLDER_LOCK_TIMES)) : tipHeight
}
