import fc from 'fast-check'
import { expect, test } from 'vitest'
import { callerOf } from './limits.ts'
import { Rate } from './rate.ts'

const MINUTE = 60_000

test('the whole quota at once, then one for each share of the window', () => {
  const rate = new Rate(6, MINUTE, 10)
  for (let left = 5; left >= 0; left--)
    expect(rate.take('a', 0)).toMatchObject({ isAllowed: true, remaining: left, retryIn: 0 })
  expect(rate.take('a', 0)).toEqual({ isAllowed: false, remaining: 0, fullIn: 60, retryIn: 10 })
  expect(rate.take('a', 9_999)).toMatchObject({ isAllowed: false, retryIn: 1 })
  expect(rate.take('a', 10_000)).toMatchObject({ isAllowed: true, remaining: 0 })
  expect(rate.take('a', 10_000)).toMatchObject({ isAllowed: false })
  expect(rate.take('b', 10_000)).toMatchObject({ isAllowed: true, remaining: 5 })
  expect(rate.take('a', 10_000 + MINUTE)).toMatchObject({ isAllowed: true, remaining: 5 })
})

test('what is refused costs nothing, and looking costs nothing', () => {
  const rate = new Rate(1, MINUTE, 10)
  expect(rate.peek('a', 0).isAllowed).toBe(true)
  expect(rate.take('a', 0).isAllowed).toBe(true)
  for (let i = 0; i < 100; i++) expect(rate.take('a', i).isAllowed).toBe(false)
  expect(rate.take('a', MINUTE).isAllowed).toBe(true)
})

test('in any window of a minute, nobody gets more than twice the quota, and never more than the rate over time', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 50 }),
      fc.array(fc.integer({ min: 0, max: 5_000 }), { minLength: 1, maxLength: 300 }),
      (quota, pauses) => {
        const rate = new Rate(quota, MINUTE, 10)
        const allowed: number[] = []
        let now = 0
        for (const pause of pauses) {
          now += pause
          const { isAllowed, retryIn, remaining } = rate.take('a', now)
          if (isAllowed) allowed.push(now)
          // One may come back when one was told to.
          else expect(rate.peek('a', now + retryIn * 1000).isAllowed).toBe(true)
          expect(remaining).toBeLessThanOrEqual(quota)
        }
        for (const [i, from] of allowed.entries())
          for (const [j, to] of allowed.entries())
            if (j >= i)
              expect(j - i + 1).toBeLessThanOrEqual(quota + ((to - from) * quota) / MINUTE + 1e-6)
      },
    ),
  )
})

test('a flood of callers does not grow it, and forgets who was quiet longest', () => {
  const rate = new Rate(2, MINUTE, 1_000)
  rate.take('old', 0)
  for (let i = 0; i < 100_000; i++) rate.take(`caller ${i}`, i / 100)
  expect(rate.size).toBe(1_000)
  expect(rate.peek('old', 1_000).remaining).toBe(2)
  expect(rate.peek('caller 99999', 1_000).remaining).toBe(1)
})

test('one IPv6 network is one caller', () => {
  expect(callerOf('2001:db8::1')).toBe(callerOf('2001:db8::ffff:1:2:3'))
  expect(callerOf('2001:db8::1')).not.toBe(callerOf('2001:db8:0:1::1'))
  expect(callerOf('192.0.2.1')).toBe('192.0.2.1')
})
