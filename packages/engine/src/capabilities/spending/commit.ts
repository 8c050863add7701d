import {
  assert,
  equalBytes,
  newId,
  ok,
  type OutPoint,
  outPointKey,
  type Refusal,
  type Result,
  refuse,
  type SpendId,
  type WalletId,
} from '../../kernel/index.ts'
import type { Descriptor } from '../../protocol/descriptor/index.ts'
import type { Coin, FundsRecord } from '../coins/index.ts'
import { CHANGE, revealAddress, type RevealRefusal } from '../wallet/index.ts'
import { tellVersion } from './announce.ts'
import type { Draft } from './draft.ts'
import { arrange, type ChangePlace } from './plan.ts'
import type { SpendRecord, VersionRecord } from './ports.ts'
import type { PreviousTransactions } from './previous.ts'
import { emptyTrail, type Trail, writeTrail } from './trail.ts'
import type { SpendingTx } from './transaction.ts'
import { type Ids, newVersion } from './version.ts'

/** What is committed: a draft, and who asked for it under which policy. */
export interface CommitRequest {
  readonly draft: Draft
  readonly descriptor: Descriptor
  /** Transactions that made the coins (`previousOf`): asked of the node before the transaction of the store. */
  readonly previous: PreviousTransactions
  readonly actor: string
  /** Milliseconds since the epoch. */
  readonly at: number
  /** People who must approve the exact transaction before it is signed, and the policy that says so. */
  readonly approvalsNeeded: number
  readonly policyVersion: number
  /** When the first automatic bump is considered. */
  readonly bumpAt?: number
}

export interface CommittedSpend {
  readonly spend: SpendRecord
  readonly version: VersionRecord
}
export type CommitRefusal = Refusal<'COINS_TAKEN'> | RevealRefusal

/**
 * Commits a plan in the caller's transaction: coins leased under the wallet's next fence, the change address revealed, spend
 * and first version with PSBT and txid written. It locks the wallet's funds, then the keychain of change: a caller that
 * changes the funds as well reads them again afterwards. Nothing was written when it refuses.
 * @param trail where the caller writes down what he has to say; without one it is written here
 */
export async function commitSpend(
  tx: SpendingTx,
  ids: Ids,
  request: CommitRequest,
  trail?: Trail,
): Promise<Result<CommittedSpend, CommitRefusal>> {
  const funds = await tx.coins.lockFunds(request.draft.wallet)
  const taken = await takenCoin(tx, request.draft.coins)
  if (taken) return refuseTaken(taken)
  const say = trail ?? emptyTrail()
  const committed = await commitPlanned(tx, ids, request, funds, say)
  if (!trail) await writeTrail(tx, request.at, say)
  return committed
}

/** As `commitSpend`, for a caller that holds the funds and knows that the coins are free. */
export async function commitPlanned(
  tx: SpendingTx,
  ids: Ids,
  request: CommitRequest,
  funds: FundsRecord,
  trail: Trail,
): Promise<Result<CommittedSpend, RevealRefusal>> {
  const { draft, descriptor, previous, actor, at } = request
  const { wallet } = draft
  const place = await placeOfChange(tx, draft, at)
  if (!place.ok) return place
  const fence = funds.fence + 1
  const id = newId('spd', ids.clock, ids.entropy) as SpendId
  const version = newVersion(ids, {
    spend: id,
    wallet,
    number: 1,
    kind: 'payment',
    transaction: arrange(draft, place.value),
    fee: draft.fee,
    rate: draft.rate,
    weight: draft.weight,
    maxFee: draft.maxFee,
    maxRate: draft.maxRate,
    descriptor,
    previous,
    approvalsNeeded: request.approvalsNeeded,
    policyVersion: request.policyVersion,
    actor,
    at,
  })
  const spend: SpendRecord = {
    id,
    wallet,
    purpose: draft.purpose,
    ...(draft.parent === undefined ? {} : { parent: draft.parent }),
    status: 'open',
    anchor: draft.anchor,
    fence,
    versions: 1,
    current: version.id,
    cancelling: false,
    ...(request.bumpAt === undefined ? {} : { bumpAt: request.bumpAt }),
    createdBy: actor,
    createdAt: at,
    updatedAt: at,
  }
  await tx.coins.saveFunds({ ...funds, fence })
  await leaseCoins(tx, spend, draft.coins, at)
  await tx.spending.insertSpend(spend)
  await tx.spending.insertVersion(version)
  tellVersion(trail, { spend, version, type: 'psbt.created', actor })
  return ok({ spend, version })
}

/** Leases coins to a spend. The store refuses a coin that has a lease already, whatever we read before. */
export const leaseCoins = (
  tx: Pick<SpendingTx, 'coins'>,
  { id, wallet, fence }: SpendRecord,
  coins: readonly Pick<Coin, 'point' | 'amount'>[],
  at: number,
): Promise<void> =>
  tx.coins.lease(
    coins.map(({ point, amount }) => ({ point, amount, wallet, spend: id, fence, at })),
  )

/**
 * Those of these coins that a plan may build on. Left out is unconfirmed change of a transaction of ours that is about to be replaced
 * or cancelled: whoever spends it would be thrown out together with it (W16).
 */
export async function steadyCoins(
  tx: Pick<SpendingTx, 'spending'>,
  coins: readonly Coin[],
): Promise<readonly Coin[]> {
  const makers = new Set(
    coins.flatMap(({ point, height }) => (height === undefined ? [point.txid] : [])),
  )
  const doubtful = new Set<string>()
  for (const txid of makers) {
    const version = await tx.spending.versionByTxid(txid)
    const spend = version && (await tx.spending.spend(version.spend))
    const isSteady = spend && spend.current === version.id && version.kind !== 'cancel'
    if (spend?.status === 'open' && !isSteady) doubtful.add(txid)
  }
  return coins.filter(({ point, height }) => height !== undefined || !doubtful.has(point.txid))
}

/** The first of these coins that is not free as it was when it was chosen. The caller holds the wallet's funds. */
export async function takenCoin(
  tx: Pick<SpendingTx, 'coins' | 'spending'>,
  chosen: readonly Coin[],
): Promise<OutPoint | undefined> {
  const steady = new Set(await steadyCoins(tx, chosen))
  const points = chosen.map(({ point }) => point)
  const now = await tx.coins.coins(points)
  const held = new Set(
    [...(await tx.coins.leases(points)), ...(await tx.coins.frozen(points))].map(({ point }) =>
      outPointKey(point),
    ),
  )
  return chosen.find((coin, i) => {
    const there = now[i]
    if (!there || !steady.has(coin) || held.has(outPointKey(coin.point))) return true
    assert(
      there.amount === coin.amount && equalBytes(there.script, coin.script),
      `coin ${outPointKey(coin.point)} is another one than was chosen`,
    )
    // What was credited when it was chosen may have lost its block since.
    return there.wallet !== coin.wallet || (coin.kind === 'credited' && there.kind !== 'credited')
  })?.point
}
export const refuseTaken = (point: OutPoint) =>
  refuse('COINS_TAKEN', `coin ${outPointKey(point)} is no longer free`, {
    details: { point: outPointKey(point) },
  })

/** A fresh address for the change of a draft; undefined for one without. Reveals nothing in vain: called last. */
async function placeOfChange(
  tx: SpendingTx,
  { wallet, change }: Draft,
  at: number,
): Promise<Result<ChangePlace | undefined, RevealRefusal>> {
  return change === undefined ? ok(undefined) : freshChange(tx, wallet, at)
}
/** Refused by WALLET_NOT_RANGED where the descriptor has no branch for change: change among receiving addresses is found by nobody. */
export async function freshChange(
  tx: SpendingTx,
  wallet: WalletId,
  at: number,
): Promise<Result<ChangePlace, RevealRefusal>> {
  const branch = CHANGE
  const revealed = await revealAddress(tx, { wallet, branch, at, shown: true })
  if (!revealed.ok) return revealed
  const { index, script } = revealed.value
  return ok({ branch, index, script })
}
