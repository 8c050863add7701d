import { type Sat, type SatPerKvB, sat, type Weight, weight } from '../../kernel/index.ts'

/** When the engine puts coins together by itself: either is enough, and both stay below `maxRate`. */
export interface AutomaticSettings {
  /** When a wallet has at least so many free coins. */
  readonly coins?: number
  /** When a transaction has to pay at most so many hundredths of the long-term rate, and the run saves something. */
  readonly ratePercent?: number
}
/** How coins of a wallet are put together. */
export interface ConsolidationSettings {
  /** Absent: only when somebody asks. */
  readonly automatic?: AutomaticSettings
  /** Never at a higher rate, satoshi per 1000 vbytes. Default: the long-term rate. */
  readonly maxRate?: SatPerKvB
  /** Fewer are not worth a transaction. Default 10, at least 2. */
  readonly minInputs: number
  /** Default 200. */
  readonly maxInputs: number
  /** Default 100,000 weight units: a quarter of what nodes relay. */
  readonly maxWeight: Weight
  /** What the coins that are left alone add up to at least. Default 0. */
  readonly reserve: Sat
  /** Larger coins are left alone. Default: none is too large. */
  readonly largest?: Sat
  /** Whether deposits of different customers may be put together, for everybody to see. Default false. */
  readonly linksCustomers: boolean
  /** How often a wallet is looked at, milliseconds. Default 10 minutes. */
  readonly everyMs: number
}
export const DEFAULT_CONSOLIDATION: ConsolidationSettings = {
  minInputs: 10,
  maxInputs: 200,
  maxWeight: weight(100_000),
  reserve: sat(0n),
  linksCustomers: false,
  everyMs: 10 * 60_000,
}
