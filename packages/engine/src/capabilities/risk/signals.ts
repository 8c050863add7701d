import type { RiskFacts } from './facts.ts'
import type { RiskSettings, Signal } from './settings.ts'

/** What a signal saw: undefined when nothing is unusual. */
export interface Seen {
  readonly message: string
  readonly details: Readonly<Record<string, number>>
}
/** A request as signals look at it. `thresholds`: amounts in satoshi from which on the policy is stricter. */
export interface SignalInput {
  readonly facts: RiskFacts
  readonly settings: RiskSettings
  readonly thresholds: readonly bigint[]
}
type See = (input: SignalInput) => Seen | undefined

const HOUR_MS = 3_600_000
const DAY_MS = 24 * HOUR_MS
/** So many paid withdrawals make a habit in amount and frequency, and so many one in hours of the day. */
const HABIT = 5
const HOURS_HABIT = 20

const since = ({ facts }: SignalInput, ms: number) =>
  facts.profile.recent.filter(({ at }) => at > facts.at - ms)

const large: See = ({ facts, settings }) => {
  if (settings.large === undefined || facts.amount < settings.large) return undefined
  return {
    message: 'the amount is large',
    details: { amount_sat: Number(facts.amount), large_sat: Number(settings.large) },
  }
}

const largeForHabit: See = ({ facts, settings }) => {
  const { paid, total, largest } = facts.profile.habit
  if (paid < HABIT || facts.amount <= largest) return undefined
  // amount > percent/100 * total/paid, in whole numbers.
  if (facts.amount * BigInt(paid) * 100n <= total * BigInt(settings.habitPercent)) return undefined
  return {
    message: 'the amount is far above what this user is usually paid',
    details: {
      amount_sat: Number(facts.amount),
      usual_sat: Number(total / BigInt(paid)),
      percent: settings.habitPercent,
    },
  }
}

const velocity: See = ({ facts, settings }) => {
  const hour = facts.lastHour.amount + facts.amount
  if (settings.velocity === undefined || hour <= settings.velocity) return undefined
  return {
    message: 'much was asked for within an hour',
    details: { hour_sat: Number(hour), velocity_sat: Number(settings.velocity) },
  }
}

const rapidSuccession: See = (input) => {
  const { count, ms } = input.settings.rapid
  const requests = since(input, ms).length + 1
  if (requests < count) return undefined
  return { message: 'requests follow each other rapidly', details: { requests, within_ms: ms } }
}

const newDestination: See = ({ facts }) =>
  facts.paidToDestination > 0
    ? undefined
    : { message: 'nothing was ever paid to this destination for this user', details: {} }

const structuring: See = (input) => {
  const { facts, thresholds } = input
  const { count, ms, percent } = input.settings.structuring
  const amounts = [...since(input, ms).map(({ amount }) => amount), facts.amount]
  for (const threshold of thresholds) {
    const isJustBelow = (amount: bigint) =>
      amount < threshold && amount * 100n >= threshold * BigInt(percent)
    // A request that is not itself just below a threshold is no part of the pattern.
    if (!isJustBelow(facts.amount)) continue
    const requests = amounts.filter(isJustBelow).length
    if (requests >= count)
      return {
        message: 'several requests stay just below a threshold',
        details: { requests, threshold_sat: Number(threshold), within_ms: ms },
      }
  }
  return undefined
}

const unusualHour: See = ({ facts }) => {
  const { paid, hours } = facts.profile.habit
  if (paid < HOURS_HABIT) return undefined
  const hour = Math.floor(facts.at / HOUR_MS) % 24
  // The hours beside it count too: summer time and a late lunch are not unusual.
  const near = [23, 0, 1].reduce((sum, step) => sum + (hours[(hour + step) % 24] ?? 0), 0)
  if (near * 50 >= paid) return undefined
  return { message: 'this user never asks at this hour', details: { hour_utc: hour, near, paid } }
}

const unusualFrequency: See = ({ facts }) => {
  const { paid, firstPaidAt } = facts.profile.habit
  if (paid < HABIT || firstPaidAt === undefined) return undefined
  const days = Math.max(1, Math.ceil((facts.at - firstPaidAt) / DAY_MS))
  const today = facts.lastDay.count + 1
  // More than three times the mean of a day, and at least three more than it.
  if (today * days <= 3 * paid || (today - 3) * days <= paid) return undefined
  return {
    message: 'this user asks far more often than usual',
    details: { today, paid, days },
  }
}

export const SEES: Readonly<Record<Signal, See>> = {
  large,
  large_for_habit: largeForHabit,
  velocity,
  rapid_succession: rapidSuccession,
  new_destination: newDestination,
  structuring,
  unusual_hour: unusualHour,
  unusual_frequency: unusualFrequency,
}
