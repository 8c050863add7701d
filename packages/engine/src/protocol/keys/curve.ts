import { normalizeZ } from '@noble/curves/abstract/curve.js'
import { schnorr, secp256k1 } from '@noble/curves/secp256k1.js'
import { AssertionError, toHex } from '../../kernel/index.ts'

/**
 * The curve work of address derivation, in bulk, so that a faster engine can take its place.
 * Only public values pass through it: nothing here has to be constant-time.
 */
export interface Curve {
  /**
   * `parent + tweak * G` for each tweak, compressed.
   * @throws AssertionError for a tweak outside 1..n-1 or a sum at infinity (chance below 2^-127, BIP 32).
   */
  addTweaks(parent: Uint8Array, tweaks: readonly Uint8Array[]): Uint8Array[]
  /** The Taproot output key (32 bytes) of each compressed or x-only internal key, without scripts. Source: BIP 341, BIP 86. */
  taprootKeys(internalKeys: readonly Uint8Array[]): Uint8Array[]
}

const { Point } = secp256k1
type CurvePoint = InstanceType<typeof Point>

function scalarOf(bytes: Uint8Array): bigint {
  const scalar = BigInt(`0x${toHex(bytes)}`)
  if (scalar === 0n || scalar >= Point.Fn.ORDER)
    throw new AssertionError('a tweak outside 1 to n - 1')
  return scalar
}

/** One inversion for all points: making them affine one by one would cost more than the additions. */
function encodeAll(points: readonly CurvePoint[]): Uint8Array[] {
  for (const point of points) if (point.is0()) throw new AssertionError('a child key at infinity')
  return normalizeZ(Point, [...points]).map((point) => point.toBytes(true))
}

/** The tweak of an internal key without scripts. Source: BIP 341. */
export const tapTweak = (x: Uint8Array): Uint8Array => schnorr.utils.taggedHash('TapTweak', x)

function taprootPoint(internalKey: Uint8Array): CurvePoint {
  const x = internalKey.length === 33 ? internalKey.subarray(1) : internalKey
  const even = new Uint8Array(33)
  even[0] = 2
  even.set(x, 1)
  return Point.fromBytes(even).add(Point.BASE.multiplyUnsafe(scalarOf(tapTweak(x))))
}

/** Pure JavaScript, audited, no set-up. */
export const nobleCurve: Curve = {
  addTweaks(parent, tweaks) {
    const start = Point.fromBytes(parent)
    return encodeAll(tweaks.map((tweak) => start.add(Point.BASE.multiplyUnsafe(scalarOf(tweak)))))
  },
  taprootKeys(internalKeys) {
    return encodeAll(internalKeys.map(taprootPoint)).map((key) => key.subarray(1))
  },
}
