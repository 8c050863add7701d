import fc from 'fast-check'
import { expect, test } from 'vitest'
import { feeFor, sat, satPerKvB, weight } from '../../kernel/index.ts'
import { savingsOf } from './savings.ts'

/** P2WPKH at its largest: 272 weight units an input; 30 inputs and one output of ours. */
const input = weight(272)
const whole = weight(4 * (8 + 2) + 2 + 30 * 272 + 4 * 31)

test('thirty inputs at 1 sat/vB against 10 sat/vB, to the satoshi', () => {
  // (40 + 2 + 8160 + 124) / 4 = 2081.5, so 2082 virtual bytes.
  const fee = feeFor(satPerKvB(1_000n), whole)
  expect(fee).toBe(2_082n)
  const shape = { inputs: 30, inputWeight: input, weight: whole, fee }
  expect(savingsOf({ ...shape, longTermRate: satPerKvB(10_000n) })).toEqual({
    feeLater: 20_400n,
    feeAfter: 680n,
    saving: 17_638n,
    // 19,720 sat over 2082 vbytes: 9471.66 sat/kvB.
    breakEvenRate: 9_471n,
  })
})

test('at the long-term rate it costs more than it saves, and says how much', () => {
  const longTermRate = satPerKvB(10_000n)
  const fee = feeFor(longTermRate, whole)
  const { saving } = savingsOf({ inputs: 30, inputWeight: input, weight: whole, fee, longTermRate })
  expect(saving).toBe(19_720n - 20_820n)
})

test('one input, or a free long term, saves nothing at any rate', () => {
  const shape = { inputWeight: input, weight: weight(438), fee: sat(110n) }
  const one = savingsOf({ ...shape, inputs: 1, longTermRate: satPerKvB(10_000n) })
  expect(one).toMatchObject({ saving: -110n, breakEvenRate: 0n })
  const free = savingsOf({ ...shape, inputs: 9, longTermRate: satPerKvB(0n) })
  expect(free).toMatchObject({ saving: -110n, breakEvenRate: 0n })
})

test('the break-even rate is the last one at which nothing is lost', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 2, max: 500 }),
      fc.integer({ min: 200, max: 1_500 }),
      fc.integer({ min: 100, max: 400 }),
      fc.bigInt({ min: 1n, max: 500_000n }),
      (inputs, each, rest, rate) => {
        const size = weight(inputs * each + rest)
        const at = (feeRate: bigint) =>
          savingsOf({
            inputs,
            inputWeight: weight(each),
            weight: size,
            fee: feeFor(satPerKvB(feeRate), size),
            longTermRate: satPerKvB(rate),
          })
        const { breakEvenRate } = at(rate)
        expect(at(breakEvenRate).saving >= 0n).toBe(true)
        expect(at(breakEvenRate + 1n).saving < 0n).toBe(true)
        expect(breakEvenRate <= rate).toBe(true)
      },
    ),
  )
})
