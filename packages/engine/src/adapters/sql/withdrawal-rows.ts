import type { Speed, WithdrawalRecord } from '../../capabilities/withdrawals/index.ts'
import {
  AssertionError,
  fromHex,
  type SpendId,
  sat,
  satPerKvB,
  toHex,
  txid,
  type WalletId,
  type WithdrawalId,
} from '../../kernel/index.ts'
import { int, maybeInt, num, ownBytes, present } from './doors.ts'
import type { WithdrawalProgressRow, WithdrawalRow } from './schema-payouts.ts'

/** What the engine does about a request, with its id and what was asked for, as a hash. */
export const progressRow = (withdrawal: WithdrawalRecord): WithdrawalProgressRow => ({
  id: withdrawal.id,
  digest: fromHex(withdrawal.digest),
  reserved: withdrawal.reserved,
  status: withdrawal.status,
  reached_at: JSON.stringify(withdrawal.reachedAt),
  ended_by: withdrawal.ended?.by ?? null,
  ended_reason: withdrawal.ended?.reason ?? null,
  ended_at: maybeInt(withdrawal.ended?.at),
  cancel_by: withdrawal.cancelAsked?.by ?? null,
  cancel_reason: withdrawal.cancelAsked?.reason ?? null,
  cancel_at: maybeInt(withdrawal.cancelAsked?.at),
  spend: withdrawal.spend ?? null,
  output_txid: withdrawal.output ? fromHex(withdrawal.output.txid) : null,
  output_vout: maybeInt(withdrawal.output?.vout),
  txid: withdrawal.txid === undefined ? null : fromHex(withdrawal.txid),
  paid: withdrawal.paid ?? null,
  fee_share: withdrawal.feeShare ?? null,
  posted: int(withdrawal.posted),
  plan_at: maybeInt(withdrawal.planAt),
  waits_for: withdrawal.waitsFor ?? null,
  updated_at: int(withdrawal.updatedAt),
})

export const withdrawalRow = (withdrawal: WithdrawalRecord): WithdrawalRow => ({
  ...progressRow(withdrawal),
  wallet: withdrawal.wallet,
  external_id: withdrawal.externalId,
  address: withdrawal.address,
  script: withdrawal.script,
  amount: withdrawal.amount,
  fee_payer: withdrawal.feePayer,
  priority: withdrawal.speed.kind === 'priority' ? withdrawal.speed.priority : null,
  rate: withdrawal.speed.kind === 'rate' ? withdrawal.speed.rate : null,
  deadline: withdrawal.speed.kind === 'deadline' ? int(withdrawal.speed.at) : null,
  max_fee: withdrawal.maxFee,
  max_rate: withdrawal.maxRate,
  customer: withdrawal.customer ?? null,
  user_id: withdrawal.user ?? null,
  description: withdrawal.description ?? null,
  metadata: JSON.stringify(withdrawal.metadata),
  initiator: withdrawal.initiator,
  decision: withdrawal.verdict.decision,
  score: int(withdrawal.verdict.score),
  reasons: JSON.stringify(
    withdrawal.verdict.reasons.map(({ code, message }) => ({ code, message })),
  ),
  policy_version: int(withdrawal.verdict.policyVersion),
  approvals_needed: int(withdrawal.verdict.approvalsNeeded),
  transaction_approvals: int(withdrawal.verdict.transactionApprovals),
  created_at: int(withdrawal.createdAt),
})

const PRIORITIES: readonly string[] = ['low', 'normal', 'high']
/** @throws AssertionError unless exactly one of the three ways to say it is there. */
function speedOf({ id, priority, rate, deadline }: WithdrawalRow): Speed {
  const said = [priority, rate, deadline].filter((one) => one !== null).length
  if (said === 1) {
    if (rate !== null) return { kind: 'rate', rate: satPerKvB(rate) }
    if (deadline !== null) return { kind: 'deadline', at: num(deadline) }
    if (priority !== null && PRIORITIES.includes(priority))
      return { kind: 'priority', priority: priority as 'low' | 'normal' | 'high' }
  }
  throw new AssertionError(`withdrawal ${id} has no speed`)
}

type Reason = WithdrawalRecord['verdict']['reasons'][number]
const isReason = (value: unknown): value is Reason =>
  typeof value === 'object' &&
  value !== null &&
  'code' in value &&
  typeof value.code === 'string' &&
  'message' in value &&
  typeof value.message === 'string'
function reasonsOf({ id, reasons }: WithdrawalRow): readonly Reason[] {
  const value: unknown = JSON.parse(reasons)
  if (!Array.isArray(value) || !value.every(isReason))
    throw new AssertionError(`withdrawal ${id} was judged for no reasons`)
  return value.map(({ code, message }) => ({ code, message }))
}
const verdictOf = (row: WithdrawalRow): WithdrawalRecord['verdict'] => ({
  decision: row.decision as WithdrawalRecord['verdict']['decision'],
  score: num(row.score),
  reasons: reasonsOf(row),
  policyVersion: num(row.policy_version),
  approvalsNeeded: num(row.approvals_needed),
  transactionApprovals: num(row.transaction_approvals),
})

const saidAt = (by: string | null, reason: string | null, at: bigint | null) =>
  at === null ? null : { by: by ?? '', reason: reason ?? '', at: num(at) }
const outputOf = ({ output_txid: hash, output_vout: vout }: WithdrawalRow) =>
  hash === null || vout === null ? null : { txid: txid(toHex(hash)), vout: num(vout) }

export const withdrawalOf = (row: WithdrawalRow): WithdrawalRecord => ({
  id: row.id as WithdrawalId,
  wallet: row.wallet as WalletId,
  externalId: row.external_id,
  digest: toHex(row.digest),
  address: row.address,
  script: ownBytes(row.script),
  amount: sat(row.amount),
  feePayer: row.fee_payer as WithdrawalRecord['feePayer'],
  speed: speedOf(row),
  maxFee: sat(row.max_fee),
  maxRate: satPerKvB(row.max_rate),
  ...present('customer', row.customer),
  ...present('user', row.user_id),
  ...present('description', row.description),
  metadata: JSON.parse(row.metadata),
  initiator: row.initiator,
  verdict: verdictOf(row),
  reserved: sat(row.reserved),
  status: row.status as WithdrawalRecord['status'],
  reachedAt: JSON.parse(row.reached_at),
  ...present('ended', saidAt(row.ended_by, row.ended_reason, row.ended_at)),
  ...present('cancelAsked', saidAt(row.cancel_by, row.cancel_reason, row.cancel_at)),
  ...present('spend', row.spend as SpendId | null),
  ...present('output', outputOf(row)),
  ...present('txid', row.txid === null ? null : txid(toHex(row.txid))),
  ...present('paid', row.paid === null ? null : sat(row.paid)),
  ...present('feeShare', row.fee_share === null ? null : sat(row.fee_share)),
  posted: num(row.posted),
  ...present('planAt', row.plan_at === null ? null : num(row.plan_at)),
  ...present('waitsFor', row.waits_for),
  createdAt: num(row.created_at),
  updatedAt: num(row.updated_at),
})
