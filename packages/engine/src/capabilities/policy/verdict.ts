import type { SumSince } from '../limits/index.ts'
import { assess, type RiskFacts } from '../risk/index.ts'
import { type ApplyingLimit, type Decided, decide, limitsFor } from './decide.ts'
import type { Policy, RequestView } from './document.ts'
import { given } from './reader.ts'
import type { PolicyVerdict } from './subject.ts'

/** A policy's decision from what is known: the one way to it, live and in a replay. */
export const decideWith = (
  policy: Policy,
  request: RequestView,
  facts: RiskFacts,
  used: (limit: ApplyingLimit) => Pick<SumSince, 'amount' | 'count'>,
): Decided =>
  decide(policy, {
    request,
    assessment: assess(facts, policy.risk, policy.thresholds),
    paidToDestination: facts.paidToDestination,
    used,
  })

export const verdictOf = (
  decided: Decided,
  policyVersion: number,
  digest: string,
): PolicyVerdict => ({
  decision: decided.decision,
  reasons: decided.reasons,
  score: decided.score,
  policyVersion,
  ...given('rule', decided.rule),
  approvals: decided.approvals,
  transactionApprovals: decided.transactionApprovals.needed,
  ...given('transactionApprovers', decided.transactionApprovals.from),
  digest,
})

/** The windows that a request needs the sums of, each once. */
export function windowsOf(policy: Policy, request: RequestView) {
  const limits = limitsFor(policy, request)
  const windows = limits.flatMap(({ subject, from }) =>
    from === undefined ? [] : [{ subject, from }],
  )
  return [...new Map(windows.map((one) => [keyOf(one), one])).values()]
}
export const keyOf = ({ subject, from }: { readonly subject: string; readonly from?: number }) =>
  `${from ?? ''}/${subject}`
