import { schnorr, secp256k1 } from '@noble/curves/secp256k1.js'
import { toHex } from '../chain/bytes.ts'
import { CURVE_ORDER, parseLaxSignature } from './der.ts'

const { Point } = secp256k1
const { Fn } = Point
type CurvePoint = InstanceType<typeof Point>

interface KnownKey {
  readonly point: CurvePoint | undefined
  uses: number
}
// Wallets spend many coins of few keys: a decoded key is kept, and one that keeps coming gets a table of its multiples,
// which costs about twenty verifications to make and then halves each. Both are bounded.
const known = new Map<string, KnownKey>()
const KNOWN_LIMIT = 5_000
const USES_BEFORE_TABLE = 24
const TABLE_WINDOW = 5
const TABLES_LIMIT = 64
let tables = 0

/** 02 and 03 with 33 bytes, 04, 06 and 07 with 65. The hybrid forms 06 and 07 also say whether y is odd. */
function decodePoint(key: Uint8Array): CurvePoint | undefined {
  const first = key[0]
  try {
    if (key.length === 33 && (first === 2 || first === 3)) return Point.fromBytes(key)
    if (key.length !== 65) return undefined
    if (first === 4) return Point.fromBytes(key)
    if ((first !== 6 && first !== 7) || ((key[64] as number) & 1) !== (first & 1)) return undefined
    const plain = Uint8Array.from(key)
    plain[0] = 4
    return Point.fromBytes(plain)
  } catch {
    // Not on the curve: no signature fits it.
    return undefined
  }
}
function knownKey(key: Uint8Array): KnownKey {
  const id = toHex(key)
  const kept = known.get(id)
  if (kept) return kept
  if (known.size >= KNOWN_LIMIT) {
    known.clear()
    tables = 0
  }
  const entry: KnownKey = { point: decodePoint(key), uses: 0 }
  known.set(id, entry)
  return entry
}
/** The point of a key that is about to be multiplied. */
function pointOf(key: Uint8Array): CurvePoint | undefined {
  const entry = knownKey(key)
  entry.uses += 1
  if (entry.uses === USES_BEFORE_TABLE && entry.point && tables < TABLES_LIMIT) {
    tables += 1
    entry.point.precompute(TABLE_WINDOW, false)
  }
  return entry.point
}

const unsigned = (bytes: Uint8Array): bigint => BigInt(`0x${toHex(bytes)}`)
/** `a * G + b * point`; the base point has a table, so two products are faster than one interleaved. */
const combine = (a: bigint, point: CurvePoint, b: bigint): CurvePoint =>
  Point.BASE.multiplyUnsafe(a).add(point.multiplyUnsafe(b))
const liftX = (key: Uint8Array): Uint8Array => {
  const compressed = new Uint8Array(33)
  compressed[0] = 2
  compressed.set(key, 1)
  return compressed
}

/**
 * True when the key signed the digest. `der` is without hash type and read laxly; both halves of `s` count, and every
 * form of key that Core's CPubKey takes, hybrid ones too. Strictness is for the flags to ask. Source: SEC 1, 4.1.4.
 */
export function verifyEcdsa(der: Uint8Array, digest: Uint8Array, key: Uint8Array): boolean {
  const numbers = parseLaxSignature(der)
  if (!numbers || numbers.r === 0n || numbers.s === 0n) return false
  const point = pointOf(key)
  if (!point) return false
  const inverse = Fn.inv(numbers.s)
  const u1 = Fn.mul(unsigned(digest) % CURVE_ORDER, inverse)
  const sum = combine(u1, point, Fn.mul(numbers.r, inverse))
  return !sum.is0() && sum.toAffine().x % CURVE_ORDER === numbers.r
}

/** True when the x-only key signed the 32-byte message. Source: BIP 340. */
export function verifySchnorr(
  signature: Uint8Array,
  message: Uint8Array,
  key: Uint8Array,
): boolean {
  if (signature.length !== 64 || key.length !== 32) return false
  const r = signature.subarray(0, 32)
  const s = unsigned(signature.subarray(32))
  const point = pointOf(liftX(key))
  if (!point || s >= CURVE_ORDER) return false
  const challenge = unsigned(schnorr.utils.taggedHash('BIP0340/challenge', r, key, message))
  const sum = combine(s, point, Fn.neg(challenge % CURVE_ORDER))
  if (sum.is0()) return false
  const { x, y } = sum.toAffine()
  return (y & 1n) === 0n && x === unsigned(r)
}

export interface TweakedKey {
  /** x coordinate, 32 bytes. */
  readonly key: Uint8Array
  readonly isOdd: boolean
}
/** `key + tweak * G` of an x-only key; undefined when the key is no x coordinate or the tweak is too large. Source: BIP 341. */
export function tweakKey(key: Uint8Array, tweak: Uint8Array): TweakedKey | undefined {
  const number = unsigned(tweak)
  if (number >= CURVE_ORDER || key.length !== 32) return undefined
  const { point } = knownKey(liftX(key))
  const sum = point?.add(Point.BASE.multiplyUnsafe(number))
  if (!sum || sum.is0()) return undefined
  const bytes = sum.toBytes(true)
  return { key: bytes.subarray(1), isOdd: bytes[0] === 3 }
}
