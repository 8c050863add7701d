import { assert, type BlockRef, type OutPoint, outPointKey, type Txid } from '../../kernel/index.ts'
import type { TxRecord } from '../deposits/index.ts'
import { nextSpend, nextVersion, type VersionEvent } from './machine.ts'
import type { SpendRecord, VersionRecord } from './ports.ts'

/** What is known of the chain around some spends, all of one moment. */
export interface Scene {
  /** Stored transactions by id: versions, those that spend their coins, those that made their coins. */
  readonly transactions: ReadonlyMap<Txid, TxRecord>
  /** What the makers of coins that are not in the best chain spend themselves; makers that are mined are left out. */
  readonly makers: ReadonlyMap<Txid, readonly OutPoint[]>
  /** Stored transactions, also gone ones, that spend an outpoint, by its key. */
  readonly spenders: ReadonlyMap<string, readonly TxRecord[]>
  readonly tip: BlockRef
  /** From this depth on a block counts as buried. */
  readonly settleDepth: number
  /** Our clock, milliseconds since the epoch. */
  readonly at: number
}

export interface Verdict {
  readonly spend: SpendRecord
  readonly versions: readonly VersionRecord[]
  /** Foreign transactions in mempool or best chain that spend a coin of the spend. */
  readonly foreign: readonly TxRecord[]
}

/** Nodes take no deeper families of unconfirmed transactions. */
export const MOST_GENERATIONS = 25

const depthOf = (block: BlockRef, tip: BlockRef): number => tip.height - block.height + 1

/**
 * What a spend and its versions are under this view of the chain. Pure: the view decides, not the way that led to it; so the
 * same chain delivered in any order gives the same answer, and a reorganisation needs no code of its own.
 * @throws AssertionError when two versions are in the best chain, which their anchor forbids (I4)
 */
export function judge(
  spend: SpendRecord,
  versions: readonly VersionRecord[],
  scene: Scene,
): Verdict {
  const winner = minedVersion(versions, scene)
  const foreign = foreignOf(spend, versions, scene)
  const judged = judgeSpend(spend, versions, winner, scene)
  const moved = versions.map((version) => judgeVersion(version, judged, winner, scene))
  const current = winner?.version.id ?? inMempool(moved, judged) ?? judged.current
  const after = current === judged.current ? judged : { ...judged, current, updatedAt: scene.at }
  return { spend: after, versions: moved, foreign }
}

const recordOf = ({ txid }: VersionRecord, { transactions }: Scene): TxRecord | undefined =>
  txid === undefined ? undefined : transactions.get(txid)

interface Winner {
  readonly version: VersionRecord
  readonly txid: Txid
  readonly block: BlockRef
}
function minedVersion(versions: readonly VersionRecord[], scene: Scene): Winner | undefined {
  const winners = versions.flatMap((version) => {
    const record = recordOf(version, scene)
    return record?.view.state === 'mined'
      ? [{ version, txid: record.txid, block: record.view.block }]
      : []
  })
  assert(winners.length <= 1, `two versions of ${winners[0]?.version.spend} are in one chain`)
  return winners[0]
}

function judgeSpend(
  spend: SpendRecord,
  versions: readonly VersionRecord[],
  winner: Winner | undefined,
  scene: Scene,
): SpendRecord {
  let next = spend
  const apply = (event: Parameters<typeof nextSpend>[1]): void => {
    const stepped = nextSpend(next, event)
    assert(stepped, `spend ${spend.id} is ${next.status} and cannot be ${event.type}`)
    next = stepped
  }
  if (winner) {
    const { version, txid, block } = winner
    apply({ type: 'mined', psbt: version.id, txid, block })
    if (depthOf(block, scene.tip) >= scene.settleDepth) apply({ type: 'buried' })
  } else if (next.status !== 'dropped') {
    if (next.status === 'mined' || next.status === 'settled') apply({ type: 'unmined' })
    const isLost = versions.every((version) => isImpossible(version, versions, scene))
    if (isLost && next.status === 'open') apply({ type: 'lost' })
    if (!isLost && next.status === 'lost') apply({ type: 'regained' })
  }
  return next === spend ? spend : { ...next, updatedAt: scene.at }
}

/** Whether a buried block makes the version impossible: a rival in it spends a coin, or it unmade the coin itself. */
function isImpossible(
  version: VersionRecord,
  versions: readonly VersionRecord[],
  scene: Scene,
): boolean {
  return version.transaction.inputs.some(
    (point) => isSpentForGood(point, versions, scene) || isUnmade(point, scene),
  )
}
const isBuried = (block: BlockRef | undefined, { tip, settleDepth }: Scene): boolean =>
  block !== undefined && depthOf(block, tip) >= settleDepth

function isSpentForGood(
  point: OutPoint,
  versions: readonly VersionRecord[],
  scene: Scene,
): boolean {
  const rivals = scene.spenders.get(outPointKey(point)) ?? []
  return rivals.some(
    (rival) =>
      rival.view.state === 'mined' &&
      isBuried(rival.view.block, scene) &&
      !mayBeOurs(rival, versions),
  )
}
/** The transaction that made the coin can itself no longer be mined: a buried one spends what it needs, or unmade that. */
function isUnmade({ txid }: OutPoint, scene: Scene, depth = 0): boolean {
  const inputs = scene.makers.get(txid)
  if (!inputs || depth > MOST_GENERATIONS) return false
  return inputs.some(
    (point) =>
      (scene.spenders.get(outPointKey(point)) ?? []).some(
        ({ txid: rival, view }) =>
          rival !== txid && view.state === 'mined' && isBuried(view.block, scene),
      ) || isUnmade(point, scene, depth + 1),
  )
}
/**
 * A transaction with the inputs of a version whose final id nobody knows yet may be that version: signatures of legacy
 * inputs are part of the id. Nothing is concluded from it before its bytes were read (`recognise`).
 */
const mayBeOurs = (rival: TxRecord, versions: readonly VersionRecord[]): boolean =>
  versions.some(
    (other) => other.txid === rival.txid || (isMalleable(other) && hasInputsOf(rival, other)),
  )
/** Only legacy inputs leave the id open: known from the first, it is as good as the hash. */
export const isMalleable = (version: VersionRecord): boolean =>
  version.transaction.inputs.some(({ script }) => script[0] === 0x76)

export function hasInputsOf(record: TxRecord, { transaction }: VersionRecord): boolean {
  if (record.inputs.length !== transaction.inputs.length) return false
  const points = new Set(record.inputs.map(outPointKey))
  return transaction.inputs.every((input) => points.has(outPointKey(input)))
}

function foreignOf(
  spend: SpendRecord,
  versions: readonly VersionRecord[],
  { spenders }: Scene,
): readonly TxRecord[] {
  const found = new Map<Txid, TxRecord>()
  if (spend.status === 'dropped') return []
  for (const { transaction } of versions)
    for (const point of transaction.inputs)
      for (const rival of spenders.get(outPointKey(point)) ?? [])
        if (rival.view.state !== 'gone' && !mayBeOurs(rival, versions)) found.set(rival.txid, rival)
  return [...found.values()]
}

function judgeVersion(
  version: VersionRecord,
  spend: SpendRecord,
  winner: Winner | undefined,
  scene: Scene,
): VersionRecord {
  const event = eventOf(version, spend, winner, scene)
  if (event === undefined)
    return isForgotten(version, scene) ? offeredAgain(version, scene) : version
  const status = nextVersion(version.status, event)
  // The chain speaks of eviction also to versions that were never sent: it says nothing to them.
  if (status === undefined || status === version.status) return version
  const { nextAt: _, claimedUntil: __, ...rest } = version
  // Back in the mempool by a reorganisation, or out of it: whoever lost it has to be told again, at once.
  const isDue =
    (status === 'evicted' || (status === 'broadcast' && version.status === 'confirmed')) &&
    version.raw !== undefined
  return {
    ...rest,
    status,
    ...(isDue ? { nextAt: scene.at } : {}),
    ...(status === 'broadcast' && !isDue && version.nextAt !== undefined
      ? { nextAt: version.nextAt }
      : {}),
    updatedAt: scene.at,
  }
}

/** The node restarted and has not shown it since: it is offered again at once, once. */
function isForgotten(version: VersionRecord, scene: Scene): boolean {
  const view = recordOf(version, scene)?.view
  if (view?.state !== 'mempool' || view.missingSince === undefined) return false
  const { raw, lastSend, nextAt } = version
  const isOffered = (lastSend?.at ?? 0) >= view.missingSince || (nextAt ?? Infinity) <= scene.at
  return raw !== undefined && version.status === 'broadcast' && !isOffered
}
const offeredAgain = (version: VersionRecord, { at }: Scene): VersionRecord => ({
  ...version,
  nextAt: at,
  updatedAt: at,
})

function eventOf(
  version: VersionRecord,
  spend: SpendRecord,
  winner: Winner | undefined,
  scene: Scene,
): VersionEvent | undefined {
  if (winner?.version.id === version.id) return 'mined'
  if (winner || spend.status === 'lost') return 'replaced'
  const view = recordOf(version, scene)?.view
  // A restarted node has not shown it since: that says nothing yet.
  if (view?.state === 'mempool') return view.missingSince === undefined ? 'seen' : undefined
  if (view?.state === 'gone') return view.reason === 'evicted' ? 'evicted' : 'replaced'
  return undefined
}

/** The version that the mempool has, when the current one is out of the game. */
function inMempool(versions: readonly VersionRecord[], { current }: SpendRecord) {
  const now = versions.find(({ id }) => id === current)
  if (now?.status !== 'replaced') return undefined
  return versions.findLast(({ status }) => status === 'broadcast')?.id
}
