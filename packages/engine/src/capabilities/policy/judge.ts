import { assert, sat, type WithdrawalId } from '../../kernel/index.ts'
import { type NewAlert, raiseAlerts } from '../alerts/index.ts'
import { type SumQuery, type SumSince, subjectsOf, windowReach } from '../limits/index.ts'
import {
  emptyProfile,
  profileSubject,
  type RiskFacts,
  withPaid,
  withRequest,
} from '../risk/index.ts'
import { LONGEST_MINUTES } from './parse-limits.ts'
import type { Judge, Release, Reserve, Settle } from './doors.ts'
import type { Policy } from './document.ts'
import { membersOf } from './lint.ts'
import type { ApprovalTask, DecisionRecord, Move, PolicyHead, PolicyTx } from './ports.ts'
import { digestOf, viewOf } from './request.ts'
import { policyAt } from './stored.ts'
import type { PolicySubject, PolicyVerdict } from './subject.ts'
import { decideWith, keyOf, verdictOf, windowsOf } from './verdict.ts'

const HOUR_MS = 3_600_000
const DAY_MS = 24 * HOUR_MS
/** Nothing looks back further, so what is older is forgotten: some entries with each 16th number, more than came since, so that it never piles up. */
const KEEP_MS = LONGEST_MINUTES * 60_000 + windowReach({ kind: 'rolling', ms: DAY_MS })
const PRUNE_EVERY = 16
const PRUNED = 20

/** Sums of windows and of the last hour and day, in one question. */
async function look(
  tx: PolicyTx,
  subject: PolicySubject,
  windows: readonly SumQuery[],
): Promise<{ readonly facts: RiskFacts; readonly sums: ReadonlyMap<string, SumSince> }> {
  const who = profileSubject(subject)
  const { at, amount } = subject
  const hour = { subject: who, from: at - HOUR_MS + 1 }
  const day = { subject: who, from: at - DAY_MS + 1 }
  const asked = [hour, day, ...windows]
  const answers = await tx.limits.sums(asked)
  const sums = new Map<string, SumSince>()
  asked.forEach((query, i) => {
    const answer = answers[i]
    if (answer) sums.set(keyOf(query), answer)
  })
  const sumOf = (query: SumQuery) => {
    const { amount = 0n, count = 0 } = sums.get(keyOf(query)) ?? {}
    return { amount, count }
  }
  const { destination } = viewOf(subject)
  const facts: RiskFacts = {
    at,
    amount,
    profile: (await tx.risk.profile(who)) ?? emptyProfile(who),
    paidToDestination: await tx.risk.paidTo(who, destination),
    lastHour: sumOf(hour),
    lastDay: sumOf(day),
  }
  return { facts, sums }
}

async function move(
  tx: PolicyTx,
  head: PolicyHead,
  { kind, withdrawal, at }: Pick<Move, 'kind' | 'withdrawal' | 'at'>,
): Promise<void> {
  const number = head.moves + 1
  await tx.policy.addMove({ number, at, kind, withdrawal })
  await tx.policy.saveState(withdrawal, kind)
  await tx.policy.saveHead({ ...head, moves: number })
}

const taskOf = (policy: Policy, subject: PolicySubject, verdict: PolicyVerdict): ApprovalTask => {
  const { needed, from } = verdict.approvals
  const members = membersOf(policy, from)
  return {
    subject: { kind: 'withdrawal', id: subject.withdrawal },
    hash: verdict.digest,
    requirements: [{ needed, ...(members ? { members } : {}) }],
    initiators: [subject.initiator],
    at: subject.at,
  }
}

function alertsOf(
  policy: Policy,
  subject: PolicySubject,
  verdict: PolicyVerdict,
): readonly NewAlert[] {
  const { withdrawal, wallet, amount } = subject
  const { score, decision, reasons } = verdict
  if (policy.risk.alert === undefined || score < policy.risk.alert) return []
  const codes = reasons.filter(({ code }) => code.startsWith('risk/')).map(({ code }) => code)
  return [
    {
      key: `withdrawal_risk/${withdrawal}`,
      kind: 'withdrawal_risk',
      severity: decision === 'deny' ? 'critical' : 'warning',
      subject: withdrawal,
      message: `a withdrawal request scores ${score} of 100: ${decision}`,
      data: { wallet, score, decision, reasons: codes, amount_sat: Number(amount) },
    },
  ]
}

/** What was decided in a transaction that is under way, and not counted yet. */
const waiting = new WeakMap<PolicyTx, Map<WithdrawalId, DecisionRecord>>()

function waitIn(tx: PolicyTx, decision: DecisionRecord): void {
  const decisions = waiting.get(tx) ?? new Map<WithdrawalId, DecisionRecord>()
  waiting.set(tx, decisions.set(decision.subject.withdrawal, decision))
}

/**
 * Decides about a request with the policy in force, in the transaction that records it. Holds the head of the policies
 * from here to the commit, so requests are decided one after the other and no two of them pass one limit together. What
 * it allows or holds has to be counted by `reserve` before the commit.
 * @throws EngineError STORE_CONFLICT for a withdrawal that was decided before
 */
export const judge: Judge = async (tx, subject) => {
  const head = await tx.policy.lockHead()
  const policy = await policyAt(tx, head.enabled, head.digest)
  const request = viewOf(subject)
  const { facts, sums } = await look(tx, subject, windowsOf(policy, request))
  const decided = decideWith(policy, request, facts, (limit) => {
    const sum = sums.get(keyOf(limit))
    assert(sum, `no sum for the limit ${limit.rule.name}`)
    return sum
  })
  const verdict = verdictOf(decided, head.enabled, digestOf(subject))
  const number = head.moves + 1
  const state = verdict.decision === 'deny' ? 'denied' : 'reserved'
  const decision: DecisionRecord = { subject, facts, verdict, number, state }
  await tx.policy.insertDecision(decision)
  await tx.policy.saveHead({ ...head, moves: number })
  if (verdict.decision !== 'deny') waitIn(tx, decision)
  if (verdict.decision === 'hold') await tx.policy.insertTask(taskOf(policy, subject, verdict))
  await raiseAlerts(tx, subject.at, alertsOf(policy, subject, verdict))
  return verdict
}

async function count(tx: PolicyTx, subject: PolicySubject): Promise<void> {
  const { withdrawal, amount, at } = subject
  await tx.limits.insert({ withdrawal, subjects: subjectsOf(viewOf(subject)), amount, at })
}

/**
 * Counts a request that was allowed or held in every window there is or will be, in the transaction of `judge`.
 * @throws AssertionError for one that was not decided in this transaction, was denied, or is counted already
 */
export const reserve: Reserve = async (tx, subject) => {
  const { withdrawal, amount, at } = subject
  const decision = waiting.get(tx)?.get(withdrawal)
  assert(decision, `withdrawal ${withdrawal} is not waiting to be counted`)
  assert(decision.verdict.digest === digestOf(subject), `withdrawal ${withdrawal} is another one`)
  waiting.get(tx)?.delete(withdrawal)
  await count(tx, subject)
  const profile = (await tx.risk.profile(profileSubject(subject))) ?? decision.facts.profile
  await tx.risk.saveProfile(withRequest(profile, { withdrawal, at, amount }))
  if (decision.number % PRUNE_EVERY === 0) await tx.limits.prune(at - KEEP_MS, PRUNE_EVERY * PRUNED)
}

/** A decision that is in one of these states, with the head locked. */
async function inState(
  tx: PolicyTx,
  withdrawal: WithdrawalId,
  states: readonly DecisionRecord['state'][],
): Promise<{ readonly head: PolicyHead; readonly decision: DecisionRecord } | undefined> {
  const head = await tx.policy.lockHead()
  const decision = await tx.policy.decision(withdrawal)
  return decision && states.includes(decision.state) ? { head, decision } : undefined
}

/** Takes a request that will not be paid out of every window it was counted in. A second time changes nothing. */
export const release: Release = async (tx, withdrawal, at) => {
  const found = await inState(tx, withdrawal, ['reserved', 'settled'])
  if (!found) return
  await tx.limits.remove(withdrawal)
  await move(tx, found.head, { kind: 'released', withdrawal, at })
}

/**
 * Paid for good: the habit of who asked learns it, and its destination is known from now on. One that was given up and
 * is paid all the same is counted again, where it was. A second time changes nothing.
 */
export const settle: Settle = async (tx, withdrawal, at) => {
  const found = await inState(tx, withdrawal, ['reserved', 'released'])
  if (!found) return
  const { subject, state } = found.decision
  if (state === 'released') await count(tx, subject)
  const who = profileSubject(subject)
  const profile = (await tx.risk.profile(who)) ?? emptyProfile(who)
  await tx.risk.saveProfile(withPaid(profile, sat(subject.amount), subject.at))
  await tx.risk.addPaid(who, viewOf(subject).destination)
  await move(tx, found.head, { kind: 'settled', withdrawal, at })
}
