import { type BlockRef, EngineError } from '../../kernel/index.ts'
import { CatchUp } from './catch-up.ts'
import {
  type ChainTx,
  type FollowerOptions,
  type OnProgress,
  readChain,
} from './follower-options.ts'
import { createMempoolReader } from './mempool.ts'
import { type Degradation, degradationOf, GENESIS } from './policy.ts'
import type { NodeInfo } from './ports.ts'

/** What one look at the node found. */
export interface Look {
  readonly tip: BlockRef
  readonly blocks: number
  readonly disconnected: number
  readonly degraded?: Degradation
  /** Blocks that the node knows of and that are not followed yet. */
  readonly lag: number
}
export interface Follower {
  /**
   * Looks at the node once: every block up to its tip, then the mempool. Looks queue up, they never overlap.
   * @throws EngineError CHAIN_WRONG_NETWORK, CHAIN_NODE_BEHIND, CHAIN_FORK_UNKNOWN, CHAIN_MOVED, or the source's own
   */
  look(onProgress?: OnProgress): Promise<Look>
  /** Forgets which mempool transactions were read already: needed when new wallets are watched. */
  forgetMempool(): void
}

/** A chain that moves during this many looks in a row is reported instead of chased. */
const ATTEMPTS = 8
/** However much other processes commit meanwhile: then they follow, and we are in their way. */
const MOST_LOOKS = 200

/**
 * Whether somebody else was faster: the node with its next block, or another process with the same one. Nothing was
 * committed; whoever looks again finds what is left to do.
 */
export const isOvertaken = (error: unknown): boolean =>
  error instanceof EngineError && (error.code === 'CHAIN_MOVED' || error.code === 'STORE_CONFLICT')

export function createFollower<Tx extends ChainTx>(options: FollowerOptions<Tx>): Follower {
  const { source, store, consumer, clock, logger, metrics } = options
  const catchUp = new CatchUp(options)
  const mempool = createMempoolReader(options)
  let turn: Promise<unknown> = Promise.resolve()

  async function begin(info: NodeInfo): Promise<void> {
    const expected = GENESIS[options.network]
    if (info.genesis !== expected)
      throw new EngineError('CHAIN_WRONG_NETWORK', `the node is not on ${options.network}`, {
        details: { expected, actual: info.genesis },
      })
    if (await readChain(store, (rows) => rows.tip())) return
    const found = await source.header(info.tip.hash)
    if (!found) throw new EngineError('CHAIN_MOVED', 'the tip left while it was being read')
    const { height, hash, prev, time } = found
    await store.transact(async (tx) => {
      if (!(await tx.chain.lockCursor())) await tx.chain.append([{ height, hash, prev, time }])
    })
    logger.log('info', 'following begins', { height, hash })
  }

  async function attempt(onProgress?: OnProgress): Promise<Look | undefined> {
    const info = await source.info()
    await begin(info)
    const lag = (at: BlockRef): number => {
      const blocks = Math.max(0, Math.max(info.headers, info.tip.height) - at.height)
      metrics.gauge('kaccy_chain_lag_blocks', blocks)
      return blocks
    }
    const progress = await catchUp.to(info, (at, target) => {
      lag(at)
      onProgress?.(at, target)
    })
    const degraded = degradationOf(info, clock.now())
    if (!(await mempool.read(degraded !== undefined))) return undefined
    return { tip: info.tip, ...progress, lag: lag(info.tip), ...(degraded ? { degraded } : {}) }
  }

  /** Where the store stands: it moves whenever any process has committed something. */
  const position = () =>
    store.read(async (tx) => `${(await tx.chain.tip())?.hash} ${await consumer.knowledge(tx)}`)

  async function look(onProgress?: OnProgress): Promise<Look> {
    let blocks = 0
    let disconnected = 0
    let inVain = 0
    let before = ''
    let failure: unknown
    for (let i = 0; i < MOST_LOOKS && inVain < ATTEMPTS; i++) {
      try {
        const done = await attempt(onProgress)
        blocks += done?.blocks ?? 0
        disconnected += done?.disconnected ?? 0
        if (done) return { ...done, blocks, disconnected }
      } catch (error) {
        // The chain or another process was faster: nothing was committed that does not hold, so look again.
        if (!isOvertaken(error)) throw error
        failure = error
      }
      const now = await position()
      inVain = now === before ? inVain + 1 : 1
      before = now
    }
    throw new EngineError('CHAIN_MOVED', `the chain did not stand still for ${ATTEMPTS} looks`, {
      cause: failure,
    })
  }

  return {
    look(onProgress) {
      const mine = turn.then(() => look(onProgress))
      // The next look begins whatever became of this one; its own caller hears of the failure.
      turn = mine.catch(() => undefined)
      return mine
    },
    forgetMempool: () => mempool.forget(),
  }
}
