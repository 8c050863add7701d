import { sha256 } from '@noble/hashes/sha2.js'
import { ByteWriter, toHex } from '../chain/bytes.ts'
import { hash160, pushData, pushNumber } from '../script/script.ts'
import { DescriptorError } from './error.ts'
import type { DerivedKey, KeyExpression, TextForm } from './key.ts'
import type { Provider } from './provider.ts'
import { type TapLeaf, taprootTree } from './taproot.ts'

/** Core's names for the kinds of addresses. */
export type OutputType = 'legacy' | 'p2sh-segwit' | 'bech32' | 'bech32m'
/** One function of a descriptor with everything inside it. */
export interface ScriptNode {
  readonly keys: readonly KeyExpression[]
  readonly outputType: OutputType | undefined
  /** False for `addr` and `raw`: nothing is known of how to spend them. */
  readonly solvable: boolean
  /** The scripts at an index; keys and inner scripts go into `out`. */
  readonly expand: (index: number, out: Provider) => readonly Uint8Array[]
  /** Undefined when the form needs secrets that are not here. */
  readonly text: (form: TextForm) => string | undefined
}
const join = (...parts: readonly (Uint8Array | readonly number[])[]): Uint8Array => {
  const writer = new ByteWriter()
  for (const part of parts) writer.put(part instanceof Uint8Array ? part : Uint8Array.from(part))
  return writer.done()
}
export const checkSig = (key: Uint8Array): Uint8Array => join(pushData(key), [0xac])
export const keyHashScript = (hash: Uint8Array): Uint8Array =>
  join([0x76, 0xa9, 20], hash, [0x88, 0xac])
export const witnessKeyHash = (key: Uint8Array): Uint8Array => join([0, 20], hash160(key))
export const scriptHash = (script: Uint8Array): Uint8Array =>
  join([0xa9, 20], hash160(script), [0x87])
export const witnessScriptHash = (script: Uint8Array): Uint8Array => join([0, 32], sha256(script))

const written = (name: string, parts: readonly (string | undefined)[]): string | undefined =>
  parts.includes(undefined) ? undefined : `${name}(${parts.join(',')})`
const derived = (key: KeyExpression, index: number, out: Provider): DerivedKey => {
  const own = key.derive(index)
  out.addKey(own)
  return own
}

export function singleKey(
  name: string,
  key: KeyExpression,
  outputType: OutputType | undefined,
  make: (key: Uint8Array) => Uint8Array,
): ScriptNode {
  return {
    keys: [key],
    outputType,
    solvable: true,
    expand: (index, out) => [make(derived(key, index, out).publicKey)],
    text: (form) => written(name, [key.text(form)]),
  }
}
/** All scripts of one key that Core's old wallets knew. Source: BIP 384. */
export function combo(key: KeyExpression): ScriptNode {
  return {
    keys: [key],
    outputType: undefined,
    solvable: true,
    expand: (index, out) => {
      const { publicKey } = derived(key, index, out)
      const plain = [checkSig(publicKey), keyHashScript(hash160(publicKey))]
      if (publicKey.length !== 33) return plain
      const witness = witnessKeyHash(publicKey)
      out.addScript(witness)
      return [...plain, witness, scriptHash(witness)]
    },
    text: (form) => written('combo', [key.text(form)]),
  }
}
/** `multi` and `sortedmulti`. Source: BIP 383. */
export function multi(
  name: string,
  least: number,
  keys: readonly KeyExpression[],
  xOnly = false,
): ScriptNode {
  const sorted = name.startsWith('sorted')
  const number = (value: number) => pushNumber(value)
  const body = (list: readonly Uint8Array[]): Uint8Array =>
    join(number(least), ...list.map(pushData), number(list.length), [0xae])
  // OP_CHECKSIG for the first, OP_CHECKSIGADD for the others. Source: BIP 387.
  const tapBody = (list: readonly Uint8Array[]): Uint8Array =>
    join(
      ...list.map((key, at) => join(pushData(key), [at === 0 ? 0xac : 0xba])),
      number(least),
      [0x9c],
    )
  return {
    keys,
    outputType: undefined,
    solvable: true,
    expand: (index, out) => {
      const list = keys.map((key) => derived(key, index, out).publicKey)
      const shown = xOnly ? list.map((key) => key.subarray(-32)) : list
      if (sorted) shown.sort((a, b) => (toHex(a) < toHex(b) ? -1 : 1))
      return [xOnly ? tapBody(shown) : body(shown)]
    },
    text: (form) => written(name, [`${least}`, ...keys.map((key) => key.text(form))]),
  }
}
/** `sh` and `wsh`. */
export function wrapped(
  name: string,
  inner: ScriptNode,
  outputType: OutputType,
  make: (script: Uint8Array) => Uint8Array,
): ScriptNode {
  return {
    keys: inner.keys,
    outputType,
    solvable: inner.solvable,
    expand: (index, out) =>
      inner.expand(index, out).map((script) => {
        out.addScript(script)
        return make(script)
      }),
    text: (form) => written(name, [inner.text(form)]),
  }
}
export interface TreeNode {
  readonly depth: number
  readonly node: ScriptNode
}
/** `tr(KEY)` and `tr(KEY,TREE)`. Source: BIP 386. */
export function taproot(key: KeyExpression, tree: readonly TreeNode[]): ScriptNode {
  return {
    keys: [key, ...tree.flatMap(({ node }) => node.keys)],
    outputType: 'bech32m',
    solvable: true,
    expand: (index, out) => {
      const { publicKey } = derived(key, index, out)
      const leaves: TapLeaf[] = tree.map(({ depth, node }) => {
        const [script] = node.expand(index, out)
        if (!script) throw new DescriptorError('a leaf has one script')
        return { depth, version: 0xc0, script }
      })
      const whole = taprootTree(publicKey.slice(-32), leaves)
      out.addTree(whole)
      return [join([0x51, 32], whole.outputKey)]
    },
    text: (form) => {
      const own = key.text(form)
      if (tree.length === 0) return written('tr', [own])
      return written('tr', [own, treeText(tree, form)])
    },
  }
}
function treeText(tree: readonly TreeNode[], form: TextForm): string | undefined {
  let text = ''
  // True: the right side of the branch at this depth is being written.
  const sides: boolean[] = []
  for (const { depth, node } of tree) {
    const own = node.text(form)
    if (own === undefined) return undefined
    if (text !== '') text += ','
    while (sides.length < depth) {
      text += '{'
      sides.push(false)
    }
    text += own
    while (sides.length > 0 && sides[sides.length - 1]) {
      sides.pop()
      text += '}'
    }
    if (sides.length > 0) sides[sides.length - 1] = true
  }
  return text
}
/** `addr` and `raw`: a script without keys. */
export function fixed(
  name: string,
  shown: string,
  script: Uint8Array,
  outputType: OutputType | undefined,
): ScriptNode {
  return {
    keys: [],
    outputType,
    solvable: false,
    expand: () => [script],
    text: (form) => (form === 'private' ? undefined : `${name}(${shown})`),
  }
}
