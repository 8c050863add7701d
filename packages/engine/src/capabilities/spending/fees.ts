import type { Refusal, Result, SatPerKvB } from '../../kernel/index.ts'

/** A fee rate from outside of the node. Asked before the transaction that uses it, never inside. */
export interface FeeSource {
  /** Stands beside every rate it gave. */
  readonly name: string
  /** Satoshi per 1000 vbytes to be mined within `target` blocks; undefined: it does not know now. What it throws counts as that. */
  rate(target: number): Promise<SatPerKvB | undefined>
}

/** How soon: a target by name, a rate, or a moment (milliseconds since the epoch). */
export type FeeSpeed = Readonly<
  | { kind: 'priority'; priority: 'low' | 'normal' | 'high' }
  | { kind: 'rate'; rate: SatPerKvB }
  | { kind: 'deadline'; at: number }
>

/** A rate and where it comes from; never invented. */
export interface FeeQuote {
  /** Satoshi per 1000 vbytes, not below `minRate`. */
  readonly rate: SatPerKvB
  /** `estimatesmartfee`, the name of a `FeeSource`, `caller`, `fixed`, `mempool_floor` or `relay_floor`. */
  readonly source: string
  /** Blocks within which it should be mined. */
  readonly target?: number
  /** What the node takes at least now, as far as it says so. */
  readonly minRate?: SatPerKvB
  /** What a coin costs to spend on an ordinary day. */
  readonly longTermRate: SatPerKvB
  /** When it was true, milliseconds since the epoch. */
  readonly at: number
}
export type FeeQuoteRefusal = Refusal<'FEE_SOURCE_MISSING'>
/** Answers for the moment; throws what the node throws when it does not answer and nothing else may be used. */
export type FeeQuotes = (speed: FeeSpeed) => Promise<Result<FeeQuote, FeeQuoteRefusal>>
