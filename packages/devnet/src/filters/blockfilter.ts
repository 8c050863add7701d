import type { Block } from '../chain/block.ts'
import { hashBytes, sha256d, toHex } from '../chain/bytes.ts'
import type { Chain } from '../chain/chain.ts'
import type { BlockNode, BlockUndo } from '../chain/node.ts'
import { encodeSet, matchesAny } from './gcs.ts'

const OP_RETURN = 0x6a
const NO_HEADER = new Uint8Array(32)

/** A block's filter and its place in the chain of filters. Source: BIP 157, BIP 158. */
export interface BlockFilter {
  readonly encoded: Uint8Array
  /** In wire order, like every hash in bytes. */
  readonly header: Uint8Array
}

/** The basic filter: the scripts that a block pays, but for OP_RETURN, and the scripts that it spends. */
export function basicFilter(block: Block, spentScripts: Iterable<Uint8Array>): Uint8Array {
  const elements = new Map<string, Uint8Array>()
  for (const { outputs } of block.transactions) {
    for (const { script } of outputs) {
      if (script.length > 0 && script[0] !== OP_RETURN) elements.set(toHex(script), script)
    }
  }
  for (const script of spentScripts) if (script.length > 0) elements.set(toHex(script), script)
  return encodeSet(keyOf(block.header.hash), [...elements.values()])
}
export const filterHeader = (encoded: Uint8Array, previous: Uint8Array): Uint8Array =>
  sha256d(Buffer.concat([sha256d(encoded), previous]))
const keyOf = (hash: string): Uint8Array => hashBytes(hash).subarray(0, 16)
function* scriptsOf(undo: BlockUndo): Generator<Uint8Array> {
  for (const coins of undo) for (const coin of coins) yield coin.script
}

/** Nodes are shared by devnets and snapshots and never change, and so are their filters. */
const known = new WeakMap<BlockNode, BlockFilter>()

/**
 * The filter of a block that is or was on the best chain, made when it is first asked for. Undefined where the block was never
 * connected, or was pruned before anybody asked.
 */
export function filterOf(chain: Chain, node: BlockNode): BlockFilter | undefined {
  const missing: BlockNode[] = []
  let at: BlockNode | undefined = node
  for (; at && !known.has(at); at = at.prev) missing.push(at)
  let previous = (at && known.get(at)?.header) ?? NO_HEADER
  for (const open of missing.reverse()) {
    const block = chain.blockOf(open)
    const undo = open.height === 0 ? [] : chain.undo.get(open.hash)
    if (!block || !undo) return undefined
    const encoded = basicFilter(block, scriptsOf(undo))
    previous = filterHeader(encoded, previous)
    known.set(open, { encoded, header: previous })
  }
  return known.get(node)
}
/** Whether a block probably pays or spends one of these scripts. */
export function filterMatches(
  node: BlockNode,
  filter: BlockFilter,
  scripts: readonly Uint8Array[],
): boolean {
  return matchesAny(keyOf(node.hash), filter.encoded, scripts)
}
/** Whether it really does. */
export function blockTouches(block: Block, undo: BlockUndo, scripts: ReadonlySet<string>): boolean {
  const pays = block.transactions.some(({ outputs }) =>
    outputs.some(({ script }) => scripts.has(toHex(script))),
  )
  if (pays) return true
  for (const script of scriptsOf(undo)) if (scripts.has(toHex(script))) return true
  return false
}
