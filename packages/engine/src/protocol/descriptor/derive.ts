import { assert, AssertionError, type Result } from '../../kernel/index.ts'
import {
  type Curve,
  derivePrivate,
  HARDENED,
  isPlainIndex,
  isPrivateKey,
  batchCurve,
  type PublicNode,
  publicNode,
} from '../keys/index.ts'
import { sortedMultisigScript } from '../multisig/index.ts'
import { hash160, p2pkhScript, p2shOf, p2trScript, p2wpkhScript, p2wshOf } from '../script/index.ts'
import type { Descriptor, DescriptorKind } from './descriptor.ts'
import { branchPath, type KeyExpression } from './key.ts'

/** The public keys `from` to `from + count - 1` of one branch of one key expression. */
type KeyRange = (from: number, count: number) => readonly Uint8Array[]

const sure = <T>(result: Result<T, { readonly message: string }>): T => {
  if (!result.ok) throw new AssertionError(result.error.message)
  return result.value
}

/** Walks to the branch once; what remains for each address is the last step. */
function openBranch(expression: KeyExpression, branch: number, curve: Curve): KeyRange {
  const { key, wildcard } = expression
  if (key.type !== 'extended') return (_, count) => new Array<Uint8Array>(count).fill(key.publicKey)
  const path = branchPath(expression, branch)
  let node: PublicNode
  if (isPrivateKey(key.extended)) {
    const end = sure(derivePrivate(key.extended, path))
    if (wildcard === 'hardened') {
      return (from, count) =>
        Array.from(
          { length: count },
          (_, i) => sure(derivePrivate(end, [from + i + HARDENED])).publicKey,
        )
    }
    node = publicNode(end, curve)
  } else {
    node = path.reduce((parent, index) => parent.child(index), publicNode(key.extended, curve))
  }
  if (wildcard === 'none')
    return (_, count) => new Array<Uint8Array>(count).fill(node.key.publicKey)
  return (from, count) => node.deriveMany(from, count)
}

/** Opened branches live as long as the descriptor does. A cache only: the result is the same without it. */
const opened = new WeakMap<Descriptor, Map<number, readonly KeyRange[]>>()

function keyRanges(descriptor: Descriptor, branch: number, curve: Curve): readonly KeyRange[] {
  const isCached = curve === batchCurve
  const known = isCached ? opened.get(descriptor)?.get(branch) : undefined
  if (known) return known
  const ranges = descriptor.keys.map((key) => openBranch(key, branch, curve))
  if (isCached) {
    const branches = opened.get(descriptor) ?? new Map<number, readonly KeyRange[]>()
    opened.set(descriptor, branches.set(branch, ranges))
  }
  return ranges
}

type SingleKind = Exclude<DescriptorKind, 'tr' | 'addr' | 'raw'>

function scriptOf(
  kind: SingleKind,
  threshold: number,
  publicKeys: readonly Uint8Array[],
): Uint8Array {
  const [publicKey] = publicKeys
  assert(publicKey, `a descriptor ${kind} without keys`)
  switch (kind) {
    case 'pkh':
      return p2pkhScript(hash160(publicKey))
    case 'wpkh':
      return p2wpkhScript(hash160(publicKey))
    case 'sh(wpkh)':
      return p2shOf(p2wpkhScript(hash160(publicKey)))
    case 'wsh(sortedmulti)':
    case 'sh(wsh(sortedmulti))': {
      const script = p2wshOf(sure(sortedMultisigScript({ threshold, publicKeys })))
      return kind === 'wsh(sortedmulti)' ? script : p2shOf(script)
    }
  }
}

/**
 * The output scripts `from` to `from + count - 1` of a branch, in order; the branch itself is derived once
 * and kept. A descriptor without wildcard has one script, at index 0.
 * @throws AssertionError for a branch or a range that the descriptor does not have.
 */
export function deriveScripts(
  descriptor: Descriptor,
  branch: number,
  from: number,
  count: number,
  curve: Curve = batchCurve,
): Uint8Array[] {
  const { kind, fixedScript, threshold = 1, isRanged, branches } = descriptor
  assert(Number.isInteger(branch) && branch >= 0 && branch < branches, `no branch ${branch}`)
  assert(Number.isInteger(count) && count >= 0, `a count of ${count}`)
  if (count === 0) return []
  assert(isPlainIndex(from) && from + count <= HARDENED, `the range ${from}+${count}`)
  assert(isRanged || from + count === 1, `a descriptor without wildcard has index 0 only`)
  if (fixedScript) return [fixedScript.slice()]
  const columns = keyRanges(descriptor, branch, curve).map((range) => range(from, count))
  if (kind === 'tr') return curve.taprootKeys(columns[0] ?? []).map(p2trScript)
  assert(kind !== 'addr' && kind !== 'raw', `a descriptor ${kind} without script`)
  return Array.from({ length: count }, (_, i) => {
    const row = columns.map((column) => column[i] ?? new Uint8Array())
    return scriptOf(kind, threshold, row)
  })
}

/**
 * The public keys behind one output script, in the order of the descriptor: for taproot the internal key (compressed where it
 * was derived), for a multisig the keys before they are sorted. None for `addr` and `raw`.
 * @throws AssertionError as `deriveScripts`.
 */
export function deriveKeys(
  descriptor: Descriptor,
  branch: number,
  index: number,
  curve: Curve = batchCurve,
): Uint8Array[] {
  const { isRanged, branches } = descriptor
  assert(Number.isInteger(branch) && branch >= 0 && branch < branches, `no branch ${branch}`)
  assert(isPlainIndex(index), `no index ${index}`)
  assert(isRanged || index === 0, `a descriptor without wildcard has index 0 only`)
  return keyRanges(descriptor, branch, curve).flatMap((range) => range(index, 1))
}

/** One output script. @throws AssertionError as `deriveScripts`. */
export function scriptAt(descriptor: Descriptor, branch: number, index: number): Uint8Array {
  const [script] = deriveScripts(descriptor, branch, index, 1)
  assert(script, 'no script was derived')
  return script
}
