/** What is left after one request. */
export interface Allowance {
  readonly isAllowed: boolean
  /** Requests that could follow at once. */
  readonly remaining: number
  /** Seconds until the whole quota is there again. */
  readonly fullIn: number
  /** Seconds until the next request is allowed; 0 when it is. */
  readonly retryIn: number
}

/**
 * Counts requests by the generic cell rate algorithm: `quota` at once, then one for each `window / quota` that passes. A
 * caller costs one number, and no more than `most` callers are kept: the ones that were quiet longest are forgotten, which
 * gives them their whole quota back. Source: ITU-T I.371 annex A.
 */
export class Rate {
  readonly quota: number
  readonly windowMs: number
  readonly #most: number
  readonly #interval: number
  /** When each caller would have its whole quota again, in the order of last use. */
  readonly #fullAt = new Map<string, number>()

  constructor(quota: number, windowMs: number, most: number) {
    this.quota = quota
    this.windowMs = windowMs
    this.#most = most
    this.#interval = windowMs / quota
  }
  get size(): number {
    return this.#fullAt.size
  }
  /** Counts one request at `now`, milliseconds; one that is not allowed costs nothing. */
  take(caller: string, now: number): Allowance {
    const fullAt = Math.max(this.#fullAt.get(caller) ?? 0, now) + this.#interval
    if (fullAt - now > this.windowMs) return this.peek(caller, now)
    this.#fullAt.delete(caller)
    if (this.#fullAt.size >= this.#most)
      for (const quiet of this.#fullAt.keys()) {
        this.#fullAt.delete(quiet)
        break
      }
    this.#fullAt.set(caller, fullAt)
    return this.#allowance(fullAt - now, true)
  }
  /** What `take` would say, without counting. */
  peek(caller: string, now: number): Allowance {
    const used = Math.max(0, (this.#fullAt.get(caller) ?? 0) - now)
    return this.#allowance(used, used + this.#interval <= this.windowMs)
  }
  #allowance(used: number, isAllowed: boolean): Allowance {
    return {
      isAllowed,
      // A whole quota of small fractions must not lose one to rounding.
      remaining: Math.max(0, Math.floor((this.windowMs - used) / this.#interval + 1e-6)),
      fullIn: Math.ceil(used / 1000),
      retryIn: isAllowed
        ? 0
        : Math.max(1, Math.ceil((used + this.#interval - this.windowMs) / 1000)),
    }
  }
}
