import type { PsbtId, Refusal, Result, WithdrawalId } from '../../kernel/index.ts'
import type { Approval, ApprovalSubject, ApprovalTask, PolicyTx } from './ports.ts'
import type { PolicySubject, PolicyVerdict } from './subject.ts'

/** How far the approvals of one subject are. */
export interface ApprovalProgress {
  readonly have: number
  /** `have`, and how many more are missing at least. */
  readonly need: number
  readonly complete: boolean
}
export type ApprovalRefusal = Refusal<
  | 'APPROVAL_NOT_NEEDED'
  | 'APPROVER_IS_INITIATOR'
  | 'APPROVER_REPEATED'
  | 'APPROVAL_DIGEST_MISMATCH'
  | 'APPROVER_NOT_ALLOWED'
>
export interface WithdrawalApproval {
  readonly withdrawal: WithdrawalId
  /** Of the request that the approver saw. */
  readonly digest: string
  readonly by: string
  readonly at: number
}
export interface TransactionApproval {
  readonly psbt: PsbtId
  /** Of the unsigned transaction that the approver saw, 64 hex digits. */
  readonly hash: string
  readonly by: string
  readonly at: number
}
export type Approved = Promise<Result<ApprovalProgress, ApprovalRefusal>>

/**
 * Decides about a request, in the transaction that records it, and writes the decision down. Locks the head of the policies,
 * so call it after the
 * funds of the wallet are locked and before anything takes the ledger, the audit trail or events. When it holds, the approvals wait from here on.
 */
export type Judge = (tx: PolicyTx, subject: PolicySubject) => Promise<PolicyVerdict>
/** Counts a request that was allowed or held, in the same transaction as `judge`. */
export type Reserve = (tx: PolicyTx, subject: PolicySubject) => Promise<void>
/** Rejected, cancelled or failed: takes it out of every window it was counted in. A second time changes nothing. */
export type Release = (tx: PolicyTx, withdrawal: WithdrawalId, at: number) => Promise<void>
/** Paid for good: the habit of who asked learns it, and its destination is known from now on. A second time changes nothing. */
export type Settle = (tx: PolicyTx, withdrawal: WithdrawalId, at: number) => Promise<void>
/** One person approves one request; nobody who may not, nobody twice, and only what they saw. */
export type Approve = (tx: PolicyTx, approval: WithdrawalApproval) => Approved
/** What the approvals of a transaction wait for: made with the version of a spend, from the verdicts of what it pays. */
export type RequireTransactionApprovals = (
  tx: PolicyTx,
  transaction: {
    readonly psbt: PsbtId
    readonly hash: string
    readonly withdrawals: readonly WithdrawalId[]
    /** Actors beside the initiators of the withdrawals who never approve it. */
    readonly initiators?: readonly string[]
    readonly at: number
  },
) => Promise<ApprovalProgress>
export type ApproveTransaction = (tx: PolicyTx, approval: TransactionApproval) => Approved
/** Who approved what, for receipts and explanations; undefined when nothing has to be approved. */
export type ApprovalState = (
  tx: Pick<PolicyTx, 'policy'>,
  subject: ApprovalSubject,
) => Promise<
  | (ApprovalProgress & { readonly task: ApprovalTask; readonly approvals: readonly Approval[] })
  | undefined
>
