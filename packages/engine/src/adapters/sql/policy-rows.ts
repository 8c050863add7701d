import type {
  Approval,
  ApprovalTask,
  DecisionRecord,
  Move,
  PolicyRecord,
  PolicySubject,
} from '../../capabilities/policy/index.ts'
import type { RecentRequest, RiskFacts } from '../../capabilities/risk/index.ts'
import { fromHex, sat, toHex, type WalletId, type WithdrawalId } from '../../kernel/index.ts'
import { int, maybeInt, num, present } from './doors.ts'
import type {
  ApprovalRow,
  ApprovalTaskRow,
  PolicyDecisionRow,
  PolicyMoveRow,
  PolicyRow,
} from './schema-policy.ts'

const maybe = (value: bigint | null): number | null => (value === null ? null : num(value))

export const policyRow = (policy: PolicyRecord): PolicyRow => ({
  version: int(policy.version),
  status: policy.status,
  name: policy.name,
  document: policy.document,
  digest: fromHex(policy.digest),
  created_at: int(policy.createdAt),
  created_by: policy.createdBy,
  tested_at: maybeInt(policy.testedAt),
  tested_by: policy.testedBy ?? null,
  enabled_at: maybeInt(policy.enabledAt),
  enabled_by: policy.enabledBy ?? null,
  retired_at: maybeInt(policy.retiredAt),
})
export const policyOf = (row: PolicyRow): PolicyRecord => ({
  version: num(row.version),
  status: row.status as PolicyRecord['status'],
  name: row.name,
  document: row.document,
  digest: toHex(row.digest),
  createdAt: num(row.created_at),
  createdBy: row.created_by,
  ...present('testedAt', maybe(row.tested_at)),
  ...present('testedBy', row.tested_by),
  ...present('enabledAt', maybe(row.enabled_at)),
  ...present('enabledBy', row.enabled_by),
  ...present('retiredAt', maybe(row.retired_at)),
})

/** Amounts stand in JSON as decimal digits: sums may pass what a JSON number holds. */
interface StoredSum {
  readonly amount: string
  readonly count: number
}
interface StoredRecent {
  readonly withdrawal: string
  readonly at: number
  readonly amount: string
}
const storedSum = ({ amount, count }: RiskFacts['lastHour']): StoredSum => ({
  amount: amount.toString(),
  count,
})
const sumOf = ({ amount, count }: StoredSum) => ({ amount: BigInt(amount), count })
const storedRecent = (recent: readonly RecentRequest[]): readonly StoredRecent[] =>
  recent.map(({ withdrawal, at, amount }) => ({ withdrawal, at, amount: amount.toString() }))
const recentFrom = (stored: readonly StoredRecent[]): readonly RecentRequest[] =>
  stored.map(({ withdrawal, at, amount }) => ({
    withdrawal: withdrawal as WithdrawalId,
    at,
    amount: sat(BigInt(amount)),
  }))

export const recentText = (recent: readonly RecentRequest[]): string =>
  JSON.stringify(storedRecent(recent))
export const recentOf = (text: string): readonly RecentRequest[] => recentFrom(JSON.parse(text))

interface StoredSubject
  extends Omit<PolicySubject, 'amount' | 'maxFee' | 'script' | 'withdrawal' | 'wallet'> {
  readonly wallet: string
  readonly amount: string
  readonly maxFee: string
  readonly script: string
}
interface StoredFacts extends Omit<RiskFacts, 'amount' | 'profile' | 'lastHour' | 'lastDay'> {
  readonly recent: readonly StoredRecent[]
  readonly profile: string
  readonly habit: {
    readonly paid: number
    readonly total: string
    readonly largest: string
    readonly firstPaidAt?: number
    readonly hours: readonly number[]
  }
  readonly lastHour: StoredSum
  readonly lastDay: StoredSum
}

const subjectText = ({ withdrawal: _, amount, maxFee, script, ...rest }: PolicySubject): string => {
  const stored: StoredSubject = {
    ...rest,
    amount: amount.toString(),
    maxFee: maxFee.toString(),
    script: toHex(script),
  }
  return JSON.stringify(stored)
}
const subjectOf = (withdrawal: string, text: string): PolicySubject => {
  const { wallet, amount, maxFee, script, ...rest }: StoredSubject = JSON.parse(text)
  return {
    ...rest,
    withdrawal: withdrawal as WithdrawalId,
    wallet: wallet as WalletId,
    amount: sat(BigInt(amount)),
    maxFee: sat(BigInt(maxFee)),
    script: fromHex(script),
  }
}
const factsText = ({ at, profile, paidToDestination, lastHour, lastDay }: RiskFacts): string => {
  const { habit, recent, subject } = profile
  const stored: StoredFacts = {
    at,
    paidToDestination,
    profile: subject,
    recent: storedRecent(recent),
    habit: { ...habit, total: habit.total.toString(), largest: habit.largest.toString() },
    lastHour: storedSum(lastHour),
    lastDay: storedSum(lastDay),
  }
  return JSON.stringify(stored)
}
const factsOf = (text: string, amount: RiskFacts['amount']): RiskFacts => {
  const { profile, recent, habit, lastHour, lastDay, ...rest }: StoredFacts = JSON.parse(text)
  return {
    ...rest,
    amount,
    profile: {
      subject: profile,
      recent: recentFrom(recent),
      habit: { ...habit, total: BigInt(habit.total), largest: sat(BigInt(habit.largest)) },
    },
    lastHour: sumOf(lastHour),
    lastDay: sumOf(lastDay),
  }
}

export const decisionRow = ({
  subject,
  facts,
  verdict,
  number,
  state,
}: DecisionRecord): PolicyDecisionRow => ({
  withdrawal: subject.withdrawal,
  number: int(number),
  at: int(subject.at),
  state,
  subject: subjectText(subject),
  facts: factsText(facts),
  verdict: JSON.stringify(verdict),
})
export function decisionOf(row: PolicyDecisionRow): DecisionRecord {
  const subject = subjectOf(row.withdrawal, row.subject)
  return {
    subject,
    facts: factsOf(row.facts, subject.amount),
    verdict: JSON.parse(row.verdict),
    number: num(row.number),
    state: row.state as DecisionRecord['state'],
  }
}

export const moveRow = ({ number, at, kind, withdrawal }: Move): PolicyMoveRow => ({
  number: int(number),
  at: int(at),
  kind,
  withdrawal,
})
export const moveOf = (row: PolicyMoveRow): Move => ({
  number: num(row.number),
  at: num(row.at),
  kind: row.kind as Move['kind'],
  withdrawal: row.withdrawal as WithdrawalId,
})

export const taskRow = (task: ApprovalTask): ApprovalTaskRow => ({
  kind: task.subject.kind,
  id: task.subject.id,
  hash: fromHex(task.hash),
  requirements: JSON.stringify(task.requirements),
  initiators: JSON.stringify(task.initiators),
  at: int(task.at),
})
export const taskOf = (row: ApprovalTaskRow): ApprovalTask => ({
  subject: { kind: row.kind as ApprovalTask['subject']['kind'], id: row.id },
  hash: toHex(row.hash),
  requirements: JSON.parse(row.requirements),
  initiators: JSON.parse(row.initiators),
  at: num(row.at),
})
export const approvalRow = (approval: Approval): ApprovalRow => ({
  kind: approval.subject.kind,
  id: approval.subject.id,
  actor: approval.by,
  hash: fromHex(approval.hash),
  at: int(approval.at),
})
export const approvalOf = (row: ApprovalRow): Approval => ({
  subject: { kind: row.kind as Approval['subject']['kind'], id: row.id },
  hash: toHex(row.hash),
  by: row.actor,
  at: num(row.at),
})
