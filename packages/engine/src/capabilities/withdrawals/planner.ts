import {
  assert,
  type Clock,
  type Entropy,
  type Network,
  ok,
  type Refusal,
  type Result,
  refuse,
  type SatPerKvB,
  type SpendId,
  type Transactor,
  type WalletId,
  type Weight,
  type WithdrawalId,
} from '../../kernel/index.ts'
import type { Descriptor } from '../../protocol/descriptor/index.ts'
import { type Coin, candidatesOf, type SpendPolicy } from '../coins/index.ts'
import {
  commitSpend,
  type Draft,
  descriptorOf,
  draftSpend,
  emptyTrail,
  type FeeQuote,
  type FeeQuotes,
  needsPrevious,
  type PreviousDeps,
  type PreviousTransactions,
  previousOf,
  steadyCoins,
  tipOf,
  writeTrail,
} from '../spending/index.ts'
import { type Group, groupsOf, paymentsFor, withoutCulprit } from './batches.ts'
import { type ChangeDeps, commitChanges, inState, stateOf } from './change.ts'
import type { PolicyDoors, SpendDoors } from './doors.ts'
import { next } from './machine.ts'
import { ceilingsOf } from './owner.ts'
import type { WithdrawalRecord } from './ports.ts'
import { nextPlanAt, type PlanRhythm } from './rhythm.ts'
import { partsOf } from './shares.ts'
import type { WithdrawalsTx } from './transaction.ts'

export interface PlannerDeps extends ChangeDeps {
  readonly store: Transactor<WithdrawalsTx>
  readonly clock: Clock
  readonly entropy: Entropy
  readonly network: Network
  readonly source: PreviousDeps['source']
  readonly quotes: FeeQuotes
  readonly policy: Pick<PolicyDoors, 'release' | 'settle' | 'requireTransactionApprovals'>
  readonly spends: Pick<SpendDoors, 'cancel'>
  readonly rhythm: PlanRhythm
  readonly spendPolicy: SpendPolicy
  /** Order of inputs and outputs. Default `random`. */
  readonly order?: 'bip69' | 'random'
  /** Several withdrawals to one address share an output. Default false: a recipient sees each of them. */
  readonly mergesAddresses?: boolean
  /** Withdrawals of one transaction at most. Default 500. */
  readonly mostPayments?: number
  readonly maxWeight?: Weight
  /** When the first automatic bump is considered, milliseconds after the plan. Default 30 minutes. */
  readonly bumpAfterMs?: number
}

/** What one pass did. */
export interface PlanReport {
  /** Spends that were committed. */
  readonly planned: readonly SpendId[]
  /** Withdrawals that have to wait, each with the code of the reason. */
  readonly waiting: readonly { readonly withdrawal: WithdrawalId; readonly code: string }[]
  /** Spends for which a conflicting one was asked for again. */
  readonly cancelling: readonly SpendId[]
}

const MOST_PAYMENTS = 500
const BUMP_AFTER_MS = 30 * 60_000
/** Somebody else changed what a plan was made from: it is made again, so often at most in one pass. */
const ATTEMPTS = 5

/**
 * Serves everything whose time has come, a wallet at a time. Any number of processes may run it: what a plan was made from is
 * looked at again under the wallet's lock, and whoever comes second finds it changed.
 * @throws what the node throws when it does not answer: then nothing was planned for that wallet
 */
export async function planDue(deps: PlannerDeps): Promise<PlanReport> {
  const { store, clock } = deps
  const report = { planned: [] as SpendId[], waiting: [] as PlanReport['waiting'][number][] }
  const cancelling = await askAgain(deps)
  const wallets = await store.read((tx) => tx.withdrawals.plannableWallets(clock.now()))
  for (const wallet of wallets) {
    const one = await planWallet(deps, wallet)
    report.planned.push(...one.planned)
    report.waiting.push(...one.waiting)
  }
  return { ...report, cancelling }
}

/** Wishes that could not be carried out when they were made: no fee estimate, coins that were taken. */
async function askAgain({ store, spends }: PlannerDeps): Promise<readonly SpendId[]> {
  const asked: SpendId[] = []
  let after: SpendId | undefined
  for (;;) {
    const { page, wished } = await store.read(async (tx) => {
      const live = await tx.spending.liveSpends(after, 100)
      const open = live.filter(({ status, cancelling }) => status === 'open' && !cancelling)
      const records = await tx.withdrawals.ofSpends(open.map(({ id }) => id))
      return { page: live, wished: records.filter(({ cancelAsked }) => cancelAsked !== undefined) }
    })
    const whose = new Map(wished.map(({ spend, cancelAsked }) => [spend, cancelAsked?.by]))
    for (const [spend, by] of whose)
      if (spend !== undefined && (await spends.cancel(spend, by ?? 'engine')).ok) asked.push(spend)
    after = page.at(-1)?.id
    if (page.length < 100) return asked
  }
}

type WalletReport = Pick<PlanReport, 'planned' | 'waiting'>

async function planWallet(deps: PlannerDeps, wallet: WalletId): Promise<WalletReport> {
  const planned: SpendId[] = []
  const waiting: PlanReport['waiting'][number][] = []
  let disturbed = 0
  while (disturbed < ATTEMPTS) {
    const [group] = await dueGroups(deps, wallet)
    if (!group) break
    const outcome = await planGroup(deps, wallet, group)
    if (outcome.kind === 'disturbed') disturbed += 1
    if (outcome.kind === 'planned') planned.push(outcome.spend)
    if ('left' in outcome) waiting.push(...outcome.left)
  }
  return { planned, waiting }
}

async function dueGroups(deps: PlannerDeps, wallet: WalletId): Promise<readonly Group[]> {
  const { store, clock, rhythm, mostPayments = MOST_PAYMENTS } = deps
  const now = clock.now()
  const horizon = now + rhythm.batchWaitMs
  const records = await store.read(async (tx) => {
    const due = await tx.withdrawals.plannable(wallet, now, mostPayments)
    if (due.length === 0) return []
    const soon = await tx.withdrawals.plannable(wallet, horizon, 2 * mostPayments)
    return [...new Map([...due, ...soon].map((record) => [record.id, record])).values()]
  })
  return groupsOf(records, now, mostPayments)
}

type Left = readonly { readonly withdrawal: WithdrawalId; readonly code: string }[]
type Outcome = Readonly<
  | { kind: 'planned'; spend: SpendId; left: Left }
  | { kind: 'waits'; left: Left }
  /** Another process, a person or the chain changed what it was made from. */
  | { kind: 'disturbed' }
>

async function planGroup(deps: PlannerDeps, wallet: WalletId, group: Group): Promise<Outcome> {
  const quote = await quoteFor(deps, group)
  if (!quote.ok) return wait(deps, wallet, group.members, quote.error)
  const scene = await sceneOf(deps, wallet)
  const { rate } = quote.value
  const affordable = group.members.filter(({ maxRate }) => rate <= maxRate)
  const left: { withdrawal: WithdrawalId; code: string }[] = []
  const leave = async (members: readonly WithdrawalRecord[], reason: Refusal): Promise<void> => {
    const outcome = await wait(deps, wallet, members, reason)
    if (outcome.kind === 'waits') left.push(...outcome.left)
  }
  const tooDear = group.members.filter((member) => !affordable.includes(member))
  if (tooDear.length > 0) await leave(tooDear, aboveCeiling(rate))
  let members: readonly WithdrawalRecord[] = affordable
  const means = scene.coins.reduce((sum, { amount }) => sum + amount, 0n)
  while (members.length > 0) {
    const drafted = draft(deps, scene, { ...group, members }, quote.value)
    if (drafted.ok) {
      const committed = await commit(deps, wallet, members, scene, drafted.value)
      return committed.kind === 'planned' ? { ...committed, left } : committed
    }
    const rest = withoutCulprit(drafted.error.code, members, means)
    // What only makes room for the others is not told to wait: the next round plans it by itself.
    const isSplit = drafted.error.code === 'TRANSACTION_TOO_HEAVY' && rest.length > 0
    if (!isSplit) {
      const out = members.filter((member) => !rest.includes(member))
      await leave(out, drafted.error)
    }
    members = rest
  }
  return { kind: 'waits', left }
}
const aboveCeiling = (rate: SatPerKvB): Refusal =>
  refuse(
    'FEE_CEILING_EXCEEDED',
    `transactions have to pay ${rate} sat/kvB now, above its ceiling`,
    {
      details: { rate_sat_kvb: Number(rate) },
    },
  ).error

/** The rate that serves the most urgent of a group. */
async function quoteFor(
  { quotes }: PlannerDeps,
  { speeds }: Group,
): Promise<Result<FeeQuote, Refusal>> {
  let best: FeeQuote | undefined
  for (const speed of speeds) {
    const quote = await quotes(speed)
    if (!quote.ok) return quote
    if (!best || quote.value.rate > best.rate) best = quote.value
  }
  assert(best, 'a group without a speed')
  return ok(best)
}

/** What a draft chooses from, all of one snapshot. */
interface Scene {
  readonly wallet: WalletId
  readonly descriptor: Descriptor
  readonly coins: readonly Coin[]
  readonly tipHeight: number
}
const sceneOf = ({ store, network, spendPolicy }: PlannerDeps, wallet: WalletId): Promise<Scene> =>
  store.read(async (tx) => {
    const descriptor = await descriptorOf(tx, network, wallet)
    const { height: tipHeight } = await tipOf(tx)
    const coins = await steadyCoins(tx, await candidatesOf(tx, wallet, spendPolicy))
    return { wallet, descriptor, coins, tipHeight }
  })

function draft(deps: PlannerDeps, scene: Scene, group: Group, quote: FeeQuote) {
  const { entropy, order = 'random', mergesAddresses = false, maxWeight } = deps
  const payments = paymentsFor(group.members, mergesAddresses)
  const ceilings = ceilingsOf(group.members, payments.length)
  assert(ceilings, 'a plan for nobody')
  const { rate, longTermRate, minRate } = quote
  return draftSpend({
    ...scene,
    purpose: 'payout',
    payments,
    feeFrom: group.feeFrom,
    fee: { rate, longTermRate, ...(minRate === undefined ? {} : { minRate }), ...ceilings },
    ...(maxWeight === undefined ? {} : { maxWeight }),
    order,
    entropy,
  })
}

async function previousFor(
  { store, source }: PlannerDeps,
  { descriptor }: Scene,
  { coins }: Draft,
): Promise<Result<PreviousTransactions, Refusal>> {
  if (!needsPrevious(descriptor)) return ok(new Map())
  return previousOf(
    { store, source },
    coins.map(({ point }) => point),
  )
}

/** Coins, addresses, transaction and the states of what it pays: one commit. */
async function commit(
  deps: PlannerDeps,
  wallet: WalletId,
  members: readonly WithdrawalRecord[],
  scene: Scene,
  drafted: Draft,
): Promise<Outcome> {
  const previous = await previousFor(deps, scene, drafted)
  if (!previous.ok) return wait(deps, wallet, members, previous.error)
  const { store, clock } = deps
  const at = clock.now()
  const outcome = await store.transact(async (tx): Promise<Outcome | Refusal> => {
    const records = await stillWaiting(tx, wallet, members)
    if (!records) return { kind: 'disturbed' }
    const trail = emptyTrail()
    const approvalsNeeded = Math.max(...records.map(({ verdict }) => verdict.transactionApprovals))
    const isRated = records.some(({ speed }) => speed.kind === 'rate')
    const committed = await commitSpend(
      tx,
      deps,
      {
        draft: drafted,
        descriptor: scene.descriptor,
        previous: previous.value,
        actor: 'engine',
        at,
        approvalsNeeded,
        policyVersion: Math.max(...records.map(({ verdict }) => verdict.policyVersion)),
        // Who named a rate wants that one, and bumps by hand.
        ...(isRated ? {} : { bumpAt: at + (deps.bumpAfterMs ?? BUMP_AFTER_MS) }),
      },
      trail,
    )
    if (!committed.ok)
      return committed.error.code === 'COINS_TAKEN' ? { kind: 'disturbed' } : committed.error
    const { spend, version } = committed.value
    if (approvalsNeeded > 0)
      await deps.policy.requireTransactionApprovals(tx, {
        psbt: version.id,
        hash: version.hash,
        withdrawals: records.map(({ id }) => id),
        at,
      })
    const parts = partsOf(version, records)
    const changes = records.map((record) => {
      const stepped = next(stateOf(record), { type: 'planned', spend: spend.id })
      assert(stepped.ok, 'what waits can be planned')
      const why = { by: 'engine', reason: 'planned' }
      const after = inState(record, stepped.value.state, parts.get(record.id), at, why)
      return { before: record, after, actor: 'engine' }
    })
    await commitChanges(deps, { tx, at, trail }, changes)
    await writeTrail(tx, at, trail)
    return { kind: 'planned', spend: spend.id, left: [] }
  })
  return 'kind' in outcome ? outcome : wait(deps, wallet, members, outcome)
}

/**
 * The members under the lock of their wallet, as they were when the plan was made; undefined when one of them is not. Everything
 * that takes a withdrawal out of the queue holds this lock.
 */
async function stillWaiting(
  tx: WithdrawalsTx,
  wallet: WalletId,
  members: readonly WithdrawalRecord[],
): Promise<readonly WithdrawalRecord[] | undefined> {
  await tx.coins.lockFunds(wallet)
  const records = await tx.withdrawals.lock(members.map(({ id }) => id))
  const known = new Map(members.map((member) => [member.id, member]))
  const isSame = (record: WithdrawalRecord) =>
    record.status === 'approved' && record.updatedAt === known.get(record.id)?.updatedAt
  return records.length === members.length && records.every(isSame) ? records : undefined
}

/** Leaves withdrawals approved, with the reason and a later time. */
async function wait(
  deps: PlannerDeps,
  wallet: WalletId,
  members: readonly WithdrawalRecord[],
  { code, message }: Refusal,
): Promise<Outcome> {
  const { store, clock, rhythm } = deps
  await store.transact(async (tx) => {
    await tx.coins.lockFunds(wallet)
    const at = clock.now()
    const records = await tx.withdrawals.lock(members.map(({ id }) => id))
    const changes = records
      .filter(({ status }) => status === 'approved')
      .map((record) => ({
        before: record,
        after: {
          ...record,
          waitsFor: `${code}: ${message}`,
          planAt: nextPlanAt(record, rhythm, at),
        },
        actor: 'engine',
      }))
    const trail = emptyTrail()
    await commitChanges(deps, { tx, at, trail }, changes)
    await writeTrail(tx, at, trail)
  })
  return { kind: 'waits', left: members.map(({ id }) => ({ withdrawal: id, code })) }
}
