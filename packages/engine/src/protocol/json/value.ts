import { AssertionError } from '../../kernel/index.ts'

/**
 * Any JSON value with nothing lost: a number is kept as the digits that stood in the text, so that no amount of money
 * ever passes through a double. Objects have no prototype: `__proto__` is a member like any other and
 * nothing is found that was not in the text.
 */
export type JsonValue = null | boolean | string | JsonNumber | JsonArray | JsonObject
export type JsonArray = readonly JsonValue[]
export type JsonObject = { readonly [name: string]: JsonValue }

const INTEGER = /^-?(?:0|[1-9]\d*)$/

const isDigit = (code: number): boolean => code >= 0x30 && code <= 0x39
const digitsEnd = (text: string, from: number): number => {
  let at = from
  while (at < text.length && isDigit(text.charCodeAt(at))) at++
  return at
}

/** Where the number that begins at `from` ends, by the grammar of RFC 8259; -1 when none begins there. */
export function numberEnd(text: string, from: number): number {
  let at = text.charCodeAt(from) === 0x2d ? from + 1 : from
  const whole = digitsEnd(text, at)
  if (whole === at || (text.charCodeAt(at) === 0x30 && whole > at + 1)) return -1
  at = whole
  if (text.charCodeAt(at) === 0x2e) {
    const end = digitsEnd(text, at + 1)
    if (end === at + 1) return -1
    at = end
  }
  if ((text.charCodeAt(at) | 0x20) !== 0x65) return at
  const sign = text.charCodeAt(at + 1)
  const digits = sign === 0x2b || sign === 0x2d ? at + 2 : at + 1
  const end = digitsEnd(text, digits)
  return end === digits ? -1 : end
}

/** A number as written. Convert it with `jsonInteger`, `jsonBigInt`, or, money, with `protocol/amounts`. */
export class JsonNumber {
  /** The literal of the text, in the grammar of RFC 8259: `0.00010000`, `-1`, `1e-8`. */
  readonly text: string

  /** @throws AssertionError unless `text` is a JSON number. */
  constructor(text: string) {
    if (numberEnd(text, 0) !== text.length) throw new AssertionError('not a JSON number')
    this.text = text
  }
  toString(): string {
    return this.text
  }
}

export const isJsonArray = (value: JsonValue | undefined): value is JsonArray =>
  Array.isArray(value)
export const isJsonObject = (value: JsonValue | undefined): value is JsonObject =>
  typeof value === 'object' &&
  value !== null &&
  !Array.isArray(value) &&
  !(value instanceof JsonNumber)

/** The whole number that is written here without fraction or exponent; undefined for anything else. */
export const jsonBigInt = (value: JsonValue | undefined): bigint | undefined =>
  value instanceof JsonNumber && value.text.length <= 40 && INTEGER.test(value.text)
    ? BigInt(value.text)
    : undefined

/** As `jsonBigInt`, for heights, counts and times: undefined also outside the safe integers. `-0` is 0. */
export function jsonInteger(value: JsonValue | undefined): number | undefined {
  if (!(value instanceof JsonNumber) || value.text.length > 17 || !INTEGER.test(value.text)) {
    return undefined
  }
  const number = Number(value.text)
  return Number.isSafeInteger(number) ? number + 0 : undefined
}

/** The nearest double, for difficulties, progress and the like. Never for money. */
export const jsonDouble = (value: JsonValue | undefined): number | undefined =>
  value instanceof JsonNumber ? Number(value.text) : undefined
