import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { PlannedInput, PlannedOutput } from '../../capabilities/spending/index.ts'
import { MAX_SAT, sat, toHex, txid, type WithdrawalId } from '../../kernel/index.ts'
import { inputsOf, inputsText, outputsOf, outputsText } from './version-text.ts'

const hash = fc.uint8Array({ minLength: 32, maxLength: 32 }).map((bytes) => txid(toHex(bytes)))
const script = fc.uint8Array({ maxLength: 60 })
const amount = fc.bigInt({ min: 0n, max: MAX_SAT }).map(sat)
const uint32 = fc.nat({ max: 0xffff_ffff })
const index = fc.nat({ max: 0x7fff_ffff })
const input: fc.Arbitrary<PlannedInput> = fc.record({
  txid: hash,
  vout: uint32,
  amount,
  script,
  branch: index,
  index,
  sequence: uint32,
})
const role: fc.Arbitrary<PlannedOutput['role']> = fc.oneof(
  fc.record({
    kind: fc.constant('payment' as const),
    withdrawals: fc.array(fc.string().map((text) => text as WithdrawalId)),
  }),
  fc.record({ kind: fc.constant('change' as const), branch: index, index }),
)
const output: fc.Arbitrary<PlannedOutput> = fc.record({ script, amount, role })

test('a transaction comes back as it was kept, and is kept in one form', () => {
  fc.assert(
    fc.property(fc.array(input), fc.array(output), (inputs, outputs) => {
      const [ins, outs] = [inputsText(inputs), outputsText(outputs)]
      expect(inputsOf(ins)).toEqual(inputs)
      expect(outputsOf(outs)).toEqual(outputs)
      expect([inputsText(inputsOf(ins)), outputsText(outputsOf(outs))]).toEqual([ins, outs])
    }),
  )
})

const goodInput = {
  txid: 'ab'.repeat(32),
  vout: 0,
  amount_sat: '1',
  script: '00',
  branch: 0,
  index: 0,
  sequence: 1,
}
const goodOutput = { script: '00', amount_sat: '1', withdrawals: ['wdr_1'] }
const goodChange = { script: '00', amount_sat: '1', branch: 1, index: 2 }

describe('a damaged row is refused', () => {
  test('but a good one is not', () => {
    expect(inputsOf(JSON.stringify([goodInput]))).toHaveLength(1)
    expect(outputsOf(JSON.stringify([goodOutput, goodChange]))).toHaveLength(2)
  })
  test.each([
    ['no list', goodInput],
    ['null', null],
    ['a part that is null', [null]],
    ['a part that is a list', [[]]],
    ['a part that is a text', ['x']],
    ['one member more', [{ ...goodInput, more: 1 }]],
    ['a short txid', [{ ...goodInput, txid: 'ab' }]],
    ['a txid in capitals', [{ ...goodInput, txid: 'AB'.repeat(32) }]],
    ['an output number above 32 bits', [{ ...goodInput, vout: 4_294_967_296 }]],
    ['half an output', [{ ...goodInput, vout: 0.5 }]],
    ['a negative index', [{ ...goodInput, index: -1 }]],
    ['a hardened index', [{ ...goodInput, index: 0x8000_0000 }]],
    ['a number as an amount', [{ ...goodInput, amount_sat: 1 }]],
    ['an amount with a sign', [{ ...goodInput, amount_sat: '-1' }]],
    ['an amount with a zero before it', [{ ...goodInput, amount_sat: '01' }]],
    ['more than there is', [{ ...goodInput, amount_sat: `${MAX_SAT + 1n}` }]],
    ['half a byte of script', [{ ...goodInput, script: '0' }]],
    ['a script that is none', [{ ...goodInput, script: null }]],
  ])('input: %s', (_name, value) => {
    expect(() => inputsOf(JSON.stringify(value))).toThrow(/stored transaction/)
  })
  test.each([
    ['both payment and change', [{ ...goodOutput, branch: 1, index: 2 }]],
    ['neither', [{ script: '00', amount_sat: '1' }]],
    ['change without an index', [{ script: '00', amount_sat: '1', branch: 1 }]],
    ['a withdrawal that is no text', [{ ...goodOutput, withdrawals: [1] }]],
    ['withdrawals that are no list', [{ ...goodOutput, withdrawals: 'wdr_1' }]],
    ['a part without a script', [{ amount_sat: '1', withdrawals: [] }]],
  ])('output: %s', (_name, value) => {
    expect(() => outputsOf(JSON.stringify(value))).toThrow(/stored transaction/)
  })
  test('a text that is no JSON', () => {
    expect(() => inputsOf('[')).toThrow()
  })
})
