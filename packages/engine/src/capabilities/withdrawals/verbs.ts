import {
  type Clock,
  isPrintable,
  ok,
  type Refusal,
  type Result,
  refuse,
  type Sat,
  type Transactor,
  type WithdrawalId,
} from '../../kernel/index.ts'
import {
  againAfterConflict,
  doOnce,
  earlierAnswers,
  type Once,
  type OnceRefusal,
} from '../idempotency/index.ts'
import type { ApprovalRefusal } from '../policy/index.ts'
import { emptyTrail, type ReplaceRefusal, type Trail, writeTrail } from '../spending/index.ts'
import { tellWithdrawal } from './announce.ts'
import { type ChangeDeps, commitChanges, inState, stateOf } from './change.ts'
import type { PolicyDoors, SpendDoors } from './doors.ts'
import { aboveMostFee } from './input.ts'
import { next, type WithdrawalEvent } from './machine.ts'
import type { Speed, WithdrawalRecord } from './ports.ts'
import { firstPlanAt, type PlanRhythm } from './rhythm.ts'
import type { WithdrawalsTx } from './transaction.ts'

export type VerbRefusal =
  | OnceRefusal
  | ApprovalRefusal
  | Refusal<'WITHDRAWAL_NOT_FOUND' | 'WITHDRAWAL_STATE' | 'WITHDRAWAL_REASON_MISSING'>
export type CancelRefusal = VerbRefusal | ReplaceRefusal
export type BumpRefusal = VerbRefusal | ReplaceRefusal | Refusal<'WITHDRAWAL_FEE_LIMIT'>
export interface BumpInput {
  /** Default: what its own speed asks for now. */
  readonly speed?: Speed
  /** The most that the fee of the whole transaction may become, satoshi. Default: what its withdrawals allow together. */
  readonly maxFee?: Sat
}
export interface VerbDeps extends ChangeDeps {
  readonly store: Transactor<WithdrawalsTx>
  readonly clock: Clock
  readonly policy: Pick<PolicyDoors, 'release' | 'settle' | 'approve' | 'approvalState'>
  readonly spends: SpendDoors
  readonly rhythm: PlanRhythm
}
export type OnceRecord = Once<WithdrawalRecord> | undefined
type Outcome<R> = Result<WithdrawalRecord, R>

export const refuseUnknown = (id: string) =>
  refuse('WITHDRAWAL_NOT_FOUND', `no withdrawal ${id}`, {
    param: 'withdrawal',
    details: { withdrawal: id },
  })
const reasonFault = (reason: string) =>
  isPrintable(reason, 500)
    ? undefined
    : refuse('WITHDRAWAL_REASON_MISSING', 'a decision needs a reason of 1 to 500 characters', {
        param: 'reason',
      })

/** What one verb works with; the wallet's funds, the spend and the withdrawal are locked, in this order. */
interface Locked {
  readonly tx: WithdrawalsTx
  readonly record: WithdrawalRecord
  readonly at: number
  readonly trail: Trail
}

/** Runs a decision about one withdrawal under its locks. A verb with a key is done once. */
function decide<R extends Refusal>(
  { store, clock }: VerbDeps,
  id: WithdrawalId,
  once: OnceRecord,
  work: (locked: Locked) => Promise<Outcome<R>>,
): Promise<Outcome<R | OnceRefusal | Refusal<'WITHDRAWAL_NOT_FOUND'>>> {
  return againAfterConflict(() =>
    store.transact((tx) =>
      doOnce<WithdrawalRecord, R | Refusal<'WITHDRAWAL_NOT_FOUND'>>(
        tx,
        once,
        clock.now(),
        async () => {
          const known = await tx.withdrawals.withdrawal(id)
          if (!known) return refuseUnknown(id)
          await tx.coins.lockFunds(known.wallet)
          await tx.policy.lockHead()
          if (known.spend !== undefined) await tx.spending.lockSpends([known.spend])
          const [record = known] = await tx.withdrawals.lock([id])
          const trail = emptyTrail()
          const at = clock.now()
          const done = await work({ tx, record, at, trail })
          await writeTrail(tx, at, trail)
          return done
        },
      ),
    ),
  )
}

/** Commits what an event makes of the withdrawal; a refusal where it cannot come now. */
async function apply(
  deps: VerbDeps,
  { tx, record, at, trail }: Locked,
  event: WithdrawalEvent,
  actor: string,
  more: Partial<WithdrawalRecord> & { readonly reason: string },
): Promise<Outcome<Refusal<'WITHDRAWAL_STATE'>>> {
  const stepped = next(stateOf(record), event)
  if (!stepped.ok) return stepped
  const { reason, ...fields } = more
  const { state } = stepped.value
  const moved =
    state.status === record.status
      ? record
      : inState(record, state, undefined, at, { by: actor, reason })
  const [after = record] = await commitChanges(deps, { tx, at, trail }, [
    { before: record, after: { ...moved, ...fields }, actor },
  ])
  return ok(after)
}

/** One person's approval; the last one that is needed makes the request `approved`. */
export function approveWithdrawal(
  deps: VerbDeps,
  id: WithdrawalId,
  digest: string | undefined,
  actor: string,
  once: OnceRecord,
): Promise<Outcome<VerbRefusal>> {
  return decide<VerbRefusal>(deps, id, once, async (locked) => {
    const { tx, record, at, trail } = locked
    if (record.status !== 'requested')
      return refuse(
        'WITHDRAWAL_STATE',
        `withdrawal ${id} is ${record.status}: nobody has to approve it`,
        {
          details: { status: record.status },
        },
      )
    if (digest !== undefined && digest !== record.digest)
      return refuse('APPROVAL_DIGEST_MISMATCH', 'what was approved is not what was requested', {
        param: 'digest',
        details: { withdrawal: id },
      })
    const asked = await deps.policy.approvalState(tx, { kind: 'withdrawal', id })
    const given = await deps.policy.approve(tx, {
      withdrawal: id,
      digest: asked?.task.hash ?? record.digest,
      by: actor,
      at,
    })
    if (!given.ok) return given
    const { have, need, complete } = given.value
    tellWithdrawal(trail, 'withdrawal.approval_given', record, actor, { have, need })
    if (!complete) return ok(record)
    return apply(deps, locked, { type: 'approved' }, actor, {
      reason: 'approved',
      planAt: firstPlanAt(record.speed, deps.rhythm, at),
    })
  })
}

/** Ends a request that no plan serves yet. */
export async function rejectWithdrawal(
  deps: VerbDeps,
  id: WithdrawalId,
  reason: string,
  actor: string,
  once: OnceRecord,
): Promise<Outcome<VerbRefusal>> {
  return (
    reasonFault(reason) ??
    decide<VerbRefusal>(deps, id, once, (locked) =>
      apply(deps, locked, { type: 'rejected' }, actor, { reason }),
    )
  )
}

/**
 * Ends a withdrawal at once while no signer has seen a transaction that pays it; alone in its spend or in a batch, whose other
 * payments are planned anew. Later the wish is written down first, and then a conflicting spend is asked for.
 */
export async function cancelWithdrawal(
  deps: VerbDeps,
  id: WithdrawalId,
  reason: string,
  actor: string,
  once: OnceRecord,
): Promise<Outcome<CancelRefusal>> {
  const fault = reasonFault(reason)
  if (fault) return fault
  const noted = await decide<CancelRefusal>(deps, id, once, (locked) =>
    noteCancel(deps, locked, reason, actor),
  )
  if (!noted.ok) return noted
  const { spend, status, cancelAsked } = noted.value
  if (spend === undefined || cancelAsked === undefined || status === 'cancelled') return noted
  await askForConflict(deps, spend, cancelAsked.by)
  return ok((await deps.store.read((tx) => tx.withdrawals.withdrawal(id))) ?? noted.value)
}

async function noteCancel(
  deps: VerbDeps,
  locked: Locked,
  reason: string,
  actor: string,
): Promise<Outcome<CancelRefusal>> {
  const { tx, record, at, trail } = locked
  if (record.cancelAsked !== undefined && record.status !== 'cancelled') return ok(record)
  const cancelAsked = { by: actor, reason, at }
  if (record.status !== 'batched' || record.spend === undefined) {
    const wish = record.spend === undefined ? {} : { cancelAsked }
    return apply(deps, locked, { type: 'cancelled' }, actor, { reason, ...wish })
  }
  // The wish stands before the spend is given up: its owner hears of that and ends this one, and plans the others anew.
  const [wished = record] = await commitChanges(deps, { tx, at, trail }, [
    { before: record, after: { ...record, cancelAsked }, actor },
  ])
  await writeTrail(tx, at, trail)
  await deps.spends.drop(tx, record.spend, actor)
  const [after = wished] = await tx.withdrawals.lock([record.id])
  return ok(after)
}

/**
 * Asks for a spend that conflicts with everything that could pay. What keeps it from being made now, such as a missing fee
 * estimate, does not undo the wish: the next pass of the planner asks again.
 */
export async function askForConflict(
  { spends }: Pick<VerbDeps, 'spends'>,
  spend: NonNullable<WithdrawalRecord['spend']>,
  actor: string,
): Promise<boolean> {
  return (await spends.cancel(spend, actor)).ok
}

/** Asks for a version that pays more, with every payment kept. */
export async function bumpWithdrawal(
  deps: VerbDeps,
  id: WithdrawalId,
  { speed, maxFee }: BumpInput,
  actor: string,
  once: OnceRecord,
): Promise<Outcome<BumpRefusal>> {
  const known = await deps.store.read(async (tx) => {
    const refused = once && (await earlierAnswers(tx, [once.request]))(once.request)
    if (refused) return { ok: false, error: refused } as const
    const record = await tx.withdrawals.withdrawal(id)
    if (!record) return refuseUnknown(id)
    const { spend: serving } = record
    const payouts = serving === undefined ? 1 : (await tx.withdrawals.ofSpends([serving])).length
    return aboveMostFee(deps.rules, maxFee, payouts) ?? ok(record)
  })
  if (!known.ok) return known
  const { spend, status } = known.value
  if (spend === undefined || (status !== 'batched' && status !== 'signing' && status !== 'sending'))
    return refuse('WITHDRAWAL_STATE', `withdrawal ${id} is ${status}: there is nothing to bump`, {
      details: { status },
    })
  const wish = { speed: speed ?? known.value.speed, ...(maxFee === undefined ? {} : { maxFee }) }
  const bumped = await deps.spends.bump(spend, wish, actor)
  if (!bumped.ok) return bumped
  return decide<BumpRefusal>(deps, id, once, async ({ record, trail }) => {
    tellWithdrawal(trail, 'withdrawal.bumped', record, actor)
    return ok(record)
  })
}
