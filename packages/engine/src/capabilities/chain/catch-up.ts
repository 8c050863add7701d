import { type BlockRef, EngineError } from '../../kernel/index.ts'
import { TransactionScan } from '../../protocol/transaction/index.ts'
import { nextPlan } from './follow.ts'
import {
  type ChainTx,
  type FollowerOptions,
  type OnProgress,
  readChain,
} from './follower-options.ts'
import type { Plan } from './machine.ts'
import type { MatchedBlock } from './ports.ts'
import { matchBlock } from './scan.ts'

/** A reorganisation is read into memory before it is committed as a whole; this many blocks at most at once. */
const ATOMIC_BLOCKS = 100
const BLOCKS_PER_COMMIT = 16

export interface Progress {
  readonly blocks: number
  readonly disconnected: number
}

/** Brings our cursor to the node's tip, over any distance and any reorganisation. */
export function createCatchUp<Tx extends ChainTx>(options: FollowerOptions<Tx>) {
  const { source, store, watch } = options
  const scratch = new TransactionScan(4096)

  /** Commits blocks that simply extend our tip, each judged under its own height. */
  async function extend(refs: readonly BlockRef[], raw: readonly Uint8Array[], parent: BlockRef) {
    await watch.refresh()
    const blocks = refs.map((ref, i) => matchBlock(raw[i] as Uint8Array, ref, watch, scratch))
    linkedOrMoved(blocks, parent)
    await store.transact(async (tx) => {
      await atCursor(tx, parent)
      await move(options, tx, blocks, parent)
    })
  }

  /** Commits a reorganisation: what leaves and what joins become visible together. */
  async function reorganise({ fork, disconnect, connect }: Plan): Promise<number> {
    const previousTip = disconnect[0] ?? fork
    const refs = connect.slice(0, Math.min(disconnect.length + 1, ATOMIC_BLOCKS))
    const raw: Uint8Array[] = []
    for (const ref of refs) raw.push(await source.block(ref))
    await watch.refresh()
    await store.transact(async (tx) => {
      await atCursor(tx, previousTip)
      await options.consumer.beforeReorg(tx, fork)
      const blocks = refs.map((ref, i) => matchBlock(raw[i] as Uint8Array, ref, watch, scratch))
      linkedOrMoved(blocks, fork)
      await tx.chain.truncateTo(fork.height)
      await move(options, tx, blocks, previousTip, fork)
    })
    options.metrics.count('kaccy_chain_reorgs_total')
    const details = { fork: fork.height, left: disconnect.length, joined: refs.length }
    options.logger.log('warn', 'the chain was reorganised', details)
    return refs.length
  }

  /** Reads one group of blocks ahead of the one that is being committed: node and database work side by side. */
  async function connectAll(
    refs: readonly BlockRef[],
    fork: BlockRef,
    onBlocks: (tip: BlockRef) => void,
  ) {
    const size = options.blocksPerCommit ?? BLOCKS_PER_COMMIT
    const groups = Array.from({ length: Math.ceil(refs.length / size) }, (_, i) =>
      refs.slice(i * size, (i + 1) * size),
    )
    const readGroup = (group: readonly BlockRef[] | undefined) => {
      const reading = Promise.all((group ?? []).map((ref) => source.block(ref)))
      // Awaited one turn later; until then a failure must not count as unhandled.
      reading.catch(() => undefined)
      return reading
    }
    let parent = fork
    let ahead = readGroup(groups[0])
    for (const [i, group] of groups.entries()) {
      const raw = await ahead
      ahead = readGroup(groups[i + 1])
      await extend(group, raw, parent)
      parent = group.at(-1) ?? parent
      onBlocks(parent)
    }
    return parent
  }

  return async (target: BlockRef, onProgress?: OnProgress): Promise<Progress> => {
    let blocks = 0
    let disconnected = 0
    for (;;) {
      const next = await nextPlan((work) => readChain(store, work), source, target)
      if (!next) return { blocks, disconnected }
      if (next.disconnect.length > 0) {
        disconnected += next.disconnect.length
        blocks += await reorganise(next)
        continue
      }
      const tip = await connectAll(next.connect, next.fork, (at) => onProgress?.(at, target))
      blocks += next.connect.length
      if (tip.height >= target.height) return { blocks, disconnected }
    }
  }
}

/** Another process may follow the same chain: only the one that finds the cursor where it left it may move it. */
export async function atCursor(tx: ChainTx, expected: BlockRef): Promise<void> {
  if ((await tx.chain.tip())?.hash !== expected.hash)
    throw new EngineError('CHAIN_MOVED', 'the cursor is not where this look began')
}

async function move<Tx extends ChainTx>(
  { consumer, clock }: FollowerOptions<Tx>,
  tx: Tx,
  blocks: readonly MatchedBlock[],
  previousTip: BlockRef,
  fork?: BlockRef,
): Promise<void> {
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

/** Each block has to name the one before it; otherwise two answers spoke of two chains. */
export function linkedOrMoved(blocks: readonly MatchedBlock[], parent: BlockRef): void {
  let before: BlockRef = parent
  for (const { header } of blocks) {
    if (header.prev !== before.hash || header.height !== before.height + 1)
      throw new EngineError('CHAIN_MOVED', `block ${header.hash} does not follow ${before.hash}`)
    before = header
  }
}
