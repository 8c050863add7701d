import type { OutPoint, Sat } from '../../kernel/index.ts'
import type { InputShape } from './weight.ts'

/** A coin that may be spent; weight and witness come from `inputShape` of its descriptor. */
export interface CandidateCoin extends InputShape {
  readonly point: OutPoint
  readonly amount: Sat
  /** Coins of one group (one script) are spent together where `avoidPartialSpends` asks for it. */
  readonly group?: string
}
