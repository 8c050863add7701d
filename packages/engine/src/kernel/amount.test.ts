import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  addSat,
  feeFor,
  formatBtc,
  MAX_SAT,
  parseBtc,
  parseSat,
  sat,
  satPerKvB,
  subSat,
  sumSat,
  weight,
} from './amount.ts'
import { AssertionError } from './error.ts'

const FULL = Number(process.env['KACCY_SCALE'] ?? '0.1') >= 1
const amounts = fc.bigInt({ min: 0n, max: MAX_SAT }).map(sat)

describe('sat', () => {
  test.each([-1n, MAX_SAT + 1n, 2n ** 64n])('%s is no amount', (value) => {
    expect(() => sat(value)).toThrow(AssertionError)
  })
  test('sums stay inside 21 million, differences above zero', () => {
    expect(() => addSat(sat(MAX_SAT), sat(1n))).toThrow(AssertionError)
    expect(() => subSat(sat(1n), sat(2n))).toThrow(AssertionError)
    expect(() => sumSat([sat(MAX_SAT), sat(1n)])).toThrow(AssertionError)
    fc.assert(
      fc.property(amounts, amounts, (a, b) => {
        const [less, more] = a < b ? [a, b] : [b, a]
        expect(addSat(subSat(more, less), less)).toBe(more)
      }),
    )
  })
})

describe('bitcoins as decimal text', () => {
  test.each([
    ['0', 0n],
    ['0.00000001', 1n],
    ['0.29', 29_000_000n], // a double makes 28,999,999 of it
    ['1.1', 110_000_000n],
    ['20999999.9769', 2_099_999_997_690_000n],
    ['21000000', MAX_SAT],
    ['00000001.50000000', 150_000_000n],
  ])('%s', (text, value) => {
    expect(parseBtc(text)).toEqual({ ok: true, value })
  })

  test.each([
    '',
    '.5',
    '5.',
    '-1',
    '+1',
    '1e8',
    '1E-8',
    '0x10',
    '1,5',
    ' 1',
    '1 ',
    '1\n',
    '0.000000001',
    '21000000.00000001',
    '99999999',
    '١',
    'NaN',
    'Infinity',
  ])('%j is refused', (text) => {
    const read = parseBtc(text, 'price')
    expect(read).toMatchObject({ ok: false, error: { code: 'AMOUNT_INVALID', param: 'price' } })
  })

  test(`${FULL ? '1,000,000' : '100,000'} amounts survive the way to text and back`, () => {
    fc.assert(
      fc.property(amounts, (amount) => {
        const text = formatBtc(amount)
        if (!/^\d+\.\d{8}$/.test(text)) throw new RangeError(text)
        const read = parseBtc(text)
        if (!read.ok || read.value !== amount) throw new RangeError(`${amount} -> ${text}`)
        // The same by another road: all digits as one integer.
        if (BigInt(text.replace('.', '')) !== amount) throw new RangeError(text)
      }),
      { numRuns: FULL ? 1_000_000 : 100_000 },
    )
  })
})

describe('satoshis from outside', () => {
  test.each([
    [0, 0n],
    [150_000, 150_000n],
    [Number(MAX_SAT), MAX_SAT],
    ['0', 0n],
    ['2100000000000000', MAX_SAT],
    [5n, 5n],
  ])('%s', (value, expected) => {
    expect(parseSat(value)).toEqual({ ok: true, value: expected })
  })

  test.each([
    [1.5],
    [-1],
    [Number.NaN],
    [Number.POSITIVE_INFINITY],
    [2 ** 53],
    [Number(MAX_SAT) + 1],
    ['1.0'],
    ['1e8'],
    ['-1'],
    ['+1'],
    ['01'],
    [''],
    [' 1'],
    ['2100000000000001'],
    [-1n],
    [MAX_SAT + 1n],
    [null],
    [undefined],
    [true],
    [{}],
    [[1]],
  ])('%o is refused', (value) => {
    expect(parseSat(value)).toMatchObject({
      ok: false,
      error: { code: 'AMOUNT_INVALID', param: 'amount_sat' },
    })
  })
})

describe('fees', () => {
  test.each([
    [1000n, 562, 141n],
    [1000n, 561, 141n],
    [1000n, 560, 140n],
    [1001n, 4, 2n],
    [0n, 4_000_000, 0n],
  ])('%s sat/kvB for %s wu', (rate, size, fee) => {
    expect(feeFor(satPerKvB(rate), weight(size))).toBe(fee)
  })

  test('the fee is the least that reaches the rate', () => {
    fc.assert(
      fc.property(
        fc.bigInt({ min: 0n, max: 1_000_000n }).map(satPerKvB),
        fc.nat({ max: 4_000_000 }).map(weight),
        (rate, size) => {
          const vbytes = BigInt(Math.ceil(size / 4))
          const fee = feeFor(rate, size)
          expect(fee * 1000n >= rate * vbytes).toBe(true)
          if (fee > 0n) expect((fee - 1n) * 1000n < rate * vbytes).toBe(true)
        },
      ),
    )
  })

  test.each([-1, 1.5, Number.NaN])('%s is no weight', (value) => {
    expect(() => weight(value)).toThrow(AssertionError)
  })
  test('no rate is negative', () => {
    expect(() => satPerKvB(-1n)).toThrow(AssertionError)
  })
})
