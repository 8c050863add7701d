import { AssertionError, type Entropy } from '../../kernel/index.ts'

import type { PoolView } from './pool.ts'
import { boundsOf, Chosen, type Found } from './search.ts'
import type { CoinSums, Terms } from './terms.ts'

/** Random numbers are asked for in pieces; most draws end within the first. */
const PIECE = 16
const RANGE = 0x1_0000_0000
/** Each fails less than every second time. */
const MAX_TRIES = 128

/** Even numbers below a limit, from random bytes. */
function randomBelow(entropy: Entropy): (limit: number) => number {
  let bytes: DataView = new DataView(new ArrayBuffer(0))
  let at = 0
  const next = (): number => {
    if (at + 4 > bytes.byteLength) {
      const fresh = entropy.bytes(4 * PIECE)
      bytes = new DataView(fresh.buffer, fresh.byteOffset, fresh.byteLength)
      at = 0
    }
    at += 4
    return bytes.getUint32(at - 4)
  }
  return (limit) => {
    // The last incomplete stretch is drawn again, or small numbers would come more often.
    const fair = RANGE - (RANGE % limit)
    for (let tries = 0; tries < MAX_TRIES; tries++) {
      const number = next()
      if (number < fair) return number % limit
    }
    throw new AssertionError('the randomness is always the same')
  }
}

/**
 * Draws coins at random until they leave the wanted change, so that an observer learns nothing from the choice. Nothing
 * where the coins get too heavy first. Source: Bitcoin Core, SelectCoinsSRD.
 */
export function singleRandomDraw(
  view: PoolView,
  terms: Terms,
  base: CoinSums,
  entropy: Entropy,
): Found | undefined {
  const bounds = boundsOf(view, terms, base, { hasChange: true, extra: terms.wantedChange })
  const chosen = new Chosen(view, base, bounds.mostEntries)
  const below = randomBelow(entropy)
  // A shuffle that is made only as far as it is looked at: what stands where it was is not written down.
  const moved = new Map<number, number>()
  for (let drawn = 0; drawn < bounds.mostEntries; drawn++) {
    const pick = drawn + below(view.length - drawn)
    const place = moved.get(pick) ?? pick
    moved.set(pick, moved.get(drawn) ?? drawn)
    chosen.push(place)
    if (chosen.value < bounds.least - bounds.rounding * chosen.depth) continue
    const outcome = terms.withWantedChange(chosen)
    if (outcome) return { places: chosen.places(), waste: outcome.waste }
  }
  return undefined
}
