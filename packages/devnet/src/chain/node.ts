import type { Block, BlockHeader } from './block.ts'

/** A block's place in the tree. Immutable, so that devnets and snapshots share it. */
export interface BlockNode {
  readonly hash: string
  readonly height: number
  readonly prev: BlockNode | undefined
  readonly header: BlockHeader
  /** Sum of the work from genesis: 2 per regtest block. */
  readonly work: bigint
  /** Median time of this block and the ten before it. Source: BIP 113. */
  readonly medianTime: number
  /** Order of arrival: among equal work the first wins. */
  readonly sequence: number
  /** An ancestor far back, so that a walk down the chain is short. */
  readonly skip: BlockNode | undefined
}
/** An unspent output with what the rules ask of it. */
export interface Coin {
  readonly value: bigint
  readonly script: Uint8Array
  readonly height: number
  readonly coinbase: boolean
}
/** The coins that a block spent, by transaction, without the coinbase. */
export type BlockUndo = readonly (readonly Coin[])[]

/** What a change of tip did, oldest step first; the mempool follows it. */
export interface ChainChange {
  /** Blocks that left the best chain, former tip first. */
  readonly disconnected: readonly Block[]
  readonly connected: readonly { readonly node: BlockNode; readonly block: Block }[]
  /** Blocks that were connected and taken off again, because one after them broke a rule; the last one first. */
  readonly undone?: readonly { readonly node: BlockNode; readonly block: Block }[]
}

const without = (height: number): number => height & (height - 1)
/** The height to which a block of this height can jump. Any lower one is right; this one makes walks logarithmic, as in Core. */
function skipHeight(height: number): number {
  if (height < 2) return 0
  return height % 2 === 1 ? without(without(height - 1)) + 1 : without(height)
}

export function makeNode(
  header: BlockHeader,
  prev: BlockNode | undefined,
  sequence: number,
): BlockNode {
  const height = prev ? prev.height + 1 : 0
  return {
    hash: header.hash,
    height,
    prev,
    header,
    work: (prev?.work ?? 0n) + 2n,
    medianTime: medianOf(header.time, prev),
    sequence,
    skip: prev && ancestorAt(prev, skipHeight(height)),
  }
}
function medianOf(time: number, prev: BlockNode | undefined): number {
  const times = [time]
  let sorted = true
  for (let at = prev; at && times.length < 11; at = at.prev) {
    sorted &&= at.header.time <= (times[times.length - 1] ?? 0)
    times.push(at.header.time)
  }
  // From the newest down: most chains need no sorting.
  if (!sorted) times.sort((a, b) => b - a)
  return times[(times.length - 1) >> 1] ?? time
}
/** The ancestor at this height; undefined above the block's own. */
export function ancestorAt(node: BlockNode, height: number): BlockNode | undefined {
  if (height > node.height || height < 0) return undefined
  let at: BlockNode | undefined = node
  while (at && at.height > height) {
    const skipped = skipHeight(at.height)
    const before = skipHeight(at.height - 1)
    // The jump is taken unless the one of the block before lands closer.
    const jump =
      skipped === height || (skipped > height && !(before < skipped - 2 && before >= height))
    at = jump ? at.skip : at.prev
  }
  return at
}
