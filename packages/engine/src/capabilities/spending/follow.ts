import {
  type BlockRef,
  type Metrics,
  outPointKey,
  paymentId,
  type SpendId,
  type Tally,
} from '../../kernel/index.ts'
import type { ChainConsumer, ChainMove, MempoolMove } from '../chain/index.ts'
import { EVENT_OF, tellVersion } from './announce.ts'
import { alertForeign, alertLost, alertRisen } from './alarm.ts'
import { judge, type Scene } from './judge.ts'
import { look } from './scene.ts'
import { holdsCoins } from './machine.ts'
import type { SpendOwners } from './owner.ts'
import type { SpendRecord, VersionRecord } from './ports.ts'
import { emptyTrail, type Trail, writeTrail } from './trail.ts'
import type { SpendingTx } from './transaction.ts'

export interface FollowOptions<Tx extends SpendingTx> {
  readonly owners: SpendOwners<Tx>
  /** From this depth on a block counts as buried. Default 6. */
  readonly settleDepth?: number
  readonly tally?: Tally<Tx>
}

/** The spends' side of the chain: called after the deposits' intake, in the same transaction. */
export interface Follow<Tx extends SpendingTx> {
  moveChain(tx: Tx, move: ChainMove): Promise<void>
  moveMempool(tx: Tx, move: MempoolMove): Promise<void>
  /** Judges these spends by the view as it is stored: after a version was recognised, or by hand. */
  lookAt(tx: Tx, spends: readonly SpendId[], tip: BlockRef, at: number): Promise<void>
}

export const SETTLE_DEPTH = 6
/** Spends of one page: what is in memory at once, with their PSBTs. */
const PAGE = 100
/** What the last look was taken at: without news there is nothing to judge. */
const MEMO = 'spending/looked'

export function createFollow<Tx extends SpendingTx>(options: FollowOptions<Tx>): Follow<Tx> {
  const work = (tx: Tx, tip: BlockRef, at: number): Work<Tx> => ({
    tx,
    tip,
    at,
    settleDepth: options.settleDepth ?? SETTLE_DEPTH,
    owners: options.owners,
    metrics: options.tally?.of(tx),
    trail: emptyTrail(),
  })
  return {
    async moveChain(tx, move) {
      const doing = work(tx, move.tip, move.at)
      const ended = [
        ...(move.fork ? await tx.spending.settledAbove(move.fork.height) : []),
        ...(isDeep(move, doing.settleDepth) ? await lostSpends(tx) : []),
        ...(await risen(tx, move)),
      ].map(({ id }) => id)
      await followLive(doing, new Set(ended))
    },
    async moveMempool(tx, move) {
      // A mempool that told nothing new about us leaves every spend as it is.
      if ((await tx.chain.memo(MEMO)) === (await newsAt(tx, move.tip))) return
      await followLive(work(tx, move.tip, move.at), new Set())
    },
    async lookAt(tx, spends, tip, at) {
      const doing = work(tx, tip, at)
      await followSome(doing, spends)
      await writeTrail(tx, at, doing.trail)
    },
  }
}

interface Work<Tx extends SpendingTx> {
  readonly tx: Tx
  readonly tip: BlockRef
  readonly at: number
  readonly settleDepth: number
  readonly owners: SpendOwners<Tx>
  readonly metrics: Metrics | undefined
  readonly trail: Trail
}

const newsAt = async (tx: SpendingTx, tip: BlockRef): Promise<string> =>
  `${await tx.deposits.newestFact()}/${tip.hash}`

async function followLive<Tx extends SpendingTx>(
  work: Work<Tx>,
  ended: ReadonlySet<SpendId>,
): Promise<void> {
  const { tx, at, tip } = work
  if (ended.size > 0) await followSome(work, [...ended])
  let after: SpendId | undefined
  for (;;) {
    const page = await tx.spending.liveSpends(after, PAGE)
    const ids = page.map(({ id }) => id).filter((id) => !ended.has(id))
    if (ids.length > 0) await followSome(work, ids)
    after = page.at(-1)?.id
    if (page.length < PAGE) break
  }
  await tx.chain.saveMemo(MEMO, await newsAt(tx, tip))
  await writeTrail(tx, at, work.trail)
}

/** Whether what was buried has left: only then can a lost spend be regained. Nothing but an attack or a broken node does that. */
const isDeep = ({ fork, previousTip }: ChainMove, settleDepth: number): boolean =>
  fork !== undefined && previousTip.height - fork.height >= settleDepth

async function lostSpends(tx: SpendingTx): Promise<readonly SpendRecord[]> {
  const all: SpendRecord[] = []
  for (;;) {
    const before = all.at(-1)?.id
    const page = await tx.spending.listSpends({
      status: 'lost',
      limit: PAGE,
      ...(before === undefined ? {} : { before }),
    })
    all.push(...page)
    if (page.length < PAGE) return all
  }
}

/** Spends that were over, of which this move mined a version: what signers once signed may come at any time. */
async function risen(tx: SpendingTx, move: ChainMove): Promise<readonly SpendRecord[]> {
  const mined = move.blocks.flatMap((block) => block.transactions)
  const spent = await tx.deposits.payments(mined.flatMap(({ inputs }) => inputs.map(paymentId)))
  const txids = new Set(spent.flatMap(({ spender }) => spender ?? []))
  const found: SpendRecord[] = []
  for (const txid of txids) {
    const version = await tx.spending.versionByTxid(txid)
    const spend = version && (await tx.spending.spend(version.spend))
    if (spend && (spend.status === 'lost' || spend.status === 'dropped')) found.push(spend)
  }
  return found
}

async function followSome<Tx extends SpendingTx>(
  work: Work<Tx>,
  ids: readonly SpendId[],
): Promise<void> {
  const { tx, tip, at, settleDepth } = work
  const spends = await tx.spending.lockSpends([...ids].sort())
  const all = await tx.spending.versionsOf(spends.map(({ id }) => id))
  const versions = Map.groupBy(all, ({ spend }) => spend)
  const scene: Scene = { ...(await look(tx, all)), tip, at, settleDepth }
  for (const spend of spends) await step(work, spend, versions.get(spend.id) ?? [], scene)
}

async function step<Tx extends SpendingTx>(
  work: Work<Tx>,
  before: SpendRecord,
  versions: readonly VersionRecord[],
  scene: Scene,
): Promise<void> {
  const { tx, at, trail } = work
  const { spend: after, versions: moved, foreign } = judge(before, versions, scene)
  alertForeign(trail, after, foreign)
  const changed = moved.filter((version, i) => version !== versions[i])
  if (after === before && changed.length === 0) return
  for (const version of changed) await tx.spending.saveVersion(version)
  if (after !== before) await tx.spending.saveSpend(after)
  await moveLeases(tx, before, after, moved, at)
  for (const [i, version] of moved.entries()) {
    const type = EVENT_OF[version.status]
    if (type && version.status !== versions[i]?.status)
      tellVersion(trail, { spend: after, version, type, actor: 'engine' })
  }
  if (after.status === 'lost' && before.status !== 'lost' && !isOutpaid(after, moved, scene))
    alertLost(trail, after)
  tellSpend(work, before, after)
  await tellOwner(work, before, after, moved)
}

/** A child whose coin was never spent, only never made: another version of its parent was mined, as we wished. */
const isOutpaid = (
  { purpose }: SpendRecord,
  versions: readonly VersionRecord[],
  { spenders }: Scene,
): boolean =>
  purpose === 'child' &&
  versions.every(({ transaction }) =>
    transaction.inputs.every((input) =>
      (spenders.get(outPointKey(input)) ?? []).every(({ view }) => view.state !== 'mined'),
    ),
  )

/** Coins are let go only when a conflicting spend is buried, and taken back when that one leaves (I6). */
async function moveLeases(
  tx: SpendingTx,
  before: SpendRecord,
  after: SpendRecord,
  versions: readonly VersionRecord[],
  at: number,
): Promise<void> {
  const [held, holds] = [holdsCoins(before.status), holdsCoins(after.status)]
  if (held && !holds) await tx.coins.release(after.id)
  if (held || !holds) return
  const inputs = new Map(
    versions.flatMap(({ transaction }) =>
      transaction.inputs.map((input) => [outPointKey(input), input] as const),
    ),
  )
  const points = [...inputs.values()].map(({ txid, vout }) => ({ txid, vout }))
  const taken = new Set((await tx.coins.leases(points)).map(({ point }) => outPointKey(point)))
  const free = points.filter((point) => !taken.has(outPointKey(point)))
  const { id: spend, wallet, fence } = after
  await tx.coins.lease(
    free.flatMap((point) => {
      const amount = inputs.get(outPointKey(point))?.amount
      return amount === undefined ? [] : [{ point, amount, wallet, spend, fence, at }]
    }),
  )
}

function tellSpend<Tx extends SpendingTx>(
  { trail, metrics, at }: Work<Tx>,
  before: SpendRecord,
  after: SpendRecord,
): void {
  if (before.status === after.status) return
  metrics?.count('kaccy_spends_moved_total', 1, { purpose: after.purpose, status: after.status })
  if (after.status === 'mined' && before.status === 'open')
    metrics?.observe('kaccy_spend_confirmation_seconds', (at - after.createdAt) / 1000)
  const isOver =
    before.status === 'settled' || before.status === 'lost' || before.status === 'dropped'
  if (isOver) alertRisen(trail, before, after)
}

/** Tells the capability that the spend works for, with the version that matters now. */
export async function tellOwner<Tx extends SpendingTx>(
  told: Pick<Work<Tx>, 'tx' | 'owners' | 'at' | 'tip' | 'trail'>,
  before: SpendRecord,
  after: SpendRecord,
  versions: readonly VersionRecord[],
): Promise<void> {
  const { tx, owners, at, tip, trail } = told
  const matters = after.mined?.psbt ?? after.current
  const version = versions.find(({ id }) => id === matters)
  if (version)
    await owners[after.purpose]?.moved(tx, { before, after, version, versions, at, tip, trail })
}

/** What learns of the chain, and after it, in the same transaction, the spends: they read what it has written. */
export const followedBy = <Tx extends SpendingTx>(
  consumer: ChainConsumer<Tx>,
  follow: Follow<Tx>,
): ChainConsumer<Tx> => ({
  beforeReorg: (tx, fork) => consumer.beforeReorg(tx, fork),
  knowledge: (tx) => consumer.knowledge(tx),
  audience: (tx) => consumer.audience(tx),
  async moveChain(tx, move) {
    await consumer.moveChain(tx, move)
    await follow.moveChain(tx, move)
  },
  async moveMempool(tx, move) {
    await consumer.moveMempool(tx, move)
    await follow.moveMempool(tx, move)
  },
})
