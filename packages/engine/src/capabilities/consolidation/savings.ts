import {
  feeFor,
  type Sat,
  type SatPerKvB,
  satPerKvB,
  type Weight,
  weight,
} from '../../kernel/index.ts'

/** What a transaction that makes one coin of several is worth. */
export interface SavingsInput {
  readonly inputs: number
  /** Of one input, its witness included. */
  readonly inputWeight: Weight
  /** Of the whole transaction, and what it pays. */
  readonly weight: Weight
  readonly fee: Sat
  /** What spending costs on an ordinary day, satoshi per 1000 vbytes. */
  readonly longTermRate: SatPerKvB
}
export interface Savings {
  /** Spending these coins on an ordinary day, without it. */
  readonly feeLater: Sat
  /** Spending the one coin that it makes, then. */
  readonly feeAfter: Sat
  /** `feeLater` less `feeAfter` less the fee now. */
  readonly saving: bigint
  /** The highest rate for the same transaction at which `saving` is not below zero; 0 when there is none. */
  readonly breakEvenRate: SatPerKvB
}

/** Whole satoshi, rounded as fees are. Pure. */
export function savingsOf(input: SavingsInput): Savings {
  const { inputs, inputWeight, longTermRate, fee } = input
  const feeLater = feeFor(longTermRate, weight(inputs * inputWeight))
  const feeAfter = feeFor(longTermRate, inputWeight)
  const gain = feeLater - feeAfter
  const vbytes = BigInt(Math.ceil(input.weight / 4))
  return {
    feeLater,
    feeAfter,
    saving: gain - fee,
    breakEvenRate: satPerKvB(gain > 0n ? (gain * 1000n) / vbytes : 0n),
  }
}
