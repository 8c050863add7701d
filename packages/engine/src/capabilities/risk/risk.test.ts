import { describe, expect, test } from 'vitest'
import { sat, type WithdrawalId } from '../../kernel/index.ts'
import {
  assess,
  DEFAULT_RISK,
  emptyProfile,
  profileSubject,
  RECENT,
  type RiskFacts,
  type RiskProfile,
  type RiskSettings,
  SIGNALS,
  type Signal,
  withPaid,
  withRequest,
} from './index.ts'

const MINUTE = 60_000
const HOUR = 60 * MINUTE
const DAY = 24 * HOUR
/** A Monday at noon. */
const NOW = Date.UTC(2027, 0, 4, 12)

const asked = (...requests: readonly (readonly [number, bigint])[]): RiskProfile['recent'] =>
  requests.map(([ago, amount], i) => ({
    withdrawal: `wdr_${i}` as WithdrawalId,
    at: NOW - ago,
    amount: sat(amount),
  }))
const paid = (count: number, amount: bigint, hour = 12, days = 100): RiskProfile => {
  let profile = emptyProfile('user/1')
  for (let i = 0; i < count; i++) {
    const at = NOW - Math.round((days * DAY * (count - i)) / count)
    profile = withPaid(profile, sat(amount), Math.floor(at / DAY) * DAY + hour * HOUR)
  }
  return profile
}
const facts = (more: Partial<RiskFacts> = {}): RiskFacts => ({
  at: NOW,
  amount: sat(1000n),
  profile: emptyProfile('user/1'),
  paidToDestination: 1,
  lastHour: { amount: 0n, count: 0 },
  lastDay: { amount: 0n, count: 0 },
  ...more,
})
const withRecent = (...requests: readonly (readonly [number, bigint])[]) =>
  facts({ profile: { ...emptyProfile('user/1'), recent: asked(...requests) } })
const settings: RiskSettings = { ...DEFAULT_RISK, large: sat(100_000n), velocity: sat(5000n) }
const seen = (input: RiskFacts, thresholds: readonly bigint[] = []) =>
  assess(input, settings, thresholds).signals.map(({ signal }) => signal)

/** Each signal just before it is seen, and just when it is. */
const EDGES: readonly (readonly [Signal, string, RiskFacts, RiskFacts, (readonly bigint[])?])[] = [
  ['large', 'the amount', facts({ amount: sat(99_999n) }), facts({ amount: sat(100_000n) })],
  [
    'large_for_habit',
    'five times the mean',
    facts({ amount: sat(5000n), profile: paid(10, 1000n) }),
    facts({ amount: sat(5001n), profile: paid(10, 1000n) }),
  ],
  [
    'large_for_habit',
    'a habit is five payments',
    facts({ amount: sat(9000n), profile: paid(4, 1000n) }),
    facts({ amount: sat(9000n), profile: paid(5, 1000n) }),
  ],
  [
    'large_for_habit',
    'as large was paid before',
    facts({ amount: sat(50_000n), profile: withPaid(paid(99, 1000n), sat(50_000n), NOW - DAY) }),
    facts({ amount: sat(50_001n), profile: withPaid(paid(99, 1000n), sat(50_000n), NOW - DAY) }),
  ],
  [
    'velocity',
    'the hour',
    facts({ lastHour: { amount: 4000n, count: 1 } }),
    facts({ lastHour: { amount: 4001n, count: 1 } }),
  ],
  [
    'rapid_succession',
    'four in ten minutes',
    withRecent([10 * MINUTE, 1n], [2, 1n], [1, 1n]),
    withRecent([10 * MINUTE - 1, 1n], [2, 1n], [1, 1n]),
  ],
  [
    'new_destination',
    'nothing was paid there',
    facts({ paidToDestination: 1 }),
    facts({ paidToDestination: 0 }),
  ],
  [
    'structuring',
    'three within a day',
    withRecent([DAY, 950n], [HOUR, 900n]),
    withRecent([DAY - 1, 950n], [HOUR, 900n]),
    [1001n],
  ],
  [
    'structuring',
    'just below, not far below',
    withRecent([2 * HOUR, 800n], [HOUR, 900n]),
    withRecent([2 * HOUR, 801n], [HOUR, 900n]),
    [1001n],
  ],
  [
    'structuring',
    'this one belongs to it',
    { ...withRecent([3 * HOUR, 900n], [2 * HOUR, 900n], [HOUR, 900n]), amount: sat(1001n) },
    { ...withRecent([3 * HOUR, 900n], [2 * HOUR, 900n], [HOUR, 900n]), amount: sat(1000n) },
    [1001n],
  ],
  [
    'unusual_hour',
    'never near this hour',
    facts({ profile: paid(50, 1000n, 13) }),
    facts({ profile: paid(50, 1000n, 14) }),
  ],
  [
    'unusual_hour',
    'twenty payments make a habit of hours',
    facts({ profile: paid(19, 1000n, 3) }),
    facts({ profile: paid(20, 1000n, 3) }),
  ],
  [
    'unusual_frequency',
    'three more than the mean of a day',
    facts({ profile: paid(10, 1000n), lastDay: { amount: 0n, count: 2 } }),
    facts({ profile: paid(10, 1000n), lastDay: { amount: 0n, count: 3 } }),
  ],
  [
    'unusual_frequency',
    'three times the mean of a day',
    facts({ profile: paid(200, 1000n), lastDay: { amount: 0n, count: 5 } }),
    facts({ profile: paid(200, 1000n), lastDay: { amount: 0n, count: 6 } }),
  ],
]

describe('each signal', () => {
  const rows = EDGES.map(([signal, edge, before, after, thresholds = []]) => {
    return { signal, edge, before, after, thresholds }
  })
  test.each(rows)('$signal: $edge', ({ signal, before, after, thresholds }) => {
    expect(seen(before, thresholds)).not.toContain(signal)
    expect(seen(after, thresholds)).toContain(signal)
  })
  test('has a table', () => {
    expect([...new Set(EDGES.map(([signal]) => signal))].sort()).toEqual([...SIGNALS].sort())
  })
  test('says what it saw in numbers', () => {
    const [signal] = assess(withRecent([2, 950n], [1, 900n]), settings, [1001n]).signals
    expect(signal).toEqual({
      signal: 'structuring',
      points: 50,
      message: 'several requests stay just below a threshold',
      details: { requests: 3, threshold_sat: 1001, within_ms: DAY },
    })
  })
  test('is the only one that is seen of an ordinary request of a usual user', () => {
    expect(seen(facts({ profile: paid(60, 1000n), amount: sat(1200n) }), [10_000n])).toEqual([])
  })
  test('without points is not looked at', () => {
    const points = { ...settings.points, new_destination: 0 }
    const nobody = facts({ paidToDestination: 0 })
    expect(assess(nobody, { ...settings, points }, []).signals).toEqual([])
  })
})

describe('the score', () => {
  test('is the sum of the points, 100 at most, weightiest first', () => {
    const wild = {
      ...withRecent([3, 950_000n], [2, 950_000n], [1, 950_000n]),
      amount: sat(950_000n),
      paidToDestination: 0,
      lastHour: { amount: 9000n, count: 3 },
    }
    const { score, signals } = assess(wild, settings, [1_000_000n])
    expect(signals.map(({ points }) => points)).toEqual([50, 30, 30, 30, 15])
    expect(score).toBe(100)
    expect(assess(facts({ paidToDestination: 0 }), settings, []).score).toBe(15)
  })
})

describe('a profile', () => {
  test('is that of the user, or of the wallet where nobody is named', () => {
    expect(profileSubject({ user: 'u', wallet: 'w' })).toBe('user/u')
    expect(profileSubject({ wallet: 'w' })).toBe('wallet/w')
  })
  test('remembers the newest requests', () => {
    let profile = emptyProfile('user/1')
    for (let i = 0; i < RECENT + 5; i++)
      profile = withRequest(profile, {
        withdrawal: `wdr_${i}` as WithdrawalId,
        at: i,
        amount: sat(1n),
      })
    expect(profile.recent.map(({ at }) => at)).toEqual(
      Array.from({ length: RECENT }, (_, i) => i + 5),
    )
    expect(profile.habit.paid).toBe(0)
  })
  test('learns habits from what was paid', () => {
    const late = withPaid(emptyProfile('user/1'), sat(30n), Date.UTC(2027, 0, 4, 23, 59))
    const { habit } = withPaid(late, sat(10n), Date.UTC(2027, 0, 3))
    expect(habit).toMatchObject({
      paid: 2,
      total: 40n,
      largest: 30n,
      firstPaidAt: Date.UTC(2027, 0, 3),
    })
    expect(habit.hours.flatMap((count, hour) => (count > 0 ? [[hour, count]] : []))).toEqual([
      [0, 1],
      [23, 1],
    ])
  })
})
