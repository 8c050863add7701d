import fc from 'fast-check'
import { expect, test } from 'vitest'
import { type Colour, contrastOf, inkOn, legibleOn, mix } from './colour.ts'

const colours = fc
  .integer({ min: 0, max: 0xffffff })
  .map((value): Colour => `#${value.toString(16).padStart(6, '0')}`)

test.each([
  ['#ffffff', '#000000', 21],
  ['#777777', '#ffffff', 4.48],
  ['#0000ff', '#ffffff', 8.59],
  ['#abcdef', '#abcdef', 1],
] as const)('%s beside %s is %d', (one, other, ratio) => {
  expect(contrastOf(one, other)).toBeCloseTo(ratio, 2)
  expect(contrastOf(other, one)).toBeCloseTo(ratio, 2)
})

test('whatever accent a merchant has, the page can be read', () => {
  fc.assert(
    fc.property(colours, fc.constantFrom<Colour>('#ffffff', '#15171b'), (accent, ground) => {
      expect(contrastOf(legibleOn(accent, ground, 4.5), ground)).toBeGreaterThanOrEqual(4.5)
      expect(contrastOf(inkOn(accent), accent)).toBeGreaterThanOrEqual(4.5)
    }),
  )
})

test('a legible colour is left alone', () => {
  expect(legibleOn('#2f5bea', '#ffffff', 4.5)).toBe('#2f5bea')
  expect(mix('#000000', '#ffffff', 0.5)).toBe('#808080')
})
