import type { Speed, WithdrawalRecord } from './ports.ts'

/** How long withdrawals wait for company: what pays many at once costs each of them less. Milliseconds. */
export interface PlanRhythm {
  /** What is not urgent waits so long at most. */
  readonly batchWaitMs: number
  /** So long before its deadline nothing waits any more. */
  readonly deadlineMarginMs: number
  /** When funds or fees are missing, it is looked at again after so long. */
  readonly retryMs: number
}
export const DEFAULT_RHYTHM: PlanRhythm = {
  batchWaitMs: 10 * 60_000,
  deadlineMarginMs: 60 * 60_000,
  retryMs: 60_000,
}

/** When a plan looks at a withdrawal first, milliseconds since the epoch. Nothing that is urgent waits for company. */
export function firstPlanAt(speed: Speed, rhythm: PlanRhythm, at: number): number {
  const usual = at + rhythm.batchWaitMs
  if (speed.kind === 'priority') return speed.priority === 'high' ? at : usual
  if (speed.kind === 'rate') return usual
  return Math.max(at, Math.min(usual, speed.at - rhythm.deadlineMarginMs))
}

/** When a plan looks at it again that could not serve it. Not later than its deadline presses. */
export const nextPlanAt = (
  { speed }: Pick<WithdrawalRecord, 'speed'>,
  rhythm: PlanRhythm,
  at: number,
): number => {
  const usual = at + rhythm.retryMs
  if (speed.kind !== 'deadline') return usual
  const pressing = speed.at - rhythm.deadlineMarginMs
  return pressing > at ? Math.min(usual, pressing) : usual
}
