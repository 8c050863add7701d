import { secp256k1 } from '@noble/curves/secp256k1.js'
import {
  type Network,
  ok,
  type Refusal,
  type Result,
  refuse,
  Secret,
  toHex,
} from '../../kernel/index.ts'
import { decodeBase58Check, encodeBase58Check } from '../address/index.ts'
import { hash160 } from '../script/index.ts'
import {
  type KeyNetwork,
  type KeyVersion,
  keyNetworkOf,
  keyVersionOf,
  plainVersion,
  publicVersionOf,
} from './version.ts'

/** A parsed extended key. Private keys keep their secret wrapped. Source: BIP 32. */
export interface ExtendedKey {
  readonly version: KeyVersion
  readonly depth: number
  /** Fingerprint of the parent, eight hex digits; zeros for a master key. */
  readonly parentFingerprint: string
  /** Child number, the hardened bit included. */
  readonly index: number
  readonly chainCode: Uint8Array
  /** 33 bytes, compressed. */
  readonly publicKey: Uint8Array
  readonly privateKey?: Secret<Uint8Array>
}
export interface ExtendedPrivateKey extends ExtendedKey {
  readonly privateKey: Secret<Uint8Array>
}
export type ExtendedKeyCode =
  | 'KEY_MALFORMED'
  | 'KEY_CHECKSUM'
  | 'KEY_VERSION'
  | 'KEY_LINEAGE'
  | 'KEY_OFF_CURVE'

const LENGTH = 78
const no = <C extends ExtendedKeyCode>(code: C, reason: string) =>
  refuse(code, `the extended key ${reason}`, { param: 'key' })

/** The 33 bytes of a compressed key if they are a point of the curve. */
export function parsePublicKey(bytes: Uint8Array): Uint8Array | undefined {
  try {
    return secp256k1.Point.fromBytes(bytes).toBytes(true)
  } catch {
    return undefined
  }
}

export const isPrivateKey = (key: ExtendedKey): key is ExtendedPrivateKey =>
  key.privateKey !== undefined

function readKeyData(
  version: KeyVersion,
  data: Uint8Array,
): Result<Pick<ExtendedKey, 'publicKey' | 'privateKey'>, Refusal<'KEY_OFF_CURVE' | 'KEY_VERSION'>> {
  const isPublicData = data[0] === 2 || data[0] === 3
  if (version.isPrivate) {
    if (isPublicData) return no('KEY_VERSION', 'has a private prefix and holds a public key')
    const secret = data.slice(1)
    if (data[0] !== 0 || !secp256k1.utils.isValidSecretKey(secret)) {
      return no('KEY_OFF_CURVE', 'holds a private key outside 1 to n - 1')
    }
    return ok({ publicKey: secp256k1.getPublicKey(secret, true), privateKey: new Secret(secret) })
  }
  if (data[0] === 0) return no('KEY_VERSION', 'has a public prefix and holds a private key')
  const publicKey = isPublicData ? parsePublicKey(data) : undefined
  return publicKey
    ? ok({ publicKey })
    : no('KEY_OFF_CURVE', 'holds a key that is no point of the curve')
}

/**
 * Reads an extended key of any prefix of BIP 32 and SLIP 132, public or private.
 * The refusal never repeats the text: it may be a private key with one wrong letter.
 */
export function parseExtendedKey(text: string): Result<ExtendedKey, Refusal<ExtendedKeyCode>> {
  const decoded = decodeBase58Check(text)
  if (!decoded.ok) {
    const code = decoded.error.code === 'ADDRESS_CHECKSUM' ? 'KEY_CHECKSUM' : 'KEY_MALFORMED'
    return no(code, `cannot be read: ${decoded.error.message}`)
  }
  const bytes = decoded.value
  if (bytes.length !== LENGTH)
    return no('KEY_MALFORMED', `has ${bytes.length} bytes instead of ${LENGTH}`)
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
  const version = keyVersionOf(view.getUint32(0))
  if (!version) return no('KEY_VERSION', 'has the prefix of another coin or of none')
  const depth = view.getUint8(4)
  const parent = view.getUint32(5)
  const index = view.getUint32(9)
  if (depth === 0 && parent !== 0) return no('KEY_LINEAGE', 'is a master key and names a parent')
  if (depth === 0 && index !== 0) return no('KEY_LINEAGE', 'is a master key and has a child number')
  const data = readKeyData(version, bytes.subarray(45))
  if (!data.ok) return data
  return ok({
    version,
    depth,
    parentFingerprint: toHex(bytes.subarray(5, 9)),
    index,
    chainCode: bytes.slice(13, 45),
    ...data.value,
  })
}

/** The key without its secret, if it had one. */
export function publicKeyOf(key: ExtendedKey): ExtendedKey {
  if (!isPrivateKey(key)) return key
  const { privateKey: _, ...rest } = key
  return { ...rest, version: publicVersionOf(key.version) }
}

/** Reads a key that has to be public and on the right network. */
export function parseExtendedPublicKey(
  text: string,
  network?: Network,
): Result<ExtendedKey, Refusal<ExtendedKeyCode | 'KEY_PRIVATE' | 'KEY_NETWORK'>> {
  const key = parseExtendedKey(text)
  if (!key.ok) return key
  if (isPrivateKey(key.value)) return refusePrivate()
  if (network !== undefined && keyNetworkOf(network) !== key.value.version.network) {
    return refuseNetwork(key.value.version.network, network)
  }
  return key
}

/** One wording for every place that meets a private key. */
export const refusePrivate = () =>
  refuse(
    'KEY_PRIVATE',
    'this is a private key: whoever has it can spend. Give the public one, and treat this one as seen by others',
    { param: 'key' },
  )
export const refuseNetwork = (found: KeyNetwork, network: Network) =>
  refuse('KEY_NETWORK', `the key belongs to the ${found} family of networks, not to ${network}`, {
    param: 'key',
    details: { found, network },
  })

function serialized(key: ExtendedKey, version: KeyVersion, data: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(LENGTH)
  const view = new DataView(bytes.buffer)
  view.setUint32(0, version.bytes)
  view.setUint8(4, key.depth)
  view.setUint32(5, Number.parseInt(key.parentFingerprint, 16))
  view.setUint32(9, key.index)
  bytes.set(key.chainCode, 13)
  bytes.set(data, LENGTH - data.length)
  return bytes
}

const serialize = (key: ExtendedKey, version: KeyVersion, data: Uint8Array): string =>
  encodeBase58Check(serialized(key, version, data))

/** The 78 bytes of the public key with its plain prefix, as PSBTs have it. Source: BIP 32, BIP 174. */
export const encodeExtendedPublicKey = (key: ExtendedKey): Uint8Array =>
  serialized(key, plainVersion(key.version.network, false), key.publicKey)

/** The public key as text, by default with the plain prefix (xpub or tpub). */
export const printExtendedPublicKey = (
  key: ExtendedKey,
  version: KeyVersion = plainVersion(key.version.network, false),
): string => serialize(key, version, key.publicKey)

/** The private key as text, wrapped: only `reveal()` shows it. For test signers. */
export const printExtendedPrivateKey = (
  key: ExtendedPrivateKey,
  version: KeyVersion = plainVersion(key.version.network, true),
): Secret<string> => new Secret(serialize(key, version, key.privateKey.reveal()))

/** First four bytes of the key's HASH160, eight hex digits. */
export const fingerprintOf = (publicKey: Uint8Array): string =>
  toHex(hash160(publicKey).subarray(0, 4))
