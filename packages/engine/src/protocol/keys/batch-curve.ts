import { normalizeZ } from '@noble/curves/abstract/curve.js'
import { secp256k1 } from '@noble/curves/secp256k1.js'
import { assert, equalBytes, fromHex, toHex } from '../../kernel/index.ts'
import { type Curve, nobleCurve, tapTweak } from './curve.ts'

const { Point } = secp256k1
const PRIME = Point.Fp.ORDER
const ORDER = Point.Fn.ORDER

/** Coordinates modulo the field prime; between operations they may be negative. */
interface Affine {
  readonly x: bigint
  readonly y: bigint
}

/** A scalar as 33 digits from -127 to 128: one byte each and the last carry. */
const WINDOWS = 33
const LARGEST_DIGIT = 128
/** Below this the set-up and the shared inversions cost more than they save. */
const SMALLEST_BATCH = 4
/** Points of one round that share an inversion; more of them would only take memory. */
const LARGEST_BATCH = 256

let table: readonly (readonly Affine[])[] | undefined

/** `table[w][d - 1]` is `d * 256^w * G`; 4,224 points, made once when the first batch comes. */
function generatorTable(): readonly (readonly Affine[])[] {
  if (table) return table
  const rows: Affine[][] = []
  let base = Point.BASE
  for (let window = 0; window < WINDOWS; window++) {
    const row = [base]
    for (let last = base; row.length < LARGEST_DIGIT; row.push(last)) last = last.add(base)
    rows.push(normalizeZ(Point, row).map(({ x, y }) => ({ x, y })))
    const top = row.at(-1)
    assert(top, 'a row without points')
    base = top.double()
  }
  table = rows
  return table
}

/** The table points whose sum is `scalar * G`. */
function tablePoints(scalar: Uint8Array): Affine[] {
  const rows = generatorTable()
  const points: Affine[] = []
  let carry = 0
  for (let window = 0; window < WINDOWS; window++) {
    let digit = (scalar[31 - window] ?? 0) + carry
    carry = digit > LARGEST_DIGIT ? 1 : 0
    if (carry) digit -= 256
    if (digit === 0) continue
    const point = rows[window]?.[Math.abs(digit) - 1]
    assert(point, 'a digit outside the table')
    points.push(digit > 0 ? point : { x: point.x, y: -point.y })
  }
  return points
}

/** Replaces each value by its inverse with a single inversion (Montgomery). False when one of them is zero. */
function invertAll(values: bigint[]): boolean {
  const products: bigint[] = []
  let product = 1n
  for (const value of values) {
    products.push(product)
    product = (product * value) % PRIME
  }
  if (product === 0n) return false
  let inverse = Point.Fp.inv(Point.Fp.create(product))
  for (let i = values.length - 1; i >= 0; i--) {
    const value = values[i] ?? 0n
    values[i] = (inverse * (products[i] ?? 0n)) % PRIME
    inverse = (inverse * value) % PRIME
  }
  return true
}

function addWith(a: Affine, b: Affine, inverse: bigint): Affine {
  const slope = ((b.y - a.y) * inverse) % PRIME
  const x = (slope * slope - a.x - b.x) % PRIME
  return { x, y: (slope * (a.x - x) - a.y) % PRIME }
}

/**
 * The sum of each list: neighbours are added in rounds, all additions of a round share one inversion. Undefined
 * when two points with the same x meet: then the formula does not hold, and the caller takes the slow way.
 */
function sumEach(lists: readonly (readonly Affine[])[]): Affine[] | undefined {
  let current = lists
  while (current.some((list) => list.length > 1)) {
    const inverses: bigint[] = []
    for (const list of current) {
      for (let i = 1; i < list.length; i += 2) {
        inverses.push(((list[i]?.x ?? 0n) - (list[i - 1]?.x ?? 0n)) % PRIME)
      }
    }
    if (!invertAll(inverses)) return undefined
    let next = 0
    current = current.map((list) => {
      const sums: Affine[] = []
      for (let i = 0; i < list.length; i += 2) {
        const [a, b] = [list[i], list[i + 1]]
        if (a && b) sums.push(addWith(a, b, inverses[next++] ?? 0n))
        else if (a) sums.push(a)
      }
      return sums
    })
  }
  return current.map(([sum]) => sum ?? { x: 0n, y: 0n })
}

/** Points that this curve has made, by the bytes it handed out: their y need not be computed again. */
const made = new WeakMap<Uint8Array, Affine>()

function checked({ x, y }: Affine): Affine {
  const point = { x: Point.Fp.create(x), y: Point.Fp.create(y) }
  // Costs three multiplications and catches every slip of the arithmetic above.
  const isOnCurve = (point.y * point.y - point.x * point.x * point.x - 7n) % PRIME === 0n
  assert(isOnCurve, 'a derived key is off the curve')
  return point
}

const xBytes = ({ x }: Affine): Uint8Array => fromHex(x.toString(16).padStart(64, '0'))

function compressed(point: Affine): Uint8Array {
  const key = new Uint8Array(33)
  key[0] = point.y & 1n ? 3 : 2
  key.set(xBytes(point), 1)
  made.set(key, point)
  return key
}

/** Whoever changed the bytes after they were handed out gets the point of what they are now. */
function decode(key: Uint8Array): Affine {
  const known = made.get(key)
  if (known && equalBytes(xBytes(known), key.subarray(1))) return known
  const { x, y } = Point.fromBytes(key)
  return { x, y }
}

function isScalar(bytes: Uint8Array): boolean {
  const scalar = BigInt(`0x${toHex(bytes)}`)
  return scalar > 0n && scalar < ORDER
}

/** In chunks; the first result of each is held against the audited library. */
function inChunks(
  items: readonly Uint8Array[],
  pointsOf: (item: Uint8Array) => readonly Affine[],
  encode: (point: Affine) => Uint8Array,
  audited: (items: readonly Uint8Array[]) => Uint8Array[],
): Uint8Array[] {
  if (items.length < SMALLEST_BATCH) return audited(items)
  const keys: Uint8Array[] = []
  for (let from = 0; from < items.length; from += LARGEST_BATCH) {
    const chunk = items.slice(from, from + LARGEST_BATCH)
    const own = sumEach(chunk.map(pointsOf))?.map((sum) => encode(checked(sum))) ?? audited(chunk)
    const [expected] = audited(chunk.slice(0, 1))
    const [first] = own
    assert(first && expected && equalBytes(first, expected), 'two ways to derive a key differ')
    keys.push(...own)
  }
  return keys
}

/** The even point of an internal key and the points of its tweak. */
function taprootPoints(internalKey: Uint8Array): readonly Affine[] {
  const isXOnly = internalKey.length === 32
  const x = isXOnly ? internalKey : internalKey.subarray(1)
  const point = decode(isXOnly ? Uint8Array.of(2, ...internalKey) : internalKey)
  const even = point.y & 1n ? { x: point.x, y: PRIME - point.y } : point
  return [even, ...tablePoints(tapTweak(x))]
}

/**
 * Public derivation in bulk, in plain JavaScript: points of a table are added with affine formulas, whole
 * batches at once. Variable time: for public keys only. Falls back to `nobleCurve` for small batches and for the sums
 * that the formulas do not cover.
 */
export const batchCurve: Curve = {
  addTweaks(parent, tweaks) {
    if (!tweaks.every(isScalar)) return nobleCurve.addTweaks(parent, tweaks)
    const start = decode(parent)
    return inChunks(
      tweaks,
      (tweak) => [start, ...tablePoints(tweak)],
      compressed,
      (some) => nobleCurve.addTweaks(parent, some),
    )
  },
  taprootKeys: (keys) => inChunks(keys, taprootPoints, xBytes, nobleCurve.taprootKeys),
}
