import { AssertionError, type BlockRef, EngineError } from '../../kernel/index.ts'
import { locatorHeights, type Plan, plan } from './machine.ts'
import { mayFollow } from './policy.ts'
import type { ChainHeader, ChainRows, ChainSource, NodeInfo } from './ports.ts'

/** Blocks planned at a time while catching up. */
const STRIDE = 64

const moved = () => new EngineError('CHAIN_MOVED', 'the chain changed between two questions')

async function theirHash(source: ChainSource, height: number): Promise<BlockRef | undefined> {
  const hash = await source.hashAt(height)
  return hash === undefined ? undefined : { height, hash }
}

/** The newest block of ours that is on their best chain. @throws CHAIN_FORK_UNKNOWN */
async function findFork(
  rows: ChainRows,
  source: ChainSource,
  ours: ChainHeader,
): Promise<ChainHeader> {
  const base = await rows.base()
  if (!base) throw new AssertionError('a tip without a base')
  let below: ChainHeader | undefined
  let above = ours.height + 1
  for (const height of locatorHeights(ours.height, base.height)) {
    const header = await rows.headerAt(height)
    if (header && (await source.hashAt(height)) === header.hash) {
      below = header
      break
    }
    above = height
  }
  if (!below)
    throw new EngineError(
      'CHAIN_FORK_UNKNOWN',
      'the node has none of the blocks the engine knows',
      {
        details: { base: base.height, tip: ours.height },
      },
    )
  // Agreement holds up to the fork and nowhere above it, so halving finds the exact block.
  while (above - below.height > 1) {
    const middle: number = Math.floor((above + below.height) / 2)
    const header = await rows.headerAt(middle)
    if (header && (await source.hashAt(middle)) === header.hash) below = header
    else above = middle
  }
  return below
}

/**
 * What to do next to follow the node: undefined when there is nothing. Asks by hash, so it does not matter how often the
 * chain changed since the last look, or how long ago that was.
 *
 * @param read runs one read transaction of our store.
 * @throws EngineError CHAIN_FORK_UNKNOWN, CHAIN_NODE_BEHIND, CHAIN_MOVED (look again)
 */
export async function nextPlan(
  read: <T>(work: (rows: ChainRows) => Promise<T>) => Promise<T>,
  source: ChainSource,
  { tip: theirs, headers }: Pick<NodeInfo, 'tip' | 'headers'>,
): Promise<Plan | undefined> {
  const ours = await read((rows) => rows.tip())
  if (!ours) throw new AssertionError('nothing is followed yet')
  if (ours.hash === theirs.hash) return undefined
  const agreed = (await source.hashAt(ours.height)) === ours.hash
  const fork = agreed ? ours : await read((rows) => findFork(rows, source, ours))
  // A node that still fetches blocks knows headers that are not on its best chain yet: that does not make them stale.
  const complete = headers <= theirs.height
  const stale = !agreed && complete && (await source.header(ours.hash))?.onBestChain === false
  if (!mayFollow(ours, theirs, fork, stale))
    throw new EngineError(
      'CHAIN_NODE_BEHIND',
      `the node is at height ${theirs.height} and lacks block ${ours.height} that the engine has seen`,
      { details: { theirHeight: theirs.height, ourHeight: ours.height, ourHash: ours.hash } },
    )
  const until = Math.min(theirs.height, Math.max(ours.height, fork.height) + STRIDE)
  const heights = Array.from({ length: until - fork.height }, (_, i) => fork.height + 1 + i)
  const connect = await Promise.all(heights.map((height) => theirHash(source, height)))
  if (connect.some((block) => block === undefined)) throw moved()
  const mine = agreed ? [] : await read((rows) => rows.headersAt(rangeUp(fork.height, ours.height)))
  const oursUp = [fork, ...mine.toSorted((a, b) => a.height - b.height)]
  const result = plan(oursUp, [fork, ...connect.filter((block) => block !== undefined)])
  if (!result || result.fork.hash !== fork.hash) throw moved()
  return result
}

const rangeUp = (above: number, to: number): number[] =>
  Array.from({ length: to - above }, (_, i) => above + 1 + i)
