import type { Columns } from './schema.ts'
import type {
  ApprovalRow,
  ApprovalTaskRow,
  LimitEntryRow,
  LimitSumRow,
  PolicyDecisionRow,
  PolicyMoveRow,
  PolicyRow,
  RiskPaidRow,
  RiskProfileRow,
  WithdrawalDayRow,
} from './schema-policy.ts'

const text = 'text'
const int = 'int'
const bytes = 'bytes'

export const POLICIES: Columns<PolicyRow> = {
  version: int,
  status: text,
  name: text,
  document: text,
  digest: bytes,
  created_at: int,
  created_by: text,
  tested_at: int,
  tested_by: text,
  enabled_at: int,
  enabled_by: text,
  retired_at: int,
}
export const POLICY_DECISIONS: Columns<PolicyDecisionRow> = {
  withdrawal: text,
  number: int,
  at: int,
  state: text,
  subject: text,
  facts: text,
  verdict: text,
}
export const POLICY_MOVES: Columns<PolicyMoveRow> = {
  number: int,
  at: int,
  kind: text,
  withdrawal: text,
}
export const APPROVAL_TASKS: Columns<ApprovalTaskRow> = {
  kind: text,
  id: text,
  hash: bytes,
  requirements: text,
  initiators: text,
  at: int,
}
export const APPROVALS: Columns<ApprovalRow> = {
  kind: text,
  id: text,
  actor: text,
  hash: bytes,
  at: int,
}
export const LIMIT_ENTRIES: Columns<LimitEntryRow> = {
  withdrawal: text,
  subject: text,
  at: int,
  amount: int,
}
export const LIMIT_SUMS: Columns<LimitSumRow> = {
  subject: text,
  level: int,
  start: int,
  amount: int,
  count: int,
}
export const RISK_PROFILES: Columns<RiskProfileRow> = {
  subject: text,
  recent: text,
  paid: int,
  total: int,
  largest: int,
  first_paid_at: int,
  hours: text,
}
export const RISK_PAID: Columns<RiskPaidRow> = { subject: text, script: bytes, count: int }
export const WITHDRAWAL_DAYS: Columns<WithdrawalDayRow> = {
  day: text,
  wallet: text,
  customer: text,
  requested: int,
  requested_sat: int,
  settled: int,
  settled_sat: int,
  reversed: int,
  reversed_sat: int,
  fees_sat: int,
  confirmed: int,
  confirm_ms: int,
}
