import {
  ok,
  type PsbtId,
  type Refusal,
  type Result,
  refuse,
  type WithdrawalId,
} from '../../kernel/index.ts'
import {
  type ApprovalRefusal,
  approvalState,
  approveTransaction,
  requireTransactionApprovals,
} from '../policy/index.ts'
import type { VersionRecord } from '../spending/index.ts'
import type { Session, SessionRefusal } from './ports.ts'
import { type Holder, holding, stepped, waitsForSignatures } from './session.ts'
import type { SigningTx } from './transaction.ts'

/** The requests that a transaction pays, from its plan. */
export const paidBy = ({ transaction }: VersionRecord): readonly WithdrawalId[] => [
  ...new Set(
    transaction.outputs.flatMap(({ role }) => (role.kind === 'payment' ? role.withdrawals : [])),
  ),
]

const subjectOf = ({ id }: VersionRecord) => ({ kind: 'psbt', id }) as const

/** How far the approvals of exactly this transaction are. One that needs none is complete. */
export async function approvalsOf(
  tx: Pick<SigningTx, 'policy'>,
  version: VersionRecord,
): Promise<Session['approvals']> {
  const { approvalsNeeded } = version
  const initiators = [version.createdBy]
  if (approvalsNeeded === 0) return { have: 0, need: 0, complete: true, given: [], initiators }
  const state = await approvalState(tx, subjectOf(version))
  if (!state || state.task.hash !== version.hash)
    return { have: 0, need: approvalsNeeded, complete: false, given: [], initiators }
  const { have, need, complete, approvals } = state
  // Two counts, of the plan and of the task: the stricter one decides.
  const given = approvals.filter(({ hash }) => hash === version.hash)
  return {
    have,
    need,
    complete: complete && given.length >= approvalsNeeded,
    given,
    initiators: state.task.initiators,
  }
}

/** The task is made when it is needed first, from the verdicts of what the transaction pays. */
async function ensureTask(tx: SigningTx, version: VersionRecord, at: number): Promise<void> {
  if (version.approvalsNeeded === 0 || (await approvalState(tx, subjectOf(version)))) return
  await requireTransactionApprovals(tx, {
    psbt: version.id,
    hash: version.hash,
    withdrawals: paidBy(version),
    initiators: [version.createdBy],
    at,
  })
}

/** @throws never: a transaction that may not be signed yet is refused. */
export function notApproved(
  version: VersionRecord,
  { have, need }: Session['approvals'],
): Result<never, Refusal<'PSBT_NOT_APPROVED'>> {
  return refuse(
    'PSBT_NOT_APPROVED',
    `${have} of ${need} people have approved this transaction: nobody may sign it before`,
    { param: 'id', details: { have, need, hash: version.hash } },
  )
}

/** Counts one approval; with the last one, signers are asked. */
export function approveIn(
  tx: SigningTx,
  owners: Holder['owners'],
  { id, hash, by, at }: { id: PsbtId; hash: string; by: string; at: number },
): Promise<Result<VersionRecord, ApprovalRefusal | SessionRefusal>> {
  return holding<VersionRecord, ApprovalRefusal | SessionRefusal>(tx, id, at, async (held) => {
    const { spend, version } = held
    const waits = waitsForSignatures(version, spend)
    if (!waits.ok) return waits
    await ensureTask(tx, version, at)
    const approved = await approveTransaction(tx, { psbt: id, hash, by, at })
    if (!approved.ok) return approved
    if (!approved.value.complete) return ok(version)
    return ok(await stepped(held, owners, { changes: { nextAt: at }, actor: by }))
  })
}
