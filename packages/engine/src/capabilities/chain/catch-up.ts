import { type BlockRef, EngineError, silentTracer } from '../../kernel/index.ts'
import { TransactionScan } from '../../protocol/transaction/index.ts'
import { nextPlan } from './follow.ts'
import {
  type ChainTx,
  type FollowerOptions,
  type OnProgress,
  readChain,
} from './follower-options.ts'
import { keepHeadersFrom } from './headers.ts'
import type { Plan } from './machine.ts'
import type { MatchedBlock, NodeInfo } from './ports.ts'
import { matchBlock } from './scan.ts'

/** Counts reorganisations: what a mempool could not hold on the branch that left may be possible on the other one. */
export const REORGANISATIONS = 'reorganisations'

/** A reorganisation is read into memory before it is committed as a whole; this many blocks at most at once. */
const ATOMIC_BLOCKS = 100
const BLOCKS_PER_COMMIT = 16
/** How far down the search for a fork goes at a time, once it is below the headers we keep. */
const DEEPER = 200

export interface Progress {
  readonly blocks: number
  readonly disconnected: number
}

/** Brings our cursor to the node's tip, over any distance and any reorganisation. */
export class CatchUp<Tx extends ChainTx> {
  readonly #options: FollowerOptions<Tx>
  readonly #scratch = new TransactionScan(4096)

  constructor(options: FollowerOptions<Tx>) {
    this.#options = options
  }

  /** @throws EngineError CHAIN_MOVED when the chain changed meanwhile: begin again. */
  async to(node: Pick<NodeInfo, 'tip' | 'headers'>, onProgress?: OnProgress): Promise<Progress> {
    const target = node.tip
    let blocks = 0
    let disconnected = 0
    for (;;) {
      const next = await this.#plan(node)
      if (!next) return { blocks, disconnected }
      if (next.disconnect.length > 0) {
        disconnected += next.disconnect.length
        blocks += await this.#reorganise(next)
        continue
      }
      const tip = await this.#connect(next.connect, next.fork, (at) => onProgress?.(at, target))
      blocks += next.connect.length
      if (tip.height >= target.height) return { blocks, disconnected }
    }
  }

  /** The next plan; for a fork below the lowest header we keep, older headers are fetched first. */
  async #plan(node: Pick<NodeInfo, 'tip' | 'headers'>): Promise<Plan | undefined> {
    const { store, source } = this.#options
    for (;;) {
      try {
        return await nextPlan((work) => readChain(store, work), source, node)
      } catch (error) {
        if (!(error instanceof EngineError && error.code === 'CHAIN_FORK_UNKNOWN')) throw error
        const base = await readChain(store, (rows) => rows.base())
        if (!base || base.height === 0) throw error
        if (!(await keepHeadersFrom(store, source, base.height - DEEPER))) throw error
      }
    }
  }

  /** Commits a reorganisation: what leaves and what joins become visible together. */
  async #reorganise({ fork, disconnect, connect }: Plan): Promise<number> {
    const { source, store, watch, consumer, metrics, logger } = this.#options
    const previousTip = disconnect[0] ?? fork
    const refs = connect.slice(0, Math.min(disconnect.length + 1, ATOMIC_BLOCKS))
    const raw: Uint8Array[] = []
    for (const ref of refs) raw.push(await source.block(ref))
    await watch.refresh()
    await this.#traced(refs, disconnect.length, () =>
      store.transact(async (tx) => {
        await atCursor(tx, previousTip)
        await watch.refreshIn(tx)
        await consumer.beforeReorg(tx, fork)
        const blocks = this.#match(refs, raw, fork)
        await tx.chain.truncateTo(fork.height)
        await this.#move(tx, blocks, previousTip, fork)
        const before = Number((await tx.chain.memo(REORGANISATIONS)) ?? 0)
        await tx.chain.saveMemo(REORGANISATIONS, String(before + 1))
      }),
    )
    metrics.count('kaccy_chain_blocks_total', refs.length)
    metrics.count('kaccy_chain_reorgs_total')
    const details = { fork: fork.height, left: disconnect.length, joined: refs.length }
    logger.log('warn', 'the chain was reorganised', details)
    return refs.length
  }

  /** Reads one group of blocks ahead of the one that is being committed: node and database work side by side. */
  async #connect(
    refs: readonly BlockRef[],
    fork: BlockRef,
    onBlocks: (tip: BlockRef) => void,
  ): Promise<BlockRef> {
    const { source, blocksPerCommit: size = BLOCKS_PER_COMMIT } = this.#options
    const groups = Array.from({ length: Math.ceil(refs.length / size) }, (_, i) =>
      refs.slice(i * size, (i + 1) * size),
    )
    const readGroup = (group: readonly BlockRef[] = []) => {
      const reading = Promise.all(group.map((ref) => source.block(ref)))
      // Awaited one turn later; until then a failure must not count as unhandled.
      reading.catch(() => undefined)
      return reading
    }
    let parent = fork
    let ahead = readGroup(groups[0])
    for (const [i, group] of groups.entries()) {
      const raw = await ahead
      ahead = readGroup(groups[i + 1])
      await this.#extend(group, raw, parent)
      parent = group.at(-1) ?? parent
      onBlocks(parent)
    }
    return parent
  }

  /** Commits blocks that simply extend our tip, each judged under its own height. */
  async #extend(refs: readonly BlockRef[], raw: readonly Uint8Array[], parent: BlockRef) {
    const { watch, store, metrics } = this.#options
    await watch.refresh()
    const matched = this.#match(refs, raw, parent)
    await this.#traced(refs, 0, () =>
      store.transact(async (tx) => {
        await atCursor(tx, parent)
        // Another process may have found coins or keys between our scan and our lock: scanned again, none is missed.
        const blocks = (await watch.refreshIn(tx)) ? this.#match(refs, raw, parent) : matched
        await this.#move(tx, blocks, parent)
      }),
    )
    metrics.count('kaccy_chain_blocks_total', refs.length)
  }

  /** A span around the commit of blocks. */
  #traced(
    refs: readonly BlockRef[],
    disconnected: number,
    work: () => Promise<void>,
  ): Promise<void> {
    const { tracer = silentTracer } = this.#options
    const height = refs.at(-1)?.height
    const attributes = {
      blocks: refs.length,
      disconnected,
      ...(height === undefined ? {} : { height }),
    }
    return tracer.span('chain.apply_blocks', attributes, work)
  }

  #match(refs: readonly BlockRef[], raw: readonly Uint8Array[], parent: BlockRef): MatchedBlock[] {
    const blocks = refs.map((ref, i) =>
      matchBlock(
        raw[i] as Uint8Array,
        ref,
        this.#options.watch,
        this.#scratch,
        this.#options.sha256,
      ),
    )
    linkedOrMoved(blocks, parent)
    return blocks
  }

  async #move(
    tx: Tx,
    blocks: readonly MatchedBlock[],
    previousTip: BlockRef,
    fork?: BlockRef,
  ): Promise<void> {
    const { consumer, clock } = this.#options
    await tx.chain.append(blocks.map((block) => block.header))
    const newest: BlockRef = blocks.at(-1)?.header ?? fork ?? previousTip
    await consumer.moveChain(tx, {
      ...(fork ? { fork } : {}),
      blocks,
      tip: { height: newest.height, hash: newest.hash },
      previousTip,
      at: clock.now(),
    })
  }
}

/**
 * Another process may follow the same chain: only the one that finds the cursor where it left it may move it. Takes the
 * lock on the cursor, so it comes first in a transaction.
 */
export async function atCursor(tx: ChainTx, expected: BlockRef): Promise<void> {
  if ((await tx.chain.lockCursor())?.hash !== expected.hash)
    throw new EngineError('CHAIN_MOVED', 'the cursor is not where this look began')
}

/** Each block has to name the one before it; otherwise two answers spoke of two chains. */
export function linkedOrMoved(blocks: readonly MatchedBlock[], parent: BlockRef): void {
  let before: BlockRef = parent
  for (const { header } of blocks) {
    if (header.prev !== before.hash || header.height !== before.height + 1)
      throw new EngineError('CHAIN_MOVED', `block ${header.hash} does not follow ${before.hash}`)
    before = header
  }
}
