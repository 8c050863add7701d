import fc from 'fast-check'
import { expect, it } from 'vitest'
import { formatBtc, MAX_SAT, sat } from '../../kernel/index.ts'
import { exactSat } from './decimal.ts'

it.each([
  ['0', 0n],
  ['0.00000000', 0n],
  ['-0', 0n],
  ['0.00000001', 1n],
  ['1e-8', 1n],
  ['1E-08', 1n],
  ['5e-05', 5_000n],
  ['-0.29000000', -29_000_000n],
  ['0.29', 29_000_000n],
  ['20999999.9769', 2_099_999_997_690_000n],
  ['50', 5_000_000_000n],
  ['2.1e7', 2_100_000_000_000_000n],
  ['0.000000010', 1n],
])('%s is %s satoshi', (text, value) => expect(exactSat(text)).toBe(value))

it.each([
  '0.000000001',
  '1e-9',
  '1.234567891',
  '',
  '.5',
  '+1',
  '0x1',
  'NaN',
  '1e999',
  '1e-999',
  '1'.repeat(30),
])('%s is refused', (text) => expect(exactSat(text)).toBeUndefined())

it('reads back every amount that Core writes', () => {
  fc.assert(
    fc.property(fc.bigInt({ min: 0n, max: MAX_SAT }), (value) => {
      expect(exactSat(formatBtc(sat(value)))).toBe(value)
      expect(exactSat(`-${formatBtc(sat(value))}`)).toBe(-value)
    }),
  )
})

it('reads back the shortest form that a node in Go writes', () => {
  fc.assert(
    fc.property(fc.bigInt({ min: 0n, max: MAX_SAT }), (value) => {
      const [digits = '', exponent = '0'] = (Number(value) / 10 ** 8).toExponential().split('e')
      expect(exactSat(`${digits}e${exponent}`)).toBe(value)
    }),
  )
})
