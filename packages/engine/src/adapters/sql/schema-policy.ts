/** The tables of policies, limits, risk and analytics as rows; see `schema.ts` for the kinds of their columns. */
export interface PolicyHeadRow {
  id: bigint
  enabled: bigint
  digest: Uint8Array | null
  versions: bigint
  moves: bigint
}
export interface PolicyRow {
  version: bigint
  status: string
  name: string
  document: string
  digest: Uint8Array
  created_at: bigint
  created_by: string
  tested_at: bigint | null
  tested_by: string | null
  enabled_at: bigint | null
  enabled_by: string | null
  retired_at: bigint | null
}
export interface PolicyDecisionRow {
  withdrawal: string
  number: bigint
  at: bigint
  state: string
  subject: string
  facts: string
  verdict: string
}
export interface PolicyMoveRow {
  number: bigint
  at: bigint
  kind: string
  withdrawal: string
}
export interface ApprovalTaskRow {
  kind: string
  id: string
  hash: Uint8Array
  requirements: string
  initiators: string
  at: bigint
}
export interface ApprovalRow {
  kind: string
  id: string
  actor: string
  hash: Uint8Array
  at: bigint
}
export interface LimitEntryRow {
  withdrawal: string
  subject: string
  at: bigint
  amount: bigint
}
export interface LimitSumRow {
  subject: string
  level: bigint
  start: bigint
  amount: bigint
  count: bigint
}
export interface RiskProfileRow {
  subject: string
  recent: string
  paid: bigint
  total: bigint
  largest: bigint
  first_paid_at: bigint | null
  hours: string
}
export interface RiskPaidRow {
  subject: string
  script: Uint8Array
  count: bigint
}
export interface WithdrawalDayRow {
  day: string
  wallet: string
  customer: string
  requested: bigint
  requested_sat: bigint
  settled: bigint
  settled_sat: bigint
  reversed: bigint
  reversed_sat: bigint
  fees_sat: bigint
  confirmed: bigint
  confirm_ms: bigint
}
export interface PolicySchema {
  policy_head: PolicyHeadRow
  policies: PolicyRow
  policy_decisions: PolicyDecisionRow
  policy_moves: PolicyMoveRow
  approval_tasks: ApprovalTaskRow
  approvals: ApprovalRow
  limit_entries: LimitEntryRow
  limit_sums: LimitSumRow
  risk_profiles: RiskProfileRow
  risk_paid: RiskPaidRow
  withdrawal_days: WithdrawalDayRow
}
