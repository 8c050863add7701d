import {
  AssertionError,
  assert,
  MAX_SAT,
  type Sat,
  type SatPerKvB,
  sat,
} from '../../kernel/index.ts'
import type { CandidateCoin } from './coin.ts'

/** Bitcoin Core's limit (OUTPUT_GROUP_MAX_ENTRIES): an address that was paid without end must not make one huge input set. */
const MAX_GROUP = 100
/** Heavier than any transaction; keeps products of rate and weight exact. */
const MAX_ENTRY_WEIGHT = 4_000_000
/** Views are cheap to make and large to keep. */
const KEPT_VIEWS = 3

/** What is spent together: one coin, or the coins of a group. */
type Entry = readonly CandidateCoin[]

/**
 * Entries worth spending at one rate, most valuable first, as columns. Amounts stay below 2^53 (21 million BTC are 2^51),
 * so that the numbers are exact integers; a search over 100,000 objects with bigints would take a hundred times as long.
 */
export interface PoolView {
  readonly length: number
  /** What an entry brings to the sum that is searched for. */
  readonly value: Float64Array
  readonly amount: Float64Array
  readonly weight: Float64Array
  readonly inputs: Float64Array
  readonly witnesses: Float64Array
  /** Sum of `value` from this entry on; one longer than the others. */
  readonly rest: Float64Array
  /** Least weight of an entry from this one on; one longer than the others. */
  readonly lightest: Float64Array
  /** Amount of what is not worth spending at this rate. */
  readonly uneconomical: number
  coinsAt(index: number): readonly CandidateCoin[]
}

/** What the worth of a coin is measured by: its amount less its own fee, or the amount where payments bear the fee. */
export type Measure = 'effective_value' | 'amount'

/** The columns of all entries in one order. */
interface Columns {
  readonly entries: readonly Entry[]
  readonly amount: Float64Array
  readonly weight: Float64Array
  readonly inputs: Float64Array
  readonly witnesses: Float64Array
}

/** The fee of an input alone, rounded up. `rate` in satoshi per 1000 vbytes. */
export const inputFee = (rate: number, inputWeight: number): number =>
  Math.ceil((rate * inputWeight) / 4000)

/** Coins prepared for many selections: grouped and sorted once. Immutable. */
export class CoinPool {
  /** How many coins. */
  readonly size: number
  readonly total: Sat
  readonly #columns: Columns
  readonly #views = new Map<string, PoolView>()

  constructor(entries: readonly Entry[]) {
    this.#columns = columnsOf(entries)
    const { amount, inputs } = this.#columns
    let total = 0
    for (const one of amount) {
      total += one
      assert(total <= Number(MAX_SAT), 'the coins of a pool are more than all bitcoins')
    }
    this.total = sat(BigInt(total))
    this.size = inputs.reduce((sum, count) => sum + count, 0)
  }

  /** The entries worth spending at `rate`. Made once for a rate. */
  view(rate: SatPerKvB, measure: Measure): PoolView {
    const key = `${rate} ${measure}`
    const known = this.#views.get(key)
    if (known) return known
    const made = viewOf(this.#columns, Number(rate), measure)
    const [oldest] = this.#views.keys()
    if (this.#views.size >= KEPT_VIEWS && oldest !== undefined) this.#views.delete(oldest)
    this.#views.set(key, made)
    return made
  }

  /** The same pool without these coins; the rest of a group stays together. */
  without(isTaken: (coin: CandidateCoin) => boolean): CoinPool {
    const { entries } = this.#columns
    if (!entries.some((coins) => coins.some(isTaken))) return this
    const left = entries.map((coins) => coins.filter((coin) => !isTaken(coin)))
    return new CoinPool(left.filter((coins) => coins.length > 0))
  }
}

/** Largest amount first: with one kind of input that is the order of effective values at every rate. */
function columnsOf(unsorted: readonly Entry[]): Columns {
  const count = unsorted.length
  const sums = new Float64Array(count)
  for (let i = 0; i < count; i++) {
    for (const coin of unsorted[i] as Entry) sums[i] = (sums[i] as number) + Number(coin.amount)
  }
  const order = descending(sums)
  const entries: Entry[] = []
  const amount = new Float64Array(count)
  const weight = new Float64Array(count)
  const inputs = new Float64Array(count)
  const witnesses = new Float64Array(count)
  for (let i = 0; i < count; i++) {
    const from = order[i] as number
    const coins = unsorted[from] as Entry
    entries.push(coins)
    amount[i] = sums[from] as number
    inputs[i] = coins.length
    for (const coin of coins) {
      weight[i] = (weight[i] as number) + coin.weight
      if (coin.hasWitness) witnesses[i] = (witnesses[i] as number) + 1
    }
    if ((weight[i] as number) > MAX_ENTRY_WEIGHT) {
      throw new AssertionError(`an input of ${weight[i]} weight units`)
    }
  }
  return { entries, amount, weight, inputs, witnesses }
}

/**
 * The places of `keys`, largest first, of equals the first one first. The engine sorts bare numbers several times as fast as it
 * sorts by a function, so the numbers are sorted and each place is then looked up.
 */
function descending(keys: Float64Array): Uint32Array {
  const sorted = keys.map((key) => -key).sort()
  const order = new Uint32Array(keys.length)
  const taken = new Uint32Array(keys.length)
  for (let place = 0; place < keys.length; place++) {
    const key = -(keys[place] as number)
    let low = 0
    let high = keys.length
    while (low < high) {
      const middle = (low + high) >> 1
      if ((sorted[middle] as number) < key) low = middle + 1
      else high = middle
    }
    order[low + (taken[low] as number)] = place
    taken[low] = (taken[low] as number) + 1
  }
  return order
}

function viewOf(columns: Columns, rate: number, measure: Measure): PoolView {
  const { entries, amount, weight } = columns
  const effective = new Float64Array(entries.length)
  for (let i = 0; i < entries.length; i++) {
    effective[i] = (amount[i] as number) - inputFee(rate, weight[i] as number)
  }
  const value = measure === 'amount' ? amount : effective
  let uneconomical = 0
  let kept = 0
  const order = new Uint32Array(entries.length)
  let isSorted = true
  for (let i = 0; i < entries.length; i++) {
    if ((effective[i] as number) <= 0) {
      uneconomical += amount[i] as number
      continue
    }
    const last = order[kept - 1]
    if (last !== undefined && comparePlaces(value, weight, last, i) > 0) isSorted = false
    order[kept++] = i
  }
  const places = order.subarray(0, kept)
  if (!isSorted) places.sort((a, b) => comparePlaces(value, weight, a, b))
  const column = (from: Float64Array) => {
    // TypedArray.from is ten times as slow.
    const to = new Float64Array(kept)
    for (let i = 0; i < kept; i++) to[i] = from[places[i] as number] as number
    return to
  }
  const values = column(value)
  const weights = column(weight)
  const rest = new Float64Array(kept + 1)
  const lightest = new Float64Array(kept + 1).fill(Number.POSITIVE_INFINITY)
  for (let i = kept - 1; i >= 0; i--) {
    rest[i] = (rest[i + 1] as number) + (values[i] as number)
    lightest[i] = Math.min(lightest[i + 1] as number, weights[i] as number)
  }
  return {
    length: kept,
    value: values,
    amount: column(amount),
    weight: weights,
    inputs: column(columns.inputs),
    witnesses: column(columns.witnesses),
    rest,
    lightest,
    uneconomical,
    coinsAt: (index) => entries[places[index] as number] as Entry,
  }
}

/** More value first, of equals the lighter one. */
const comparePlaces = (value: Float64Array, weight: Float64Array, a: number, b: number): number =>
  (value[b] as number) - (value[a] as number) || (weight[a] as number) - (weight[b] as number)

function groupsOf(coins: readonly CandidateCoin[]): Entry[] {
  const groups = new Map<string, CandidateCoin[]>()
  const entries: CandidateCoin[][] = []
  for (const coin of coins) {
    const open = coin.group === undefined ? undefined : groups.get(coin.group)
    if (open !== undefined && open.length < MAX_GROUP) {
      open.push(coin)
      continue
    }
    const entry = [coin]
    entries.push(entry)
    if (coin.group !== undefined) groups.set(coin.group, entry)
  }
  return entries
}

/**
 * Sorts and groups coins once, for many selections. Coins of 0 satoshi are of no use and stay out by themselves.
 * @throws AssertionError when the coins are worth more than 21 million BTC together.
 */
export const preparePool = (
  coins: readonly CandidateCoin[],
  options: { readonly avoidPartialSpends?: boolean } = {},
): CoinPool =>
  new CoinPool(options.avoidPartialSpends ? groupsOf(coins) : coins.map((coin) => [coin]))
