import { ByteWriter } from '../chain/bytes.ts'
import { tapBranchHash, tapLeafHash } from '../script/taproot.ts'
import { tweakKey } from './key.ts'

export interface TapLeaf {
  readonly depth: number
  readonly version: number
  readonly script: Uint8Array
}
/** A taproot output taken apart: what is needed to spend it by key or by script. */
export interface TaprootTree {
  readonly internalKey: Uint8Array
  readonly outputKey: Uint8Array
  readonly merkleRoot: Uint8Array | undefined
  readonly leaves: readonly (TapLeaf & { readonly control: Uint8Array })[]
}
interface Branch {
  readonly hash: Uint8Array
  /** In Core's order, the right side of every branch first, with the hashes beside the way up. */
  readonly leaves: readonly { readonly leaf: TapLeaf; readonly path: readonly Uint8Array[] }[]
}

function combine(left: Branch, right: Branch): Branch {
  const hash = tapBranchHash(left.hash, right.hash)
  const up = (from: Branch, beside: Branch) =>
    from.leaves.map(({ leaf, path }) => ({ leaf, path: [...path, beside.hash] }))
  return { hash, leaves: [...up(right, left), ...up(left, right)] }
}
/** The root over leaves in order of their depths; undefined when the depths make no whole tree. */
export function treeRoot(leaves: readonly TapLeaf[]): Branch | undefined {
  const open: (Branch | undefined)[] = []
  for (const leaf of leaves) {
    const { depth, version, script } = leaf
    // A deeper branch that is still open can never be closed again.
    if (depth + 1 < open.length || depth > 128) return undefined
    let branch: Branch = {
      hash: tapLeafHash(script, version),
      leaves: [{ leaf, path: [] }],
    }
    let at = depth
    for (let left = open[at]; left; left = open[at]) {
      branch = combine(left, branch)
      open.length = at
      at -= 1
      if (at < 0) return undefined
    }
    while (open.length <= at) open.push(undefined)
    open[at] = branch
  }
  return open.length === 1 ? open[0] : undefined
}
/** Takes `tr(internal, leaves)` apart. */
export function taprootTree(internalKey: Uint8Array, leaves: readonly TapLeaf[]): TaprootTree {
  const root = treeRoot(leaves)
  const { key, parity } = tweakKey(internalKey, root?.hash)
  return {
    internalKey,
    outputKey: key,
    merkleRoot: root?.hash,
    leaves: (root?.leaves ?? []).map(({ leaf, path }) => {
      const writer = new ByteWriter().u8(leaf.version | parity).put(internalKey)
      for (const step of path) writer.put(step)
      return { ...leaf, control: writer.done() }
    }),
  }
}
