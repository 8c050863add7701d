import type { RiskFacts } from './facts.ts'
import { SIGNALS, type RiskSettings, type Signal } from './settings.ts'
import { SEES, type Seen } from './signals.ts'

/** A signal that was seen, and what it added to the score. */
export interface SeenSignal extends Seen {
  readonly signal: Signal
  readonly points: number
}
export interface Assessment {
  /** 0 to 100. */
  readonly score: number
  /** Weightiest first. */
  readonly signals: readonly SeenSignal[]
}

/**
 * How unusual a request is. The same facts, settings and thresholds give the same answer for ever: a decision can be
 * checked and replayed.
 * @param thresholds amounts in satoshi from which on the policy is stricter
 */
export function assess(
  facts: RiskFacts,
  settings: RiskSettings,
  thresholds: readonly bigint[],
): Assessment {
  const signals = SIGNALS.flatMap((signal): readonly SeenSignal[] => {
    const points = settings.points[signal]
    const seen = points > 0 ? SEES[signal]({ facts, settings, thresholds }) : undefined
    return seen ? [{ signal, points, ...seen }] : []
  }).sort((a, b) => b.points - a.points)
  return {
    score: Math.min(
      100,
      signals.reduce((sum, { points }) => sum + points, 0),
    ),
    signals,
  }
}
