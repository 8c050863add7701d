import type { PoolEntry } from './entry.ts'
import { bucketOf, type Estimation, Horizon, type HorizonRules } from './horizon.ts'

const SHORT: HorizonRules = { name: 'short', periods: 12, scale: 1, decay: 0.962, sufficient: 0.5 }
const MEDIUM: HorizonRules = {
  name: 'medium',
  periods: 24,
  scale: 2,
  decay: 0.9952,
  sufficient: 0.1,
}
const LONG: HorizonRules = { name: 'long', periods: 42, scale: 24, decay: 0.99931, sufficient: 0.1 }
/** Probabilities to confirm within half the target, the target and twice the target. */
const HALF = 0.6
const FULL = 0.85
const DOUBLE = 0.95
/** The longest target that any horizon answers, in blocks. */
export const MAX_TARGET = LONG.periods * LONG.scale

export interface SmartFee {
  /** Satoshi per 1000 vbytes; undefined: not enough data. */
  readonly rate: bigint | undefined
  /** The target that the answer is for, in blocks. */
  readonly blocks: number
}
interface Tracked {
  readonly height: number
  readonly bucket: number
}
/** The rate of an entry as the estimator sees it: its own fee alone. */
const ownRate = (entry: PoolEntry): number => Number((entry.fee * 1000n) / BigInt(entry.size))

/** Learns from the mempool how much gets a transaction mined how fast. Source: Core's CBlockPolicyEstimator. */
export class FeeEstimator {
  #horizons: readonly [Horizon, Horizon, Horizon] = [
    new Horizon(SHORT),
    new Horizon(MEDIUM),
    new Horizon(LONG),
  ]
  readonly #tracked = new Map<string, Tracked>()
  /** Height of the last block that was looked at. */
  #best: number
  /** Height of the first block that held a transaction that was tracked. */
  #first = 0

  constructor(best: number) {
    this.#best = best
  }
  /** A transaction came in by itself, under all fee rules, and without unconfirmed parents. */
  add(entry: PoolEntry): void {
    if (this.#tracked.has(entry.txid) || entry.height !== this.#best) return
    const bucket = bucketOf(ownRate(entry))
    this.#tracked.set(entry.txid, { height: entry.height, bucket })
    for (const horizon of this.#horizons) horizon.enter(entry.height, bucket)
  }
  /** A transaction left unconfirmed. */
  remove(txid: string): void {
    this.#leave(txid, false)
  }
  #leave(txid: string, mined: boolean): boolean {
    const known = this.#tracked.get(txid)
    if (!known) return false
    this.#tracked.delete(txid)
    for (const horizon of this.#horizons) {
      horizon.leave(known.height, this.#best, known.bucket, mined)
    }
    return true
  }
  /** A block took these from the mempool. Blocks that do not go beyond the best one so far teach nothing. */
  block(height: number, mined: readonly PoolEntry[]): void {
    if (height <= this.#best) return
    this.#best = height
    for (const horizon of this.#horizons) horizon.age(height)
    let counted = 0
    for (const entry of mined) {
      if (!this.#leave(entry.txid, true)) continue
      const blocks = height - entry.height
      if (blocks <= 0) continue
      counted += 1
      for (const horizon of this.#horizons) horizon.record(blocks, ownRate(entry))
    }
    if (this.#first === 0 && counted > 0) this.#first = height
  }

  /** The answer of one horizon after another to one target and success rate, for `estimaterawfee`. */
  raw(target: number, success: number): readonly (Estimation & { readonly rules: HorizonRules })[] {
    return this.#horizons
      .filter(({ reach }) => target <= reach)
      .map((horizon) => ({
        rules: horizon.rules,
        ...horizon.estimate(target, success, this.#best),
      }))
  }
  #rate(horizon: Horizon, target: number, success: number): number {
    return horizon.estimate(target, success, this.#best).rate ?? -1
  }
  /** The shortest horizon that reaches the target; `shorter`: a lower answer of a shorter one counts too. */
  #combined(target: number, success: number, shorter: boolean): number {
    const [short, medium, long] = this.#horizons
    if (target < 1 || target > long.reach) return -1
    const own = target <= short.reach ? short : target <= medium.reach ? medium : long
    let rate = this.#rate(own, target, success)
    for (const other of shorter ? [medium, short] : []) {
      if (target <= other.reach) continue
      const lower = this.#rate(other, other.reach, success)
      if (lower > 0 && (rate === -1 || lower < rate)) rate = lower
    }
    return rate
  }
  /** Twice the target must hold over longer horizons too. */
  #conservative(target: number): number {
    const [short, medium, long] = this.#horizons
    const first = target <= short.reach ? this.#rate(medium, target, DOUBLE) : -1
    const second = target <= medium.reach ? this.#rate(long, target, DOUBLE) : -1
    return Math.max(first, second)
  }
  /** The longest target with enough history behind it. */
  #usable(): number {
    const span = this.#first === 0 ? 0 : this.#best - this.#first
    return Math.min(MAX_TARGET, Math.floor(span / 2))
  }
  /** What `estimatesmartfee` answers, before the mempool's own minimum. `target`: 1 to 1008 blocks. */
  smart(target: number, conservative: boolean): SmartFee {
    // Nothing can be known about the very next block.
    const blocks = Math.min(Math.max(target, 2), this.#usable())
    if (blocks <= 1) return { rate: undefined, blocks }
    let median = Math.max(
      this.#combined(Math.floor(blocks / 2), HALF, true),
      this.#combined(blocks, FULL, true),
      this.#combined(2 * blocks, DOUBLE, !conservative),
    )
    if (conservative || median === -1) median = Math.max(median, this.#conservative(2 * blocks))
    return { rate: median < 0 ? undefined : BigInt(Math.round(median)), blocks }
  }
  copy(): FeeEstimator {
    const copy = new FeeEstimator(this.#best)
    copy.#first = this.#first
    const [short, medium, long] = this.#horizons
    copy.#horizons = [short.copy(), medium.copy(), long.copy()]
    for (const [txid, tracked] of this.#tracked) copy.#tracked.set(txid, tracked)
    return copy
  }
}
