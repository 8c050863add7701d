import type { PoolView } from './pool.ts'
import {
  afterTwins,
  type Bounds,
  boundsOf,
  Chosen,
  type Found,
  fewestMore,
  firstAtMost,
} from './search.ts'
import type { CoinSums, Terms } from './terms.ts'

/**
 * A coin of the pool is one step in and one step out, so that a dozen coins are searched whole (2 x 2^12). More steps
 * (Bitcoin Core takes 100,000) find next to nothing in a large pool, because a step goes to a coin that fits.
 */
const MAX_STEPS = 10_000

/**
 * Looks for the set with the least waste among those that need no change: depth first, most valuable coin first, cut off
 * where a branch can no longer come into the window or can no longer be better. Complete where the steps suffice, which
 * they do for a dozen coins whatever their amounts. Source: Bitcoin Core, SelectCoinsBnB; other than there, a step goes
 * straight to the next coin that fits, and a set is judged by the exact weight of its transaction.
 */
export function branchAndBound(view: PoolView, terms: Terms, base: CoinSums): Found | undefined {
  const bounds = boundsOf(view, terms, base, { hasChange: false, extra: 0 })
  const chosen = new Chosen(view, base, bounds.mostEntries)
  const window = new Window(view, terms, bounds)
  // Where one coin will do, all that follows is measured by it.
  window.offerLast(chosen, 0)
  let next = 0
  let isNew = true
  for (let step = 0; step < MAX_STEPS; step++) {
    let isDone = chosen.value > window.most(chosen.weight)
    if (!isDone && isNew && chosen.value >= bounds.least - bounds.rounding * chosen.depth) {
      isDone = window.offer(chosen)
    }
    if (!isDone && next < view.length) {
      const most = window.most(chosen.weight + (view.lightest[next] as number))
      next = firstAtMost(view, next, most - chosen.value)
    }
    if (!isDone) {
      isDone = isHopeless(view, terms, chosen, next, bounds) || window.isWasteful(chosen, next)
    }
    if (!isDone && window.isLast(chosen, next)) {
      step += window.offerLast(chosen, next)
      isDone = true
    }
    isNew = !isDone
    if (!isDone) {
      chosen.push(next++)
      continue
    }
    if (chosen.depth === 0) break
    next = afterTwins(view, chosen.pop())
  }
  return window.best
}

/** No coin is left that fits, or all of them are not enough. */
const isHopeless = (
  view: PoolView,
  terms: Terms,
  chosen: Chosen,
  next: number,
  bounds: Bounds,
): boolean =>
  next >= view.length ||
  chosen.depth >= bounds.mostEntries ||
  chosen.weight + (view.lightest[next] as number) > terms.maxWeight ||
  chosen.value + (view.rest[next] as number) + bounds.rounding * bounds.mostEntries < bounds.least

/** Which sets count: those that need no change, and with every set that is found only those with less waste. */
class Window {
  best: Found | undefined
  readonly #view: PoolView
  readonly #terms: Terms
  readonly #bounds: Bounds
  /** Waste of a weight unit of inputs. On a cheap day more inputs are less waste, and nothing can be cut off by it. */
  readonly #perUnit: number
  /** How far an estimate may be above the truth: a fee is rounded to whole vbytes and satoshi, and a floor may hide inputs. */
  readonly #loose: number
  /** What is estimated above this is no better. */
  #enough = Number.POSITIVE_INFINITY

  constructor(view: PoolView, terms: Terms, bounds: Bounds) {
    this.#view = view
    this.#terms = terms
    this.#bounds = bounds
    this.#loose = terms.rate / 1000 + 3 + terms.floorAboveRate
    this.#perUnit = (terms.rate - terms.longTermRate) / 4000
  }

  /** Takes the set if it counts and is the best one. True when a set with more coins cannot be better. */
  offer(chosen: Chosen): boolean {
    const outcome = this.#terms.changeless(chosen)
    if (!outcome) return false
    // Of equals the later one, as in Bitcoin Core: it has smaller coins.
    if (outcome.waste <= (this.best?.waste ?? Number.POSITIVE_INFINITY)) {
      this.best = { places: chosen.places(), waste: outcome.waste }
      if (this.#perUnit >= 0) this.#enough = outcome.waste + this.#loose
    }
    return this.#perUnit >= 0
  }

  /** True when a set with two more coins is no better than the best one, so that only one more matters. */
  isLast(chosen: Chosen, next: number): boolean {
    const lightest = this.#view.lightest[next] as number
    return this.#perUnit * (chosen.weight + 2 * lightest) > this.#enough
  }

  /** Offers the set with one more coin: the smallest that suffices, or a lighter one. Answers how many were tried. */
  offerLast(chosen: Chosen, next: number): number {
    if (this.#perUnit < 0) return 0
    const view = this.#view
    const { least, rounding } = this.#bounds
    const missing = least - rounding * (chosen.depth + 1) - chosen.value
    const most = this.most(chosen.weight) - chosen.value
    let tried = 0
    let place = firstAtMost(view, next, missing - 1) - 1
    for (; place >= next && (view.value[place] as number) <= most; place--) {
      if (++tried > MAX_STEPS) break
      chosen.push(place)
      const isEnough = this.offer(chosen)
      chosen.pop()
      if (isEnough && view.weight[place] === view.lightest[next]) break
    }
    return tried
  }

  /** Most value that a set may have whose inputs have this weight. */
  most(weight: number): number {
    const { least, slack } = this.#bounds
    const { costOfChange } = this.#terms
    if (this.#enough === Number.POSITIVE_INFINITY) return least + slack + costOfChange
    return least + slack + Math.min(costOfChange, this.#enough - this.#perUnit * weight)
  }

  /** Even with the lightest coins that are left, as few as can do, there is more waste than in the best set. */
  isWasteful(chosen: Chosen, next: number): boolean {
    if (this.#enough === Number.POSITIVE_INFINITY) return false
    const view = this.#view
    const more = fewestMore(view, this.#bounds, chosen, next)
    const size = chosen.weight + more * (view.lightest[next] as number)
    return this.#perUnit * size > this.#enough
  }
}
