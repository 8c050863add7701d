import {
  type Entropy,
  type Refusal,
  type Sat,
  type SatPerKvB,
  satPerKvB,
  type Weight,
  weight,
} from '../../kernel/index.ts'
import { DEFAULT_DUST_RATE, dustThreshold } from '../amounts/index.ts'
import type { Descriptor } from '../descriptor/index.ts'
import type { CandidateCoin } from './coin.ts'
import type { CoinPool } from './pool.ts'
import { inputShape, outputWeight, type SignatureSize, sampleScript } from './weight.ts'

/** One output that has to be there. */
export interface PlannedPayment {
  readonly script: Uint8Array
  readonly amount: Sat
}

/** What change would cost: once in this transaction, and once more when it is spent. */
export interface ChangeShape {
  readonly outputWeight: Weight
  readonly spendWeight: Weight
  /** The least amount that nodes relay in such an output. */
  readonly dust: Sat
}

/** The change shape of a wallet with this descriptor. @throws AssertionError as `inputShape`. */
export function changeShape(
  descriptor: Descriptor,
  options: { readonly dustRate?: SatPerKvB; readonly signatures?: SignatureSize } = {},
): ChangeShape {
  const script = sampleScript(descriptor)
  return {
    outputWeight: outputWeight(script),
    spendWeight: inputShape(descriptor, options.signatures).weight,
    dust: dustThreshold(script, options.dustRate ?? DEFAULT_DUST_RATE),
  }
}

/** What a default node relays at least: 1 sat/vB (-minrelaytxfee). */
export const DEFAULT_RELAY_RATE: SatPerKvB = satPerKvB(1000n)
/** Standard transactions have at most 400,000 weight units (Bitcoin Core); what is kept back lets a bump add inputs. */
export const DEFAULT_MAX_WEIGHT: Weight = weight(400_000 - 8_000)

export interface SelectionRequest {
  /** What may be spent, one list for one call, or a pool prepared for many. */
  readonly coins: readonly CandidateCoin[] | CoinPool
  /** Coins that have to be in: all earlier inputs of a bump. Where they suffice, none is added. */
  readonly required?: readonly CandidateCoin[]
  /** Without payments everything goes into change, which then has to be there. */
  readonly payments: readonly PlannedPayment[]
  readonly change: ChangeShape
  readonly rate: SatPerKvB
  /** What spending a coin costs on an ordinary day: the measure of waste, and of what spending change will cost. */
  readonly longTermRate: SatPerKvB
  /** Ceiling of the whole fee, surplus included. */
  readonly maxFee?: Sat
  /** Ceiling of fee by size. */
  readonly maxRate?: SatPerKvB
  /** The fee is at least `fee` and `rate` for the whole size on top: a replacement pays the old fees and the
   * incremental rate (Bitcoin Core's rules 3 and 4), a child what its parent is short of and its own rate. */
  readonly minFee?: { readonly fee: Sat; readonly rate: SatPerKvB }
  /** Least rate that is relayed; `DEFAULT_RELAY_RATE` without it. */
  readonly minRate?: SatPerKvB
  /** `DEFAULT_MAX_WEIGHT` without it. */
  readonly maxWeight?: Weight
  /** Decides which payments are dust; `DEFAULT_DUST_RATE` without it. */
  readonly dustRate?: SatPerKvB
  /** The change to aim for; less is made only where the coins do not reach it, and never dust. */
  readonly minChange?: Sat
  readonly entropy: Entropy
  /** Who pays the fee: the wallet, or each payment an equal part. */
  readonly feeFrom: 'change' | 'payments'
  /** Spends all coins of a group or none. Ignored for a prepared pool, which was told before. */
  readonly avoidPartialSpends?: boolean
}

export type SelectionAlgorithm =
  | 'required_only'
  | 'bnb'
  | 'coin_grinder'
  | 'single_random_draw'
  | 'largest_first'

/** Inputs are payments, change and fee, to the satoshi. */
export interface Selection {
  /** The required ones first. */
  readonly coins: readonly CandidateCoin[]
  /** What each payment gets, in the order of the request: less than asked where payments bear the fee. */
  readonly payments: readonly Sat[]
  /** All that outputs do not take, surplus of a changeless selection included. */
  readonly fee: Sat
  readonly change?: Sat
  /** Of the signed transaction, when signatures are as long as planned for. */
  readonly weight: Weight
  /** The fee by size, rounded down; never below the rate that was asked for. */
  readonly rate: SatPerKvB
  /** Bitcoin Core's measure in satoshi: what inputs cost above the long term rate, and change or surplus. */
  readonly waste: bigint
  readonly algorithm: SelectionAlgorithm
}

export type SelectionCode =
  | 'FUNDS_INSUFFICIENT'
  | 'FEE_CEILING_EXCEEDED'
  | 'FEE_BELOW_MINIMUM'
  | 'TRANSACTION_TOO_HEAVY'
  | 'AMOUNT_IS_DUST'
export type SelectionRefusal = Refusal<SelectionCode>
