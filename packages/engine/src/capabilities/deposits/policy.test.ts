import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { MAX_SAT, sat } from '../../kernel/index.ts'
import { leastOf, parseThresholds, toleranceOf, verdictOf } from './policy.ts'
import type { Tolerance } from './ports.ts'

const absolute = (value: number): Tolerance => ({ kind: 'absolute', sat: sat(BigInt(value)) })
const relative = (ppm: number): Tolerance => ({ kind: 'relative', ppm })
const judge = (amount: number | undefined, tolerance: Tolerance, received: number) =>
  verdictOf(
    amount === undefined ? undefined : sat(BigInt(amount)),
    tolerance,
    sat(BigInt(received)),
  )

describe('verdictOf', () => {
  test.each([
    [100, absolute(0), 0, 'none'],
    [100, absolute(0), 99, 'underpaid'],
    [100, absolute(0), 100, 'exact'],
    [100, absolute(0), 101, 'overpaid'],
    [100, absolute(10), 89, 'underpaid'],
    [100, absolute(10), 90, 'exact'],
    [100, absolute(10), 110, 'exact'],
    [100, absolute(10), 111, 'overpaid'],
    [1_000_000, relative(1), 999_999, 'exact'],
    [1_000_000, relative(1), 999_998, 'underpaid'],
    // A share of a satoshi is no satoshi: tolerance never eats value.
    [999_999, relative(1), 999_998, 'underpaid'],
    [29_000_000, absolute(0), 28_999_999, 'underpaid'],
    [undefined, absolute(0), 0, 'none'],
    [undefined, absolute(0), 1, 'exact'],
  ] as const)('%s with %o and %i received: %s', (amount, tolerance, received, expected) => {
    expect(judge(amount, tolerance, received)).toBe(expected)
  })

  const amounts = fc.bigInt({ min: 1n, max: MAX_SAT })
  const tolerances = fc.oneof(
    fc.integer({ min: 0, max: 1_000_000 }).map(absolute),
    fc.integer({ min: 0, max: 999_999 }).map(relative),
  )

  test('more money never makes it worse until it is too much', () => {
    const rank = { none: 0, underpaid: 1, exact: 2, overpaid: 3 }
    fc.assert(
      fc.property(amounts, tolerances, amounts, amounts, (amount, tolerance, a, b) => {
        const [less, more] = a < b ? [a, b] : [b, a]
        const verdict = (received: bigint) => rank[verdictOf(sat(amount), tolerance, sat(received))]
        expect(verdict(less)).toBeLessThanOrEqual(verdict(more))
        expect(verdict(amount)).toBe(rank.exact)
        expect(verdictOf(sat(amount), tolerance, sat(0n))).toBe('none')
      }),
    )
  })

  test('exact means within the tolerance, to the satoshi, at both edges', () => {
    fc.assert(
      fc.property(amounts, tolerances, (amount, tolerance) => {
        const slack = toleranceOf(sat(amount), tolerance)
        const least = leastOf(sat(amount), tolerance)
        expect(verdictOf(sat(amount), tolerance, least)).toBe('exact')
        if (least > 1n) expect(verdictOf(sat(amount), tolerance, sat(least - 1n))).toBe('underpaid')
        if (amount + slack < MAX_SAT)
          expect(verdictOf(sat(amount), tolerance, sat(amount + slack + 1n))).toBe('overpaid')
        expect(least).toBeGreaterThan(0n)
      }),
    )
  })
})

describe('parseThresholds', () => {
  test.each([
    [undefined, [1, 3, 6]],
    [{}, [1, 3, 6]],
    [{ confirmed: 4 }, [4, 4, 6]],
    [{ fullConfirmed: 10 }, [1, 10, 10]],
    [{ finalized: 3 }, [1, 3, 3]],
    [{ confirmed: 1, fullConfirmed: 1, finalized: 1 }, [1, 1, 1]],
    [{ finalized: 1000 }, [1, 3, 1000]],
  ])('%o', (input, expected) => {
    const parsed = parseThresholds(input)
    expect(parsed.ok && Object.values(parsed.value)).toEqual(expected)
  })
  test.each([
    [{ confirmed: 0 }],
    [{ confirmed: -1 }],
    [{ confirmed: 1.5 }],
    [{ fullConfirmed: Number.NaN }],
    [{ finalized: 2 }],
    [{ confirmed: 5, fullConfirmed: 4 }],
    [{ finalized: 1001 }],
    [{ finalized: Number.POSITIVE_INFINITY }],
  ])('refuses %o', (input) => {
    expect(parseThresholds(input)).toMatchObject({
      ok: false,
      error: { code: 'ORDER_THRESHOLDS_INVALID', param: 'confirmations' },
    })
  })
})
