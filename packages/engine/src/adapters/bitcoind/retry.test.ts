import fc from 'fast-check'
import { expect, it } from 'vitest'
import { backoff, DEFAULT_RETRY } from './retry.ts'

const filled = (byte: number) => ({ bytes: (length: number) => new Uint8Array(length).fill(byte) })

it('grows by two until the cap', () => {
  const most = [1, 2, 3, 4, 20, 500].map((failures) =>
    backoff(DEFAULT_RETRY, failures, filled(255)),
  )
  expect(most).toEqual([99, 199, 399, 799, 4_999, 4_999])
})

it('uses the whole range, down to nothing', () => {
  expect(backoff(DEFAULT_RETRY, 4, filled(0))).toBe(0)
  expect(backoff(DEFAULT_RETRY, 4, filled(128))).toBe(401)
})

it('stays between nothing and the ceiling', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 1_000 }),
      fc.uint8Array({ minLength: 4, maxLength: 4 }),
      (failures, random) => {
        const pause = backoff(DEFAULT_RETRY, failures, { bytes: () => random })
        expect(pause).toBeGreaterThanOrEqual(0)
        expect(pause).toBeLessThan(DEFAULT_RETRY.cap_ms)
      },
    ),
  )
})
