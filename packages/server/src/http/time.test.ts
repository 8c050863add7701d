import { expect, test } from 'vitest'
import { readTime, readTimeIfGiven } from './time.ts'

test.each([
  ['2026-01-31T12:00:00Z', '2026-01-31T12:00:00.000Z'],
  ['2026-01-31t12:00:00.25z', '2026-01-31T12:00:00.250Z'],
  ['2026-01-31T00:30:00+01:00', '2026-01-30T23:30:00.000Z'],
  ['2024-02-29T23:59:59.999999-12:00', '2024-03-01T11:59:59.999Z'],
])('%s is %s', (text, expected) => {
  expect(new Date(readTime(text, 'at')).toISOString()).toBe(expected)
})

test.each([
  '',
  'now',
  '2026-01-31',
  '2026-01-31T12:00:00',
  '2026-01-31T12:00Z',
  '2026-02-30T12:00:00Z',
  '2025-02-29T12:00:00Z',
  '2026-13-01T12:00:00Z',
  '2026-00-10T12:00:00Z',
  '2026-01-00T12:00:00Z',
  '2026-01-31T24:00:00Z',
  '2026-01-31T12:00:60Z',
  '2026-01-31T12:00:00+24:00',
  '2026-01-31T12:00:00 01:00',
  ' 2026-01-31T12:00:00Z',
  '1700000000',
])('%s is refused', (text) => {
  expect(() => readTime(text, 'from')).toThrow('from must be a time such as')
})

test('nothing given is nothing read', () => {
  expect(readTimeIfGiven(undefined, 'from')).toBe(undefined)
})
