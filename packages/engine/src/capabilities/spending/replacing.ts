import {
  ok,
  type OutPoint,
  type Refusal,
  type Result,
  refuse,
  type SpendId,
} from '../../kernel/index.ts'
import type { Descriptor } from '../../protocol/descriptor/index.ts'
import type { Coin } from '../coins/index.ts'
import { CHANGE, type RevealRefusal } from '../wallet/index.ts'
import { tellVersion } from './announce.ts'
import { freshChange, leaseCoins, refuseTaken, takenCoin } from './commit.ts'
import type { Draft } from './draft.ts'
import type { FeeQuote, FeeQuoteRefusal, FeeSpeed } from './fees.ts'
import { tellOwner } from './follow.ts'
import { nextSpend, nextVersion } from './machine.ts'
import type { MempoolStanding, RelayRules } from './node.ts'
import { descriptorOf, type SpendingOptions, tipOf } from './options.ts'
import { arrange, type ChangePlace, changeOf } from './plan.ts'
import type { SpendRecord, VersionRecord } from './ports.ts'
import { type PreviousRefusal, previousOf, type PreviousTransactions } from './previous.ts'
import { needsPrevious, previousIn } from './psbt.ts'
import {
  addedCoins,
  type BumpWish,
  giveUp,
  planReplacement,
  type PlanReplacementRefusal,
  replacementFloor,
} from './replace.ts'
import { emptyTrail, type Trail, writeTrail } from './trail.ts'
import type { SpendingTx } from './transaction.ts'
import { newVersion } from './version.ts'

export interface Replaced {
  readonly spend: SpendRecord
  /** The new version. Undefined when nobody had been asked to sign any: the spend was dropped and its coins are free. */
  readonly version?: VersionRecord
}
export type ReplaceRefusal =
  | Refusal<
      | 'SPEND_NOT_FOUND'
      | 'SPEND_NOT_OPEN'
      | 'SPEND_HAS_CHILDREN'
      | 'BUMP_NOT_NEEDED'
      | 'COINS_TAKEN'
    >
  | PlanReplacementRefusal
  | FeeQuoteRefusal
  | PreviousRefusal
  | RevealRefusal

/** Candidates for a bump that needs more: the first that come are as good as any, and a wallet may have 100,000. */
const EXTRA_COINS = 2_000

/** What a replacement is decided from, read before its transaction and checked again in it. */
export interface Situation {
  readonly spend: SpendRecord
  readonly versions: readonly VersionRecord[]
  readonly current: VersionRecord
  readonly descriptor: Descriptor
  readonly extras: readonly Coin[]
  readonly tipHeight: number
}

export async function situationOf<Tx extends SpendingTx>(
  { store, network }: SpendingOptions<Tx>,
  id: SpendId,
): Promise<Result<Situation, Refusal<'SPEND_NOT_FOUND' | 'SPEND_NOT_OPEN'>>> {
  return store.read(async (tx) => {
    const spend = await tx.spending.spend(id)
    if (!spend) return refuseUnknown(id)
    if (spend.status !== 'open') return refuseNotOpen(spend)
    const versions = await tx.spending.versionsOf([id])
    const current = versions.find((version) => version.id === spend.current)
    if (!current) return refuseUnknown(id)
    const { wallet } = spend
    const [descriptor, tip, free] = [
      await descriptorOf(tx, network, wallet),
      await tipOf(tx),
      await tx.coins.freeCoins({ wallet, ownChange: false, limit: EXTRA_COINS }),
    ]
    return ok({ spend, versions, current, descriptor, extras: free, tipHeight: tip.height })
  })
}
export const refuseUnknown = (id: SpendId) =>
  refuse('SPEND_NOT_FOUND', `no spend ${id}`, { param: 'spend', details: { spend: id } })
export const refuseNotOpen = ({ id, status }: SpendRecord) =>
  refuse('SPEND_NOT_OPEN', `spend ${id} is ${status}`, { details: { spend: id, status } })

export async function bump<Tx extends SpendingTx>(
  options: SpendingOptions<Tx>,
  id: SpendId,
  wish: BumpWish,
  actor: string,
): Promise<Result<Replaced, ReplaceRefusal>> {
  const seen = await situationOf(options, id)
  if (!seen.ok) return seen
  const quote = await options.quotes(wish.speed)
  if (!quote.ok) return quote
  const { current, spend } = seen.value
  if (quote.value.rate <= current.rate)
    return refuse('BUMP_NOT_NEEDED', `spend ${id} pays ${current.rate} sat/kvB already`, {
      details: {
        spend: id,
        rate_sat_kvb: Number(current.rate),
        wished_rate_sat_kvb: Number(quote.value.rate),
        source: quote.value.source,
      },
    })
  // A cancel that is bumped stays one: it must never pay again.
  const kind = spend.cancelling ? 'cancel' : 'bump'
  return replaceBy(options, seen.value, { kind, quote: quote.value, wish, actor })
}

export async function cancel<Tx extends SpendingTx>(
  options: SpendingOptions<Tx>,
  id: SpendId,
  actor: string,
): Promise<Result<Replaced, ReplaceRefusal>> {
  const dropped = await options.store.transact((tx) => dropUnseen(options, tx, id, actor))
  if (dropped) return dropped
  const seen = await situationOf(options, id)
  if (!seen.ok) return seen
  const speed: FeeSpeed = { kind: 'priority', priority: 'normal' }
  const quote = await options.quotes(speed)
  if (!quote.ok) return quote
  const wish = { speed }
  return replaceBy(options, seen.value, { kind: 'cancel', quote: quote.value, wish, actor })
}

/**
 * Ends a spend of which no version was ever shown to anybody who can sign. Undefined: somebody may have signed, so only a
 * conflicting spend ends it. Signing sets `exposedAt` under the same lock, before it shows anything.
 */
export async function dropUnseen<Tx extends SpendingTx>(
  { clock, owners }: Pick<SpendingOptions<Tx>, 'clock' | 'owners'>,
  tx: Tx,
  id: SpendId,
  actor: string,
): Promise<Result<Replaced, ReplaceRefusal> | undefined> {
  // Its owner may put requests back into the wallet's queue: the funds are locked before the spend, as everywhere.
  const known = await tx.spending.spend(id)
  if (known) await tx.coins.lockFunds(known.wallet)
  const [spend] = await tx.spending.lockSpends([id])
  if (!spend) return refuseUnknown(id)
  if (spend.status !== 'open') return refuseNotOpen(spend)
  const versions = await tx.spending.versionsOf([id])
  if (spend.cancelling) {
    const version = versions.find((one) => one.id === spend.current)
    return ok({ spend, ...(version ? { version } : {}) })
  }
  if (versions.some(({ exposedAt }) => exposedAt !== undefined)) return undefined
  const at = clock.now()
  const stepped = nextSpend(spend, { type: 'dropped' })
  if (!stepped) return refuseNotOpen(spend)
  const after = { ...stepped, updatedAt: at }
  const trail = emptyTrail()
  const ended = versions.map((version) => rejected(version, actor, at))
  for (const version of ended) {
    await tx.spending.saveVersion(version)
    tellVersion(trail, { spend: after, version, type: 'psbt.rejected', actor })
  }
  await tx.spending.saveSpend(after)
  await tx.coins.release(id)
  await tellOwner({ tx, owners, at, tip: await tipOf(tx), trail }, spend, after, ended)
  await writeTrail(tx, at, trail)
  return ok({ spend: after })
}

function rejected(version: VersionRecord, by: string, at: number): VersionRecord {
  const { nextAt: _, claimedUntil: __, ...rest } = version
  const status = nextVersion(version.status, 'rejected') ?? version.status
  return { ...rest, status, rejected: { by, reason: 'dropped', at }, updatedAt: at }
}

interface Replacement {
  readonly kind: 'bump' | 'cancel'
  readonly quote: FeeQuote
  readonly wish: BumpWish
  readonly actor: string
}

async function replaceBy<Tx extends SpendingTx>(
  options: SpendingOptions<Tx>,
  seen: Situation,
  what: Replacement,
): Promise<Result<Replaced, ReplaceRefusal>> {
  const { spend, versions, current, descriptor } = seen
  const [standings, rules] = await askNode(options, versions)
  const drafted = planReplacement({
    spend,
    current,
    descriptor,
    kind: what.kind,
    floor: replacementFloor(versions, standings, rules),
    quote: what.quote,
    rules,
    maxFee: what.wish.maxFee ?? current.maxFee,
    maxRate: what.wish.maxRate ?? current.maxRate,
    extras: seen.extras,
    tipHeight: seen.tipHeight,
    order: options.order ?? 'random',
    entropy: options.entropy,
  })
  if (!drafted.ok) return drafted
  const previous = await previousFor(options, descriptor, current, drafted.value)
  if (!previous.ok) return previous
  return options.store.transact((tx) =>
    commitVersion(options, tx, { seen, what, draft: drafted.value, previous: previous.value }),
  )
}

/** What the mempool holds of these versions, by their ids, and what the node demands of a replacement. */
async function askNode<Tx extends SpendingTx>(
  { mempool }: SpendingOptions<Tx>,
  versions: readonly VersionRecord[],
): Promise<readonly [ReadonlyMap<string, MempoolStanding>, RelayRules]> {
  const known = versions.flatMap(({ id, txid }) => (txid === undefined ? [] : [{ id, txid }]))
  const answers = await mempool.standings(known.map(({ txid }) => txid))
  const standings = new Map<string, MempoolStanding>()
  for (const [i, { id }] of known.entries()) {
    const standing = answers[i]
    if (standing) standings.set(id, standing)
  }
  return [standings, await mempool.rules()]
}

async function previousFor<Tx extends SpendingTx>(
  options: SpendingOptions<Tx>,
  descriptor: Descriptor,
  current: VersionRecord,
  draft: Draft,
): Promise<Result<PreviousTransactions, PreviousRefusal>> {
  const known = previousIn(current.psbt)
  if (!needsPrevious(descriptor)) return ok(known)
  const missing = draft.coins.map(({ point }) => point).filter(({ txid }) => !known.has(txid))
  const asked = await previousOf(options, missing)
  return asked.ok ? ok(new Map([...known, ...asked.value])) : asked
}

interface Prepared {
  readonly seen: Situation
  readonly what: Replacement
  readonly draft: Draft
  readonly previous: PreviousTransactions
}

/** Everything that was read before is looked at again under the locks; what has moved since is a refusal, and is tried again. */
async function commitVersion<Tx extends SpendingTx>(
  options: SpendingOptions<Tx>,
  tx: Tx,
  { seen, what, draft, previous }: Prepared,
): Promise<Result<Replaced, ReplaceRefusal>> {
  const { clock, owners } = options
  const at = clock.now()
  const { wallet } = seen.spend
  const funds = await tx.coins.lockFunds(wallet)
  await tx.wallet.lockKeychain(wallet, CHANGE)
  const [before] = await tx.spending.lockSpends([seen.spend.id])
  if (!before) return refuseUnknown(seen.spend.id)
  if (before.status !== 'open') return refuseNotOpen(before)
  if (before.versions !== seen.spend.versions) return refuseOvertaken(before)
  const versions = await tx.spending.versionsOf([before.id])
  const child = await childIn(tx, versions)
  if (child) return refuseChildren(before, child)
  const extras = addedCoins(draft, seen.current)
  const taken = await takenCoin(tx, extras)
  if (taken) return refuseTaken(taken)
  const place = await changeFor(tx, draft, seen.current, at)
  if (!place.ok) return place
  const { current } = seen
  const version = newVersion(options, {
    spend: before.id,
    wallet,
    number: before.versions + 1,
    kind: what.kind,
    transaction: arrange(draft, place.value),
    fee: draft.fee,
    rate: draft.rate,
    weight: draft.weight,
    maxFee: draft.maxFee,
    maxRate: draft.maxRate,
    descriptor: seen.descriptor,
    previous,
    approvalsNeeded: current.approvalsNeeded,
    policyVersion: current.policyVersion,
    actor: what.actor,
    at,
  })
  const after: SpendRecord = {
    ...before,
    versions: version.number,
    current: version.id,
    cancelling: before.cancelling || what.kind === 'cancel',
    updatedAt: at,
  }
  if (extras.length > 0) {
    await tx.coins.saveFunds({ ...funds, fence: funds.fence + 1 })
    await leaseCoins(tx, { ...after, fence: funds.fence + 1 }, extras, at)
  }
  const trail = emptyTrail()
  const kept = await giveUpUnsent(tx, versions, after, trail, what.actor, at)
  await tx.spending.insertVersion(version)
  await tx.spending.saveSpend(after)
  tellVersion(trail, { spend: after, version, type: 'psbt.created', actor: what.actor })
  options.tally?.of(tx).count('kaccy_spend_replacements_total', 1, { kind: what.kind })
  const told = { tx, owners, at, tip: await tipOf(tx), trail }
  await tellOwner(told, before, after, [...kept, version])
  await writeTrail(tx, at, trail)
  return ok({ spend: after, version })
}

async function giveUpUnsent(
  tx: SpendingTx,
  versions: readonly VersionRecord[],
  spend: SpendRecord,
  trail: Trail,
  actor: string,
  at: number,
): Promise<readonly VersionRecord[]> {
  const kept = versions.map((version) => giveUp(version, at))
  for (const [i, version] of kept.entries()) {
    if (version === versions[i]) continue
    await tx.spending.saveVersion(version)
    tellVersion(trail, { spend, version, type: 'psbt.replaced', actor })
  }
  return kept
}

/** The versions never meet in one chain, so they may share the address of their change; one that had none gets a fresh one. */
async function changeFor(
  tx: SpendingTx,
  draft: Draft,
  current: VersionRecord,
  at: number,
): Promise<Result<ChangePlace | undefined, RevealRefusal>> {
  if (draft.change === undefined) return ok(undefined)
  const known = changeOf(current.transaction)
  return known ? ok(known) : freshChange(tx, draft.wallet, at)
}

/** A live payout of ours that spends the change of one of these versions: a replacement would throw it out. */
async function childIn(
  tx: SpendingTx,
  versions: readonly VersionRecord[],
): Promise<SpendId | undefined> {
  const points = changePoints(versions)
  for (const { spend: id } of await tx.coins.leases(points)) {
    const spend = await tx.spending.spend(id)
    // A child of ours is there to pay for its parent: when that is paid for otherwise, it may go.
    if (spend && spend.purpose !== 'child') return id
  }
  return undefined
}
export const changePoints = (versions: readonly VersionRecord[]): readonly OutPoint[] =>
  versions.flatMap(({ txid, transaction }) => {
    const change = changeOf(transaction)
    return txid !== undefined && change ? [{ txid, vout: change.vout }] : []
  })
const refuseOvertaken = ({ id, versions }: SpendRecord) =>
  refuse('SPEND_NOT_REPLACEABLE', `spend ${id} has got version ${versions} meanwhile; ask again`, {
    details: { spend: id, reason: 'overtaken', versions },
  })
const refuseChildren = (spend: SpendRecord, child: SpendId) =>
  refuse('SPEND_HAS_CHILDREN', `spend ${child} spends the change of ${spend.id}`, {
    details: { spend: spend.id, child },
  })
