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

/** Fewer than for branch and bound: the first descent is the best one already unless kinds of coins are mixed. */
const MAX_STEPS = 20_000

/**
 * Looks for the lightest set that leaves the wanted change, and among equally light ones for the smallest amount, so
 * that large coins stay whole. `any` takes a set with less change or none as well. Depth first, cut off where a branch can no longer be as light. Source: Bitcoin Core, CoinGrinder.
 */
export function coinGrinder(
  view: PoolView,
  terms: Terms,
  base: CoinSums,
  change: 'wanted' | 'any' = 'wanted',
): Found | undefined {
  const hasChange = change === 'wanted'
  const goal = { hasChange, extra: hasChange ? terms.wantedChange : 0 }
  const bounds = boundsOf(view, terms, base, goal)
  const chosen = new Chosen(view, base, bounds.mostEntries)
  const best = new Lightest(terms, change)
  let next = 0
  let isNew = true
  for (let step = 0; step < MAX_STEPS; step++) {
    let isDone: boolean =
      isNew && chosen.value >= bounds.least - bounds.rounding * chosen.depth && best.offer(chosen)
    isDone ||=
      next >= view.length ||
      chosen.depth >= bounds.mostEntries ||
      chosen.value + (view.rest[next] as number) + bounds.rounding * bounds.mostEntries <
        bounds.least ||
      leastWeight(view, chosen, next, bounds) > best.weight
    if (!isDone && chosen.weight + 2 * (view.lightest[next] as number) > best.weight) {
      step += finish(view, chosen, next, bounds, best)
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
  return best.found
}

/** The lightest set so far. */
class Lightest {
  found: Found | undefined
  /** What the inputs may weigh: at first all that a transaction may. */
  weight: number
  #amount = Number.POSITIVE_INFINITY
  readonly #terms: Terms

  readonly #change: 'wanted' | 'any'

  constructor(terms: Terms, change: 'wanted' | 'any') {
    this.#terms = terms
    this.#change = change
    this.weight = terms.maxWeight
  }

  /** True when the set does, whether or not it is the best one. */
  offer(chosen: Chosen): boolean {
    const outcome =
      this.#change === 'wanted' ? this.#terms.withWantedChange(chosen) : this.#terms.judge(chosen)
    if (!outcome || 'fault' in outcome) return false
    const { weight, amount } = chosen
    if (weight < this.weight || (weight === this.weight && amount < this.#amount)) {
      this.found = { places: chosen.places(), waste: outcome.waste }
      this.weight = weight
      this.#amount = amount
    }
    return true
  }
}

/** What the inputs weigh at least when this branch reaches its goal. */
function leastWeight(view: PoolView, chosen: Chosen, next: number, bounds: Bounds): number {
  const more = fewestMore(view, bounds, chosen, next)
  return chosen.weight + more * (view.lightest[next] as number)
}

/** Only one more coin fits: takes the smallest that suffices. Answers how many were tried. */
function finish(
  view: PoolView,
  chosen: Chosen,
  next: number,
  bounds: Bounds,
  best: Lightest,
): number {
  const lightest = view.lightest[next] as number
  let tried = 0
  const missing = bounds.least - bounds.rounding * (chosen.depth + 1) - chosen.value
  let place = firstAtMost(view, next, missing - 1) - 1
  for (; place >= next && tried < MAX_STEPS; place--) {
    tried++
    if (chosen.weight + (view.weight[place] as number) > best.weight) continue
    chosen.push(place)
    const isEnough = best.offer(chosen)
    chosen.pop()
    if (isEnough && view.weight[place] === lightest) break
  }
  return tried
}
