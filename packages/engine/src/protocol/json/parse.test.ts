import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  formatJson,
  isJsonObject,
  JsonNumber,
  type JsonValue,
  jsonBigInt,
  jsonDouble,
  jsonInteger,
  MAX_JSON_DEPTH,
  parseJson,
} from './index.ts'

const shared = process.env['KACCY_SHARED'] ?? join(process.cwd(), '../shared')
const readable = (text: string | Uint8Array): JsonValue => {
  const result = parseJson(text)
  if (!result.ok) throw new Error(`refused: ${result.error.message}`)
  return result.value
}
/** The same value as the engine's own parser gives it, numbers by their digits. */
const plain = (value: JsonValue): unknown => {
  if (value instanceof JsonNumber) return Number(value.text)
  if (Array.isArray(value)) return value.map(plain)
  if (!isJsonObject(value)) return value
  return Object.fromEntries(Object.entries(value).map(([name, member]) => [name, plain(member)]))
}

interface Vector {
  readonly name: string
  readonly valid: boolean
  readonly base64: string
}
const file = join(shared, 'vectors/json/univalue.json')
const cases: readonly Vector[] = existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : []

describe.skipIf(cases.length === 0)('public texts (SKIPPED where ../shared is not there)', () => {
  it.each(cases)('takes or refuses $name as its vector says', ({ valid, base64 }) => {
    expect(parseJson(new Uint8Array(Buffer.from(base64, 'base64'))).ok).toBe(valid)
  })
})

describe('strict JSON', () => {
  it.each([
    ['nothing', ''],
    ['a byte order mark', '\uFEFF{}'],
    ['a lone surrogate written as it is', '"\ud800"'],
    ['a lone surrogate in a name', '{"\\udc00":1}'],
    ['halves in the wrong order', '"\\udc00\\ud800"'],
    ['a name twice', '{"a":1,"a":1}'],
    ['a name twice, once escaped', '{"a":1,"\\u0061":2}'],
    ['a leading zero', '01'],
    ['a leading plus', '+1'],
    ['a bare fraction', '.5'],
    ['a fraction without digits', '1.'],
    ['not a number', 'NaN'],
    ['infinity', '-Infinity'],
    ['hexadecimal', '0x10'],
    ['a comment', '{}//'],
    ['a comma at the end of an object', '{"a":1,}'],
    ['a comma at the start', '[,1]'],
    ['a space that JSON does not know', '\u00a01'],
    ['a vertical tab', '\v1'],
    ['an escaped quote at the end', '"\\"'],
    ['a second value', '1 2'],
    ['a NUL after the value', '1\0'],
  ])('refuses %s', (_, text) => {
    const result = parseJson(text)
    expect(result).toMatchObject({ ok: false, error: { code: 'JSON_INVALID' } })
  })

  it('keeps the digits of every number', () => {
    for (const text of [
      '0.00010000',
      '-0',
      '1e-8',
      '2100000000000000000001',
      '1E+2',
      '20999999.9769',
    ]) {
      expect(readable(text)).toEqual(new JsonNumber(text))
    }
  })

  it('reads integers only when they are written as integers', () => {
    expect(jsonInteger(readable('-12'))).toBe(-12)
    expect(Object.is(jsonInteger(readable('-0')), 0)).toBe(true)
    expect(jsonInteger(readable('9007199254740991'))).toBe(Number.MAX_SAFE_INTEGER)
    for (const text of ['9007199254740993', '1.0', '1e2', '"1"', 'null', `1${'0'.repeat(400)}`]) {
      expect(jsonInteger(readable(text))).toBeUndefined()
    }
    expect(jsonBigInt(readable('9007199254740993'))).toBe(9007199254740993n)
    expect(jsonBigInt(readable('1.5'))).toBeUndefined()
    expect(jsonDouble(readable('1e-3'))).toBe(0.001)
    expect(jsonDouble(undefined)).toBeUndefined()
  })

  it('treats __proto__, constructor and toString as plain names', () => {
    const value = readable('{"__proto__":{"admin":true},"constructor":1}')
    expect(isJsonObject(value) && value['admin']).toBeUndefined()
    expect(isJsonObject(value) && value['toString']).toBeUndefined()
    expect(Object.getPrototypeOf(value)).toBeNull()
    expect(isJsonObject(value) && Object.keys(value)).toEqual(['__proto__', 'constructor'])
    expect(({} as { admin?: boolean }).admin).toBeUndefined()
  })

  it('stops at the depth limit, not at the end of the stack', () => {
    const nested = (depth: number) => '['.repeat(depth) + ']'.repeat(depth)
    expect(parseJson(nested(MAX_JSON_DEPTH)).ok).toBe(true)
    expect(parseJson(nested(MAX_JSON_DEPTH + 1)).ok).toBe(false)
    expect(parseJson('['.repeat(1_000_000)).ok).toBe(false)
    expect(parseJson('{"a":'.repeat(1_000_000)).ok).toBe(false)
    expect(parseJson('[[1],[2]]', 2).ok).toBe(true)
    expect(parseJson('[[1],[[2]]]', 2).ok).toBe(false)
  })

  it('reads what JSON.stringify writes, and writes it back', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        const text = JSON.stringify(value)
        if (/\\ud[89a-f]/.test(text)) return
        const read = readable(text)
        expect(plain(read)).toEqual(JSON.parse(text))
        expect(formatJson(read)).toBe(text)
      }),
    )
  })

  it('never takes a text that JSON.parse refuses, whatever is damaged', () => {
    // V8 13.6 takes a name with the escape "\b" for one with "\\" once it has seen the latter in an object of the same shape:
    // JSON.parse says here whether a text is JSON, and what it means only where no name needs an escape.
    const isPlain = (name: string) => JSON.stringify(name).length === name.length + 2
    const whole = '{"a":[1,-2.5e3,true,null,"x\\u00e9\\n\\"",{}],"k\\\\b":"\ud83d\ude00"}'
    fc.assert(
      fc.property(
        fc.nat(whole.length - 1),
        fc.nat(3),
        fc.string({ maxLength: 3, unit: 'binary' }),
        (at, cut, put) => {
          const text = whole.slice(0, at) + put + whole.slice(at + cut)
          const ours = parseJson(text)
          if (!ours.ok) return
          const theirs: unknown = JSON.parse(text)
          const names = isJsonObject(ours.value) ? Object.keys(ours.value) : []
          if (names.every(isPlain)) expect(plain(ours.value)).toEqual(theirs)
        },
      ),
      { numRuns: 5_000, examples: [[45, 1, '']] },
    )
  })

  it('refuses to write what is not exact', () => {
    expect(formatJson({ a: [1n, 2, new JsonNumber('0.10')], b: undefined })).toBe(
      '{"a":[1,2,0.10]}',
    )
    for (const value of [0.1, 2 ** 53, Number.NaN, '\ud800'])
      expect(() => formatJson(value)).toThrow()
    expect(() => new JsonNumber('1,5')).toThrow()
  })
})
