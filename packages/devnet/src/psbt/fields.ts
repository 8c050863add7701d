import { secp256k1 } from '@noble/curves/secp256k1.js'
import { toHex } from '../chain/bytes.ts'
import type { KnownKey, TapOrigin } from '../sign/data.ts'
import { type Proprietary, PsbtError } from './psbt.ts'
import { Reader } from './reader.ts'

/** One field of a map: its type, its whole key, and the stream behind it. */
export interface Field {
  readonly type: number
  readonly key: Uint8Array
  readonly reader: Reader
  /** Reads inside the key, behind the type. */
  readonly keyReader: Reader
}
/** Fields of one map until its separator. @throws PsbtError where the separator is missing. */
export function* fieldsOf(reader: Reader, missing: string): Iterable<Field> {
  while (!reader.empty) {
    const key = reader.vector()
    if (key.length === 0) return
    const keyReader = new Reader(key, 'SpanReader')
    const type = keyReader.size()
    yield { type, key, reader, keyReader }
  }
  throw new PsbtError(missing)
}
export const fail = (message: string): never => {
  throw new PsbtError(message)
}
/** A field that stands once and has nothing but its type as key. */
export function lone(seen: Set<string>, { key }: Field, duplicate: string, tooLong: string): void {
  once(seen, key, duplicate)
  if (key.length !== 1) fail(tooLong)
}
export function once(seen: Set<string>, key: Uint8Array, duplicate: string): void {
  const id = toHex(key)
  if (seen.has(id)) fail(duplicate)
  seen.add(id)
}
/** A hybrid key says in front, as a compressed one does, whether its `y` is odd: where that is true, the same without. */
function plainForm(publicKey: Uint8Array): Uint8Array {
  const [form = 0] = publicKey
  const odd = (publicKey[64] ?? 0) & 1
  return publicKey.length === 65 && form === 6 + odd
    ? Uint8Array.of(4, ...publicKey.subarray(1))
    : publicKey
}
export function publicKeyIn(key: Uint8Array, what: string): Uint8Array {
  if (key.length !== 66 && key.length !== 34) {
    fail(`Size of key was not the expected size for the type ${what}`)
  }
  const publicKey = key.slice(1)
  if (!secp256k1.utils.isValidPublicKey(plainForm(publicKey))) fail('Invalid pubkey')
  return publicKey
}
export function readKeyOrigin(keys: Map<string, KnownKey>, { key, reader }: Field): void {
  const publicKey = publicKeyIn(key, 'BIP32 keypath')
  const id = toHex(publicKey)
  if (keys.has(id)) fail('Duplicate Key, pubkey derivation path already provided')
  keys.set(id, { publicKey, origin: reader.origin(reader.size()) })
}
export function readTapOrigin(
  origins: Map<string, TapOrigin>,
  seen: Set<string>,
  field: Field,
  side: 'Input' | 'Output',
): void {
  const { key, reader } = field
  const duplicate = `Duplicate Key, ${side.toLowerCase()} Taproot BIP32 keypath already provided`
  once(seen, key, duplicate)
  if (key.length !== 33) fail(`${side} Taproot BIP32 keypath key is not at 33 bytes`)
  const length = reader.size()
  const start = reader.at
  const leafHashes = new Set<string>()
  for (let left = reader.size(); left > 0; left--) leafHashes.add(toHex(reader.take(32)))
  const used = reader.at - start
  // Core says the same of inputs and of outputs here.
  if (used > length) fail('Input Taproot BIP32 keypath has an invalid length')
  origins.set(toHex(key.subarray(1)), { leafHashes, origin: reader.origin(length - used) })
}
export function readProprietary(list: Proprietary[], field: Field): void {
  const identifier = field.keyReader.vector()
  const subtype = field.keyReader.size()
  const id = toHex(field.key)
  if (list.some(({ key }) => toHex(key) === id)) {
    fail('Duplicate Key, proprietary key already found')
  }
  list.push({ identifier, subtype, key: field.key, value: field.reader.vector() })
}
export function readUnknown(unknown: Map<string, Uint8Array>, { key, reader }: Field): void {
  const id = toHex(key)
  if (unknown.has(id)) fail('Duplicate Key, key for unknown value already provided')
  unknown.set(id, reader.vector())
}
