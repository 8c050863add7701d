import type { Sat } from '../../kernel/index.ts'
import { sat } from '../../kernel/index.ts'
import type { Habit, RecentRequest, RiskProfile } from './ports.ts'

/** So many requests a profile remembers: more than any signal counts. */
export const RECENT = 20
const HOUR_MS = 3_600_000

/** Who is looked at: the user, or the wallet where a request names no user. */
export const profileSubject = (request: {
  readonly user?: string
  readonly wallet: string
}): string => (request.user === undefined ? `wallet/${request.wallet}` : `user/${request.user}`)

export const emptyProfile = (subject: string): RiskProfile => ({
  subject,
  recent: [],
  habit: {
    paid: 0,
    total: 0n,
    largest: sat(0n),
    hours: Array.from({ length: 24 }, () => 0),
  },
})

/** The profile after one more request. */
export const withRequest = (profile: RiskProfile, request: RecentRequest): RiskProfile => ({
  ...profile,
  recent: [...profile.recent, request].slice(-RECENT),
})

/** The profile after a withdrawal was paid for good; `at` is when it was asked for. */
export function withPaid(profile: RiskProfile, amount: Sat, at: number): RiskProfile {
  const { paid, total, largest, firstPaidAt, hours } = profile.habit
  const hour = Math.floor(at / HOUR_MS) % 24
  const habit: Habit = {
    paid: paid + 1,
    total: total + amount,
    largest: amount > largest ? amount : largest,
    firstPaidAt: Math.min(at, firstPaidAt ?? at),
    hours: hours.map((count, i) => (i === hour ? count + 1 : count)),
  }
  return { ...profile, habit }
}
