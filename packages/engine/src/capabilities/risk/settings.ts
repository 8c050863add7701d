import type { Sat } from '../../kernel/index.ts'

export const SIGNALS = [
  'large',
  'large_for_habit',
  'velocity',
  'rapid_succession',
  'new_destination',
  'structuring',
  'unusual_hour',
  'unusual_frequency',
] as const
export type Signal = (typeof SIGNALS)[number]

/** What is unusual, how much it counts, and what follows from the sum. */
export interface RiskSettings {
  /** From this score on people decide; undefined: never. */
  readonly hold?: number
  readonly deny?: number
  /** From this score on an alert is raised. */
  readonly alert?: number
  /** `large`: at least so much. */
  readonly large?: Sat
  /** `velocity`: more than so much within an hour, this request included. */
  readonly velocity?: Sat
  /** `large_for_habit`: more than was ever paid, and than so many hundredths of the mean. */
  readonly habitPercent: number
  /** `rapid_succession`: so many requests, this one included, in so many milliseconds. */
  readonly rapid: { readonly count: number; readonly ms: number }
  /** `structuring`: so many, this one included, each at least so many hundredths of a threshold and below it. */
  readonly structuring: { readonly count: number; readonly ms: number; readonly percent: number }
  /** How much each signal adds to the score. */
  readonly points: Readonly<Record<Signal, number>>
}

export const DEFAULT_RISK: RiskSettings = {
  hold: 60,
  deny: 95,
  alert: 60,
  habitPercent: 500,
  rapid: { count: 4, ms: 10 * 60_000 },
  structuring: { count: 3, ms: 24 * 3_600_000, percent: 80 },
  points: {
    large: 30,
    large_for_habit: 30,
    velocity: 30,
    rapid_succession: 30,
    new_destination: 15,
    structuring: 50,
    unusual_hour: 10,
    unusual_frequency: 20,
  },
}
