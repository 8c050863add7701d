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
import { type ChainHeader, type ChainSource, matchBlock, type Watch } from '../chain/index.ts'
import type { WalletRecord } from '../wallet/index.ts'
import type { Intake } from './intake.ts'
import type { DepositsTx } from './transaction.ts'

export interface RescanOptions {
  readonly source: ChainSource
  readonly store: Transactor<DepositsTx>
  readonly watch: Watch
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

const HEADERS_PER_COMMIT = 500

/** Reads blocks behind the cursor again for wallets that ask for it; where it stands is kept with the wallet. */
export function createRescan(options: RescanOptions) {
  const { store } = options
  /** Wallets whose present pass found addresses beyond the window it began with: one more pass is needed. */
  const grew = new Map<WalletId, boolean>()

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
      // A pass that another process began may have widened the window without us: then pass once more in the end.
      if (!grew.has(wallet.id)) grew.set(wallet.id, wallet.rescan.next !== wallet.rescan.from)
      const done = await step(options, wallet, wallet.rescan.next, grew.get(wallet.id) === true)
      if (!done) {
        impossible.add(wallet.id)
        continue
      }
      const { height, grown } = done
      if (grown) grew.set(wallet.id, true)
      read += 1
      onProgress?.({ ...wallet.rescan, wallet: wallet.id, height })
      if (height >= wallet.rescan.to) grew.delete(wallet.id)
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
  next: number,
  again: boolean,
): Promise<{ readonly height: number; readonly grown: boolean } | undefined> {
  try {
    await reachDown(options, next)
    return await advance(options, wallet, again)
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

/** Keeps headers from `height` on: walks down by hash from the lowest one we have, so what is read is one chain. */
async function reachDown({ source, store }: RescanOptions, height: number): Promise<void> {
  for (;;) {
    const base = await store.read((tx) => tx.chain.base())
    if (!base || base.height <= height) return
    const lower: ChainHeader[] = []
    let prev = base.prev
    for (let h = base.height - 1; h >= height && lower.length < HEADERS_PER_COMMIT; h--) {
      const header = await source.header(prev)
      if (!header) throw new EngineError('CHAIN_MOVED', `the node does not know header ${prev}`)
      lower.push({ height: h, hash: header.hash, prev: header.prev, time: header.time })
      prev = header.prev
    }
    await store.transact(async (tx) => {
      // Another process may have been faster; then its headers are as good as ours.
      if ((await tx.chain.base())?.hash === base.hash) await tx.chain.prepend(lower.reverse())
    })
  }
}

/** Reads and commits the next group of blocks, and moves the wallet's mark with it. */
async function advance(
  options: RescanOptions,
  { id }: WalletRecord,
  again: boolean,
): Promise<{ height: number; grown: boolean }> {
  const { store, source, watch, intake, clock } = options
  const plan = await store.read(async (tx) => {
    const rescan = (await tx.wallet.wallet(id))?.rescan
    const tip = await tx.chain.tip()
    if (!rescan || !tip) return undefined
    // Blocks may have been connected between the registration and the first refresh that knew its scripts.
    const to = rescan.next === rescan.from ? tip.height : Math.min(rescan.to, tip.height)
    const count = Math.max(0, Math.min(options.blocksPerCommit, to - rescan.next + 1))
    const heights = Array.from({ length: count }, (_, i) => rescan.next + i)
    const headers = await tx.chain.headersAt(heights)
    return { rescan, to, headers: headers.toSorted((a, b) => a.height - b.height) }
  })
  if (!plan) return { height: Number.MAX_SAFE_INTEGER, grown: false }
  const { rescan, to, headers } = plan
  const raw = await Promise.all(headers.map((header) => source.block(header)))
  await watch.refresh()
  const scratch = new TransactionScan(4096)
  const blocks = headers.map((ref, i) =>
    matchBlock(raw[i] as Uint8Array, ref, watch, scratch, options.sha256),
  )
  const height = headers.at(-1)?.height ?? to
  const grown = await store.transact(async (tx) => {
    const tip = await tx.chain.tip()
    const wallet = await tx.wallet.lockWallet(id)
    if (!tip || wallet?.rescan?.next !== rescan.next) return false
    await holds(tx, headers)
    const hits = blocks.filter((block) => block.transactions.length > 0)
    const found = hits.length > 0 && (await intake.applyRescan(tx, hits, tip, clock.now()))
    const { rescan: _, ...done } = wallet
    const more = height < to || again || found
    const next = height < to ? height + 1 : rescan.from
    await tx.wallet.saveWallet(more ? { ...wallet, rescan: { ...rescan, to, next } } : done)
    if (!more) await finished(tx, wallet, rescan.from, to, clock.now())
    return found
  })
  return { height, grown }
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
