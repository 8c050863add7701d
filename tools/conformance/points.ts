import { fromHex, toHex } from '@kaccy/bitcoin/kernel'
import { secp256k1 } from '@noble/curves/secp256k1.js'
import { differs, isRecord, jsonShape, type Shape, sections, type Verdict } from './cases.ts'

const { Point } = secp256k1
const ORDER = Point.Fn.ORDER

interface PointRow {
  readonly P: string
  readonly Q: string
  readonly d: string
  readonly compress?: boolean
  /** Null: the sum is the point at infinity, which has no encoding. */
  readonly expected: string | boolean | null
}
const scalarOf = (hex: string): bigint => BigInt(`0x${hex}`)
const text = (point: InstanceType<typeof Point>, isCompressed: boolean): string | null =>
  point.is0() ? null : toHex(point.toBytes(isCompressed))
const isShort = (hex: string): boolean => hex.length === 66

function isPoint(hex: string): boolean {
  try {
    Point.fromBytes(fromHex(hex)).assertValidity()
    return true
  } catch {
    return false
  }
}
function addScalar(row: PointRow): string | null {
  const tweak = scalarOf(row.d)
  if (tweak >= ORDER) throw new RangeError('a tweak beyond the order')
  const start = Point.fromBytes(fromHex(row.P))
  const sum = tweak === 0n ? start : start.add(Point.BASE.multiplyUnsafe(tweak))
  return text(sum, isShort(row.P))
}
const fromScalar = (row: PointRow): string => toHex(secp256k1.getPublicKey(fromHex(row.d)))
const compress = (row: PointRow): string | null =>
  text(Point.fromBytes(fromHex(row.P)), row.compress ?? isShort(row.P))
const add = (row: PointRow): string | null =>
  text(Point.fromBytes(fromHex(row.P)).add(Point.fromBytes(fromHex(row.Q))), isShort(row.P))

const gives = (operation: (row: PointRow) => unknown) => (row: PointRow) =>
  differs({ result: [operation(row), row.expected] })
const refuses =
  (operation: (row: PointRow) => unknown) =>
  (row: PointRow): Verdict => {
    try {
      return `gave ${String(operation(row))}, has to be refused`
    } catch {
      return undefined
    }
  }

/** Point arithmetic at its edges: the curve code under derivation and verification. */
export const points: Shape = jsonShape<object>(
  (data) => isRecord(data, 'isPoint') || isRecord(data, 'pointAdd'),
  (data) =>
    sections(data, {
      isPoint: (row: PointRow) => differs({ isPoint: [isPoint(row.P), row.expected] }),
      pointAddScalar: gives(addScalar),
      pointFromScalar: gives(fromScalar),
      pointCompress: gives(compress),
      pointAdd: gives(add),
      invalid_pointAddScalar: refuses(addScalar),
      invalid_pointFromScalar: refuses(fromScalar),
      invalid_pointCompress: refuses(compress),
      invalid_pointAdd: refuses(add),
    }),
)
