import { inspect } from 'node:util'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { equalBytes, fromHex, toHex, toReversedHex, tryFromHex } from './bytes.ts'
import { newId } from './clock.ts'
import { AssertionError, asError, assert, EngineError, refuse } from './error.ts'
import { blockHash, isHash, outPointKey, parseOutPointKey, paymentId, txid } from './ids.ts'
import { isNetwork, NETWORKS } from './network.ts'
import { Secret } from './secret.ts'

const bytes = fc.uint8Array({ maxLength: 64 })
const HASH = `${'00'.repeat(31)}ab`

describe('hex', () => {
  test('there and back, in both cases, and reversed', () => {
    fc.assert(
      fc.property(bytes, (value) => {
        expect(toHex(value)).toBe(Buffer.from(value).toString('hex'))
        expect(fromHex(toHex(value))).toEqual(value)
        expect(tryFromHex(toHex(value).toUpperCase())).toEqual(value)
        expect(toReversedHex(value)).toBe(toHex(value.slice().reverse()))
      }),
    )
  })
  test.each(['a', 'zz', '0x00', ' 00', '0\u{ff10}', '@@', '``', 'gg', '\u0141\u0141'])(
    '%j is none',
    (text) => {
      expect(tryFromHex(text)).toBeUndefined()
      expect(() => fromHex(text)).toThrow(AssertionError)
    },
  )
  test('bytes are equal when all of them are', () => {
    fc.assert(
      fc.property(bytes, bytes, (a, b) => {
        expect(equalBytes(a, a.slice())).toBe(true)
        expect(equalBytes(a, b)).toBe(toHex(a) === toHex(b))
      }),
    )
  })
})

describe('ids', () => {
  test.each(['', HASH.slice(1), `${HASH}0`, HASH.toUpperCase(), `${HASH}\n`])(
    '%j is no hash',
    (text) => {
      expect(isHash(text)).toBe(false)
      expect(() => txid(text)).toThrow(AssertionError)
      expect(() => blockHash(text)).toThrow(AssertionError)
    },
  )
  test('an outpoint has one key, and a payment is its outpoint', () => {
    const point = { txid: txid(HASH), vout: 7 }
    expect(outPointKey(point)).toBe(`${HASH}:7`)
    expect(parseOutPointKey(outPointKey(point))).toEqual(point)
    expect(paymentId(point)).toBe(`pay_${HASH}_7`)
  })
  test('new ids are in the order of their time, and look like UUIDv7', () => {
    let now = 0x0192_0000_0000
    const clock = { now: () => now }
    const entropy = { bytes: (length: number) => new Uint8Array(length).fill(0xff) }
    const first = newId('ord', clock, entropy)
    now += 1
    const second = newId('ord', clock, entropy)
    expect(first).toBe('ord_0192000000007fffbfffffffffffffff')
    expect(first < second).toBe(true)
  })
})

describe('the three ways to say no', () => {
  test('a refusal is a value and names its field', () => {
    expect(refuse('FIELD_INVALID', 'no', { param: 'a', details: { most: 3 } })).toEqual({
      ok: false,
      error: { code: 'FIELD_INVALID', message: 'no', param: 'a', details: { most: 3 } },
    })
    expect('param' in refuse('NOT_FOUND', 'no').error).toBe(false)
  })
  test('an error takes its remedy from the registry, and keeps its cause', () => {
    const cause = new TypeError('socket')
    const error = new EngineError('NODE_UNREACHABLE', 'gone', { cause, details: { port: 8332 } })
    expect(error).toMatchObject({ name: 'EngineError', remedy: 'retry', details: { port: 8332 } })
    expect(error.cause).toBe(cause)
    expect(new EngineError('NOT_FOUND', 'no').remedy).toBe('caller')
  })
  test('a refusal that nobody handles becomes the error of the same code', () => {
    const { error } = refuse('FIELD_INVALID', 'no', { param: 'a', details: { most: 3 } })
    expect(asError(error)).toMatchObject({
      code: 'FIELD_INVALID',
      message: 'no',
      details: { most: 3, param: 'a' },
    })
  })
  test('an assertion says what should have been true', () => {
    expect(() => assert(true, 'fine')).not.toThrow()
    expect(() => assert(0, 'the sum')).toThrow(new AssertionError('the sum'))
  })
})

test('a secret shows itself to nobody but who asks for it by name', () => {
  const secret = new Secret('hunter2')
  const shown = [
    String(secret),
    `${secret}`,
    JSON.stringify({ secret }),
    inspect(secret),
    inspect({ deep: { secret } }, { depth: 9, showHidden: true }),
    Object.values(secret).join(),
    JSON.stringify(Object.getOwnPropertyDescriptors(secret)),
  ]
  for (const text of shown) expect(text).not.toContain('hunter2')
  expect(secret.reveal()).toBe('hunter2')
})

test('five networks, by the names of Bitcoin Core', () => {
  expect(NETWORKS).toEqual(['main', 'test', 'testnet4', 'signet', 'regtest'])
  expect(NETWORKS.every(isNetwork)).toBe(true)
  expect(['mainnet', 'Main', '', null, 1].some(isNetwork)).toBe(false)
})
