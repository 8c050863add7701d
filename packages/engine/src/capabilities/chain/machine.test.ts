import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { BlockHash, BlockRef } from '../../kernel/index.ts'
import { locatorHeights, plan } from './machine.ts'

/** A chain whose blocks are named by the whole way to them, as real hashes are: equal names are equal chains. */
const chain = (names: string, from = 0): BlockRef[] =>
  [...names].map((_, i) => ({ height: from + i, hash: names.slice(0, i + 1) as BlockHash }))

describe('plan', () => {
  test.each([
    ['the same chain', 'aaa', 'aaa', 2, 0, 0],
    ['they are ahead', 'aaa', 'aaaaa', 2, 0, 2],
    ['they are behind', 'aaaaa', 'aaa', 2, 2, 0],
    ['one block replaced', 'aaaa', 'aaab', 2, 1, 1],
    ['a longer branch', 'aaaa', 'aabbbb', 1, 2, 4],
    ['a shorter branch', 'aaaa', 'aab', 1, 2, 1],
    ['everything but the base', 'aaaa', 'abbb', 0, 3, 3],
  ])('%s', (_, ours, theirs, fork, leave, join) => {
    const result = plan(chain(ours), chain(theirs))
    expect(result?.fork.height).toBe(fork)
    expect(result?.disconnect).toHaveLength(leave)
    expect(result?.connect).toHaveLength(join)
  })

  test('leaves from the tip down, joins from the fork up', () => {
    const result = plan(chain('aaaa'), chain('aabbb'))
    expect(result?.disconnect.map(({ height }) => height)).toEqual([3, 2])
    expect(result?.connect.map(({ hash }) => hash)).toEqual(['aab', 'aabb', 'aabbb'])
  })

  test('no common block is no plan', () => {
    expect(plan(chain('aaa'), chain('bbb'))).toBeUndefined()
    expect(plan([], [])).toBeUndefined()
  })

  test('taking off and putting on always arrives at their chain', () => {
    const branch = fc.string({ unit: fc.constantFrom('a', 'b'), minLength: 0, maxLength: 12 })
    fc.assert(
      fc.property(branch, branch, (mine, other) => {
        const ours = chain(`g${mine}`)
        const theirs = chain(`g${other}`)
        const result = plan(ours, theirs)
        if (!result) throw new TypeError('they share the first block')
        const left = ours.slice(0, ours.length - result.disconnect.length)
        expect(left.at(-1)).toEqual(result.fork)
        expect([...left, ...result.connect]).toEqual(theirs)
        expect(result.disconnect).toEqual(ours.slice(left.length).reverse())
        // Nothing leaves that they have as well: no credit is touched without need.
        for (const { hash } of result.disconnect)
          expect(result.connect.some((block) => block.hash === hash)).toBe(false)
      }),
    )
  })
})

describe('locatorHeights', () => {
  test('ten in a row, then in steps that double, down to the base', () => {
    expect(locatorHeights(100, 0).slice(0, 13)).toEqual([
      100, 99, 98, 97, 96, 95, 94, 93, 92, 91, 89, 85, 77,
    ])
    expect(locatorHeights(3, 3)).toEqual([3])
    expect(locatorHeights(5, 3)).toEqual([5, 4, 3])
  })

  test('begins at the tip, ends at the base, only falls, and stays short', () => {
    fc.assert(
      fc.property(fc.nat(2_000_000), fc.nat(2_000_000), (a, b) => {
        const [base, tip] = a < b ? [a, b] : [b, a]
        const heights = locatorHeights(tip, base)
        expect(heights[0]).toBe(tip)
        expect(heights.at(-1)).toBe(base)
        for (const [i, height] of heights.entries())
          if (i > 0) expect(height).toBeLessThan(heights[i - 1] as number)
        expect(heights.length).toBeLessThanOrEqual(10 + 23)
      }),
    )
  })
})
