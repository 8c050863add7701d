import type {
  LimitUse,
  PolicyRecord,
  ReplayReport,
  ShortVerdict,
  TestReport,
} from '@kaccy/bitcoin/policy'
import { sayFinding } from '@kaccy/bitcoin/policy'
import type { LimitUseJson, PolicyJson, PolicyTestJson, ReplayJson } from '../schemas/policies.ts'
import { satoshi, satoshiOrNull, time, timeOrNull } from './basics.ts'

/** A policy as the API shows it. */
export const policyJson = (policy: PolicyRecord): PolicyJson => ({
  version: policy.version,
  status: policy.status,
  name: policy.name,
  document: JSON.parse(policy.document) as PolicyJson['document'],
  digest: policy.digest,
  created_by: policy.createdBy,
  created_at: time(policy.createdAt),
  tested_by: policy.testedBy ?? null,
  tested_at: timeOrNull(policy.testedAt),
  enabled_by: policy.enabledBy ?? null,
  enabled_at: timeOrNull(policy.enabledAt),
  retired_at: timeOrNull(policy.retiredAt),
})

export const policyTestJson = ({ ok, cases, failures, findings }: TestReport): PolicyTestJson => ({
  ok,
  cases,
  failures: failures.map(({ name, what, expected, got }) => ({ name, what, expected, got })),
  findings: findings.map(sayFinding),
})

const shortJson = (verdict: ShortVerdict): ReplayJson['differences'][number]['before'] => ({
  policy_version: verdict.policyVersion,
  decision: verdict.decision,
  score: verdict.score,
  rule: verdict.rule ?? null,
  approvals: verdict.approvals,
  transaction_approvals: verdict.transactionApprovals,
  reasons: verdict.reasons.map(({ code, message }) => ({ code, message })),
})

export const replayJson = (report: ReplayReport): ReplayJson => ({
  version: report.version,
  from: time(report.from),
  until: time(report.until),
  requests: report.requests,
  different: report.different,
  changes: Object.entries(report.changes).map(([change, { count, amount }]) => ({
    change,
    count,
    amount_sat: satoshi(amount),
  })),
  differences: report.differences.map(({ withdrawal, at, amount, user, before, after }) => ({
    withdrawal,
    at: time(at),
    amount_sat: satoshi(amount),
    user: user ?? null,
    before: shortJson(before),
    after: shortJson(after),
  })),
})

export const limitUseJson = (use: LimitUse): LimitUseJson => {
  const { rule, used, left } = use
  const { window } = rule
  return {
    name: rule.name,
    per: rule.per,
    subject: use.subject,
    window: {
      kind: window.kind,
      ms: window.kind === 'rolling' ? window.ms : null,
      unit: window.kind === 'calendar' ? window.unit : null,
      zone: window.kind === 'calendar' ? window.zone : null,
    },
    over: rule.over,
    amount_sat: satoshiOrNull(rule.amount),
    count: rule.count ?? null,
    used_sat: satoshiOrNull(used?.amount),
    used_count: used?.count ?? null,
    left_sat: satoshiOrNull(left.amount),
    left_count: left.count ?? null,
    resets_at: timeOrNull(use.resetsAt),
    policy_version: use.policyVersion,
  }
}
