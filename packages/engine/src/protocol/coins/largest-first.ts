import type { PoolView } from './pool.ts'
import { Chosen, type Found } from './search.ts'
import type { CoinSums, Fault, Terms } from './terms.ts'

/**
 * Takes the most valuable coins until they suffice: with the wanted change if it can be had, else with less or none. What
 * is left when searches found nothing; where it finds nothing either, it says why. Without a wish for change it comes down to the
 * fewest coins, so a payment that can be made is made.
 */
export function largestFirst(view: PoolView, terms: Terms, base: CoinSums): Found | Fault {
  const chosen = new Chosen(view, base, view.length)
  let fallBack: Found | undefined
  let why: Fault | undefined
  for (let place = -1; place < view.length; place++) {
    if (place >= 0) chosen.push(place)
    const verdict = terms.judge(chosen)
    if (!('fault' in verdict)) {
      const found = { places: chosen.places(), waste: verdict.waste }
      if ((verdict.change ?? 0) >= terms.wantedChange) return found
      fallBack ??= found
    } else if (verdict.fault !== 'short') {
      why ??= verdict
      if (verdict.fault === 'too_heavy') break
    }
    const weight = terms.weightWith(chosen, false)
    if (weight > terms.maxWeight) {
      why ??= { fault: 'too_heavy', weight }
      break
    }
  }
  return fallBack ?? why ?? { fault: 'short' }
}
