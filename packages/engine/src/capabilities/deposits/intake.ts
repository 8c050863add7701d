import {
  type BlockRef,
  type Sat,
  silentMetrics,
  type Tally,
  type Txid,
  type WalletId,
} from '../../kernel/index.ts'
import { raiseAlerts } from '../alerts/index.ts'
import type {
  ChainConsumer,
  ChainMove,
  MatchedBlock,
  MatchedTx,
  MempoolMove,
  Watch,
} from '../chain/index.ts'
import type { Wallets } from '../wallet/index.ts'
import { type Evaluator, evaluate, type OrderEdit } from './evaluate.ts'
import type { Standing } from './machine.ts'
import { DEPTH_LIMIT } from './policy.ts'
import type { OrderRecord, Thresholds, TxRecord } from './ports.ts'
import { lockOwners, type Recorder, record } from './record.ts'
import type { Adopt, DepositsTx } from './transaction.ts'
import { Unit } from './unit.ts'

export interface IntakeOptions {
  readonly watch: Pick<Watch, 'addOutpoint'>
  readonly wallets: Pick<Wallets, 'markUsed'>
  /** For payments without an order. */
  readonly thresholds: Thresholds
  /** Deposits of at least this are announced to people. */
  readonly largeDeposit?: Sat
  /** How long a restarted node may take to show an unconfirmed payment again before it counts as evicted. */
  readonly restartGraceMs: number
  readonly adopt: Adopt
  /** Counts what a transaction did, once it is committed. */
  readonly tally?: Tally<DepositsTx>
  readonly changed: (
    tx: DepositsTx,
    order: OrderRecord,
    payments: readonly Standing[],
  ) => Promise<void>
}

/** The deposit side of the chain: turns what the follower saw into facts and commits what they mean. */
export interface Intake extends ChainConsumer<DepositsTx> {
  /**
   * Facts of blocks that are already behind the cursor, read again for a wallet.
   * @returns whether more scripts are watched from now on because of them
   */
  applyRescan(
    tx: DepositsTx,
    blocks: readonly MatchedBlock[],
    tip: BlockRef,
    at: number,
  ): Promise<boolean>
  /** Commits facts about orders themselves: expired, cancelled, settled. */
  editOrders(tx: DepositsTx, edits: readonly OrderEdit[], tip: BlockRef, at: number): Promise<void>
}

export function createIntake(options: IntakeOptions): Intake {
  const begin = (tx: DepositsTx, at: number): Recorder & Evaluator => ({
    tx,
    unit: new Unit(tx.deposits, at),
    watch: options.watch,
    wallets: options.wallets,
    adopt: options.adopt,
    thresholds: options.thresholds,
    largeDeposit: options.largeDeposit,
    changed: options.changed,
    metrics: options.tally?.of(tx) ?? silentMetrics,
  })
  return {
    beforeReorg: (tx, fork) => widenWatch(tx, options.watch, fork),
    moveChain: (tx, move) => moveChain(begin(tx, move.at), move),
    knowledge: async (tx) => String(await tx.deposits.newestFact()),
    audience: async (tx) => String((await tx.wallet.wallets()).length),
    moveMempool: (tx, move) => moveMempool(begin(tx, move.at), move, options.restartGraceMs),
    applyRescan: (tx, blocks, tip, at) => applyRescan(begin(tx, at), blocks, tip),
    editOrders: (tx, edits, tip, at) => evaluate(begin(tx, at), tip, edits),
  }
}

/** A block proves that its money existed when it was mined: it counts as seen then, if we only learn of it later. */
const seenAt = (block: MatchedBlock, at: number): number => Math.min(at, block.header.time * 1000)

const recordBlock = (
  work: Recorder & Evaluator,
  block: MatchedBlock,
): Promise<readonly WalletId[]> => {
  const { height, hash } = block.header
  const view = { state: 'mined', block: { height, hash } } as const
  return record(work, block.transactions, view, seenAt(block, work.unit.at))
}

async function moveChain(work: Recorder & Evaluator, move: ChainMove): Promise<void> {
  const grown = new Set<WalletId>()
  await lockOwners(
    work,
    move.blocks.flatMap((block) => block.transactions),
  )
  if (move.fork) await disconnect(work, move.fork, move)
  for (const block of move.blocks) {
    const { height, prev } = block.header
    const judgedUnder = { height: height - 1, hash: prev }
    const recorder = move.fork ? { ...work, judgedUnder } : work
    for (const wallet of await recordBlock(recorder, block)) grown.add(wallet)
    if (!move.fork) await evaluate(work, block.header)
  }
  // A reorganisation is judged once, under the new tip: on the way there every depth is shorter than it is.
  if (move.fork) await evaluate(work, move.tip)
  if (move.fork) await alarmIfDeep(work, move.fork, move)
  const [first] = move.blocks
  if (first) await readAgain(work.tx, grown, first.header.height, move.tip.height)
}

/** A reorganisation that reaches what counts as final is an attack or a broken node until a person has looked. */
async function alarmIfDeep(
  { tx, thresholds }: Evaluator,
  fork: BlockRef,
  { previousTip, tip, at }: ChainMove,
): Promise<void> {
  const depth = previousTip.height - fork.height
  if (depth < thresholds.finalized) return
  await raiseAlerts(tx, at, [
    {
      key: `deep_reorg/${previousTip.hash}`,
      kind: 'deep_reorg',
      severity: 'critical',
      subject: 'chain',
      message: `${depth} blocks left the best chain, down to height ${fork.height}`,
      data: { depth, fork_height: fork.height, left: previousTip.hash, tip: tip.hash },
    },
  ])
}

/**
 * An address beyond those we handed out was paid, so the same keys are used elsewhere too, and the window grew. The
 * blocks of this move were searched without the new scripts: they are read again.
 */
async function readAgain(
  tx: DepositsTx,
  wallets: ReadonlySet<WalletId>,
  from: number,
  to: number,
): Promise<void> {
  for (const id of [...wallets].sort()) {
    const wallet = await tx.wallet.lockWallet(id)
    if (!wallet) continue
    // A pass that is under way read its blocks without the new scripts as well.
    const start = Math.min(from, wallet.rescan?.from ?? from)
    await tx.wallet.saveWallet({ ...wallet, rescan: { from: start, next: start, to } })
  }
}

async function widenWatch(tx: DepositsTx, watch: IntakeOptions['watch'], fork: BlockRef) {
  for (const { inputs } of await tx.deposits.minedFrom(fork.height + 1))
    for (const point of inputs) watch.addOutpoint(point)
}

async function disconnect({ tx, unit }: Recorder, fork: BlockRef, move: ChainMove): Promise<void> {
  const left = await tx.deposits.minedFrom(fork.height + 1)
  unit.meetTransactions(left)
  await unit.loadSpent(left)
  for (const { txid, coinbase, view } of left) {
    if (view.state !== 'mined') continue
    const fact = { kind: 'unmined', block: view.block } as const
    unit.setView(
      txid,
      coinbase ? { state: 'gone', reason: 'conflicted' } : { state: 'mempool' },
      fact,
    )
  }
  if (move.tip.height >= move.previousTip.height) return
  const shallower = await tx.deposits.minedFrom(Math.max(0, move.tip.height - DEPTH_LIMIT))
  unit.meetTransactions(shallower)
  for (const { txid } of shallower) unit.touch(txid)
}

async function moveMempool(
  work: Recorder & Evaluator,
  move: MempoolMove,
  restartGraceMs: number,
): Promise<void> {
  const { tx, unit } = work
  const unconfirmed = await tx.deposits.unconfirmed()
  const missing = unconfirmed.filter(({ txid }) => !move.has(txid))
  if (missing.length === 0 && move.matched.length === 0 && !unconfirmed.some(isMissing)) return
  unit.meetTransactions(unconfirmed)
  await unit.loadSpent(missing)
  const possible = await withoutImpossible(work, move.matched)
  await lockOwners(work, possible)
  await record(work, possible, { state: 'mempool' }, unit.at)
  const spentBy = spendersIn(move.matched)
  for (const transaction of missing) leave(unit, transaction, spentBy, move, restartGraceMs)
  for (const { txid, view } of unconfirmed)
    if (view.state === 'mempool' && view.missingSince !== undefined && move.has(txid))
      unit.setView(txid, { state: 'mempool' }, { kind: 'seen' })
  await evaluate(work, move.tip)
}
/**
 * A mempool may still show for a moment what a block has just made impossible (nodes tidy up after a reorganisation in
 * their own time). As long as that block stands, showing it proves nothing.
 */
async function withoutImpossible(
  { tx, unit }: Recorder,
  matched: readonly MatchedTx[],
): Promise<readonly MatchedTx[]> {
  await unit.loadTransactions(matched.map((transaction) => transaction.txid))
  const blocks = matched.flatMap(({ txid }) => conflictOf(unit.transaction(txid)) ?? [])
  if (blocks.length === 0) return matched
  const headers = await tx.chain.headersAt(blocks.map((block) => block.height))
  const standing = new Set(headers.map((header) => header.hash))
  return matched.filter(({ txid }) => {
    const block = conflictOf(unit.transaction(txid))
    return block === undefined || !standing.has(block.hash)
  })
}
const conflictOf = (record: TxRecord | undefined): BlockRef | undefined =>
  record?.view.state === 'gone' ? record.view.block : undefined

const isMissing = ({ view }: TxRecord): boolean =>
  view.state === 'mempool' && view.missingSince !== undefined

function spendersIn(matched: readonly MatchedTx[]): ReadonlyMap<string, Txid> {
  const spenders = new Map<string, Txid>()
  for (const { txid, inputs } of matched)
    for (const point of inputs) spenders.set(`${point.txid}:${point.vout}`, txid)
  return spenders
}

/** An unconfirmed transaction that the mempool no longer shows: replaced, evicted, or not to be decided yet. */
function leave(
  unit: Unit,
  { txid, inputs, view }: TxRecord,
  spentBy: ReadonlyMap<string, Txid>,
  move: MempoolMove,
  restartGraceMs: number,
): void {
  if (view.state !== 'mempool') return
  const rivals = inputs.flatMap((point) => spentBy.get(`${point.txid}:${point.vout}`) ?? [])
  const by = rivals.find((rival) => rival !== txid)
  const since = view.missingSince ?? (move.absence === 'none' ? unit.at : undefined)
  if (by !== undefined)
    unit.setView(txid, { state: 'gone', reason: 'replaced', by }, { kind: 'replaced', by })
  else if (since === undefined || unit.at - since >= restartGraceMs)
    unit.setView(txid, { state: 'gone', reason: 'evicted' }, { kind: 'evicted' })
  else if (view.missingSince === undefined)
    unit.setView(txid, { state: 'mempool', missingSince: since }, { kind: 'missing' })
}

async function applyRescan(
  work: Recorder & Evaluator,
  blocks: readonly MatchedBlock[],
  tip: BlockRef,
): Promise<boolean> {
  let grown = false
  await lockOwners(
    work,
    blocks.flatMap((block) => block.transactions),
  )
  for (const block of blocks) grown = (await recordBlock(work, block)).length > 0 || grown
  await evaluate(work, tip)
  return grown
}
