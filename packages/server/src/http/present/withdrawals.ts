import type { Network } from '@kaccy/bitcoin/kernel'
import type { Explanation, WithdrawalRecord } from '@kaccy/bitcoin/withdrawals'
import type { WithdrawalExplanationJson, WithdrawalJson } from '../schemas/withdrawals.ts'
import { satoshi, satoshiOrNull, time, timeOrNull } from './basics.ts'
import { psbtJson } from './psbts.ts'

/** A withdrawal as the API shows it. */
export function withdrawalJson(withdrawal: WithdrawalRecord): WithdrawalJson {
  const { speed, verdict, ended, cancelAsked } = withdrawal
  return {
    id: withdrawal.id,
    wallet: withdrawal.wallet,
    external_id: withdrawal.externalId,
    digest: withdrawal.digest,
    address: withdrawal.address,
    amount_sat: satoshi(withdrawal.amount),
    fee_payer: withdrawal.feePayer,
    priority: speed.kind === 'priority' ? speed.priority : null,
    fee_rate_sat_kvb: speed.kind === 'rate' ? Number(speed.rate) : null,
    deadline: timeOrNull(speed.kind === 'deadline' ? speed.at : undefined),
    max_fee_sat: satoshi(withdrawal.maxFee),
    max_fee_rate_sat_kvb: Number(withdrawal.maxRate),
    customer: withdrawal.customer ?? null,
    user: withdrawal.user ?? null,
    description: withdrawal.description ?? null,
    metadata: { ...withdrawal.metadata },
    initiator: withdrawal.initiator,
    status: withdrawal.status,
    verdict: {
      decision: verdict.decision,
      score: verdict.score,
      reasons: verdict.reasons.map(({ code, message }) => ({ code, message })),
      policy_version: verdict.policyVersion,
      approvals_needed: verdict.approvalsNeeded,
      transaction_approvals: verdict.transactionApprovals,
    },
    reserved_sat: satoshi(withdrawal.reserved),
    ended: ended ? { ...ended, at: time(ended.at) } : null,
    cancel_asked: cancelAsked ? { ...cancelAsked, at: time(cancelAsked.at) } : null,
    spend: withdrawal.spend ?? null,
    txid: withdrawal.txid ?? null,
    vout: withdrawal.output?.vout ?? null,
    paid_sat: satoshiOrNull(withdrawal.paid),
    fee_share_sat: satoshiOrNull(withdrawal.feeShare),
    waits_for: withdrawal.waitsFor ?? null,
    reached: Object.fromEntries(
      Object.entries(withdrawal.reachedAt).map(([status, at]) => [status, time(at)]),
    ),
    created_at: time(withdrawal.createdAt),
    updated_at: time(withdrawal.updatedAt),
  }
}

/** Why a withdrawal is what it is, as the API shows it. */
export const withdrawalExplanationJson = (
  { withdrawal, because, next, waitsFor, approvals, versions }: Explanation,
  network: Network,
): WithdrawalExplanationJson => ({
  withdrawal: withdrawalJson(withdrawal),
  because: [...because],
  next: [...next],
  waits_for: [...waitsFor],
  approvals: approvals.map(({ by, at }) => ({ by, at: time(at) })),
  versions: versions.map((version) => psbtJson(version, network)),
})
