import type { PoolView } from './pool.ts'
import { type CoinSums, NOTHING, type Terms } from './terms.ts'

/**
 * Bounds for a search over sums of values. Values are rounded and weights of counts grow in steps, so the bounds are a few
 * satoshi wide of the truth: they never cut off a set that counts, and what they let through is judged exactly.
 */
export interface Bounds {
  /** No set below it reaches its goal. */
  readonly least: number
  /** A set whose value is this much above `least` or more is certainly that far above its goal, less the slack. */
  readonly slack: number
  /** How much the value of an entry may be too small through rounding. */
  readonly rounding: 0 | 1
  /** How many entries fit into the weight. */
  readonly mostEntries: number
}

/** Bounds of sets that, beside `base`, must bring `extra` satoshi above payments and fee, with or without change. */
export function boundsOf(
  view: PoolView,
  terms: Terms,
  base: CoinSums,
  goal: { readonly hasChange: boolean; readonly extra: number },
): Bounds {
  const { rate, maxWeight, paid, measure } = terms
  const start = terms.weightWith(base, goal.hasChange)
  const room = Math.max(0, maxWeight - start)
  const lightest = Math.max(1, view.lightest[0] as number)
  const mostEntries = Math.min(view.length, Math.floor(room / lightest))
  const due = paid - base.amount + goal.extra
  if (measure === 'amount') return { least: due, slack: 0, rounding: 0, mostEntries }
  // At most: 3 weight units to the whole vbyte, 16 for longer counts, marker and flag, an empty witness for each input.
  const steps = 3 + 16 + 2 + base.inputs + (isMixed(view) ? mostEntries : 0)
  return {
    least: due + Math.floor((rate * start) / 4000),
    slack: Math.ceil((rate * steps) / 4000) + 2 + terms.floorAboveRate,
    rounding: 1,
    mostEntries,
  }
}

const mixed = new WeakMap<PoolView, boolean>()
/** True when an input without witness may stand beside one with. */
function isMixed(view: PoolView): boolean {
  const known = mixed.get(view)
  if (known !== undefined) return known
  const found = view.witnesses.some((count, i) => count < (view.inputs[i] as number))
  mixed.set(view, found)
  return found
}

/** A set that a search found: places in the view, and the waste it was compared by. */
export interface Found {
  readonly places: readonly number[]
  readonly waste: number
}

/** Places of the sums in `Chosen`. */
const VALUE = 0
const AMOUNT = 1
const WEIGHT = 2
const INPUTS = 3
const WITNESSES = 4

/**
 * Entries of a view that are chosen at a point of a depth-first search, with their sums on top of the base. The sums stand in
 * a typed array: as fields of an object each change of a double would cost an allocation.
 */
export class Chosen implements CoinSums {
  depth = 0
  readonly #view: PoolView
  readonly #places: Int32Array
  readonly #sums: Float64Array

  constructor(view: PoolView, base: CoinSums, mostEntries: number) {
    this.#view = view
    this.#places = new Int32Array(mostEntries + 1)
    this.#sums = Float64Array.of(0, base.amount, base.weight, base.inputs, base.witnesses)
  }

  get value(): number {
    return this.#sums[VALUE] as number
  }
  get amount(): number {
    return this.#sums[AMOUNT] as number
  }
  get weight(): number {
    return this.#sums[WEIGHT] as number
  }
  get inputs(): number {
    return this.#sums[INPUTS] as number
  }
  get witnesses(): number {
    return this.#sums[WITNESSES] as number
  }

  push(place: number): void {
    this.#places[this.depth++] = place
    this.#count(place, 1)
  }

  /** Takes the last one out and answers its place. */
  pop(): number {
    const place = this.#places[--this.depth] as number
    this.#count(place, -1)
    return place
  }

  #count(place: number, sign: 1 | -1): void {
    const sums = this.#sums
    const { value, amount, weight, inputs, witnesses } = this.#view
    sums[VALUE] = (sums[VALUE] as number) + sign * (value[place] as number)
    sums[AMOUNT] = (sums[AMOUNT] as number) + sign * (amount[place] as number)
    sums[WEIGHT] = (sums[WEIGHT] as number) + sign * (weight[place] as number)
    sums[INPUTS] = (sums[INPUTS] as number) + sign * (inputs[place] as number)
    sums[WITNESSES] = (sums[WITNESSES] as number) + sign * (witnesses[place] as number)
  }

  places(): number[] {
    return Array.from(this.#places.subarray(0, this.depth))
  }
}

/** The first place from `from` on whose value is at most `limit`. */
export function firstAtMost({ value, length }: PoolView, from: number, limit: number): number {
  // Mostly the next coin fits.
  if (from >= length || (value[from] as number) <= limit) return from
  let low = from + 1
  let high = length
  while (low < high) {
    const middle = (low + high) >> 1
    if ((value[middle] as number) > limit) low = middle + 1
    else high = middle
  }
  return low
}

/** The next place that is not a twin of `place`: a set with a twin was looked at already. */
export function afterTwins(view: PoolView, place: number): number {
  const { value, weight, witnesses, inputs, length } = view
  let next = place + 1
  while (
    next < length &&
    value[next] === value[place] &&
    weight[next] === weight[place] &&
    witnesses[next] === witnesses[place] &&
    inputs[next] === inputs[place]
  ) {
    next++
  }
  return next
}

/** How many entries from `next` on a set needs at least to reach its goal. */
export function fewestMore(view: PoolView, bounds: Bounds, chosen: Chosen, next: number): number {
  const missing = bounds.least - bounds.rounding * chosen.depth - chosen.value
  return Math.max(1, Math.ceil(missing / ((view.value[next] as number) + bounds.rounding)))
}

/** Sums of `base` and the entry at `place`. */
export const plus = (view: PoolView, base: CoinSums, place: number): CoinSums => ({
  amount: base.amount + (view.amount[place] as number),
  weight: base.weight + (view.weight[place] as number),
  inputs: base.inputs + (view.inputs[place] as number),
  witnesses: base.witnesses + (view.witnesses[place] as number),
})

/** Sums of the whole view on top of `base`. */
export function sumsOfAll(view: PoolView, base: CoinSums = NOTHING): CoinSums {
  let sums = base
  for (let place = 0; place < view.length; place++) sums = plus(view, sums, place)
  return sums
}
