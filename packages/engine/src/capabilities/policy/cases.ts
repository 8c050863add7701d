import { type Decided, decide } from './decide.ts'
import type { Policy, PolicyCase } from './document.ts'
import { type Finding, lint } from './lint.ts'

/** One answer of a policy that is not what its author expects. */
export interface CaseFailure {
  readonly name: string
  /** Which part of `expect`. */
  readonly what: 'decision' | 'rule' | 'approvals' | 'transaction_approvals' | 'reasons'
  readonly expected: string
  readonly got: string
}
export interface TestReport {
  readonly ok: boolean
  readonly cases: number
  readonly failures: readonly CaseFailure[]
  readonly findings: readonly Finding[]
}

/** What a policy decides about one of its own cases: the score is given, and so is what its limits have used. */
export const decideCase = (policy: Policy, { request, given }: PolicyCase): Decided =>
  decide(policy, {
    request,
    assessment: { score: given.score, signals: [] },
    paidToDestination: given.paidToDestination,
    used: ({ rule }) => given.used.get(rule.name) ?? { amount: 0n, count: 0 },
  })

function failuresOf(policy: Policy, test: PolicyCase): readonly CaseFailure[] {
  const { name, expect } = test
  const got = decideCase(policy, test)
  const failures: CaseFailure[] = []
  const compare = (what: CaseFailure['what'], expected: unknown, found: unknown) => {
    if (expected !== undefined && expected !== found)
      failures.push({ name, what, expected: String(expected), got: String(found) })
  }
  compare('decision', expect.decision, got.decision)
  compare('rule', expect.rule, got.rule ?? null)
  compare('approvals', expect.approvals, got.approvals.needed)
  compare('transaction_approvals', expect.transactionApprovals, got.transactionApprovals.needed)
  const codes = got.reasons.map(({ code }) => code)
  const missing = expect.reasons?.filter((code) => !codes.includes(code)) ?? []
  if (missing.length > 0) {
    const [expected, found] = [missing.join(' '), codes.join(' ')]
    failures.push({ name, what: 'reasons', expected, got: found })
  }
  return failures
}

/** Runs a policy's own cases and the linter. `ok` when nothing is wrong. */
export function testPolicy(policy: Policy): TestReport {
  const failures = policy.tests.flatMap((test) => failuresOf(policy, test))
  const findings = lint(policy)
  const ok = failures.length === 0 && findings.length === 0
  return { ok, cases: policy.tests.length, failures, findings }
}
