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
}

export function makeNode(
  header: BlockHeader,
  prev: BlockNode | undefined,
  sequence: number,
): BlockNode {
  const times = [header.time]
  for (let at = prev; at && times.length < 11; at = at.prev) times.push(at.header.time)
  times.sort((a, b) => a - b)
  return {
    hash: header.hash,
    height: prev ? prev.height + 1 : 0,
    prev,
    header,
    work: (prev?.work ?? 0n) + 2n,
    medianTime: times[times.length >> 1] ?? header.time,
    sequence,
  }
}
/** The ancestor at this height, following `prev`. */
export function ancestorAt(node: BlockNode, height: number): BlockNode | undefined {
  let at: BlockNode | undefined = node
  while (at && at.height > height) at = at.prev
  return at
}
