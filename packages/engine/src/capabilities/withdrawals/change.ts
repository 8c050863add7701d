import {
  addSat,
  assert,
  type Sat,
  type Tally,
  sat,
  type WalletId,
  ZERO,
} from '../../kernel/index.ts'
import { type DayChange, type DayMove, recordDays } from '../analytics/index.ts'
import { assertBooks, loweredBy, overdrawn, type Posting } from '../ledger/index.ts'
import type { Trail } from '../spending/index.ts'
import { eventOf, failedAlert, tellWithdrawal } from './announce.ts'
import { bookChange, ownTargets } from './books.ts'
import type { PolicyDoors } from './doors.ts'
import type { WithdrawalRules } from './input.ts'
import { isQueued, movesBetween, type WithdrawalState } from './machine.ts'
import type { WithdrawalRecord } from './ports.ts'
import { type Part, pointOf } from './shares.ts'
import type { WithdrawalsTx } from './transaction.ts'

/** What every change of withdrawals needs. */
export interface ChangeDeps {
  readonly policy: Pick<PolicyDoors, 'release' | 'settle'>
  readonly rules: WithdrawalRules
  /** Counts what a transaction did, once it is committed. */
  readonly tally?: Tally<WithdrawalsTx>
}
/** One transaction's work on withdrawals. */
export interface ChangeWork {
  readonly tx: WithdrawalsTx
  readonly at: number
  readonly trail: Trail
  /**
   * The chain says so, and is right whatever the books allow: an account that would be below zero is told to people instead
   * of undoing the transaction, because nothing could be followed any more otherwise.
   */
  readonly isFact?: boolean
}
/** Two records of one withdrawal; `after` without what follows from the status: `commitChanges` adds that. */
export interface Change {
  readonly before: WithdrawalRecord
  readonly after: WithdrawalRecord
  /** As in the audit trail. */
  readonly actor: string
}

export const stateOf = ({ status, spend, cancelAsked }: WithdrawalRecord): WithdrawalState => ({
  status,
  ...(spend === undefined ? {} : { spend }),
  cancelAsked: cancelAsked !== undefined,
})

/** What the means of a wallet keep for a request that no plan serves yet: a recipient who bears the fee needs no more. */
export const reservationOf = (
  { amount, feePayer, maxFee }: Pick<WithdrawalRecord, 'amount' | 'feePayer' | 'maxFee'>,
  { feeAllowance }: WithdrawalRules,
): Sat => {
  if (feePayer === 'recipient') return amount
  return addSat(amount, maxFee < feeAllowance ? maxFee : feeAllowance)
}

/** The record in a new state, with what the version that matters does for it. */
export function inState(
  record: WithdrawalRecord,
  { status, spend }: WithdrawalState,
  part: Part | undefined,
  at: number,
  reason: { readonly by: string; readonly reason: string },
): WithdrawalRecord {
  const { output: _, txid: __, paid: ___, feeShare: ____, spend: _____, ended, ...rest } = record
  const isOver = status === 'rejected' || status === 'cancelled' || status === 'failed'
  const point = part && pointOf(part)
  const serving = spend === undefined ? {} : { spend }
  const paying = spend === undefined || !part ? {} : { paid: part.paid, feeShare: part.feeShare }
  const place = spend === undefined || !point ? {} : { output: point, txid: point.txid }
  const isNew = record.status !== status
  const end = isOver ? { ended: isNew || !ended ? { ...reason, at } : ended } : {}
  const next = { ...rest, ...serving, ...paying, ...place, ...end, status }
  if (!isNew) return next
  const { mined = at } = record.status === 'mined' ? record.reachedAt : {}
  const reached = status === 'settled' ? { mined, settled: at } : { [status]: at }
  return { ...next, reachedAt: { ...record.reachedAt, ...reached } }
}

/**
 * Commits changes of withdrawals with all that follows from them: the queue of their wallet, what the policy counts, the sums of
 * days, the books, audit entries and events. Changes that change nothing are left out. The caller holds the funds of the
 * wallets, then the spends, then the withdrawals.
 */
export async function commitChanges(
  deps: ChangeDeps,
  work: ChangeWork,
  changes: readonly Change[],
): Promise<readonly WithdrawalRecord[]> {
  const real = changes.filter(({ before, after }) => !isSameRecord(before, after))
  if (real.length === 0) return changes.map(({ before }) => before)
  const { tx, at, trail } = work
  const queued = real.map((change) => ({ ...change, after: withQueue(deps.rules, change, at) }))
  await moveQueues(tx, queued)
  const booked = await withBooks(tx, queued)
  const postings = booked.flatMap((change) => change.postings)
  await tx.withdrawals.save(booked.map(({ after }) => after))
  for (const change of booked) await tellPolicy(deps, work, change)
  await recordDays(tx, booked.flatMap(daysOf))
  await post(work, postings)
  const metrics = deps.tally?.of(tx)
  for (const { before, after, actor } of booked) {
    const type = eventOf(before, after)
    if (type !== undefined) tellWithdrawal(trail, type, after, actor)
    if (before.status === after.status) continue
    metrics?.count('kaccy_withdrawals_moved_total', 1, { status: after.status })
    if (after.status === 'failed') trail.alerts.push(failedAlert(after))
    if (after.status === 'settled')
      metrics?.observe('kaccy_withdrawal_settle_seconds', (at - after.createdAt) / 1000)
  }
  const byId = new Map(booked.map(({ after }) => [after.id, after]))
  return changes.map(({ before }) => byId.get(before.id) ?? before)
}

function isSameRecord(a: WithdrawalRecord, b: WithdrawalRecord): boolean {
  return (
    a === b ||
    (a.status === b.status &&
      a.spend === b.spend &&
      a.txid === b.txid &&
      a.output?.vout === b.output?.vout &&
      a.paid === b.paid &&
      a.feeShare === b.feeShare &&
      a.cancelAsked === b.cancelAsked &&
      a.planAt === b.planAt &&
      a.waitsFor === b.waitsFor)
  )
}

/** What is promised without coins has a reservation, and a time when a plan looks at it once it is approved. */
function withQueue(
  rules: WithdrawalRules,
  { before, after }: Change,
  at: number,
): WithdrawalRecord {
  const { planAt, waitsFor, ...rest } = after
  const isNew = before.status !== after.status
  if (!isQueued(after.status)) return { ...rest, reserved: ZERO, updatedAt: at }
  const reserved = isQueued(before.status) ? after.reserved : reservationOf(after, rules)
  if (after.status !== 'approved') return { ...rest, reserved, updatedAt: at }
  return {
    ...rest,
    reserved,
    planAt: planAt ?? at,
    ...(waitsFor === undefined || isNew ? {} : { waitsFor }),
    updatedAt: at,
  }
}

async function moveQueues(tx: WithdrawalsTx, changes: readonly Change[]): Promise<void> {
  const sums = new Map<WalletId, bigint>()
  for (const { before, after } of changes) {
    const { queue } = movesBetween(before.status, after.status)
    if (!queue) continue
    const moved = queue === 'enter' ? after.reserved : -before.reserved
    sums.set(after.wallet, (sums.get(after.wallet) ?? 0n) + moved)
  }
  for (const [wallet, moved] of [...sums].sort(([a], [b]) => (a < b ? -1 : 1))) {
    const funds = await tx.coins.lockFunds(wallet)
    assert(funds.queued + moved >= 0n, `the queue of ${wallet} would be below zero`)
    await tx.coins.saveFunds({ ...funds, queued: sat(funds.queued + moved) })
  }
}

interface BookedChange extends Change {
  readonly postings: readonly Posting[]
}
async function withBooks(
  tx: WithdrawalsTx,
  changes: readonly Change[],
): Promise<readonly BookedChange[]> {
  const ownOf = await ownTargets(
    tx,
    changes.flatMap(({ before, after }) => [before, after]),
  )
  return changes.map(({ before, after, actor }) => {
    const { record, postings } = bookChange(
      { record: before, own: ownOf(before) },
      { record: after, own: ownOf(after) },
    )
    return { before, after: record, actor, postings }
  })
}

async function tellPolicy(
  { policy }: ChangeDeps,
  { tx, at }: ChangeWork,
  { before, after }: Change,
): Promise<void> {
  const { books } = movesBetween(before.status, after.status)
  const last = books.at(-1)
  if (last === 'capture') await policy.settle(tx, after.id, at)
  if (last === 'release') await policy.release(tx, after.id, at)
}

const isMined = ({ status }: WithdrawalRecord): boolean =>
  status === 'mined' || status === 'settled'
const feeOf = (record: WithdrawalRecord): Sat =>
  isMined(record) ? (record.feeShare ?? ZERO) : ZERO
const waitedOf = ({ reachedAt, createdAt }: WithdrawalRecord): number =>
  Math.max(0, (reachedAt.mined ?? createdAt) - createdAt)

/** What the sums of its day learn from a change. */
function daysOf({ before, after }: Change): readonly DayChange[] {
  const { amount, wallet, customer, createdAt: requestedAt } = after
  const { books } = movesBetween(before.status, after.status)
  const moves: DayMove[] = []
  if (books.includes('uncapture')) moves.push({ kind: 'unsettled', amount })
  if (books.includes('capture')) moves.push({ kind: 'settled', amount })
  if (books.at(-1) === 'release') moves.push({ kind: 'reversed', amount })
  if (feeOf(before) !== feeOf(after))
    moves.push({ kind: 'fee', before: feeOf(before), after: feeOf(after) })
  if (isMined(before) && !isMined(after)) moves.push({ kind: 'unconfirmed', ms: waitedOf(before) })
  if (!isMined(before) && isMined(after)) moves.push({ kind: 'confirmed', ms: waitedOf(after) })
  const whose = customer === undefined ? { wallet } : { wallet, customer }
  return moves.map((move) => ({ ...whose, requestedAt, move }))
}

/** Posts and holds the accounts against zero (I7). */
export async function post(
  { tx, at, trail, isFact = false }: ChangeWork,
  postings: readonly Posting[],
): Promise<void> {
  if (postings.length === 0) return
  await tx.ledger.post(at, postings)
  const accounts = loweredBy(postings)
  if (!isFact) return assertBooks(tx, accounts)
  for (const { account, by } of await overdrawn(tx, accounts)) {
    const [first] = postings
    trail.alerts.push({
      key: `account_overdrawn/${account}/${first?.key ?? ''}`,
      kind: 'account_overdrawn',
      severity: 'critical',
      subject: account,
      message: `The chain took back what account ${account} had spent: ${by} sat are missing`,
      data: { account, missing_sat: Number(by), wallet: first?.wallet ?? null },
    })
  }
}
