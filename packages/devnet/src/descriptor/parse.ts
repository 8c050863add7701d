import { sha256 } from '@noble/hashes/sha2.js'
import { scriptOf } from '../chain/address.ts'
import { toHex, tryFromHex } from '../chain/bytes.ts'
import { hash160, pushData } from '../script/script.ts'
import { descriptorChecksum } from './checksum.ts'
import { DescriptorError } from './error.ts'
import { type KeyExpression, parseKey, taprootOutput } from './key.ts'

/** An output descriptor of the supported kinds. */
export interface Descriptor {
  /** The text without checksum. */
  readonly body: string
  readonly ranged: boolean
  readonly hasPrivateKeys: boolean
  /** False for `addr` and `raw`: nothing is known of how to spend them. */
  readonly solvable: boolean
  /** Output scripts at an index: one, or four for `combo`. @throws DescriptorError where private keys are missing. */
  readonly scripts: (index: number) => readonly Uint8Array[]
}
type Build = (index: number) => readonly Uint8Array[]
interface Parsed {
  readonly keys: readonly KeyExpression[]
  readonly build: Build
  readonly solvable?: boolean
}
type Place = 'top' | 'sh' | 'wsh'

const bytes = (...parts: readonly (Uint8Array | readonly number[])[]): Uint8Array =>
  Uint8Array.from(parts.flatMap((part) => [...part]))
const single = (key: KeyExpression, make: (key: Uint8Array) => Uint8Array): Parsed => ({
  keys: [key],
  build: (index) => [make(key.at(index))],
})
const keyHash = (key: Uint8Array): Uint8Array => bytes([0x76, 0xa9, 20], hash160(key), [0x88, 0xac])
const witnessKeyHash = (key: Uint8Array): Uint8Array => bytes([0, 20], hash160(key))
const checkSig = (key: Uint8Array): Uint8Array => bytes(pushData(key), [0xac])
const scriptHash = (script: Uint8Array): Uint8Array => bytes([0xa9, 20], hash160(script), [0x87])

function multi(inner: string, sorted: boolean): Parsed {
  const [head = '', ...rest] = inner.split(',')
  const least = Number(head)
  const keys = rest.map(parseKey)
  if (!/^\d+$/.test(head)) throw new DescriptorError(`Multi threshold '${head}' is not valid`)
  if (keys.length < 1 || keys.length > 20) {
    const count = `Cannot have ${keys.length} keys in multisig; must have between 1 and 20 keys, inclusive`
    throw new DescriptorError(count)
  }
  if (least < 1)
    throw new DescriptorError(`Multisig threshold cannot be ${least}, must be at least 1`)
  if (least > keys.length) {
    const count = `but only ${keys.length} keys specified`
    throw new DescriptorError(
      `Multisig threshold cannot be larger than the number of keys; threshold is ${least} ${count}`,
    )
  }
  const number = (value: number) => (value <= 16 ? [0x50 + value] : [1, value])
  const build: Build = (index) => {
    const list = keys.map((key) => key.at(index))
    if (sorted) list.sort((a, b) => (toHex(a) < toHex(b) ? -1 : 1))
    return [bytes(number(least), ...list.map(pushData), number(list.length), [0xae])]
  }
  return { keys, build }
}
function parse(text: string, place: Place): Parsed {
  const match = /^([a-z_]+)\((.*)\)$/s.exec(text)
  const [, name = '', inner = ''] = match ?? []
  const top = place === 'top'
  switch (name) {
    case 'pk':
      return single(parseKey(inner), checkSig)
    case 'pkh':
      return single(parseKey(inner), keyHash)
    case 'multi':
    case 'sortedmulti':
      return multi(inner, name === 'sortedmulti')
    case 'wpkh':
      if (place === 'wsh')
        throw new DescriptorError('Can only have wpkh() at top level or inside sh()')
      return single(parseKey(inner), witnessKeyHash)
    case 'sh':
      if (!top) throw new DescriptorError('Can only have sh() at top level')
      return wrap(parse(inner, 'sh'), scriptHash)
    case 'wsh':
      if (place === 'wsh')
        throw new DescriptorError('Can only have wsh() at top level or inside sh()')
      return wrap(parse(inner, 'wsh'), (script) => bytes([0, 32], sha256(script)))
    default:
      if (top) return parseTop(name, inner, text)
      throw new DescriptorError(`A function is needed within P2${place.toUpperCase()}`)
  }
}
const wrap = (inner: Parsed, make: (script: Uint8Array) => Uint8Array): Parsed => ({
  keys: inner.keys,
  build: (index) => inner.build(index).map(make),
})
function parseTop(name: string, inner: string, text: string): Parsed {
  switch (name) {
    case 'tr': {
      if (inner.includes(','))
        throw new DescriptorError('this devnet knows tr(KEY) without a tree only')
      return single(parseKey(inner), (key) => bytes([0x51, 32], taprootOutput(key)))
    }
    case 'rawtr':
      return single(parseKey(inner), (key) => bytes([0x51, 32], key.slice(-32)))
    case 'combo': {
      const key = parseKey(inner)
      const build: Build = (index) => {
        const own = key.at(index)
        const plain = [checkSig(own), keyHash(own)]
        if (own.length !== 33) return plain
        return [...plain, witnessKeyHash(own), scriptHash(witnessKeyHash(own))]
      }
      return { keys: [key], build }
    }
    case 'addr':
      return fixed(scriptOf(inner), 'Address is not valid')
    case 'raw':
      return fixed(tryFromHex(inner), 'Raw script is not hex')
    default:
      throw new DescriptorError(`'${text}' is not a valid descriptor function`)
  }
}
function fixed(script: Uint8Array | undefined, fault: string): Parsed {
  if (!script) throw new DescriptorError(fault)
  return { keys: [], build: () => [script], solvable: false }
}

/** Reads a descriptor. The checksum is checked when it is there. @throws DescriptorError in Core's words. */
export function parseDescriptor(text: string, needsChecksum = false): Descriptor {
  const [body = '', checksum, ...more] = text.split('#')
  if (more.length > 0) throw new DescriptorError("Multiple '#' symbols")
  const expected = descriptorChecksum(body)
  if (expected === undefined) throw new DescriptorError('Invalid characters in payload')
  if (checksum === undefined && needsChecksum) throw new DescriptorError('Missing checksum')
  if (checksum !== undefined && checksum.length !== 8) {
    throw new DescriptorError(`Expected 8 character checksum, not ${checksum.length} characters`)
  }
  if (checksum !== undefined && checksum !== expected) {
    const fault = `Provided checksum '${checksum}' does not match computed checksum '${expected}'`
    throw new DescriptorError(fault)
  }
  const { keys, build, solvable = true } = parse(body, 'top')
  return {
    body,
    ranged: keys.some((key) => key.ranged),
    hasPrivateKeys: keys.some((key) => key.isPrivate),
    solvable,
    scripts: build,
  }
}
