/** Statistics over one time horizon of the fee estimator. Rates are satoshi per 1000 vbytes, with fractions: they are averages. */
export interface HorizonRules {
  readonly name: 'short' | 'medium' | 'long'
  /** Periods of `scale` blocks for which confirmations are told apart. */
  readonly periods: number
  readonly scale: number
  /** What remains of the past with every block. */
  readonly decay: number
  /** Transactions per block that a range of rates needs, to say something. */
  readonly sufficient: number
}
/** A range of rates with what became of its transactions. */
export interface RateRange {
  readonly start: number
  readonly end: number
  readonly withinTarget: number
  readonly totalConfirmed: number
  readonly inMempool: number
  readonly leftMempool: number
}
export interface Estimation {
  /** Undefined where the data does not suffice. */
  readonly rate: number | undefined
  readonly pass: RateRange
  readonly fail: RateRange
}

const MIN_RATE = 1000
const MAX_RATE = 1e7
const SPACING = 1.05
function rateBuckets(): readonly number[] {
  const bounds: number[] = []
  for (let bound = MIN_RATE; bound <= MAX_RATE; bound *= SPACING) bounds.push(bound)
  return [...bounds, 1e99]
}
/** Upper bounds of the ranges of rates that are told apart. */
const BUCKETS = rateBuckets()
/** The range that a rate falls into. */
export function bucketOf(rate: number): number {
  let low = 0
  let high = BUCKETS.length - 1
  while (low < high) {
    const middle = (low + high) >> 1
    if ((BUCKETS[middle] ?? 0) >= rate) high = middle
    else low = middle + 1
  }
  return low
}

interface Column {
  transactions: number
  rates: number
  /** Confirmed within so many periods, and left unconfirmed after so many. */
  readonly confirmed: Float64Array
  readonly failed: Float64Array
}
/** Counts while ranges of rates are joined until they hold enough. */
interface Tally {
  confirmed: number
  total: number
  waiting: number
  failed: number
}
const NONE: RateRange = {
  start: -1,
  end: -1,
  withinTarget: 0,
  totalConfirmed: 0,
  inMempool: 0,
  leftMempool: 0,
}
const emptyTally = (): Tally => ({ confirmed: 0, total: 0, waiting: 0, failed: 0 })
const withRange = (tally: Tally, low: number, high: number): RateRange => ({
  start: low > 0 ? (BUCKETS[low - 1] ?? 0) : 0,
  end: BUCKETS[high] ?? 0,
  withinTarget: tally.confirmed,
  totalConfirmed: tally.total,
  inMempool: tally.waiting,
  leftMempool: tally.failed,
})

/** How long transactions of each fee rate took to confirm. Source: Core's TxConfirmStats. */
export class Horizon {
  readonly rules: HorizonRules
  /** By range of rates; a range that never held a transaction has no column. */
  readonly #columns = new Map<number, Column>()
  /** Waiting transactions by the place in a ring of heights, then by range. */
  readonly #waiting = new Map<number, Map<number, number>>()
  /** Waiting longer than this horizon looks, by range. */
  readonly #old = new Map<number, number>()

  constructor(rules: HorizonRules) {
    this.rules = rules
  }
  /** The longest target that it answers, in blocks. */
  get reach(): number {
    return this.rules.periods * this.rules.scale
  }
  #column(bucket: number): Column {
    let column = this.#columns.get(bucket)
    if (!column) {
      const { periods } = this.rules
      const confirmed = new Float64Array(periods)
      column = { transactions: 0, rates: 0, confirmed, failed: new Float64Array(periods) }
      this.#columns.set(bucket, column)
    }
    return column
  }
  enter(height: number, bucket: number): void {
    const slot = height % this.reach
    const counts = this.#waiting.get(slot) ?? new Map<number, number>()
    counts.set(bucket, (counts.get(bucket) ?? 0) + 1)
    this.#waiting.set(slot, counts)
  }
  /** A waiting transaction is gone. `best`: the height of the last block that was looked at. */
  leave(height: number, best: number, bucket: number, mined: boolean): void {
    const age = best === 0 ? 0 : best - height
    if (age < 0) return
    const counts = age >= this.reach ? this.#old : this.#waiting.get(height % this.reach)
    const before = counts?.get(bucket) ?? 0
    if (before > 1) counts?.set(bucket, before - 1)
    else counts?.delete(bucket)
    if (mined || age < this.rules.scale) return
    const { failed } = this.#column(bucket)
    const periods = Math.floor(age / this.rules.scale)
    for (let i = 0; i < periods && i < failed.length; i++) failed[i] = (failed[i] ?? 0) + 1
  }
  /** A new block: the past counts less, and what waited too long is put aside. */
  age(height: number): void {
    const slot = height % this.reach
    for (const [bucket, count] of this.#waiting.get(slot) ?? []) {
      this.#old.set(bucket, (this.#old.get(bucket) ?? 0) + count)
    }
    this.#waiting.delete(slot)
    const { decay } = this.rules
    for (const column of this.#columns.values()) {
      column.transactions *= decay
      column.rates *= decay
      for (let i = 0; i < column.confirmed.length; i++) {
        column.confirmed[i] = (column.confirmed[i] ?? 0) * decay
        column.failed[i] = (column.failed[i] ?? 0) * decay
      }
    }
  }
  /** A transaction confirmed after so many blocks, counted from 1. */
  record(blocks: number, rate: number): void {
    const column = this.#column(bucketOf(rate))
    const { confirmed } = column
    for (let i = Math.ceil(blocks / this.rules.scale) - 1; i < confirmed.length; i++) {
      confirmed[i] = (confirmed[i] ?? 0) + 1
    }
    column.transactions += 1
    column.rates += rate
  }
  /** Transactions of each range that wait for `target` blocks or longer. */
  #waitingFor(target: number, height: number): Map<number, number> {
    const bins = this.reach
    const sums = new Map(this.#old)
    for (const [slot, counts] of this.#waiting) {
      // Core's ages wrap around 2^32 below height 0, which hits a slot a second time on short chains.
      const age = (((height - slot) % bins) + bins) % bins
      const wrapped = (((2 ** 32 + height - slot) % bins) + bins) % bins
      const times =
        Number(age >= target && age <= height) + Number(wrapped >= target && wrapped > height)
      if (times === 0) continue
      for (const [bucket, count] of counts) {
        sums.set(bucket, (sums.get(bucket) ?? 0) + count * times)
      }
    }
    return sums
  }
  /**
   * The lowest rate whose transactions confirm within `target` blocks with probability `success`: the average of the
   * range that holds the median. `height`: the last block that was looked at.
   */
  estimate(target: number, success: number, height: number): Estimation {
    const { scale, decay, sufficient } = this.rules
    const waiting = this.#waitingFor(target, height)
    const period = Math.ceil(target / scale) - 1
    const last = BUCKETS.length - 1
    let tally = emptyTally()
    let partial = 0
    let near = last
    let fresh = true
    let passing = true
    let found: { readonly low: number; readonly high: number; readonly tally: Tally } | undefined
    let fail: RateRange = NONE
    for (let bucket = last; bucket >= 0; bucket--) {
      if (fresh) near = bucket
      fresh = false
      const column = this.#columns.get(bucket)
      tally.confirmed += column?.confirmed[period] ?? 0
      tally.total += column?.transactions ?? 0
      tally.failed += column?.failed[period] ?? 0
      tally.waiting += waiting.get(bucket) ?? 0
      partial += column?.transactions ?? 0
      if (partial < sufficient / (1 - decay)) continue
      partial = 0
      if (tally.confirmed / (tally.total + tally.failed + tally.waiting) < success) {
        if (passing) fail = withRange(tally, bucket, near)
        passing = false
        continue
      }
      fail = NONE
      passing = true
      found = { low: bucket, high: near, tally }
      tally = emptyTally()
      fresh = true
    }
    if (passing && !fresh) fail = withRange(tally, 0, near)
    const pass = found ? withRange(found.tally, found.low, found.high) : NONE
    return { rate: found && this.#medianIn(found.low, found.high), pass, fail }
  }
  #medianIn(low: number, high: number): number | undefined {
    let sum = 0
    for (let i = low; i <= high; i++) sum += this.#columns.get(i)?.transactions ?? 0
    if (sum === 0) return undefined
    let half = sum / 2
    for (let i = low; i <= high; i++) {
      const column = this.#columns.get(i)
      if (column && column.transactions >= half) return column.rates / column.transactions
      half -= column?.transactions ?? 0
    }
    return undefined
  }
  copy(): Horizon {
    const copy = new Horizon(this.rules)
    for (const [bucket, column] of this.#columns) {
      const { confirmed, failed } = column
      copy.#columns.set(bucket, {
        ...column,
        confirmed: confirmed.slice(),
        failed: failed.slice(),
      })
    }
    for (const [slot, counts] of this.#waiting) copy.#waiting.set(slot, new Map(counts))
    for (const [bucket, count] of this.#old) copy.#old.set(bucket, count)
    return copy
  }
}
