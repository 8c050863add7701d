import { addressOf, scriptOf } from '../chain/address.ts'
import { toHex, tryFromHex } from '../chain/bytes.ts'
import { classifyScript, hash160 } from '../script/script.ts'
import { descriptorChecksum, withChecksum } from './checksum.ts'
import { DescriptorError } from './error.ts'
import { type Place, parseKey, type TextForm, publicTextOf } from './key.ts'
import {
  checkSig,
  combo,
  fixed,
  keyHashScript,
  multi,
  type OutputType,
  type ScriptNode,
  scriptHash,
  singleKey,
  type TreeNode,
  taproot,
  witnessKeyHash,
  witnessScriptHash,
  wrapped,
} from './node.ts'
import { Provider } from './provider.ts'

/** An output descriptor of the supported kinds. */
export interface Descriptor {
  /** As Core prints it, without secrets and without checksum. */
  readonly body: string
  /** Checksum of the text as it was given. */
  readonly checksum: string
  readonly ranged: boolean
  readonly hasPrivateKeys: boolean
  /** False for `addr` and `raw`: nothing is known of how to spend them. */
  readonly solvable: boolean
  /** The kind of its addresses; undefined where there is none, or several. */
  readonly outputType: OutputType | undefined
  /** False for `combo`. */
  readonly single: boolean
  /** Output scripts at an index: one, or up to four for `combo`. @throws DescriptorError where private keys are missing. */
  readonly scripts: (index: number) => readonly Uint8Array[]
  /** As `scripts`; keys, origins, inner scripts and trees go into `out`. @throws DescriptorError. */
  readonly expand: (index: number, out: Provider) => readonly Uint8Array[]
  /** With checksum; undefined when the form needs secrets that are not here. */
  readonly text: (form: TextForm) => string | undefined
}

const prefixed = <T>(prefix: string, read: () => T): T => {
  try {
    return read()
  } catch (fault) {
    if (fault instanceof DescriptorError) throw new DescriptorError(`${prefix}${fault.message}`)
    throw fault
  }
}
/** Takes text apart at commas, as far as brackets allow. */
class Cursor {
  readonly #text: string
  #at = 0
  constructor(text: string) {
    this.#text = text
  }
  get rest(): string {
    return this.#text.slice(this.#at)
  }
  take(letter: string): boolean {
    if (this.#text[this.#at] !== letter) return false
    this.#at += 1
    return true
  }
  /** Up to the next comma or closing bracket of this level. */
  expression(): string {
    const start = this.#at
    let depth = 0
    for (; this.#at < this.#text.length; this.#at++) {
      const letter = this.#text[this.#at] ?? ''
      if ('({'.includes(letter)) depth += 1
      else if (depth > 0 && ')}'.includes(letter)) depth -= 1
      else if (depth === 0 && ',)}'.includes(letter)) break
    }
    return this.#text.slice(start, this.#at)
  }
}

function parseMulti(name: string, inner: string, place: Place): ScriptNode {
  const cursor = new Cursor(inner)
  const head = cursor.expression()
  if (!/^\d+$/.test(head) || Number(head) > 0xffffffff) {
    throw new DescriptorError(`Multi threshold '${head}' is not valid`)
  }
  const least = Number(head)
  const keys = []
  while (cursor.rest !== '') {
    if (!cursor.take(',')) throw new DescriptorError(`Multi: expected ',', got '${cursor.rest[0]}'`)
    const text = cursor.expression()
    keys.push(prefixed('Multi: ', () => parseKey(text, place)))
  }
  const tap = name.endsWith('_a')
  const most = tap ? 999 : 20
  const count = keys.length
  if (count < 1 || count > most) {
    const kind = tap ? 'multi_a' : 'multisig'
    const fault = `Cannot have ${count} keys in ${kind}; must have between 1 and ${most} keys, inclusive`
    throw new DescriptorError(fault)
  }
  if (least < 1) {
    throw new DescriptorError(`Multisig threshold cannot be ${least}, must be at least 1`)
  }
  if (least > count) {
    const fault = `threshold is ${least} but only ${count} keys specified`
    throw new DescriptorError(
      `Multisig threshold cannot be larger than the number of keys; ${fault}`,
    )
  }
  if (place === 'top' && count > 3) {
    const fault = `Cannot have ${count} pubkeys in bare multisig; only at most 3 pubkeys`
    throw new DescriptorError(fault)
  }
  const size = keys.reduce((sum, key) => sum + key.derive(0).publicKey.length + 1, 3)
  if (place === 'sh' && size > 520) {
    throw new DescriptorError(`P2SH script is too large, ${size} bytes is larger than 520 bytes`)
  }
  return multi(name, least, keys, tap)
}

function parseTree(cursor: Cursor): TreeNode[] {
  const leaves: TreeNode[] = []
  const sides: boolean[] = []
  do {
    while (cursor.take('{')) {
      sides.push(false)
      if (sides.length > 128) {
        throw new DescriptorError('tr() supports at most 128 nesting levels')
      }
    }
    leaves.push({ depth: sides.length, node: parse(cursor.expression(), 'tr') })
    while (sides.length > 0 && sides[sides.length - 1]) {
      if (!cursor.take('}')) {
        throw new DescriptorError("tr(): expected '}' after script expression")
      }
      sides.pop()
    }
    if (sides.length > 0) {
      if (!cursor.take(',')) {
        throw new DescriptorError("tr(): expected ',' after script expression")
      }
      sides[sides.length - 1] = true
    }
  } while (sides.length > 0)
  if (cursor.rest !== '') throw new DescriptorError("tr(): expected ')' after script expression")
  return leaves
}
function parseTaproot(inner: string): ScriptNode {
  const cursor = new Cursor(inner)
  const text = cursor.expression()
  const key = prefixed('tr(): ', () => parseKey(text, 'tr'))
  if (cursor.rest === '') return taproot(key, [])
  if (!cursor.take(',')) throw new DescriptorError(`tr: expected ',', got '${cursor.rest[0]}'`)
  return taproot(key, parseTree(cursor))
}

const only = (allowed: boolean, fault: string): void => {
  if (!allowed) throw new DescriptorError(fault)
}
function parse(text: string, place: Place): ScriptNode {
  const [, name = '', inner = ''] = /^([a-z_]+)\((.*)\)$/s.exec(text) ?? []
  const top = place === 'top'
  const legacy = top || place === 'sh'
  switch (name) {
    case 'pk': {
      const key = prefixed('pk(): ', () => parseKey(inner, place))
      return singleKey(name, key, undefined, (bytes) =>
        checkSig(place === 'tr' ? bytes.subarray(-32) : bytes),
      )
    }
    case 'pkh': {
      only(legacy || place === 'wsh', 'Can only have pkh at top level, in sh(), wsh(), or in tr()')
      const key = prefixed('pkh(): ', () => parseKey(inner, place))
      return singleKey(name, key, 'legacy', (bytes) => keyHashScript(hash160(bytes)))
    }
    case 'combo':
      only(top, 'Can only have combo() at top level')
      return combo(prefixed('combo(): ', () => parseKey(inner, place)))
    case 'multi':
    case 'sortedmulti':
      only(place !== 'tr', 'Can only have multi/sortedmulti at top level, in sh(), or in wsh()')
      return parseMulti(name, inner, place)
    case 'multi_a':
    case 'sortedmulti_a':
      only(place === 'tr', 'Can only have multi_a/sortedmulti_a inside tr()')
      return parseMulti(name, inner, place)
    case 'wpkh': {
      only(legacy, 'Can only have wpkh() at top level or inside sh()')
      const key = prefixed('wpkh(): ', () => parseKey(inner, 'wpkh'))
      return singleKey(name, key, 'bech32', witnessKeyHash)
    }
    case 'sh': {
      only(top, 'Can only have sh() at top level')
      const node = parse(inner, 'sh')
      const segwit = /^w/.test(inner)
      return wrapped(name, node, segwit ? 'p2sh-segwit' : 'legacy', scriptHash)
    }
    case 'wsh':
      only(legacy, 'Can only have wsh() at top level or inside sh()')
      return wrapped(name, parse(inner, 'wsh'), 'bech32', witnessScriptHash)
    default:
      return parseLast(name, inner, text, place)
  }
}
function parseLast(name: string, inner: string, text: string, place: Place): ScriptNode {
  const top = place === 'top'
  switch (name) {
    case 'tr':
      only(top, 'Can only have tr at top level')
      return parseTaproot(inner)
    case 'rawtr': {
      only(top, 'Can only have rawtr at top level')
      only(!inner.includes(','), 'rawtr(): only one key expected.')
      return singleKey(name, parseKey(inner, 'tr'), 'bech32m', (key) =>
        Uint8Array.of(0x51, 32, ...key.subarray(-32)),
      )
    }
    case 'addr': {
      only(top, 'Can only have addr() at top level')
      const script = scriptOf(inner)
      if (!script) throw new DescriptorError('Address is not valid')
      return fixed(name, addressOf(script) ?? inner, script, typeOfScript(script))
    }
    case 'raw': {
      only(top, 'Can only have raw() at top level')
      const script = inner === '' ? undefined : tryFromHex(inner)
      if (!script) throw new DescriptorError('Raw script is not hex')
      return fixed(name, toHex(script), script, typeOfScript(script))
    }
    default:
      only(place !== 'sh', 'A function is needed within P2SH')
      only(place !== 'wsh', 'A function is needed within P2WSH')
      throw new DescriptorError(`'${text}' is not a valid descriptor function`)
  }
}
/** The kind of address of an output script, as Core sorts them. */
function typeOfScript(script: Uint8Array): OutputType | undefined {
  switch (classifyScript(script).kind) {
    case 'pubkeyhash':
    case 'scripthash':
      return 'legacy'
    case 'witness_v0_keyhash':
    case 'witness_v0_scripthash':
      return 'bech32'
    case 'witness_v1_taproot':
    case 'witness_unknown':
      return 'bech32m'
    default:
      return undefined
  }
}

function checked(text: string, needsChecksum: boolean): string {
  const [body = '', checksum, ...more] = text.split('#')
  if (more.length > 0) throw new DescriptorError("Multiple '#' symbols")
  if (checksum === undefined && needsChecksum) throw new DescriptorError('Missing checksum')
  if (checksum !== undefined && checksum.length !== 8) {
    throw new DescriptorError(`Expected 8 character checksum, not ${checksum.length} characters`)
  }
  const expected = descriptorChecksum(body)
  if (expected === undefined) throw new DescriptorError('Invalid characters in payload')
  if (checksum !== undefined && checksum !== expected) {
    const fault = `Provided checksum '${checksum}' does not match computed checksum '${expected}'`
    throw new DescriptorError(fault)
  }
  return body
}
/** Reads a descriptor. The checksum is checked when it is there. @throws DescriptorError in Core's words. */
export function parseDescriptor(text: string, needsChecksum = false): Descriptor {
  const body = checked(text, needsChecksum)
  return fromNode(parse(withKnownSecrets(body), 'top'), body)
}
const EXTENDED_SECRET = /tprv[1-9A-HJ-NP-Za-km-z]+/g
/** A root that stands in the text privately is known wherever it stands publicly: Core looks secrets up by public key. */
function withKnownSecrets(body: string): string {
  if (!body.includes('tpub')) return body
  const secrets = new Set(body.match(EXTENDED_SECRET) ?? [])
  return [...secrets].reduce((whole, own) => whole.replaceAll(publicTextOf(own) ?? own, own), body)
}
function fromNode(node: ScriptNode, given: string): Descriptor {
  const { keys, solvable, outputType } = node
  return {
    body: node.text('public') ?? given,
    checksum: descriptorChecksum(given) ?? '',
    ranged: keys.some((key) => key.ranged),
    hasPrivateKeys: keys.some((key) => key.isPrivate),
    solvable,
    outputType,
    single: !given.startsWith('combo('),
    scripts: (index) => node.expand(index, new Provider()),
    expand: node.expand,
    text: (form) => {
      const shown = node.text(form)
      return shown === undefined ? undefined : withChecksum(shown)
    },
  }
}
