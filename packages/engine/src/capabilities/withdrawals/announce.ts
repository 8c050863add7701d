import type { Json } from '../../kernel/index.ts'
import type { NewAlert } from '../alerts/index.ts'
import type { Trail } from '../spending/index.ts'
import { isEnded } from './machine.ts'
import type { WithdrawalRecord, WithdrawalStatus } from './ports.ts'

/** A withdrawal as events and the trail show it: enough to act on without asking back. */
export function withdrawalSnapshot(record: WithdrawalRecord): { readonly [key: string]: Json } {
  const { output, txid, paid, feeShare, ended, verdict } = record
  return {
    withdrawal: record.id,
    wallet: record.wallet,
    external_id: record.externalId,
    status: record.status,
    address: record.address,
    amount_sat: Number(record.amount),
    fee_payer: record.feePayer,
    customer: record.customer ?? null,
    user: record.user ?? null,
    digest: record.digest,
    decision: verdict.decision,
    score: verdict.score,
    spend: record.spend ?? null,
    txid: txid ?? null,
    vout: output?.vout ?? null,
    paid_sat: paid === undefined ? null : Number(paid),
    fee_share_sat: feeShare === undefined ? null : Number(feeShare),
    reason: ended?.reason ?? null,
  }
}

const RANK: Readonly<Record<WithdrawalStatus, number>> = {
  requested: 0,
  approved: 1,
  batched: 2,
  signing: 3,
  sending: 4,
  mined: 5,
  settled: 6,
  rejected: 7,
  cancelled: 7,
  failed: 7,
}

/** What a change is called; undefined for one that nobody needs to hear of. */
export function eventOf(before: WithdrawalRecord, after: WithdrawalRecord): string | undefined {
  if (before.status === after.status) {
    if (before.cancelAsked === undefined && after.cancelAsked !== undefined)
      return 'withdrawal.cancel_asked'
    return before.spend === after.spend && before.txid !== after.txid
      ? 'withdrawal.replaced'
      : undefined
  }
  if (after.status === 'approved' && before.status !== 'requested') return 'withdrawal.replanned'
  if (isEnded(before.status) && !isEnded(after.status)) return 'withdrawal.reorged'
  if (!isEnded(after.status) && RANK[after.status] < RANK[before.status])
    return 'withdrawal.reorged'
  return `withdrawal.${after.status}`
}

/** Puts what became of a withdrawal, and by whom, into the trail of its transaction. */
export function tellWithdrawal(
  trail: Trail,
  type: string,
  record: WithdrawalRecord,
  actor: string,
  details: { readonly [key: string]: Json } = {},
): void {
  const data = { ...withdrawalSnapshot(record), ...details }
  trail.audits.push({ actor, action: type, subject: record.id, details: data })
  trail.events.push({ type, subject: record.id, data })
}

/** People are waited for. */
export const heldAlert = ({ id, wallet, amount, verdict }: WithdrawalRecord): NewAlert => ({
  key: `withdrawal_held/${id}`,
  kind: 'withdrawal_held',
  severity: 'warning',
  subject: id,
  message: `A withdrawal of ${amount} sat waits for ${verdict.approvalsNeeded} approvals`,
  data: {
    wallet,
    amount_sat: Number(amount),
    score: verdict.score,
    reasons: verdict.reasons.map(({ code }) => code),
  },
})

/** It can never be paid by what was made for it: a person must look before anybody asks again. */
export const failedAlert = ({
  id,
  wallet,
  amount,
  spend,
  updatedAt,
}: WithdrawalRecord): NewAlert => ({
  key: `withdrawal_failed/${id}/${updatedAt}`,
  kind: 'withdrawal_failed',
  severity: 'critical',
  subject: id,
  message: `A withdrawal of ${amount} sat failed: a transaction that is not ours took its coins`,
  data: { wallet, amount_sat: Number(amount), spend: spend ?? null },
})
