import { secp256k1 } from '@noble/curves/secp256k1.js'
import { addressOf } from '../chain/address.ts'
import { toHex } from '../chain/bytes.ts'
import { classifyScript, parseScript } from '../script/script.ts'
import { withChecksum } from './checksum.ts'
import { formatPath, type KeyOrigin } from './keypath.ts'
import { hashKey, Provider } from './provider.ts'
import { ripemd160 } from '@noble/hashes/legacy.js'

// A thousand outputs of one test often share a few scripts, and the checksum is the dearest part of a verbose block.
const inferred = new Map<string, string>()
const NOTHING = new Provider()
/** The descriptor that Core prints beside an output script. */
export function inferDescriptor(script: Uint8Array): string {
  const hex = toHex(script)
  const known = inferred.get(hex)
  if (known !== undefined) return known
  const text = withChecksum(describe(script, NOTHING, 'top') ?? unknown(script))
  if (inferred.size > 10_000) inferred.clear()
  inferred.set(hex, text)
  return text
}
/** The same for a script that `known` can spend; `solvable` false where it cannot. */
export function inferWith(
  script: Uint8Array,
  known: Provider,
): { readonly text: string; readonly solvable: boolean } {
  const own = describe(script, known, 'top')
  return { text: withChecksum(own ?? unknown(script)), solvable: own !== undefined }
}
type Place = 'top' | 'sh' | 'wsh'
const unknown = (script: Uint8Array): string => {
  const address = addressOf(script)
  return address === undefined ? `raw(${toHex(script)})` : `addr(${address})`
}
const withOrigin = (origin: KeyOrigin | undefined, key: string): string =>
  origin ? `[${origin.fingerprint}${formatPath(origin.path)}]${key}` : key
const keyText = (key: Uint8Array, known: Provider): string =>
  withOrigin(known.origins.get(hashKey(key)), toHex(key))
const xOnlyText = (key: Uint8Array, known: Provider): string =>
  withOrigin(known.originOfXOnly(key), toHex(key))

function describe(script: Uint8Array, known: Provider, place: Place): string | undefined {
  const { kind, data } = classifyScript(script)
  const byHash = (hash: Uint8Array) => known.publicKeys.get(toHex(hash))
  switch (kind) {
    case 'witness_v1_taproot':
      return place === 'top' ? taprootText(data, known) : undefined
    case 'pubkey':
      return `pk(${keyText(data, known)})`
    case 'pubkeyhash': {
      const key = byHash(data)
      return key && `pkh(${keyText(key, known)})`
    }
    case 'witness_v0_keyhash': {
      const key = place === 'wsh' ? undefined : byHash(data)
      return key && `wpkh(${keyText(key, known)})`
    }
    case 'multisig': {
      const pieces = parseScript(script) ?? []
      const keys = pieces.slice(1, -2).map((piece) => keyText(piece.data ?? script, known))
      return `multi(${(pieces[0]?.opcode ?? 0x50) - 0x50},${keys.join(',')})`
    }
    case 'scripthash': {
      const inner = place === 'top' ? known.scripts.get(toHex(data)) : undefined
      const text = inner && describe(inner, known, 'sh')
      return text && `sh(${text})`
    }
    case 'witness_v0_scripthash': {
      const inner = place === 'wsh' ? undefined : known.scripts.get(toHex(ripemd160(data)))
      const text = inner && describe(inner, known, 'wsh')
      return text && `wsh(${text})`
    }
    default:
      return undefined
  }
}
function isKey(x: Uint8Array): boolean {
  return secp256k1.utils.isValidPublicKey(Uint8Array.of(2, ...x))
}
function taprootText(output: Uint8Array, known: Provider): string | undefined {
  const tree = known.trees.get(toHex(output))
  // Half of all 32 bytes are no x coordinate: such an output is an address and no key.
  if (!tree && !isKey(output)) return undefined
  if (!tree) return `rawtr(${xOnlyText(output, known)})`
  const key = xOnlyText(tree.internalKey, known)
  if (tree.leaves.length === 0) return `tr(${key})`
  const leaves = tree.leaves.map(({ script, control }) => ({
    script,
    text: leafText(script, known),
    path: stepsOf(control),
  }))
  leaves.sort((a, b) => (toHex(a.script) < toHex(b.script) ? -1 : 1))
  if (leaves.some(({ text }) => text === undefined)) return `rawtr(${xOnlyText(output, known)})`
  return `tr(${key},${treeText(leaves)})`
}
interface PlacedLeaf {
  readonly text: string | undefined
  /** Hashes beside the way up, in hex. */
  readonly path: readonly string[]
}
const stepsOf = (control: Uint8Array): readonly string[] => {
  const steps: string[] = []
  for (let at = 33; at < control.length; at += 32) steps.push(toHex(control.subarray(at, at + 32)))
  return steps
}
/** Leaves that look at the same hash on the top step lie on the same side of it. */
function treeText(leaves: readonly PlacedLeaf[]): string {
  const [first] = leaves
  if (!first || first.path.length === 0) return first?.text ?? ''
  const top = first.path[first.path.length - 1]
  const below = (own: readonly PlacedLeaf[]): string =>
    treeText(own.map(({ text, path }) => ({ text, path: path.slice(0, -1) })))
  const same = leaves.filter(({ path }) => path[path.length - 1] === top)
  const other = leaves.filter(({ path }) => path[path.length - 1] !== top)
  return `{${below(same)},${below(other)}}`
}
function leafText(script: Uint8Array, known: Provider): string | undefined {
  if (script.length === 34 && script[0] === 32 && script[33] === 0xac) {
    return `pk(${xOnlyText(script.subarray(1, 33), known)})`
  }
  const pieces = parseScript(script) ?? []
  const least = (pieces[pieces.length - 2]?.opcode ?? 0) - 0x50
  const keys = pieces.slice(0, -2).filter((piece) => piece.data?.length === 32)
  if (pieces[pieces.length - 1]?.opcode !== 0x9c || keys.length * 2 + 2 !== pieces.length) {
    return undefined
  }
  return `multi_a(${least},${keys.map(({ data }) => xOnlyText(data ?? script, known)).join(',')})`
}
