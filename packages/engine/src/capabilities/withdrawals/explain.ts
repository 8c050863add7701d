import { ok, type PsbtId, type Result, type Txid, type WithdrawalId } from '../../kernel/index.ts'
import type { SpendRecord, VersionRecord } from '../spending/index.ts'
import type { PolicyDoors } from './doors.ts'
import { isEnded } from './machine.ts'
import type { WithdrawalRecord, WithdrawalStatus } from './ports.ts'
import { pays } from './shares.ts'
import type { WithdrawalsTx } from './transaction.ts'
import { refuseUnknown, type VerbRefusal } from './verbs.ts'

export interface Explanation {
  readonly withdrawal: WithdrawalRecord
  /** The facts that led to its status, one sentence each, oldest first. */
  readonly because: readonly string[]
  /** What would change it next. */
  readonly next: readonly string[]
  /** Who must act for it to go on; empty when the engine or the chain goes on by itself. */
  readonly waitsFor: readonly string[]
  /** Who approved the request. */
  readonly approvals: readonly { readonly by: string; readonly at: number }[]
  readonly spend?: SpendRecord
  /** All transactions of its spend, by number. */
  readonly versions: readonly VersionRecord[]
  /** Those that could still pay it: consensus lets at most one of them ever be mined. */
  readonly candidates: readonly {
    readonly psbt: PsbtId
    readonly txid?: Txid
    readonly status: VersionRecord['status']
  }[]
}

const time = (at: number): string => new Date(at).toISOString()

/** Why a withdrawal is what it is. Everything comes from one snapshot. */
export async function explainWithdrawal(
  { policy }: { readonly policy: Pick<PolicyDoors, 'approvalState'> },
  tx: WithdrawalsTx,
  id: WithdrawalId,
): Promise<Result<Explanation, VerbRefusal>> {
  const withdrawal = await tx.withdrawals.withdrawal(id)
  if (!withdrawal) return refuseUnknown(id)
  const spend =
    withdrawal.spend === undefined ? undefined : await tx.spending.spend(withdrawal.spend)
  const versions = spend ? await tx.spending.versionsOf([spend.id]) : []
  const asked = await policy.approvalState(tx, { kind: 'withdrawal', id })
  const approvals = (asked?.approvals ?? []).map(({ by, at }) => ({ by, at }))
  const missing = asked ? asked.need - asked.have : 0
  const scene: Scene = { withdrawal, spend, versions, missing }
  return ok({
    withdrawal,
    because: becauseOf(scene, approvals),
    next: nextOf(scene),
    waitsFor: waitsForOf(scene),
    approvals,
    ...(spend ? { spend } : {}),
    versions,
    candidates: candidatesOf(scene),
  })
}

interface Scene {
  readonly withdrawal: WithdrawalRecord
  readonly spend: SpendRecord | undefined
  readonly versions: readonly VersionRecord[]
  /** Approvals of the request that are still needed. */
  readonly missing: number
}

function candidatesOf({ withdrawal, spend, versions }: Scene): Explanation['candidates'] {
  const isOver = !spend || spend.status === 'dropped' || spend.status === 'lost'
  const settled = spend?.status === 'settled' ? spend.mined?.psbt : undefined
  if (isOver) return []
  return versions
    .filter((version) => pays(version, withdrawal.id))
    .filter((version) => settled === undefined || version.id === settled)
    .map(({ id, txid, status }) => ({
      psbt: id,
      ...(txid === undefined ? {} : { txid }),
      status,
    }))
}

function becauseOf(
  { withdrawal, spend, versions }: Scene,
  approvals: Explanation['approvals'],
): readonly string[] {
  const { verdict, reachedAt, cancelAsked, ended, waitsFor, status } = withdrawal
  const facts = [
    `requested by ${withdrawal.initiator} at ${time(withdrawal.createdAt)}`,
    `policy version ${verdict.policyVersion} said ${verdict.decision} with a score of ${verdict.score}`,
    ...verdict.reasons.map(({ code, message }) => `${code}: ${message}`),
    ...approvals.map(({ by, at }) => `approved by ${by} at ${time(at)}`),
  ]
  if (reachedAt.approved !== undefined)
    facts.push(`approved for paying at ${time(reachedAt.approved)}`)
  if (status === 'approved' && waitsFor !== undefined)
    facts.push(`the last plan could not serve it: ${waitsFor}`)
  if (spend) facts.push(`spend ${spend.id} serves it since ${time(spend.createdAt)}`)
  for (const version of versions) facts.push(sentenceOf(version, withdrawal))
  if (spend?.mined)
    facts.push(`transaction ${spend.mined.txid} is in block ${spend.mined.block.height}`)
  if (cancelAsked)
    facts.push(
      `${cancelAsked.by} asked for its end at ${time(cancelAsked.at)}: ${cancelAsked.reason}`,
    )
  if (ended) facts.push(`ended by ${ended.by} at ${time(ended.at)}: ${ended.reason}`)
  return facts
}

function sentenceOf(version: VersionRecord, { id }: WithdrawalRecord): string {
  const { number, kind, status, txid, rate, exposedAt, lastSend } = version
  const what = pays(version, id) ? 'pays it' : 'does not pay it'
  const shown =
    exposedAt === undefined ? 'no signer has seen it' : `shown to signers at ${time(exposedAt)}`
  const sent = lastSend ? `, last answer of the node: ${lastSend.answer}` : ''
  return `version ${number} (${kind}, ${txid ?? 'id open'}) at ${rate} sat/kvB ${what} and is ${status}; ${shown}${sent}`
}

function nextOf({ withdrawal, spend, versions, missing }: Scene): readonly string[] {
  const { status, planAt, cancelAsked } = withdrawal
  const current = versions.find(({ id }) => id === spend?.current)
  const turns: Readonly<Record<WithdrawalStatus, readonly string[]>> = {
    requested: [
      `${missing} more approval${missing === 1 ? '' : 's'} make it approved`,
      'a rejection or a cancellation ends it and frees what it holds',
    ],
    approved: [
      planAt === undefined ? 'the next plan serves it' : `a plan serves it from ${time(planAt)} on`,
      'a rejection or a cancellation ends it and frees what it holds',
    ],
    batched: [
      (current?.approvalsNeeded ?? 0) > 0
        ? `signers are asked when ${current?.approvalsNeeded} people have approved the exact transaction`
        : 'signers are asked',
      'a cancellation ends it at once',
    ],
    signing: [
      'enough signatures make the transaction final, and it is sent',
      'only a buried conflicting transaction ends it unpaid',
    ],
    sending: [
      'a block with the transaction makes it mined',
      'only a buried conflicting transaction ends it unpaid',
    ],
    mined: ['more blocks on top settle it', 'a reorganisation makes it sending again'],
    settled: ['nothing, unless a reorganisation is deeper than what counts as buried'],
    rejected: ['nothing: ask again with another external id'],
    cancelled: ['nothing: ask again with another external id'],
    failed: ['nothing: a person must find out who spent the coin before it is asked for again'],
  }
  const isCancelling = cancelAsked !== undefined && !isEnded(status) && status !== 'mined'
  return isCancelling
    ? [
        ...turns[status],
        'its end is asked for: a conflicting transaction is made and has to be buried',
      ]
    : turns[status]
}

function waitsForOf({ withdrawal, spend, versions, missing }: Scene): readonly string[] {
  const { status, verdict, waitsFor } = withdrawal
  if (status === 'requested')
    return [`${missing} people who may approve it, none of them ${withdrawal.initiator}`]
  if (status === 'approved') return waitsFor === undefined ? [] : [waitsFor]
  const current = versions.find(({ id }) => id === spend?.current)
  if (status === 'batched' && verdict.transactionApprovals > 0)
    return [`people who approve transaction ${current?.hash ?? ''}`]
  if (status === 'batched' || status === 'signing') return ['signers']
  return []
}
