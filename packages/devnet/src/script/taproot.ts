import { schnorr } from '@noble/curves/secp256k1.js'
import { ByteWriter, equalBytes } from '../chain/bytes.ts'
import { type TweakedKey, tweakKey } from './curve.ts'

/** Leaf version of tapscript. Source: BIP 342. */
export const LEAF_TAPSCRIPT = 0xc0
/** The bits of a control block's first byte that are the leaf version; the last one is the parity of the output key. */
export const LEAF_MASK = 0xfe
export const ANNEX_TAG = 0x50
const CONTROL_BASE_SIZE = 33
const NODE_SIZE = 32
const MAX_DEPTH = 128

const { taggedHash } = schnorr.utils

/** Hash of one leaf of a script tree. Source: BIP 341. */
export const tapLeafHash = (script: Uint8Array, version = LEAF_TAPSCRIPT): Uint8Array =>
  taggedHash('TapLeaf', new ByteWriter().u8(version).script(script).done())

function isBefore(a: Uint8Array, b: Uint8Array): boolean {
  for (let i = 0; i < a.length; i++) {
    if (a[i] !== b[i]) return (a[i] as number) < (b[i] as number)
  }
  return false
}
/** Hash of two neighbours in a script tree, in whichever order. Source: BIP 341. */
export const tapBranchHash = (a: Uint8Array, b: Uint8Array): Uint8Array =>
  isBefore(a, b) ? taggedHash('TapBranch', a, b) : taggedHash('TapBranch', b, a)

/** The output key of an internal key and a script tree, or of no tree; undefined when the internal key is no key. Source: BIP 341. */
export const taprootOutputKey = (
  internalKey: Uint8Array,
  root: Uint8Array = new Uint8Array(),
): TweakedKey | undefined =>
  internalKey.length === NODE_SIZE
    ? tweakKey(internalKey, taggedHash('TapTweak', internalKey, root))
    : undefined

/** What a script path spend shows besides the script. */
export interface ControlBlock {
  readonly leafVersion: number
  /** Of the output key's y coordinate. */
  readonly isOdd: boolean
  readonly internalKey: Uint8Array
  /** Hashes from the leaf's neighbour up to the root's child. */
  readonly path: readonly Uint8Array[]
}
/** Undefined when the size is not 33 + 32 m with m up to 128. Source: BIP 341. */
export function parseControlBlock(bytes: Uint8Array): ControlBlock | undefined {
  const depth = (bytes.length - CONTROL_BASE_SIZE) / NODE_SIZE
  if (!Number.isInteger(depth) || depth < 0 || depth > MAX_DEPTH) return undefined
  const first = bytes[0] as number
  return {
    leafVersion: first & LEAF_MASK,
    isOdd: (first & 1) === 1,
    internalKey: bytes.subarray(1, CONTROL_BASE_SIZE),
    path: Array.from({ length: depth }, (_, i) => {
      const at = CONTROL_BASE_SIZE + i * NODE_SIZE
      return bytes.subarray(at, at + NODE_SIZE)
    }),
  }
}
export function encodeControlBlock(block: ControlBlock): Uint8Array {
  const writer = new ByteWriter().u8(block.leafVersion | (block.isOdd ? 1 : 0))
  writer.put(block.internalKey)
  for (const node of block.path) writer.put(node)
  return writer.done()
}

/** True when the output key commits to the leaf by this control block. Source: BIP 341. */
export function commitsToLeaf(
  outputKey: Uint8Array,
  block: ControlBlock,
  leafHash: Uint8Array,
): boolean {
  const root = block.path.reduce(tapBranchHash, leafHash)
  const output = taprootOutputKey(block.internalKey, root)
  return output !== undefined && output.isOdd === block.isOdd && equalBytes(output.key, outputKey)
}
