import { assert, ok, type Result, refuse } from '../../kernel/index.ts'
import { appendAudit } from '../audit/index.ts'
import type {
  ApprovalProgress,
  ApprovalRefusal,
  ApprovalState,
  Approve,
  ApproveTransaction,
  RequireTransactionApprovals,
} from './doors.ts'
import { membersOf } from './lint.ts'
import type {
  Approval,
  ApprovalRequirement,
  ApprovalSubject,
  ApprovalTask,
  DecisionRecord,
  PolicyTx,
} from './ports.ts'
import { policyAt } from './stored.ts'

const mayMeet = ({ members }: ApprovalRequirement, by: string): boolean =>
  members === undefined || members.includes(by)

/** How far a task is with these approvals. */
export function progressOf(task: ApprovalTask, by: readonly string[]): ApprovalProgress {
  const missing = task.requirements.map(
    (one) => one.needed - by.filter((person) => mayMeet(one, person)).length,
  )
  const most = Math.max(0, ...missing)
  return { have: by.length, need: by.length + most, complete: most === 0 }
}

/** Why this person's approval does not count; undefined when it does. */
export function approvalFault(
  task: ApprovalTask,
  given: readonly Pick<Approval, 'by'>[],
  { hash, by }: { readonly hash: string; readonly by: string },
): ApprovalRefusal | undefined {
  if (hash !== task.hash) {
    const message = 'what was approved is not what is to be paid'
    return refuse('APPROVAL_DIGEST_MISMATCH', message, { param: 'digest' }).error
  }
  if (task.initiators.includes(by))
    return refuse('APPROVER_IS_INITIATOR', 'who asked for a payment cannot approve it').error
  // The engine itself is nobody who could look at a payment.
  if (!/^(api|operator):./.test(by) || !task.requirements.some((one) => mayMeet(one, by)))
    return refuse('APPROVER_NOT_ALLOWED', 'this person is in none of the groups that approve it')
      .error
  if (given.some((one) => one.by === by))
    return refuse('APPROVER_REPEATED', 'this person has approved it already').error
  return undefined
}

async function give(
  tx: PolicyTx,
  approval: Approval,
): Promise<Result<ApprovalProgress, ApprovalRefusal>> {
  const { subject, hash, by, at } = approval
  // One approval of a subject at a time: the last one that is needed is counted once.
  const task = await tx.policy.lockTask(subject)
  if (!task) return refuse('APPROVAL_NOT_NEEDED', 'nobody has to approve this')
  const given = await tx.policy.approvals(subject)
  const fault = approvalFault(task, given, approval)
  if (fault) return { ok: false, error: fault }
  await tx.policy.insertApproval(approval)
  const progress = progressOf(task, [...given.map((one) => one.by), by])
  const { have, need } = progress
  await appendAudit(tx, at, [
    { actor: by, action: 'approval.give', subject: subject.id, details: { hash, have, need } },
  ])
  return ok(progress)
}

/**
 * One person approves one request: not who asked for it, nobody twice, nobody outside the groups, and only the request
 * whose digest they saw. The trail names them.
 */
export const approve: Approve = (tx, { withdrawal, digest, by, at }) =>
  give(tx, { subject: { kind: 'withdrawal', id: withdrawal }, hash: digest, by, at })

/** One person approves one exact transaction. */
export const approveTransaction: ApproveTransaction = (tx, { psbt, hash, by, at }) =>
  give(tx, { subject: { kind: 'psbt', id: psbt }, hash, by, at })

/** Who approved what, and how many are missing; undefined when nothing has to be approved. */
export const approvalState: ApprovalState = async (tx, subject: ApprovalSubject) => {
  const task = await tx.policy.task(subject)
  if (!task) return undefined
  const approvals = await tx.policy.approvals(subject)
  const by = approvals.map((one) => one.by)
  return { ...progressOf(task, by), task, approvals }
}

async function requirementOf(
  tx: PolicyTx,
  { verdict }: DecisionRecord,
): Promise<readonly ApprovalRequirement[]> {
  if (verdict.transactionApprovals === 0) return []
  // The groups as they were when the request was decided.
  const policy = await policyAt(tx, verdict.policyVersion)
  const members = membersOf(policy, verdict.transactionApprovers)
  return [{ needed: verdict.transactionApprovals, ...(members ? { members } : {}) }]
}

/**
 * Says what has to be approved of an unsigned transaction, by its hash: what the verdicts of the withdrawals in it ask for,
 * each of them, and none of those who asked for one. Made once for each transaction, in the commit that stores it.
 * @throws AssertionError for a withdrawal that was never decided
 */
export const requireTransactionApprovals: RequireTransactionApprovals = async (tx, transaction) => {
  const { psbt, hash, withdrawals, initiators = [], at } = transaction
  const requirements: ApprovalRequirement[] = []
  const barred = new Set(initiators)
  for (const withdrawal of withdrawals) {
    const decision = await tx.policy.decision(withdrawal)
    assert(decision, `withdrawal ${withdrawal} was never decided`)
    requirements.push(...(await requirementOf(tx, decision)))
    barred.add(decision.subject.initiator)
  }
  if (requirements.length === 0) return { have: 0, need: 0, complete: true }
  const different = new Map(requirements.map((one) => [JSON.stringify(one), one]))
  const task: ApprovalTask = {
    subject: { kind: 'psbt', id: psbt },
    hash,
    requirements: [...different.values()],
    initiators: [...barred].sort(),
    at,
  }
  await tx.policy.insertTask(task)
  return progressOf(task, [])
}
