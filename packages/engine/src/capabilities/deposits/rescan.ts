import {
  type BlockRef,
  type Clock,
  EngineError,
  type Sha256,
  type Transactor,
  type WalletId,
} from '../../kernel/index.ts'
import { TransactionScan } from '../../protocol/transaction/index.ts'
import { raiseAlerts } from '../alerts/index.ts'
import {
  type ChainSource,
  isOvertaken,
  keepHeadersFrom,
  matchBlock,
  type WatchIn,
} from '../chain/index.ts'
import type { WalletRecord } from '../wallet/index.ts'
import type { Intake } from './intake.ts'
import type { DepositsTx } from './transaction.ts'

export interface RescanOptions {
  readonly source: ChainSource
  readonly store: Transactor<DepositsTx>
  readonly watch: WatchIn<DepositsTx>
  readonly intake: Intake
  readonly clock: Clock
  readonly sha256?: Sha256
  /** Blocks that share one commit. */
  readonly blocksPerCommit: number
}
export interface RescanProgress {
  readonly wallet: WalletId
  readonly height: number
  readonly from: number
  readonly to: number
}

/** How often a group is read again that the chain or another process changed under our hands. */
const ATTEMPTS = 8

/** What this process knows of the pass that a wallet is in. */
interface Pass {
  /** Where we left it: when it stands elsewhere, another process has read blocks in between. */
  readonly next: number
  /** It found addresses beyond the window it began with: one more pass is needed. */
  readonly again: boolean
}
interface Step {
  readonly height: number
  /** Undefined when the wallet's past was read to its end, or is no longer asked for. */
  readonly pass: Pass | undefined
}

/** A block that leaves while it is read, or another process with the same one, is no error: it is read again. */
async function withPatience<T>(work: () => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await work()
    } catch (error) {
      if (!isOvertaken(error) || attempt >= ATTEMPTS) throw error
    }
  }
}

/** Reads blocks behind the cursor again for wallets that ask for it; where it stands is kept with the wallet. */
export function createRescan(options: RescanOptions) {
  const { store } = options
  const passes = new Map<WalletId, Pass>()

  const pending = (impossible: ReadonlySet<WalletId>) =>
    store.read(async (tx) =>
      // Before anything is followed there is nothing to read up to.
      (await tx.chain.tip())
        ? (await tx.wallet.wallets()).find((w) => w.rescan && !impossible.has(w.id))
        : undefined,
    )

  return async (onProgress?: (progress: RescanProgress) => void): Promise<number> => {
    let read = 0
    const impossible = new Set<WalletId>()
    for (;;) {
      const wallet = await pending(impossible)
      if (!wallet?.rescan) return read
      const done = await withPatience(() => step(options, wallet, passes.get(wallet.id)))
      if (!done) {
        impossible.add(wallet.id)
        continue
      }
      if (done.pass) passes.set(wallet.id, done.pass)
      else passes.delete(wallet.id)
      read += 1
      onProgress?.({ ...wallet.rescan, wallet: wallet.id, height: done.height })
    }
  }
}

/**
 * Reads the next group; undefined when the node no longer has its blocks. Then a person is told which height is missing,
 * and everything else goes on: the wallet's mark stays, so another node with those blocks lets it continue.
 */
async function step(
  options: RescanOptions,
  wallet: WalletRecord,
  pass: Pass | undefined,
): Promise<Step | undefined> {
  const next = wallet.rescan?.next ?? 0
  try {
    if (!(await keepHeadersFrom(options.store, options.source, next)))
      throw new EngineError('CHAIN_MOVED', 'the node does not know a header below ours')
    return await advance(options, wallet, pass)
  } catch (error) {
    if (!(error instanceof EngineError && error.code === 'NODE_BLOCK_PRUNED')) throw error
    const height = error.details['height'] ?? next
    await options.store.transact((tx) =>
      raiseAlerts(tx, options.clock.now(), [
        {
          key: `rescan_failed/${wallet.id}/${height}`,
          kind: 'rescan_failed',
          severity: 'critical',
          subject: wallet.id,
          message: `The past of wallet ${wallet.name} cannot be read: the node no longer has block ${height}`,
          data: { wallet: wallet.id, height },
        },
      ]),
    )
    return undefined
  }
}

type Rescan = NonNullable<WalletRecord['rescan']>

/** Where a pass ends. Blocks may have been connected between the registration and the first refresh that knew its scripts. */
const endOf = (rescan: Rescan, tip: BlockRef): number =>
  rescan.next === rescan.from ? tip.height : Math.min(rescan.to, tip.height)

/** The headers of the next group; undefined when nothing is to be read for this wallet. */
const planOf = ({ store, blocksPerCommit }: RescanOptions, id: WalletId) =>
  store.read(async (tx) => {
    const rescan = (await tx.wallet.wallet(id))?.rescan
    const tip = await tx.chain.tip()
    if (!rescan || !tip) return undefined
    const to = endOf(rescan, tip)
    const count = Math.max(0, Math.min(blocksPerCommit, to - rescan.next + 1))
    const heights = Array.from({ length: count }, (_, i) => rescan.next + i)
    const headers = await tx.chain.headersAt(heights)
    return { rescan, to, headers: headers.toSorted((a, b) => a.height - b.height) }
  })

/** Reads and commits the next group of blocks, and moves the wallet's mark with it. */
async function advance(
  options: RescanOptions,
  { id }: WalletRecord,
  pass: Pass | undefined,
): Promise<Step> {
  const { store, source, watch, intake, clock } = options
  const plan = await planOf(options, id)
  if (!plan) return { height: Number.MAX_SAFE_INTEGER, pass: undefined }
  const { rescan, headers } = plan
  // What another process read may have widened the window without us: then pass once more in the end.
  const isOurs = pass?.next === rescan.next && !pass.again
  const again = rescan.next !== rescan.from && !isOurs
  const raw = await Promise.all(headers.map((header) => source.block(header)))
  await watch.refresh()
  const scratch = new TransactionScan(4096)
  const match = () =>
    headers.map((ref, i) => matchBlock(raw[i] as Uint8Array, ref, watch, scratch, options.sha256))
  const matched = match()
  const height = headers.at(-1)?.height ?? plan.to
  return store.transact(async (tx) => {
    const tip = await tx.chain.lockCursor()
    const wallet = await tx.wallet.lockWallet(id)
    const stands = wallet?.rescan?.next
    if (!tip || !wallet || stands !== rescan.next)
      return { height, pass: stands === undefined ? undefined : { next: stands, again: true } }
    await holds(tx, headers)
    // Under the lock, so that whoever connects a block after this commit sees the scripts of this wallet.
    const to = endOf(rescan, tip)
    const blocks = (await watch.refreshIn(tx)) ? match() : matched
    const hits = blocks.filter((block) => block.transactions.length > 0)
    const found = hits.length > 0 && (await intake.applyRescan(tx, hits, tip, clock.now()))
    const { rescan: _, ...done } = wallet
    const isEnd = height >= to
    const next = isEnd ? rescan.from : height + 1
    const more = !isEnd || again || found
    await tx.wallet.saveWallet(more ? { ...wallet, rescan: { ...rescan, to, next } } : done)
    if (!more) await finished(tx, wallet, rescan.from, to, clock.now())
    // The pass that follows a whole one begins anew: it is the last unless it finds more itself.
    return { height, pass: more ? { next, again: !isEnd && (again || found) } : undefined }
  })
}

/** The blocks that were read must still be ours when they are committed. */
async function holds(tx: DepositsTx, read: readonly BlockRef[]): Promise<void> {
  const ours = await tx.chain.headersAt(read.map((ref) => ref.height))
  const hashes = new Set(ours.map((header) => header.hash))
  if (read.some((ref) => !hashes.has(ref.hash)))
    throw new EngineError('CHAIN_MOVED', 'a block left the chain while it was read again')
}

const finished = (tx: DepositsTx, wallet: WalletRecord, from: number, to: number, at: number) =>
  tx.events.append(at, [
    {
      type: 'wallet.rescan_finished',
      subject: wallet.id,
      data: { wallet: wallet.id, from_height: from, to_height: to },
    },
  ])
