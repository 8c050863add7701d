import {
  type Entropy,
  feeFor,
  ok,
  outPointKey,
  type Refusal,
  type Result,
  refuse,
  type Sat,
  type SatPerKvB,
  sat,
  satPerKvB,
  type Weight,
} from '../../kernel/index.ts'
import type { Descriptor } from '../../protocol/descriptor/index.ts'
import type { Coin } from '../coins/index.ts'
import { type Draft, type DraftRefusal, draftSpend } from './draft.ts'
import type { FeeQuote, FeeSpeed } from './fees.ts'
import { isBeforeSending } from './machine.ts'
import type { MempoolStanding, RelayRules } from './node.ts'
import { paymentsOf } from './plan.ts'
import type { SpendRecord, VersionRecord } from './ports.ts'

/** What a bump should reach. Ceilings: those of the version before, unless others are given by somebody who may. */
export interface BumpWish {
  readonly speed: FeeSpeed
  readonly maxFee?: Sat
  readonly maxRate?: SatPerKvB
}

/** What the rules of replacement demand. */
export interface ReplacementFloor {
  /** Fees of everything that the new version throws out, and of every earlier version that may be anywhere. */
  readonly replaced: Sat
  /** The new rate is above this one: that of the best earlier version. */
  readonly rate: SatPerKvB
  readonly incrementalRate: SatPerKvB
}

/**
 * The least that a new version has to pay: more than every earlier version by its own size at the incremental rate (BIP 125 rules 3
 * and 4, with what builds on them), at a higher rate than each (Bitcoin Core). Versions that were only signed count as well: they may be in
 * other mempools than ours.
 */
export function replacementFloor(
  versions: readonly VersionRecord[],
  standings: ReadonlyMap<string, MempoolStanding>,
  rules: RelayRules,
): ReplacementFloor {
  let replaced = 0n
  let rate = 0n
  for (const version of versions) {
    const standing = standings.get(version.id)
    const fee =
      standing && standing.descendants.fees > version.fee ? standing.descendants.fees : version.fee
    const size = standing?.vsize ?? Math.ceil((version.finalWeight ?? version.weight) / 4)
    const own = (version.fee * 1000n + BigInt(size) - 1n) / BigInt(size)
    if (fee > replaced) replaced = fee
    if (own > rate) rate = own
  }
  return { replaced: sat(replaced), rate: satPerKvB(rate), incrementalRate: rules.incrementalRate }
}

export interface ReplacementRequest {
  readonly spend: SpendRecord
  readonly current: VersionRecord
  readonly descriptor: Descriptor
  readonly kind: 'bump' | 'cancel'
  readonly floor: ReplacementFloor
  readonly quote: FeeQuote
  readonly rules: RelayRules
  readonly maxFee: Sat
  readonly maxRate: SatPerKvB
  /** Confirmed coins that may be added; a replacement may bring no new unconfirmed ones (BIP 125 rule 2). */
  readonly extras: readonly Coin[]
  readonly maxWeight?: Weight
  readonly dustRate?: SatPerKvB
  readonly tipHeight: number
  readonly order: 'bip69' | 'random'
  readonly entropy: Entropy
}
export type PlanReplacementRefusal = DraftRefusal | Refusal<'SPEND_NOT_REPLACEABLE'>

/**
 * The next version of a spend: all coins of the one before, so that it conflicts with every earlier one by construction, the same
 * payments to the satoshi (a cancel: none), the change recomputed, dropped or added, and more coins where they are needed. Pure.
 */
export function planReplacement(
  request: ReplacementRequest,
): Result<Draft, PlanReplacementRefusal> {
  const { spend, current, floor, kind, maxFee, maxRate } = request
  const size = current.weight
  const needed = neededFee(floor, size)
  const above = needed > maxFee || needed > feeFor(maxRate, size)
  // Dropping change makes it lighter, but never by as much as the rules ask on top: said now, with the figures.
  if (above && kind === 'bump') return refuseReplacement(request, needed, 'FEE_CEILING_EXCEEDED')
  const rate = wishedRate(request)
  const drafted = draftSpend({
    wallet: spend.wallet,
    descriptor: request.descriptor,
    purpose: spend.purpose,
    ...(spend.parent === undefined ? {} : { parent: spend.parent }),
    coins: request.extras,
    required: heldCoins(spend, current),
    payments: kind === 'cancel' ? [] : paymentsOf(current.transaction),
    feeFrom: 'change',
    fee: {
      rate,
      longTermRate: request.quote.longTermRate,
      minRate: request.rules.minRate,
      maxFee,
      maxRate,
      minFee: { fee: floor.replaced, rate: floor.incrementalRate },
    },
    ...(request.maxWeight === undefined ? {} : { maxWeight: request.maxWeight }),
    ...(request.dustRate === undefined ? {} : { dustRate: request.dustRate }),
    tipHeight: request.tipHeight,
    order: request.order,
    entropy: request.entropy,
  })
  if (!drafted.ok) return refuseReplacement(request, needed, drafted.error.code)
  return ok({ ...drafted.value, anchor: spend.anchor })
}

const neededFee = (floor: ReplacementFloor, size: Weight): bigint => {
  const byRules = floor.replaced + feeFor(floor.incrementalRate, size)
  const byRate = feeFor(satPerKvB(floor.rate + 1n), size)
  return byRules > byRate ? byRules : byRate
}

/** What was asked for, above every earlier version and within the ceilings. */
function wishedRate({ quote, floor, maxRate, maxFee, current }: ReplacementRequest): SatPerKvB {
  const least = floor.rate + 1n
  const vbytes = BigInt(Math.ceil(current.weight / 4))
  const caps = [maxRate, (maxFee * 1000n) / vbytes]
  const most = caps.reduce((low, cap) => (cap < low ? cap : low), quote.rate as bigint)
  return satPerKvB(most > least ? most : least)
}

function refuseReplacement(
  { spend, current, floor, quote, maxFee, maxRate, kind }: ReplacementRequest,
  needed: bigint,
  because: string,
) {
  const verb = kind === 'cancel' ? 'cancelled' : 'replaced'
  return refuse(
    'SPEND_NOT_REPLACEABLE',
    `spend ${spend.id} cannot be ${verb}: it pays ${current.fee} sat, a new version has to pay ${needed} sat at least and may pay ${maxFee} sat at ${maxRate} sat/kvB at most (${because})`,
    {
      details: {
        spend: spend.id,
        reason: because,
        paid_sat: Number(current.fee),
        replaced_sat: Number(floor.replaced),
        needed_sat: Number(needed),
        max_fee_sat: Number(maxFee),
        max_rate_sat_kvb: Number(maxRate),
        wished_rate_sat_kvb: Number(quote.rate),
      },
    },
  )
}

/** The coins of a version as it was planned: they are spent already where the mempool has it, so no row says that they are free. */
export const heldCoins = (spend: SpendRecord, { transaction }: VersionRecord): readonly Coin[] =>
  transaction.inputs.map(({ txid, vout, amount, script, branch, index }) => ({
    point: { txid, vout },
    wallet: spend.wallet,
    branch,
    index,
    script,
    address: '',
    amount,
    coinbase: false,
    kind: 'credited' as const,
    firstSeenAt: spend.createdAt,
  }))

/** Coins of a draft that the version before does not have. */
export function addedCoins(draft: Draft, { transaction }: VersionRecord): readonly Coin[] {
  const held = new Set(transaction.inputs.map(outPointKey))
  return draft.coins.filter(({ point }) => !held.has(outPointKey(point)))
}

/** A version that is given up before it was sent: nobody is asked to sign it any more. What was signed may still be mined. */
export const giveUp = (version: VersionRecord, at: number): VersionRecord => {
  if (!isBeforeSending(version.status)) return version
  const { nextAt: _, claimedUntil: __, ...rest } = version
  return { ...rest, status: 'replaced', updatedAt: at }
}
