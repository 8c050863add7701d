import {
  type OutPoint,
  type Refusal,
  type Result,
  refuse,
  type Sat,
  type SatPerKvB,
  type SpendId,
  sat,
  satPerKvB,
} from '../../kernel/index.ts'
import { changeShape, inputShape, transactionWeight } from '../../protocol/coins/index.ts'
import type { Descriptor } from '../../protocol/descriptor/index.ts'
import type { Coin } from '../coins/index.ts'
import { CHANGE, type RevealRefusal } from '../wallet/index.ts'
import { type CommittedSpend, commitPlanned, refuseTaken } from './commit.ts'
import { type Draft, type DraftRefusal, draftSpend } from './draft.ts'
import type { FeeQuoteRefusal } from './fees.ts'
import type { MempoolStanding } from './node.ts'
import { tellOwner } from './follow.ts'
import { type SpendingOptions, tipOf } from './options.ts'
import { changeOf } from './plan.ts'
import type { SpendRecord, VersionRecord } from './ports.ts'
import type { PreviousTransactions } from './previous.ts'
import { needsPrevious } from './psbt.ts'
import type { BumpWish } from './replace.ts'
import { refuseNotOpen, refuseUnknown, type Situation, situationOf } from './replacing.ts'
import { emptyTrail, writeTrail } from './trail.ts'
import type { SpendingTx } from './transaction.ts'

export type ChildRefusal =
  | Refusal<
      | 'SPEND_NOT_FOUND'
      | 'SPEND_NOT_OPEN'
      | 'SPEND_HAS_NO_CHANGE'
      | 'SPEND_NOT_REPLACEABLE'
      | 'BUMP_NOT_NEEDED'
      | 'COINS_TAKEN'
    >
  | FeeQuoteRefusal
  | DraftRefusal
  | RevealRefusal

/** Nodes take families of this many unconfirmed transactions at most (-limitancestorcount, -limitdescendantcount). */
export const FAMILY_LIMIT = 25

/** What a child has to pay for besides itself: its parent, with everything unconfirmed below it. */
export interface Burden {
  readonly fees: Sat
  readonly vsize: number
}
export const burdenOf = (parent: VersionRecord, standing: MempoolStanding | undefined): Burden => {
  if (standing) return { fees: standing.ancestors.fees, vsize: standing.ancestors.vsize }
  return { fees: parent.fee, vsize: Math.ceil((parent.finalWeight ?? parent.weight) / 4) }
}
/** What the burden is short of at this rate, satoshi. */
export function shortfall({ fees, vsize }: Burden, rate: SatPerKvB): Sat {
  const wanted = (rate * BigInt(vsize) + 999n) / 1000n
  return sat(wanted > fees ? wanted - fees : 0n)
}

export async function childOf<Tx extends SpendingTx>(
  options: SpendingOptions<Tx>,
  id: SpendId,
  wish: BumpWish,
  actor: string,
): Promise<Result<CommittedSpend, ChildRefusal>> {
  const seen = await situationOf(options, id)
  if (!seen.ok) return seen
  const { current: parent, descriptor } = seen.value
  const change = changeOf(parent.transaction)
  const { txid, raw } = parent
  if (!change || txid === undefined || raw === undefined) return refuseChildless(seen.value)
  const quote = await options.quotes(wish.speed)
  if (!quote.ok) return quote
  const [standing] = await options.mempool.standings([txid])
  const family = Math.max(standing?.ancestors.count ?? 1, standing?.descendants.count ?? 1)
  if (family >= FAMILY_LIMIT) return refuseFamily(seen.value, family)
  const rules = await options.mempool.rules()
  const burden = burdenOf(parent, standing)
  const { rate, longTermRate } = quote.value
  const short = shortfall(burden, rate)
  if (short === 0n)
    return refuse('BUMP_NOT_NEEDED', `spend ${id} pays ${rate} sat/kvB already`, {
      details: { spend: id, fees_sat: Number(burden.fees), vsize: burden.vsize },
    })
  const most = ceilingsOf(descriptor, parent, burden, wish)
  const point: OutPoint = { txid, vout: change.vout }
  const drafted = draftSpend({
    wallet: parent.wallet,
    descriptor,
    purpose: 'child',
    parent: id,
    coins: [],
    required: [coinOf(parent, point, change)],
    payments: [],
    feeFrom: 'change',
    fee: {
      // By itself it pays far more than this: what counts is the rate of both.
      rate: rules.minRate,
      longTermRate,
      minRate: rules.minRate,
      ...most,
      minFee: { fee: short, rate },
    },
    tipHeight: seen.value.tipHeight,
    order: options.order ?? 'random',
    entropy: options.entropy,
  })
  if (!drafted.ok) return drafted
  const previous = new Map(needsPrevious(descriptor) ? [[txid, raw]] : [])
  const { spend } = seen.value
  return options.store.transact((tx) =>
    commitChild(options, tx, {
      parent: spend,
      draft: drafted.value,
      point,
      previous,
      actor,
      descriptor,
    }),
  )
}

const coinOf = (
  parent: VersionRecord,
  point: OutPoint,
  { amount, script, branch, index }: Pick<Coin, 'amount' | 'script' | 'branch' | 'index'>,
): Coin => ({
  point,
  wallet: parent.wallet,
  branch,
  index,
  script,
  address: '',
  amount,
  coinbase: false,
  kind: 'own_change',
  firstSeenAt: parent.createdAt,
})

/** Both transactions together stay within what the parent was allowed, unless somebody allows more. */
function ceilingsOf(
  descriptor: Descriptor,
  parent: VersionRecord,
  burden: Burden,
  wish: BumpWish,
): { readonly maxFee: Sat; readonly maxRate: SatPerKvB } {
  const { outputWeight, spendWeight } = changeShape(descriptor)
  const { hasWitness } = inputShape(descriptor)
  const bare = transactionWeight({ inputs: [{ weight: spendWeight, hasWitness }], outputs: [] })
  const vsize = BigInt(Math.ceil((bare + outputWeight) / 4))
  const maxRate = wish.maxRate ?? parent.maxRate
  const byFee = wish.maxFee ?? sat(parent.maxFee > parent.fee ? parent.maxFee - parent.fee : 0n)
  const byRate = (maxRate * (BigInt(burden.vsize) + vsize)) / 1000n - burden.fees
  const maxFee = byRate < byFee ? byRate : byFee
  const least = maxFee > 0n ? maxFee : 0n
  return { maxFee: sat(least), maxRate: satPerKvB((least * 1000n) / vsize) }
}

interface PreparedChild {
  readonly parent: SpendRecord
  readonly draft: Draft
  readonly point: OutPoint
  readonly previous: PreviousTransactions
  readonly actor: string
  readonly descriptor: Descriptor
}

async function commitChild<Tx extends SpendingTx>(
  options: SpendingOptions<Tx>,
  tx: Tx,
  { parent, draft, point, previous, actor, descriptor }: PreparedChild,
): Promise<Result<CommittedSpend, ChildRefusal>> {
  const at = options.clock.now()
  const funds = await tx.coins.lockFunds(parent.wallet)
  await tx.wallet.lockKeychain(parent.wallet, CHANGE)
  const [now] = await tx.spending.lockSpends([parent.id])
  if (!now) return refuseUnknown(parent.id)
  if (now.status !== 'open' || now.current !== parent.current) return refuseNotOpen(now)
  const held = [...(await tx.coins.leases([point])), ...(await tx.coins.frozen([point]))]
  if (held.length > 0) return refuseTaken(point)
  const version = await tx.spending.version(parent.current)
  const trail = emptyTrail()
  const committed = await commitPlanned(
    tx,
    options,
    {
      draft,
      descriptor,
      previous,
      actor,
      at,
      approvalsNeeded: version?.approvalsNeeded ?? 0,
      policyVersion: version?.policyVersion ?? 0,
    },
    funds,
    trail,
  )
  if (committed.ok) {
    // Its owner hears of its first version as of any other: what has to be approved is written in this commit.
    const { spend, version: made } = committed.value
    const told = { tx, owners: options.owners, at, tip: await tipOf(tx), trail }
    await tellOwner(told, { ...spend, versions: 0 }, spend, [made])
  }
  await writeTrail(tx, at, trail)
  return committed
}

const refuseChildless = ({ spend, current }: Situation) =>
  refuse(
    'SPEND_HAS_NO_CHANGE',
    `version ${current.number} of spend ${spend.id} has no change that could be spent yet`,
    { details: { spend: spend.id, psbt: current.id, status: current.status } },
  )
const refuseFamily = ({ spend }: Situation, family: number) =>
  refuse(
    'SPEND_NOT_REPLACEABLE',
    `the transaction has ${family} unconfirmed relatives, and nodes take ${FAMILY_LIMIT} at most`,
    { details: { spend: spend.id, reason: 'family', relatives: family, limit: FAMILY_LIMIT } },
  )
