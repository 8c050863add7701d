import {
  appliesTo,
  idFor,
  isOver,
  type LimitRule,
  type LimitSubject,
  subjectFor,
  type Sum,
  windowFrom,
} from '../limits/index.ts'
import type { Assessment } from '../risk/index.ts'
import type { Policy, RequestView, Rule } from './document.ts'
import { firstMatch } from './match.ts'
import { type ApprovalsNeeded, DECISIONS, type Decision, type Reason } from './subject.ts'

/** A limit that is for a request, with what it adds up. */
export interface ApplyingLimit {
  readonly rule: LimitRule
  readonly subject: LimitSubject
  /** Undefined where only the request itself counts. */
  readonly from?: number
}

/** The limits of a policy that a request is held against. */
export const limitsFor = (policy: Policy, request: RequestView): readonly ApplyingLimit[] =>
  policy.limits.flatMap((rule) => {
    const id = idFor(rule.per, request)
    if (!appliesTo(rule, id)) return []
    const from = windowFrom(rule.window, request.at)
    return [{ rule, subject: subjectFor(rule.per, id), ...(from === undefined ? {} : { from }) }]
  })

/** What a decision is made from. */
export interface DecisionInput {
  readonly request: RequestView
  readonly assessment: Assessment
  readonly paidToDestination: number
  /** What the limit has counted so far in its window. */
  readonly used: (limit: ApplyingLimit) => Sum
}
/** A verdict without its place in time. */
export interface Decided {
  readonly decision: Decision
  readonly reasons: readonly Reason[]
  readonly score: number
  readonly rule?: string
  readonly approvals: ApprovalsNeeded
  readonly transactionApprovals: ApprovalsNeeded
}

const strictness = (effect: Reason['effect']): number =>
  effect === 'note' ? -1 : DECISIONS.indexOf(effect)

function destinationReasons(policy: Policy, { destination }: RequestView): readonly Reason[] {
  const no = (message: string): readonly Reason[] => [
    { code: 'destination', effect: 'deny', message, details: { script: destination } },
  ]
  if (policy.deny.has(destination)) return no('the destination is on a deny list')
  if (policy.only && !policy.only.has(destination)) return no('the destination is on no allow list')
  return []
}

function limitReasons(policy: Policy, input: DecisionInput): readonly Reason[] {
  const { amount } = input.request
  return limitsFor(policy, input.request).flatMap((limit): readonly Reason[] => {
    const { rule } = limit
    const used = limit.from === undefined ? { amount: 0n, count: 0 } : input.used(limit)
    if (!isOver(rule, used, amount)) return []
    const details = {
      per: rule.per,
      amount_sat: Number(amount),
      used_sat: Number(used.amount),
      used_count: used.count,
      ...(rule.amount === undefined ? {} : { limit_sat: Number(rule.amount) }),
      ...(rule.count === undefined ? {} : { limit_count: rule.count }),
    }
    const message = `the request goes over the limit ${rule.name}`
    return [{ code: `limit/${rule.name}`, effect: rule.over, message, details }]
  })
}

function riskReasons({ risk }: Policy, { score, signals }: Assessment): readonly Reason[] {
  const notes = signals.map(
    ({ signal, points, message, details }): Reason => ({
      code: `risk/${signal}`,
      effect: 'note',
      message,
      details: { ...details, points },
    }),
  )
  const at = (effect: 'hold' | 'deny', threshold: number): readonly Reason[] => [
    {
      code: 'risk/score',
      effect,
      message: `the score is ${score}, ${threshold} or more: ${effect}`,
      details: { score, threshold },
    },
    ...notes,
  ]
  if (risk.deny !== undefined && score >= risk.deny) return at('deny', risk.deny)
  if (risk.hold !== undefined && score >= risk.hold) return at('hold', risk.hold)
  return notes
}

const ruleReason = (policy: Policy, rule: Rule | undefined): Reason =>
  rule
    ? {
        code: `rule/${rule.name}`,
        effect: rule.decision,
        message: `rule ${rule.name}`,
        details: {},
      }
    : { code: 'default', effect: policy.otherwise, message: 'no rule matches', details: {} }

function approvalsFor(policy: Policy, rule: Rule | undefined, others: boolean): ApprovalsNeeded {
  const ours = policy.approvals
  const theirs = rule?.decision === 'hold' ? (rule.approvals ?? ours) : undefined
  if (!theirs) return ours
  // Where a limit or the score holds as well, the rule says who, and the larger number how many.
  return others ? { ...theirs, needed: Math.max(theirs.needed, ours.needed) } : theirs
}

/**
 * The decision: lists, limits, score and the first rule that matches each say what they would do, and the strictest
 * stands. Pure: the same policy and input give the same answer for ever.
 */
export function decide(policy: Policy, input: DecisionInput): Decided {
  const { request, assessment, paidToDestination } = input
  const { score } = assessment
  const rule = firstMatch(policy.rules, request, { score, paidToDestination, zone: policy.zone })
  const before = [
    ...destinationReasons(policy, request),
    ...limitReasons(policy, input),
    ...riskReasons(policy, assessment),
  ]
  const reasons = [...before, ruleReason(policy, rule)].sort(
    (a, b) => strictness(b.effect) - strictness(a.effect),
  )
  const decision = reasons[0]?.effect === 'note' ? 'deny' : (reasons[0]?.effect ?? 'deny')
  const nobody = { needed: 0 }
  const others = before.some(({ effect }) => effect === 'hold')
  return {
    decision,
    reasons,
    score,
    ...(rule ? { rule: rule.name } : {}),
    approvals: decision === 'hold' ? approvalsFor(policy, rule, others) : nobody,
    transactionApprovals:
      decision === 'deny' ? nobody : (rule?.transactionApprovals ?? policy.transactionApprovals),
  }
}
