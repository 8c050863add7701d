import { schnorr, secp256k1 } from '@noble/curves/secp256k1.js'
import { hmac } from '@noble/hashes/hmac.js'
import { sha256, sha512 } from '@noble/hashes/sha2.js'
import { createBase58check } from '@scure/base'
import { HDKey } from '@scure/bip32'
import { ByteWriter, toHex, tryFromHex } from '../chain/bytes.ts'
import { hash160 } from '../script/script.ts'
import { DescriptorError } from './error.ts'
import { formatPath, HARDENED, type KeyOrigin, parseStep } from './keypath.ts'

/** `public` as Core prints a descriptor, `private` with secrets, `normalized` with the deepest public key that needs no secret. */
export type TextForm = 'public' | 'private' | 'normalized'
/** Where a key stands: what forms of it are allowed. */
export type Place = 'top' | 'sh' | 'wpkh' | 'wsh' | 'tr'
export interface DerivedKey {
  /** 33 or 65 bytes; a key given as 32 bytes stands with an even point. */
  readonly publicKey: Uint8Array
  readonly origin: KeyOrigin
  readonly secret: Uint8Array | undefined
}
/** A key expression: what it gives at an index, and how it is written. */
export interface KeyExpression {
  readonly ranged: boolean
  readonly isPrivate: boolean
  /** @throws DescriptorError where a hardened step lacks the private key. */
  readonly derive: (index: number) => DerivedKey
  /** Undefined when the form needs secrets that are not here. */
  readonly text: (form: TextForm) => string | undefined
}
export const BIP32_VERSIONS = { public: 0x043587cf, private: 0x04358394 }
const base58check = createBase58check(sha256)

/** First four bytes of the key's hash. Source: BIP 32. */
export const fingerprintOf = (publicKey: Uint8Array): string =>
  toHex(hash160(publicKey).subarray(0, 4))

export interface Secret {
  readonly secret: Uint8Array
  readonly compressed: boolean
}
/** Reads a regtest WIF string; undefined when it is none. */
export function decodeWif(text: string): Secret | undefined {
  let bytes: Uint8Array
  try {
    bytes = base58check.decode(text)
  } catch {
    // Not base58 at all: no WIF.
    return undefined
  }
  const compressed = bytes.length === 34 && bytes[33] === 1
  if (bytes[0] !== 0xef || (!compressed && bytes.length !== 33)) return undefined
  const secret = bytes.slice(1, 33)
  return secp256k1.utils.isValidSecretKey(secret) ? { secret, compressed } : undefined
}
const encodeWif = ({ secret, compressed }: Secret): string =>
  base58check.encode(Uint8Array.of(0xef, ...secret, ...(compressed ? [1] : [])))

const UNCOMPRESSED = 'Uncompressed keys are not allowed'
const mayBeLong = (place: Place): boolean => place === 'top' || place === 'sh'

function constant(publicKey: Uint8Array, place: Place, own?: Secret): KeyExpression {
  const shown = toHex(place === 'tr' ? publicKey.subarray(1) : publicKey)
  const origin = { fingerprint: fingerprintOf(publicKey), path: [] }
  const derived: DerivedKey = { publicKey, origin, secret: own?.secret }
  return {
    ranged: false,
    isPrivate: own !== undefined,
    derive: () => derived,
    text: (form) => (form === 'private' ? own && encodeWif(own) : shown),
  }
}
function fromHexKey(text: string, bytes: Uint8Array, place: Place): KeyExpression {
  if (bytes.length === 65 && (bytes[0] === 6 || bytes[0] === 7)) {
    throw new DescriptorError('Hybrid public keys are not allowed')
  }
  if (bytes.length === 32 && place === 'tr') {
    const whole = Uint8Array.of(2, ...bytes)
    if (secp256k1.utils.isValidPublicKey(whole)) return constant(whole, place)
  } else if (bytes.length !== 32 && secp256k1.utils.isValidPublicKey(bytes)) {
    if (bytes.length === 65 && !mayBeLong(place)) throw new DescriptorError(UNCOMPRESSED)
    const key = constant(bytes, place)
    // A full key inside tr() keeps its prefix when printed.
    return place === 'tr'
      ? { ...key, text: (form) => (form === 'private' ? undefined : text) }
      : key
  }
  throw new DescriptorError(`Pubkey '${text}' is invalid`)
}

/** `[origin]key/path/*`, with an extended or a plain key. @throws DescriptorError in Core's words. */
export function parseKey(text: string, place: Place = 'top'): KeyExpression {
  const parts = text.split(']')
  if (parts.length > 2) {
    throw new DescriptorError("Multiple ']' characters found for a single pubkey")
  }
  const [head = '', rest] = parts
  if (rest === undefined) return parseInner(head, place)
  if (!head.startsWith('[')) {
    const found = head[0] ?? ']'
    const fault = `Key origin start '[ character expected but not found, got '${found}' instead`
    throw new DescriptorError(fault)
  }
  const [fingerprint = '', ...steps] = head.slice(1).split('/')
  if (fingerprint.length !== 8) {
    const fault = `(${fingerprint.length} characters instead of 8 characters)`
    throw new DescriptorError(`Fingerprint is not 4 bytes ${fault}`)
  }
  if (!/^[0-9a-f]{8}$/i.test(fingerprint)) {
    throw new DescriptorError(`Fingerprint '${fingerprint}' is not hex`)
  }
  const path = steps.map(parseStep)
  const mark = head.includes("'") || rest.includes("'") ? "'" : 'h'
  return withOrigin({ fingerprint: fingerprint.toLowerCase(), path }, parseInner(rest, place), mark)
}
function withOrigin(origin: KeyOrigin, inner: KeyExpression, mark: string): KeyExpression {
  return {
    ranged: inner.ranged,
    isPrivate: inner.isPrivate,
    derive: (index) => {
      const own = inner.derive(index)
      const whole = { ...origin, path: [...origin.path, ...own.origin.path] }
      return { ...own, origin: whole }
    },
    text: (form) => {
      const sub = inner.text(form)
      if (sub === undefined) return undefined
      if (form !== 'normalized') {
        return `[${origin.fingerprint}${formatPath(origin.path, mark)}]${sub}`
      }
      const start = `[${origin.fingerprint}${formatPath(origin.path)}`
      // A normalized inner key carries its own origin: the two become one path.
      return sub.startsWith('[') ? start + sub.slice(9) : `${start}]${sub}`
    },
  }
}
function parseInner(text: string, place: Place): KeyExpression {
  const [head = '', ...path] = text.split('/')
  if (head === '') throw new DescriptorError('No key provided')
  if (path.length === 0) {
    const bytes = tryFromHex(head)
    if (bytes) return fromHexKey(head, bytes, place)
    const own = decodeWif(head)
    if (own) {
      if (!own.compressed && !mayBeLong(place)) throw new DescriptorError(UNCOMPRESSED)
      return constant(secp256k1.getPublicKey(own.secret, own.compressed), place, own)
    }
  }
  return extended(head, path)
}
// Eight descriptors of a wallet share one root, and a snapshot brings all of them back: each key is derived once.
const derivedKeys = new Map<string, HDKey>()
const DERIVED_LIMIT = 1000
function remembered(id: string, make: () => HDKey): HDKey {
  const known = derivedKeys.get(id)
  if (known) return known
  const made = make()
  if (derivedKeys.size >= DERIVED_LIMIT) derivedKeys.clear()
  derivedKeys.set(id, made)
  return made
}
function extendedKey(text: string): HDKey {
  try {
    return remembered(text, () => HDKey.fromExtendedKey(text, BIP32_VERSIONS))
  } catch {
    throw new DescriptorError(`key '${text}' is not valid`)
  }
}
/** The public form of an extended private key; undefined when the text is no extended key. */
export function publicTextOf(text: string): string | undefined {
  try {
    return extendedKey(text).publicExtendedKey
  } catch {
    // The parser will say so in Core's words.
    return undefined
  }
}
const NEEDS_SECRET = 'Cannot derive script without private keys'
function child(from: HDKey, step: number): HDKey {
  if (step >= HARDENED && !from.privateKey) throw new DescriptorError(NEEDS_SECRET)
  return from.deriveChild(step)
}
type Children = (step: number) => Omit<DerivedKey, 'origin'>
/**
 * The children of one key. A wallet derives them by the hundred: the parent's point is kept, and multiplications need not
 * take the same time for every secret, for these secrets protect nothing. Source: BIP 32.
 */
function childrenOf(parent: HDKey): Children {
  const { Point } = secp256k1
  const publicKey = publicKeyOf(parent)
  const chainCode = parent.chainCode ?? new Uint8Array()
  const own = parent.privateKey ?? undefined
  const scalar = own && Point.Fn.fromBytes(own)
  const point = scalar === undefined ? Point.fromBytes(publicKey) : undefined
  return (step) => {
    const message = new ByteWriter()
    if (step >= HARDENED && own) message.u8(0).put(own)
    else message.put(publicKey)
    const index = Uint8Array.of(step >>> 24, (step >>> 16) & 0xff, (step >>> 8) & 0xff, step & 0xff)
    const hash = hmac(sha512, chainCode, message.put(index).done())
    const tweak = Point.Fn.create(Point.Fn.fromBytes(hash.subarray(0, 32), true))
    if (scalar === undefined) {
      const made = Point.BASE.multiplyUnsafe(tweak).add(point ?? Point.ZERO)
      return { publicKey: made.toBytes(true), secret: undefined }
    }
    const secret = Point.Fn.add(tweak, scalar)
    const made = Point.BASE.multiplyUnsafe(secret).toBytes(true)
    return { publicKey: made, secret: Point.Fn.toBytes(secret) }
  }
}
function extended(head: string, parts: readonly string[]): KeyExpression {
  const root = extendedKey(head)
  const last = parts[parts.length - 1] ?? ''
  const ranged = /^\*['h]?$/.test(last)
  const hardenedRange = ranged && last !== '*'
  const steps = (ranged ? parts.slice(0, -1) : parts).map(parseStep)
  const mark = parts.some((part) => part.endsWith("'")) ? "'" : 'h'
  const tail = ranged ? `/*${hardenedRange ? mark : ''}` : ''
  const isPrivate = Boolean(root.privateKey)
  const fingerprint = fingerprintOf(publicKeyOf(root))
  let parent: HDKey | undefined
  let children: Children | undefined
  const derive = (index: number): DerivedKey => {
    parent ??= remembered(`${head}${formatPath(steps)}`, () => steps.reduce(child, root))
    if (!ranged) {
      const secret = parent.privateKey ?? undefined
      return { publicKey: publicKeyOf(parent), origin: { fingerprint, path: steps }, secret }
    }
    const own = hardenedRange ? index + HARDENED : index
    if (own >= HARDENED && !isPrivate) throw new DescriptorError(NEEDS_SECRET)
    children ??= childrenOf(parent)
    return { ...children(own), origin: { fingerprint, path: [...steps, own] } }
  }
  const normalized = (): string | undefined => {
    const deepest = steps.findLastIndex((step) => step >= HARDENED) + 1
    if (hardenedRange || deepest === 0)
      return `${root.publicExtendedKey}${formatPath(steps)}${ranged ? '/*' : ''}`
    if (!isPrivate) return undefined
    const at = steps.slice(0, deepest).reduce(child, root)
    const origin = `[${fingerprint}${formatPath(steps.slice(0, deepest))}]`
    return `${origin}${at.publicExtendedKey}${formatPath(steps.slice(deepest))}${tail}`
  }
  const text = (form: TextForm): string | undefined => {
    if (form === 'normalized') return normalized()
    if (form === 'private' && !isPrivate) return undefined
    const key = form === 'private' ? root.privateExtendedKey : root.publicExtendedKey
    return `${key}${formatPath(steps, mark)}${tail}`
  }
  return { ranged, isPrivate, derive, text }
}
function publicKeyOf(key: HDKey): Uint8Array {
  if (!key.publicKey) throw new DescriptorError('key has no public part')
  return key.publicKey
}

/** The output key for an internal key and, where there are scripts, their root; `parity` 1 for an odd point. Source: BIP 341. */
export function tweakKey(
  internal: Uint8Array,
  root: Uint8Array = new Uint8Array(),
): { readonly key: Uint8Array; readonly parity: number } {
  const tweak = schnorr.utils.taggedHash('TapTweak', internal, root)
  const { Point } = secp256k1
  const point = Point.fromBytes(Uint8Array.of(2, ...internal))
    .add(Point.BASE.multiply(BigInt(`0x${toHex(tweak)}`)))
    .toBytes(true)
  return { key: point.subarray(1), parity: point[0] === 3 ? 1 : 0 }
}
