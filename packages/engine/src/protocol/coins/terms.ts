import { type Sat, sumSat } from '../../kernel/index.ts'
import { DEFAULT_DUST_RATE, dustThreshold } from '../amounts/index.ts'
import { inputFee, type Measure } from './pool.ts'
import { DEFAULT_MAX_WEIGHT, type SelectionRequest } from './selection.ts'
import { outputWeight, weightOfSums } from './weight.ts'

/**
 * A million sat/vB: above it a rate is a mistake of units whatever the ceilings say, and below it every product of a rate
 * and a weight is an exact integer in a double.
 */
export const MAX_RATE = 1_000_000_000n

/** Sums over chosen coins. Exact integers: see `PoolView`. */
export interface CoinSums {
  readonly amount: number
  readonly weight: number
  readonly inputs: number
  readonly witnesses: number
}

/** What a set of coins comes to. Satoshi. */
export interface Outcome {
  readonly fee: number
  /** Undefined without a change output. */
  readonly change: number | undefined
  readonly weight: number
  /** What the payments get less than asked; 0 where the wallet pays the fee. */
  readonly borne: number
  readonly waste: number
}
/** Why a set of coins will not do. */
export type Fault =
  | { readonly fault: 'short' }
  | { readonly fault: 'too_heavy'; readonly weight: number }
  | { readonly fault: 'ceiling'; readonly fee: number; readonly ceiling: number }
  | { readonly fault: 'dust'; readonly borne: number }

/** The numbers of one request, and the exact outcome of any set of coins under it. */
export class Terms {
  readonly rate: number
  readonly longTermRate: number
  readonly maxWeight: number
  readonly measure: Measure
  /** Sum of the payments. */
  readonly paid: number
  /** Most that a changeless set may leave to the fee: what change would cost now and when it is spent. */
  readonly costOfChange: number
  /** Least change worth having: not dust, and more than spending it will cost. */
  readonly viableChange: number
  /** Change that a set with change should have. */
  readonly wantedChange: number
  readonly #outputs: number
  readonly #outputWeights: number
  readonly #changeWeight: number
  readonly #spendCost: number
  readonly #baseFee: number
  readonly #floor: { readonly fee: number; readonly rate: number }
  readonly #maxFee: number
  readonly #maxRate: number
  /** Most that the payments can bear together before one of them is dust. */
  readonly #bearable: number

  constructor(request: SelectionRequest, dust: readonly Sat[]) {
    const { payments, change } = request
    this.#floor = {
      fee: Number(request.minFee?.fee ?? 0n),
      rate: Number(request.minFee?.rate ?? 0n),
    }
    this.rate = Number(searchRate(request))
    this.longTermRate = Math.min(Number(request.longTermRate), Number(MAX_RATE))
    this.maxWeight = request.maxWeight ?? DEFAULT_MAX_WEIGHT
    // Without payments there is nobody but the wallet to bear a fee.
    const isOurs = request.feeFrom === 'change' || payments.length === 0
    this.measure = isOurs ? 'effective_value' : 'amount'
    this.paid = Number(sumSat(payments.map(({ amount }) => amount)))
    this.#outputs = payments.length
    this.#outputWeights = payments.reduce((sum, { script }) => sum + outputWeight(script), 0)
    this.#changeWeight = change.outputWeight
    this.#spendCost = inputFee(this.longTermRate, change.spendWeight)
    this.costOfChange = inputFee(this.rate, change.outputWeight) + this.#spendCost
    this.viableChange = Math.max(Number(change.dust), this.#spendCost + 1)
    this.wantedChange = Math.max(this.viableChange, Number(request.minChange ?? 0n))
    this.#maxFee = request.maxFee === undefined ? Number.POSITIVE_INFINITY : Number(request.maxFee)
    this.#maxRate = Number(request.maxRate ?? MAX_RATE)
    const margins = payments.map(({ amount }, i) => Number(amount - (dust[i] ?? 0n)))
    this.#bearable = payments.length === 0 ? 0 : Math.min(...margins) * payments.length
    this.#baseFee = this.feeOf(this.weightWith(NOTHING, false))
  }

  /** Weight of the whole transaction. */
  weightWith(sums: CoinSums, hasChange: boolean): number {
    return weightOfSums({
      inputs: sums.inputs,
      witnesses: sums.witnesses,
      inputWeights: sums.weight,
      outputs: this.#outputs + (hasChange ? 1 : 0),
      outputWeights: this.#outputWeights + (hasChange ? this.#changeWeight : 0),
    })
  }

  /** The least fee for a transaction of this weight, as `feeFor` of the kernel, and not below the floor. */
  feeOf(size: number): number {
    const vbytes = Math.ceil(size / 4)
    return Math.max(
      Math.ceil((this.rate * vbytes) / 1000),
      this.#floor.fee + Math.ceil((this.#floor.rate * vbytes) / 1000),
    )
  }

  /** How much the floor asks above the rate, at most: for the lightest transaction, as its rate is not above ours. */
  get floorAboveRate(): number {
    return (
      this.#baseFee - Math.ceil((this.rate * Math.ceil(this.weightWith(NOTHING, false) / 4)) / 1000)
    )
  }

  /** What is left over without change; below 0 when payments and fee are not reached. */
  surplusOf(sums: CoinSums): number {
    const left = sums.amount - this.paid
    return this.measure === 'amount' ? left : left - this.feeOf(this.weightWith(sums, false))
  }

  /** What change there could be. */
  changeOf(sums: CoinSums): number {
    const left = sums.amount - this.paid
    return this.measure === 'amount' ? left : left - this.feeOf(this.weightWith(sums, true))
  }

  /** A set that pays without change and gives no more to the fee than change would cost. */
  changeless(sums: CoinSums): Outcome | undefined {
    const surplus = this.surplusOf(sums)
    if (surplus < 0 || surplus > this.costOfChange) return undefined
    const outcome = this.#withoutChange(sums)
    return 'fault' in outcome ? undefined : outcome
  }

  /** A set with the change that was asked for. */
  withWantedChange(sums: CoinSums): Outcome | undefined {
    if (this.changeOf(sums) < this.wantedChange) return undefined
    const outcome = this.#withChange(sums)
    return 'fault' in outcome ? undefined : outcome
  }

  /** What a set comes to: with change where that is worth having, else with a surplus, which is then small. */
  judge(sums: CoinSums): Outcome | Fault {
    if (this.changeOf(sums) >= this.viableChange) return this.#withChange(sums)
    return this.#withoutChange(sums)
  }

  #withChange(sums: CoinSums): Outcome | Fault {
    const size = this.weightWith(sums, true)
    const fee = this.feeOf(size)
    const change = this.changeOf(sums)
    const borne = this.measure === 'amount' ? fee : 0
    const waste = this.#inputWaste(sums, fee) + this.#spendCost
    return this.#faultOf(size, fee, borne) ?? { fee, change, weight: size, borne, waste }
  }

  #withoutChange(sums: CoinSums): Outcome | Fault {
    const surplus = this.surplusOf(sums)
    if (surplus < 0 || this.#outputs === 0 || sums.inputs === 0) return { fault: 'short' }
    const size = this.weightWith(sums, false)
    const least = this.feeOf(size)
    const fee = Math.max(least, sums.amount - this.paid)
    const borne = fee - (sums.amount - this.paid)
    const waste = this.#inputWaste(sums, least) + surplus
    return this.#faultOf(size, fee, borne) ?? { fee, change: undefined, weight: size, borne, waste }
  }

  #inputWaste = (sums: CoinSums, fee: number): number =>
    fee - this.#baseFee - inputFee(this.longTermRate, sums.weight)

  #faultOf(size: number, fee: number, borne: number): Fault | undefined {
    if (size > this.maxWeight) return { fault: 'too_heavy', weight: size }
    const byRate = Math.ceil((this.#maxRate * Math.ceil(size / 4)) / 1000)
    const ceiling = Math.min(this.#maxFee, byRate)
    if (fee > ceiling) return { fault: 'ceiling', fee, ceiling }
    return borne > this.#bearable ? { fault: 'dust', borne } : undefined
  }
}

export const NOTHING: CoinSums = { amount: 0, weight: 0, inputs: 0, witnesses: 0 }

/** The rate that inputs are paid by: a floor that asks more for each byte counts. */
export const searchRate = ({ rate, minFee }: SelectionRequest): bigint =>
  minFee !== undefined && minFee.rate > rate ? minFee.rate : rate

/** The least amount of each payment, in satoshi. */
export const dustOf = ({ payments, dustRate }: SelectionRequest): Sat[] =>
  payments.map(({ script }) => dustThreshold(script, dustRate ?? DEFAULT_DUST_RATE))
