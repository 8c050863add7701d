import { EngineError } from '@kaccy/bitcoin/kernel'
import { expect, test } from 'vitest'
import {
  rateText,
  readAmount,
  readChoice,
  readDuration,
  readNumber,
  readPairs,
  readRate,
  readTime,
  readTolerance,
} from './arguments.ts'

const codeOf = (work: () => unknown): string => {
  try {
    work()
    return 'taken'
  } catch (error) {
    return error instanceof EngineError ? error.code : String(error)
  }
}

test('amounts are satoshi or bitcoins, exactly', () => {
  expect(readAmount('150000', '--amount')).toBe(150_000n)
  expect(readAmount('150000sat', '--amount')).toBe(150_000n)
  expect(readAmount('0.0015btc', '--amount')).toBe(150_000n)
  expect(readAmount('0.00000001 BTC', '--amount')).toBe(1n)
  const refused = [
    '',
    '1.5',
    '-1',
    '1e5',
    '0.000000001btc',
    '1 000',
    '5 eur',
    '0x10',
    '21000001btc',
  ]
  expect(refused.filter((text) => codeOf(() => readAmount(text, 'a')) === 'taken')).toEqual([])
})

test('tolerances, durations, times, pairs and choices have one form', () => {
  expect(readTolerance('500', 't')).toEqual({ kind: 'absolute', sat: 500n })
  expect(readTolerance('0.5%', 't')).toEqual({ kind: 'relative', ppm: 5_000 })
  expect(readTolerance('12%', 't')).toEqual({ kind: 'relative', ppm: 120_000 })
  expect(codeOf(() => readTolerance('0.00001%', 't'))).toBe('USAGE_INVALID')
  expect(['90s', '15m', '2h', '7d'].map((text) => readDuration(text, 'd'))).toEqual([
    90_000, 900_000, 7_200_000, 604_800_000,
  ])
  expect(codeOf(() => readDuration('1w', 'd'))).toBe('USAGE_INVALID')
  expect(readTime('2026-11-22T20:00:00Z', 't')).toBe(Date.UTC(2026, 10, 22, 20))
  expect(codeOf(() => readTime('yesterday', 't'))).toBe('USAGE_INVALID')
  expect(readPairs(['a=1', 'b=x=y'], 'm')).toEqual({ a: '1', b: 'x=y' })
  expect(codeOf(() => readPairs(['=1'], 'm'))).toBe('USAGE_INVALID')
  expect(readChoice('csv', ['csv', 'jsonl'], 'f')).toBe('csv')
  expect(codeOf(() => readChoice('xml', ['csv', 'jsonl'], 'f'))).toBe('USAGE_INVALID')
  expect(readNumber('20', 'n', 1, 100)).toBe(20)
  for (const text of ['0', '101', '1.5', '', '-1', '1e1'])
    expect(codeOf(() => readNumber(text, 'n', 1, 100))).toBe('USAGE_INVALID')
})

test('rates are sat/vB for people and whole sat/kvB for the API', () => {
  for (const [text, rate] of [
    ['1', 1000],
    ['12.5', 12_500],
    ['0.1', 100],
    ['2.253 sat/vB', 2253],
    ['999999.999', 999_999_999],
  ] as const) {
    expect(readRate(text, '--fee-rate')).toBe(rate)
    expect(readRate(rateText(rate), '--fee-rate')).toBe(rate)
  }
  for (const text of [
    '',
    '0',
    '0.000',
    '-1',
    '1e3',
    '1.0001',
    '1,5',
    '.5',
    '1000000',
    'NaN',
    '1 btc',
  ])
    expect(() => readRate(text, '--fee-rate')).toThrow(/--fee-rate/)
})
