import type {
  Entropy,
  OutPoint,
  Refusal,
  Sat,
  SatPerKvB,
  SpendId,
  Weight,
  WalletId,
  WithdrawalId,
} from '../../kernel/index.ts'
import type { Coin } from '../coins/index.ts'
import type { Descriptor } from '../../protocol/descriptor/index.ts'
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
export type DraftRefusal = Refusal
