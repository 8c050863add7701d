import { AssertionError } from '../../kernel/index.ts'

/**
 * Any JSON value with nothing lost: a number is kept as the digits that stood in the text, so that no amount of money
 * ever passes through a double. Objects have no prototype: `__proto__` is a member like any other and
 * nothing is found that was not in the text.
 */
export type JsonValue = null | boolean | string | JsonNumber | JsonArray | JsonObject
export type JsonArray = readonly JsonValue[]
export type JsonObject = { readonly [name: string]: JsonValue }

const NUMBER = /^-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?$/
const INTEGER = /^-?(?:0|[1-9]\d*)$/

/** A number as written. Convert it with `jsonInteger`, `jsonBigInt`, or, money, with `protocol/amounts`. */
export class JsonNumber {
  /** The literal of the text, in the grammar of RFC 8259: `0.00010000`, `-1`, `1e-8`. */
  readonly text: string

  /** @throws AssertionError unless `text` is a JSON number. */
  constructor(text: string) {
    if (!NUMBER.test(text)) throw new AssertionError('not a JSON number')
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
