import { ok, type Refusal, type Result, refuse } from '@kaccy/bitcoin/kernel'
import {
  isJsonArray,
  isJsonObject,
  JsonNumber,
  type JsonValue,
  parseJson,
} from '@kaccy/bitcoin/protocol/json'

/** What a request body can hold: every number is a whole one, written without sign, fraction or exponent. */
export type PlainJson =
  | null
  | boolean
  | number
  | string
  | readonly PlainJson[]
  | { readonly [name: string]: PlainJson }

const DEPTH = 16
const WHOLE = /^(?:0|[1-9]\d{0,15})$/
/** Names that would reach the prototype of an object somewhere behind us. */
const POISON: readonly string[] = ['__proto__', 'constructor', 'prototype']

/**
 * Reads a request body. Numbers are judged by their digits, before a double could hide an exponent or round them: every
 * number of this API is a whole count.
 */
export function readBody(
  bytes: Uint8Array,
): Result<PlainJson, Refusal<'JSON_INVALID' | 'FIELD_INVALID' | 'FIELD_UNKNOWN'>> {
  const parsed = parseJson(bytes, DEPTH)
  return parsed.ok ? plain(parsed.value, '') : parsed
}

function plain(value: JsonValue, at: string): ReturnType<typeof readBody> {
  if (value instanceof JsonNumber) {
    const number = Number(value.text)
    if (WHOLE.test(value.text) && Number.isSafeInteger(number)) return ok(number)
    return refuse(
      'FIELD_INVALID',
      `${at || 'the body'} is not a whole number from 0 to 9007199254740991 written in digits alone`,
      { param: at },
    )
  }
  if (isJsonArray(value)) return list(value, at)
  if (isJsonObject(value)) return members(value, at)
  return ok(value)
}

function list(values: readonly JsonValue[], at: string): ReturnType<typeof readBody> {
  const items: PlainJson[] = []
  for (const [i, value] of values.entries()) {
    const item = plain(value, `${at}[${i}]`)
    if (!item.ok) return item
    items.push(item.value)
  }
  return ok(items)
}

function members(
  object: { readonly [name: string]: JsonValue },
  at: string,
): ReturnType<typeof readBody> {
  const result: Record<string, PlainJson> = {}
  for (const [name, value] of Object.entries(object)) {
    const path = at === '' ? name : `${at}.${name}`
    if (POISON.includes(name))
      return refuse('FIELD_UNKNOWN', `${path} is not a field of this request`, { param: path })
    const member = plain(value, path)
    if (!member.ok) return member
    result[name] = member.value
  }
  return ok(result)
}
