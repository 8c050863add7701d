import {
  EngineError,
  addSat,
  type Clock,
  type Entropy,
  type Network,
  newId,
  ok,
  type Refusal,
  type Result,
  refuse,
  type Transactor,
  type WithdrawalId,
  ZERO,
} from '../../kernel/index.ts'
import { recordDays } from '../analytics/index.ts'
import { meansOf, type SpendPolicy } from '../coins/index.ts'
import {
  againAfterConflict,
  doOnce,
  earlierAnswers,
  type Once,
  type OnceRefusal,
} from '../idempotency/index.ts'
import { assertBooks, loweredBy, overdraft } from '../ledger/index.ts'
import type { PolicySubject, PolicyVerdict } from '../policy/index.ts'
import { emptyTrail, type Trail, writeTrail } from '../spending/index.ts'
import { heldAlert, tellWithdrawal } from './announce.ts'
import { bookChange, holdOf, payerOf } from './books.ts'
import { type ChangeDeps, reservationOf } from './change.ts'
import type { PolicyDoors } from './doors.ts'
import {
  type CheckedRequest,
  checkInput,
  identify,
  type InputRefusal,
  type WithdrawalInput,
} from './input.ts'
import { begin } from './machine.ts'
import type { KeptVerdict, WithdrawalRecord } from './ports.ts'
import { firstPlanAt, type PlanRhythm } from './rhythm.ts'
import type { WithdrawalsTx } from './transaction.ts'

export interface RequestedWithdrawal {
  readonly withdrawal: WithdrawalRecord
  /** False when the external id had given this withdrawal before. */
  readonly created: boolean
}
export type RequestRefusal =
  | InputRefusal
  | OnceRefusal
  | Refusal<
      | 'WITHDRAWAL_CONFLICT'
      | 'WITHDRAWAL_ADDRESS_OWN'
      | 'FUNDS_INSUFFICIENT'
      | 'BALANCE_INSUFFICIENT'
      | 'WALLET_NOT_FOUND'
      | 'WALLET_RETIRED'
    >
export interface RequestDeps extends ChangeDeps {
  readonly store: Transactor<WithdrawalsTx>
  readonly clock: Clock
  readonly entropy: Entropy
  readonly network: Network
  readonly policy: Pick<PolicyDoors, 'judge' | 'reserve' | 'release' | 'settle'>
  readonly rhythm: PlanRhythm
  /** Which coins count as means. */
  readonly spendPolicy: SpendPolicy
}
type Answer = Result<RequestedWithdrawal, RequestRefusal>

/** Records one request: verdict, reservation and hold in one commit, or nothing. */
export async function requestWithdrawal(
  deps: RequestDeps,
  input: WithdrawalInput,
  actor: string,
  once: Once<RequestedWithdrawal> | undefined,
): Promise<Answer> {
  const identity = identify(input, deps.network)
  if (!identity.ok) return identity
  const { digest } = identity.value
  // Same id and contents: same answer for ever, whatever time or configuration have changed since.
  const known = await deps.store.read(async (tx) => {
    const asked = once && (await earlierAnswers(tx, [once.request]))(once.request)
    if (asked) return { ok: false, error: asked } as const
    const record = await tx.withdrawals.byExternalId(input.externalId)
    return record && again(record, digest)
  })
  if (known && (!known.ok || !once)) return known
  const checked = checkInput(input, identity.value, deps.rules, deps.clock.now())
  if (!known && !checked.ok) return checked
  return againAfterConflict(() =>
    deps.store.transact((tx) =>
      doOnce<RequestedWithdrawal, RequestRefusal>(tx, once, deps.clock.now(), async () => {
        const before = await tx.withdrawals.byExternalId(input.externalId)
        if (before) return again(before, digest)
        return checked.ok ? record(deps, tx, checked.value, actor) : checked
      }),
    ),
  )
}

function again(withdrawal: WithdrawalRecord, digest: string): Answer {
  if (withdrawal.digest === digest) return ok({ withdrawal, created: false })
  return refuse(
    'WITHDRAWAL_CONFLICT',
    `external_id ${withdrawal.externalId} belongs to another withdrawal`,
    { param: 'external_id', details: { withdrawal: withdrawal.id } },
  )
}

/**
 * Locks the wallet's funds first and the policies next: every request of a wallet, and every decision of the engine, comes one
 * after the other, so no two of them can use the same means, the same balance or the same limit.
 */
async function record(
  deps: RequestDeps,
  tx: WithdrawalsTx,
  checked: CheckedRequest,
  actor: string,
): Promise<Answer> {
  const at = deps.clock.now()
  const refused = await judgeWallet(tx, checked)
  if (refused) return { ok: false, error: refused }
  const funds = await tx.coins.lockFunds(checked.wallet)
  await tx.policy.lockHead()
  // Before anything is written: a refusal leaves nothing behind, not even a decision.
  const short = (await judgeMeans(deps, tx, checked)) ?? (await judgeBalance(tx, checked))
  if (short) return { ok: false, error: short }
  const id = idAt(deps, at)
  const subject = subjectOf(id, checked, actor, at)
  const verdict = await deps.policy.judge(tx, subject)
  const made = recordOf(deps, id, checked, actor, verdict, at)
  const { record: booked, postings } = bookChange(undefined, { record: made, own: undefined })
  const trail = emptyTrail()
  if (verdict.decision !== 'deny') {
    await deps.policy.reserve(tx, subject)
    await tx.coins.saveFunds({ ...funds, queued: addSat(funds.queued, booked.reserved) })
  }
  await tx.withdrawals.insert(booked)
  await countDay(tx, booked)
  await tx.ledger.post(at, postings)
  await undoOverdraft(tx, checked)
  await assertBooks(tx, loweredBy(postings))
  tellRequest(trail, booked, actor)
  await writeTrail(tx, at, trail)
  deps.tally?.of(tx).count('kaccy_withdrawals_requested_total', 1, { decision: verdict.decision })
  return ok({ withdrawal: booked, created: true })
}
/** Of the same moment as `createdAt`: a list by id is a list by time. */
const idAt = ({ entropy }: RequestDeps, at: number): WithdrawalId =>
  newId('wdr', { now: () => at }, entropy) as WithdrawalId

async function judgeWallet(
  tx: WithdrawalsTx,
  { wallet: id, script, allowOwnAddress }: CheckedRequest,
): Promise<RequestRefusal | undefined> {
  const wallet = await tx.wallet.wallet(id)
  if (!wallet)
    return refuse('WALLET_NOT_FOUND', 'no wallet has this id', {
      param: 'wallet',
      details: { wallet: id },
    }).error
  if (wallet.status === 'retired')
    return refuse('WALLET_RETIRED', 'the wallet is retired: it takes no change', {
      param: 'wallet',
      details: { wallet: id },
    }).error
  if (allowOwnAddress) return undefined
  const [own] = await tx.wallet.addressesByScripts([script])
  // Money that goes round in a circle is nobody's payout (W30).
  if (own?.wallet !== id) return undefined
  return refuse('WITHDRAWAL_ADDRESS_OWN', 'the address belongs to the wallet that would pay it', {
    param: 'address',
    details: { wallet: id, branch: own.branch, index: own.index },
  }).error
}

async function judgeMeans(
  { rules, spendPolicy }: RequestDeps,
  tx: WithdrawalsTx,
  checked: CheckedRequest,
): Promise<RequestRefusal | undefined> {
  const means = await meansOf(tx, checked.wallet, spendPolicy)
  const wanted = reservationOf(checked, rules)
  if (wanted <= means.spendable) return undefined
  const { confirmed, leaving, encumbered, ownChange, queued, spendable } = means
  return refuse(
    'FUNDS_INSUFFICIENT',
    `the wallet can spend ${spendable} sat and this needs ${wanted} sat with its allowance for the fee`,
    {
      param: 'amount_sat',
      details: {
        wallet: checked.wallet,
        needed_sat: Number(wanted),
        spendable_sat: Number(spendable),
        missing_sat: Number(wanted - spendable),
        confirmed_sat: Number(confirmed),
        leaving_sat: Number(leaving),
        encumbered_sat: Number(encumbered),
        own_change_sat: Number(ownChange),
        queued_sat: Number(queued),
      },
    },
  ).error
}

async function judgeBalance(
  tx: WithdrawalsTx,
  checked: CheckedRequest,
): Promise<RequestRefusal | undefined> {
  if (checked.customer === undefined) return undefined
  const [totals] = await tx.ledger.totals([payerOf(checked)])
  const has = totals ? totals.credits - totals.debits : 0n
  const needed = holdOf(checked)
  if (has >= needed) return undefined
  const { customer } = checked
  return refuse(
    'BALANCE_INSUFFICIENT',
    `the account of ${customer} has ${has} sat and this needs ${needed} sat`,
    {
      param: 'amount_sat',
      details: {
        customer,
        needed_sat: Number(needed),
        balance_sat: Number(has),
        missing_sat: Number(needed - has),
      },
    },
  ).error
}

/**
 * The account may have lost money since it was judged: a reorganisation does not wait for requests. Nothing is kept then, and the
 * request is judged again.
 */
async function undoOverdraft(tx: WithdrawalsTx, checked: CheckedRequest): Promise<void> {
  if (checked.customer === undefined) return
  const [totals] = await tx.ledger.totals([payerOf(checked)])
  if (!totals || overdraft(totals) === 0n) return
  throw new EngineError('STORE_CONFLICT', `the account of ${checked.customer} lost money meanwhile`)
}

const subjectOf = (
  withdrawal: WithdrawalId,
  { wallet, amount, maxFee, address, script, user, customer, metadata }: CheckedRequest,
  initiator: string,
  at: number,
): PolicySubject => ({
  withdrawal,
  wallet,
  amount,
  maxFee,
  address,
  script,
  ...(user === undefined ? {} : { user }),
  ...(customer === undefined ? {} : { customer }),
  initiator,
  at,
  metadata,
})

const keptOf = ({
  decision,
  score,
  reasons,
  policyVersion,
  ...more
}: PolicyVerdict): KeptVerdict => ({
  decision,
  score,
  reasons: reasons.map(({ code, message }) => ({ code, message })),
  policyVersion,
  approvalsNeeded: more.approvals.needed,
  transactionApprovals: more.transactionApprovals,
})

function recordOf(
  { rules, rhythm }: RequestDeps,
  id: WithdrawalId,
  checked: CheckedRequest,
  initiator: string,
  verdict: PolicyVerdict,
  at: number,
): WithdrawalRecord {
  const { allowOwnAddress: _, ...asked } = checked
  const { state } = begin(verdict.decision)
  const { status } = state
  const isOver = status === 'rejected'
  const reached = status === 'approved' ? { requested: at, approved: at } : { [status]: at }
  const [first] = verdict.reasons
  return {
    id,
    ...asked,
    initiator,
    verdict: keptOf(verdict),
    reserved: isOver ? ZERO : reservationOf(checked, rules),
    status,
    reachedAt: { requested: at, ...reached },
    ...(isOver
      ? { ended: { by: 'engine', reason: first?.message ?? 'denied by the policy', at } }
      : {}),
    posted: 0,
    ...(status === 'approved' ? { planAt: firstPlanAt(checked.speed, rhythm, at) } : {}),
    createdAt: at,
    updatedAt: at,
  }
}

const countDay = (tx: WithdrawalsTx, record: WithdrawalRecord): Promise<void> => {
  const { amount, wallet, customer, createdAt: requestedAt, status } = record
  const whose = { wallet, requestedAt, ...(customer === undefined ? {} : { customer }) }
  const requested = { ...whose, move: { kind: 'requested', amount } } as const
  const reversed = { ...whose, move: { kind: 'reversed', amount } } as const
  return recordDays(tx, status === 'rejected' ? [requested, reversed] : [requested])
}

function tellRequest(trail: Trail, record: WithdrawalRecord, actor: string): void {
  const { verdict, status } = record
  const reasons = verdict.reasons.map(({ code, message }) => ({ code, message }))
  tellWithdrawal(trail, 'withdrawal.requested', record, actor, { reasons })
  if (status === 'approved') tellWithdrawal(trail, 'withdrawal.approved', record, 'engine')
  if (status === 'rejected')
    tellWithdrawal(trail, 'withdrawal.rejected', record, 'engine', { reasons })
  if (status !== 'requested') return
  tellWithdrawal(trail, 'withdrawal.held', record, 'engine', { reasons })
  trail.alerts.push(heldAlert(record))
}
