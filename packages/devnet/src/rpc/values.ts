import { tryFromHex } from '../chain/bytes.ts'
import { rpcError } from './errors.ts'
import { amountArgument, fixedPoint, hashArgument } from './method.ts'

type Kind = 'string' | 'number' | 'bool' | 'array' | 'object'
/** How Core's JSON library calls the type of a value. */
export const kindOf = (value: unknown): string => {
  if (value === null || value === undefined) return 'null'
  if (Array.isArray(value)) return 'array'
  return typeof value === 'boolean' ? 'bool' : typeof value
}
function expectKind(value: unknown, kind: Kind): void {
  const actual = kindOf(value)
  if (actual === kind) return
  const fault = `JSON value of type ${actual} is not of expected type ${kind}`
  throw rpcError('typeError', fault)
}
/** @throws RpcError -3 in Core's words, like the ones below. */
export function textValue(value: unknown): string {
  expectKind(value, 'string')
  return value as string
}
export function flagValue(value: unknown): boolean {
  expectKind(value, 'bool')
  return value as boolean
}
export function listValue(value: unknown): readonly unknown[] {
  expectKind(value, 'array')
  return value as readonly unknown[]
}
export function objectValue(value: unknown): Readonly<Record<string, unknown>> {
  expectKind(value, 'object')
  return value as Readonly<Record<string, unknown>>
}
/** A whole number. @throws RpcError -1 where it has decimals, as Core's JSON library does. */
export function wholeValue(value: unknown): number {
  expectKind(value, 'number')
  if (!Number.isSafeInteger(value)) throw rpcError('misc', 'JSON integer out of range')
  return value as number
}
/** Members of an object by type; `any` takes everything. `strict`: no others may stand there. @throws RpcError -3. */
export function checkMembers(
  object: Readonly<Record<string, unknown>>,
  kinds: Readonly<Record<string, Kind | 'any'>>,
  options: { readonly optional?: boolean; readonly strict?: boolean } = {},
): void {
  for (const [name, kind] of Object.entries(kinds)) {
    const value = object[name]
    if (value === undefined || value === null) {
      if (options.optional) continue
      throw rpcError('typeError', `Missing ${name}`)
    }
    if (kind === 'any' || kindOf(value) === kind) continue
    const fault = `JSON value of type ${kindOf(value)} for field ${name}`
    throw rpcError('typeError', `${fault} is not of expected type ${kind}`)
  }
  if (!options.strict) return
  const other = Object.keys(object).find((name) => !(name in kinds))
  if (other !== undefined) throw rpcError('typeError', `Unexpected key ${other}`)
}
/** @throws RpcError -8 unless hex. */
export function hexValue(value: unknown, name: string): Uint8Array {
  const text = value === undefined || value === null ? '' : String(value)
  const bytes = text === '' ? undefined : tryFromHex(text)
  if (bytes) return bytes
  throw rpcError('invalidParameter', `${name} must be hexadecimal string (not '${text}')`)
}
export const hashValue = (value: unknown, name: string): string =>
  hashArgument(textValue(value), name)
/** Satoshi per 1000 vbytes from satoshi per vbyte with up to three decimals. @throws RpcError -3. */
export function rateValue(value: unknown): bigint {
  if (kindOf(value) !== 'number' && kindOf(value) !== 'string') {
    throw rpcError('typeError', 'Amount is not a number or string')
  }
  const rate = fixedPoint(String(value), 3)
  if (rate === undefined) throw rpcError('typeError', 'Invalid amount')
  if (rate < 0n || rate > 2_100_000_000_000_000n) {
    throw rpcError('typeError', 'Amount out of range')
  }
  return rate
}
export { amountArgument as amountValue }

const SIGHASH: Readonly<Record<string, number>> = {
  DEFAULT: 0,
  ALL: 1,
  'ALL|ANYONECANPAY': 0x81,
  NONE: 2,
  'NONE|ANYONECANPAY': 0x82,
  SINGLE: 3,
  'SINGLE|ANYONECANPAY': 0x83,
}
/** Hash type of a signature by name; 0 without one. @throws RpcError -8. */
export function sighashValue(value: unknown): number {
  if (value === undefined || value === null) return 0
  const type = Object.hasOwn(SIGHASH, textValue(value)) ? SIGHASH[String(value)] : undefined
  if (type !== undefined) return type
  throw rpcError('invalidParameter', `'${value}' is not a valid sighash parameter.`)
}
export const sighashName = (type: number): string =>
  Object.entries(SIGHASH).find(([name, own]) => own === (type & 0xff) && name !== 'DEFAULT')?.[0] ??
  ''
