import { schnorr, secp256k1 } from '@noble/curves/secp256k1.js'
import { sha256 } from '@noble/hashes/sha2.js'
import { createBase58check } from '@scure/base'
import { HDKey } from '@scure/bip32'
import { toHex, tryFromHex } from '../chain/bytes.ts'
import { DescriptorError } from './error.ts'

/** A key expression: what it gives at an index, and what Core says of it. */
export interface KeyExpression {
  readonly at: (index: number) => Uint8Array
  readonly ranged: boolean
  readonly isPrivate: boolean
}
const VERSIONS = { public: 0x043587cf, private: 0x04358394 }
const HARDENED = 0x80000000
const base58check = createBase58check(sha256)

function pathStep(text: string): number {
  const match = /^(\d+)(['h]?)$/.exec(text)
  const value = Number(match?.[1])
  if (!match || value >= HARDENED) {
    throw new DescriptorError(`Key path value '${text}' is not a valid uint32`)
  }
  return match[2] ? value + HARDENED : value
}
/** The key bytes of a WIF string or hex; undefined when it is neither. */
function plainKey(
  text: string,
): { readonly key: Uint8Array; readonly isPrivate: boolean } | undefined {
  const bytes = tryFromHex(text)
  if (bytes) {
    const whole = bytes.length === 32 ? Uint8Array.of(2, ...bytes) : bytes
    if (!secp256k1.utils.isValidPublicKey(whole)) {
      throw new DescriptorError(`Pubkey '${text}' is invalid`)
    }
    return { key: bytes, isPrivate: false }
  }
  try {
    const [version, ...rest] = base58check.decode(text)
    const compressed = rest.length === 33 && rest[32] === 1
    if (version !== 0xef || (!compressed && rest.length !== 32)) return undefined
    const secret = Uint8Array.from(rest.slice(0, 32))
    return { key: secp256k1.getPublicKey(secret, compressed), isPrivate: true }
  } catch {
    return undefined
  }
}
/** `[origin]key/path/*`, with an extended or a plain key. @throws DescriptorError. */
export function parseKey(text: string): KeyExpression {
  const own = text.startsWith('[') ? withoutOrigin(text) : text
  const [head = '', ...path] = own.split('/')
  const plain = path.length === 0 ? plainKey(head) : undefined
  if (plain) return { at: () => plain.key, ranged: false, isPrivate: plain.isPrivate }
  return extendedKey(head, path)
}
function withoutOrigin(text: string): string {
  const end = text.indexOf(']')
  const [fingerprint = '', ...steps] = text.slice(1, end < 0 ? 1 : end).split('/')
  if (end < 0) throw new DescriptorError("Key origin start '[ character expected but not found'")
  if (!/^[0-9a-f]{8}$/i.test(fingerprint)) {
    throw new DescriptorError(`Fingerprint '${fingerprint}' is not hex`)
  }
  for (const step of steps) pathStep(step)
  return text.slice(end + 1)
}
function extendedKey(head: string, path: readonly string[]): KeyExpression {
  let root: HDKey
  try {
    root = HDKey.fromExtendedKey(head, VERSIONS)
  } catch {
    throw new DescriptorError(`key '${head}' is not valid`)
  }
  const last = path[path.length - 1] ?? ''
  const ranged = /^\*['h]?$/.test(last)
  const hardenedRange = ranged && last !== '*'
  const steps = (ranged ? path.slice(0, -1) : path).map(pathStep)
  const isPrivate = root.privateKey !== null && root.privateKey !== undefined
  let parent: HDKey | undefined
  const derive = (from: HDKey, step: number): HDKey => {
    if (step >= HARDENED && !isPrivate) {
      throw new DescriptorError('Cannot derive script without private keys')
    }
    return from.deriveChild(step)
  }
  const at = (index: number): Uint8Array => {
    parent ??= steps.reduce(derive, root)
    const child = ranged ? derive(parent, hardenedRange ? index + HARDENED : index) : parent
    if (!child.publicKey) throw new DescriptorError('key has no public part')
    return child.publicKey
  }
  return { at, ranged, isPrivate }
}

/** The 32-byte output key of `tr(key)`. Source: BIP 341, BIP 386. */
export function taprootOutput(key: Uint8Array): Uint8Array {
  const x = key.length === 32 ? key : key.subarray(1)
  const tweak = schnorr.utils.taggedHash('TapTweak', x)
  const { Point } = secp256k1
  const point = Point.fromBytes(Uint8Array.of(2, ...x))
  return point
    .add(Point.BASE.multiply(BigInt(`0x${toHex(tweak)}`)))
    .toBytes(true)
    .subarray(1)
}
