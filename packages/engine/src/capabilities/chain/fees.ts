import {
  type Clock,
  EngineError,
  type Metrics,
  ok,
  type Refusal,
  type Result,
  refuse,
} from '../../kernel/index.ts'
import type { ChainSource, FeeReport } from './ports.ts'

/** Blocks within which a transaction should be mined, as sources are asked. */
export const FEE_TARGETS = [1, 2, 3, 6, 12, 24, 144] as const

/** How long an answer of the node is handed out again, milliseconds. */
const FRESH_MS = 10_000

export type FeesRefusal = Refusal<'FEE_ESTIMATE_UNAVAILABLE'>
export interface FeesOptions {
  readonly source: ChainSource
  readonly clock: Clock
  readonly metrics: Metrics
}

/**
 * What transactions have to pay, as the node says. Callers at the same moment share one question, and an answer is good
 * for ten seconds. Without an estimate it refuses, with the floors that the node did name in the details.
 * @returns a function that throws what the source throws when the node does not answer
 */
export function createFees({
  source,
  clock,
  metrics,
}: FeesOptions): () => Promise<Result<FeeReport, FeesRefusal>> {
  let asking: Promise<FeeReport> | undefined
  let known: FeeReport | undefined
  let until = 0

  async function ask(): Promise<FeeReport> {
    const report = (await source.fees?.()) ?? { estimates: [], reasons: [], at: clock.now() }
    known = report
    until = clock.now() + FRESH_MS
    for (const { target, rate, mode } of report.estimates)
      if (mode === 'economical')
        metrics.gauge('kaccy_fee_rate_sat_kvb', Number(rate), { target: String(target) })
    return report
  }
  function current(): Promise<FeeReport> {
    if (known && clock.now() < until) return Promise.resolve(known)
    asking ??= ask().finally(() => {
      asking = undefined
    })
    return asking
  }
  return async () => {
    try {
      const report = await current()
      return report.estimates.length > 0 ? ok(report) : unavailable(report)
    } catch (error) {
      // The node answered, and has no such call for us: that is the same as no estimate.
      if (error instanceof EngineError && error.code === 'NODE_METHOD_MISSING')
        return unavailable({ estimates: [], reasons: [error.message], at: clock.now() })
      throw error
    }
  }
}

function unavailable({ reasons, mempoolMinimum, relayMinimum }: FeeReport) {
  const floors = {
    ...(mempoolMinimum ? { mempool_minimum_sat_kvb: Number(mempoolMinimum.rate) } : {}),
    ...(relayMinimum ? { relay_minimum_sat_kvb: Number(relayMinimum.rate) } : {}),
  }
  return refuse('FEE_ESTIMATE_UNAVAILABLE', 'the node has no fee estimate now', {
    details: { reasons: reasons.join('; ').slice(0, 500), ...floors },
  })
}
