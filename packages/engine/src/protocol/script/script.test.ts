import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { fromHex, toHex } from '../../kernel/index.ts'
import {
  classifyOutput,
  decodeScriptNumber,
  encodeNumberPush,
  encodePush,
  encodeScriptNumber,
  joinBytes,
  multisigScript,
  opReturnScript,
  p2pkhScript,
  p2shScript,
  p2trScript,
  p2wpkhScript,
  p2wshScript,
  parseMultisigScript,
  readScript,
  witnessScript,
} from './index.ts'

const zeros = (length: number) => new Uint8Array(length)
const key = (last: number) => Uint8Array.of(2, ...zeros(31), last)

describe('script numbers', () => {
  it('are written as Bitcoin Core writes them', () => {
    const cases: [number, string][] = [
      [0, ''],
      [1, '01'],
      [-1, '81'],
      [127, '7f'],
      [128, '8000'],
      [-128, '8080'],
      [255, 'ff00'],
      [256, '0001'],
      [-255, 'ff80'],
      [2147483647, 'ffffff7f'],
    ]
    for (const [value, hex] of cases) expect(toHex(encodeScriptNumber(value))).toBe(hex)
  })
  it('go both ways, and only the shortest form is read', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: -(2n ** 31n) + 1n, max: 2n ** 31n - 1n }), (value) => {
        const decoded = decodeScriptNumber(encodeScriptNumber(value))
        expect(decoded.ok && decoded.value).toBe(value)
      }),
    )
    for (const hex of ['00', '80', '0100', '0180', 'ff0000', '0102030405']) {
      expect(decodeScriptNumber(fromHex(hex)).ok).toBe(false)
    }
  })
})

describe('pushes', () => {
  it('are the shortest and go both ways', () => {
    for (const length of [0, 1, 75, 76, 255, 256, 520, 65535]) {
      const data = zeros(length).fill(0x7e)
      const steps = readScript(encodePush(data))
      expect(steps.ok && toHex(steps.value[0]?.data ?? zeros(0))).toBe(toHex(data))
    }
    expect(toHex(encodeNumberPush(16))).toBe('60')
    expect(toHex(encodeNumberPush(17))).toBe('0111')
    expect(toHex(encodeNumberPush(0))).toBe('00')
    expect(toHex(encodeNumberPush(-1))).toBe('4f')
  })
  it('that run past the end are refused', () => {
    for (const hex of ['01', '4c', '4c02aa', '4dff', '4d0100', '4e00', '4effffffff00']) {
      expect(readScript(fromHex(hex)).ok).toBe(false)
    }
  })
})

describe('outputs', () => {
  it('are told apart', () => {
    const types: [Uint8Array, string][] = [
      [p2pkhScript(zeros(20)), 'p2pkh'],
      [p2shScript(zeros(20)), 'p2sh'],
      [p2wpkhScript(zeros(20)), 'p2wpkh'],
      [p2wshScript(zeros(32)), 'p2wsh'],
      [p2trScript(zeros(32)), 'p2tr'],
      [witnessScript(1, zeros(20)), 'witness_unknown'],
      [witnessScript(16, zeros(2)), 'witness_unknown'],
      [fromHex('51024e73'), 'p2a'],
      [fromHex(`0015${'00'.repeat(21)}`), 'nonstandard'],
      [opReturnScript(zeros(3)), 'op_return'],
      [joinBytes(encodePush(key(1)), Uint8Array.of(0xac)), 'p2pk'],
      [zeros(0), 'nonstandard'],
      [Uint8Array.of(0x51), 'nonstandard'],
      [Uint8Array.of(0xae), 'nonstandard'],
    ]
    for (const [script, type] of types) expect(classifyOutput(script).type).toBe(type)
  })
  it('never throw, whatever the bytes', () => {
    const near = fc.tuple(
      fc.constantFrom(...'51ae 5121 6a 0014 0020 5120 76a914 a914 4d'.split(' ')),
      fc.uint8Array({ maxLength: 60 }),
    )
    fc.assert(
      fc.property(
        fc.oneof(
          fc.uint8Array({ maxLength: 300 }),
          near.map(([head, tail]) => joinBytes(fromHex(head), tail)),
        ),
        (script) => {
          expect(typeof classifyOutput(script).type).toBe('string')
        },
      ),
      { numRuns: 2000 },
    )
  })
})

describe('bare multisig', () => {
  it('goes both ways for 1 to 20 keys', () => {
    for (let n = 1; n <= 20; n++) {
      const publicKeys = Array.from({ length: n }, (_, i) => key(i))
      const script = multisigScript({ threshold: n, publicKeys })
      const parsed = script.ok ? parseMultisigScript(script.value) : script
      expect(parsed.ok && parsed.value.threshold).toBe(n)
      expect(script.ok && classifyOutput(script.value).type).toBe('multisig')
    }
  })
  it('refuses rules that cannot be met', () => {
    const publicKeys = [key(1), key(2)]
    for (const threshold of [0, 3, -1, 1.5, Number.NaN]) {
      expect(multisigScript({ threshold, publicKeys }).ok).toBe(false)
    }
    expect(multisigScript({ threshold: 1, publicKeys: [] }).ok).toBe(false)
    expect(
      multisigScript({ threshold: 1, publicKeys: Array.from({ length: 21 }, (_, i) => key(i)) }).ok,
    ).toBe(false)
    expect(multisigScript({ threshold: 1, publicKeys: [zeros(33)] }).ok).toBe(false)
  })
})
