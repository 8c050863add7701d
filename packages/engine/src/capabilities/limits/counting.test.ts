import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { createMemoryStore } from '../../adapters/memory/index.ts'
import { sat, type WithdrawalId } from '../../kernel/index.ts'
import {
  appliesTo,
  Counters,
  idFor,
  isOver,
  type LimitRule,
  type LimitWindow,
  leftOf,
  type Reservation,
  resetsAt,
  subjectsOf,
  windowFrom,
  windowReach,
} from './index.ts'

const DAY = 86_400_000
/** Around the change to summer time in Berlin. */
const T0 = Date.UTC(2027, 2, 28, 1)
const window = fc.oneof(
  fc.record({ kind: fc.constant('rolling' as const), ms: fc.integer({ min: 1, max: 40 * DAY }) }),
  fc.record({
    kind: fc.constant('calendar' as const),
    unit: fc.constantFrom('day' as const, 'week' as const, 'month' as const),
    zone: fc.constantFrom('Europe/Berlin', 'America/St_Johns', 'Asia/Kathmandu', 'UTC'),
  }),
) satisfies fc.Arbitrary<LimitWindow>
/** Times that crowd at the edges of minutes, hours and days, up to 45 days back. */
const age = fc.oneof(
  fc.integer({ min: 0, max: 45 * DAY }),
  fc
    .tuple(fc.integer({ min: 0, max: 45 * 24 }), fc.integer({ min: -2, max: 2 }))
    .map(([hours, step]) => Math.max(0, hours * 3_600_000 + step)),
)
const step = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      what: fc.constant('add' as const),
      age,
      user: fc.nat({ max: 2 }),
      amount: fc.bigInt(0n, 1000n),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ what: fc.constant('remove' as const), which: fc.nat({ max: 30 }) }),
  },
)

test('whatever is counted and taken out, every window holds what a recount finds', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(step, { maxLength: 30 }),
      fc.array(fc.tuple(window, age), { minLength: 1, maxLength: 5 }),
      async (steps, questions) => {
        const store = createMemoryStore()
        const counters = new Counters()
        const model = new Map<WithdrawalId, Reservation>()
        for (const [i, one] of steps.entries()) {
          if (one.what === 'add') {
            const reservation: Reservation = {
              withdrawal: `wdr_${i}` as WithdrawalId,
              subjects: ['platform', `user/${one.user}`],
              amount: sat(one.amount),
              at: T0 - one.age,
            }
            await store.transact((tx) => tx.limits.insert(reservation))
            counters.add(reservation)
            model.set(reservation.withdrawal, reservation)
          } else {
            const withdrawal = `wdr_${one.which}` as WithdrawalId
            await store.transact((tx) => tx.limits.remove(withdrawal))
            counters.remove(withdrawal)
            model.delete(withdrawal)
          }
        }
        for (const [window, age] of questions)
          for (const subject of ['platform', 'user/1']) {
            const from = windowFrom(window, T0 - age) ?? 0
            const inside = [...model.values()].filter(
              (one) => one.subjects.includes(subject) && one.at >= from,
            )
            const amount = inside.reduce((sum, one) => sum + one.amount, 0n)
            const expected = { amount, count: inside.length }
            const query = { subject, from }
            const [stored] = await store.read((tx) => tx.limits.sums([query]))
            expect(stored).toMatchObject(expected)
            expect(stored?.oldestAt).toBe(
              inside.length === 0 ? undefined : Math.min(...inside.map(({ at }) => at)),
            )
            expect(counters.sum(query)).toEqual(expected)
          }
      },
    ),
    { numRuns: 100 },
  )
})

test('sums without a store are exact at every edge', () => {
  const ages = [0, 1, 59_999, 60_000, 3_599_999, 3_600_000, 10_800_005, DAY, DAY + 1, 40 * DAY]
  const counters = new Counters()
  ages.forEach((age, i) => {
    const withdrawal = `wdr_${i}` as WithdrawalId
    const amount = sat(1n << BigInt(i))
    counters.add({ withdrawal, subjects: ['platform'], amount, at: T0 - age })
    counters.add({ withdrawal, subjects: ['platform'], amount, at: T0 - age })
  })
  for (const from of ages.flatMap((age) => [T0 - age - 1, T0 - age, T0 - age + 1])) {
    const inside = ages.flatMap((age, i) => (T0 - age >= from ? [1n << BigInt(i)] : []))
    const amount = inside.reduce((sum, one) => sum + one, 0n)
    const query = { subject: 'platform', from }
    expect(counters.sum(query), `from ${from - T0}`).toEqual({ amount, count: inside.length })
  }
})

const rule = (more: Partial<LimitRule>): LimitRule => ({
  name: 'x',
  per: 'user',
  window: { kind: 'rolling', ms: DAY },
  over: 'deny',
  ...more,
})

describe('one limit', () => {
  const used = { amount: 90n, count: 4 }
  test.each([
    [{ amount: sat(100n) }, 10n, false],
    [{ amount: sat(100n) }, 11n, true],
    [{ count: 5 }, 1n, false],
    [{ count: 4 }, 1n, true],
    [{ amount: sat(100n), count: 4 }, 1n, true],
    [{ amount: sat(0n) }, 0n, true],
  ] as const)('%o with 90 sat in 4 requests, and %s more: over is %s', (more, amount, over) => {
    expect(isOver(rule(more), used, amount)).toBe(over)
  })
  test('names what is left, never below nothing', () => {
    expect(leftOf(rule({ amount: sat(100n), count: 3 }), used)).toEqual({ amount: 10n, count: 0 })
    expect(leftOf(rule({ amount: sat(80n) }), used)).toEqual({ amount: 0n })
  })
  test('is for those it names, and not for those it leaves out', () => {
    expect(appliesTo(rule({}), 'a')).toBe(true)
    expect(appliesTo(rule({ of: ['a'] }), 'a')).toBe(true)
    expect(appliesTo(rule({ of: ['a'] }), 'b')).toBe(false)
    expect(appliesTo(rule({ except: ['a'] }), 'a')).toBe(false)
    expect(appliesTo(rule({ of: ['a', 'b'], except: ['a'] }), 'b')).toBe(true)
  })
  test('has room again when the oldest leaves, or when the period ends', () => {
    const some = { ...used, oldestAt: T0 - 5 }
    expect(resetsAt(rule({}), some, T0)).toBe(T0 - 5 + DAY)
    const calendar = { kind: 'calendar', unit: 'day', zone: 'Europe/Berlin' } as const
    expect(resetsAt(rule({ window: calendar }), some, T0)).toBe(Date.UTC(2027, 2, 28, 22))
    expect(resetsAt(rule({}), { amount: 0n, count: 0 }, T0)).toBeUndefined()
    expect(resetsAt(rule({ window: { kind: 'single' } }), some, T0)).toBeUndefined()
  })
  test('looks back no further than its reach, in every zone', () => {
    fc.assert(
      fc.property(window, age, (window, age) => {
        const at = T0 - age
        expect(at - (windowFrom(window, at) ?? at)).toBeLessThan(windowReach(window))
      }),
    )
  })
})

describe('whose a request is', () => {
  test('it counts for five', () => {
    const request = { wallet: 'wal_1', destination: '0014ab', user: 'u', customer: 'c' }
    expect(subjectsOf(request)).toEqual([
      'platform',
      'user/u',
      'customer/c',
      'wallet/wal_1',
      'destination/0014ab',
    ])
  })
  test('who leaves the name out is everybody who leaves it out', () => {
    const request = { wallet: 'wal_1', destination: '0014ab' }
    expect(idFor('user', request)).toBe('')
    expect(subjectsOf(request)).toContain('user/')
  })
})
