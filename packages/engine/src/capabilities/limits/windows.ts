import { type CivilDay, civilDay, dayNumber, weekdayOf } from '../../kernel/index.ts'
import { localTime, startOfDay } from './zone.ts'

export type CalendarUnit = 'day' | 'week' | 'month'

/**
 * The time that a limit looks back over. `single` looks at one request alone; `rolling` at the last `ms` milliseconds up to
 * now, to the millisecond; `calendar` at the running day, ISO week or month in a time zone, whatever its length.
 */
export type LimitWindow = Readonly<
  | { kind: 'single' }
  | { kind: 'rolling'; ms: number }
  | { kind: 'calendar'; unit: CalendarUnit; zone: string }
>

const firstDay = (unit: CalendarUnit, day: CivilDay): CivilDay => {
  if (unit === 'day') return day
  if (unit === 'month') return { ...day, day: 1 }
  const number = dayNumber(day)
  return civilDay(number - weekdayOf(number))
}
/** The first day of the next day, week or month. */
const nextDay = (unit: CalendarUnit, first: CivilDay): CivilDay => {
  if (unit === 'month')
    return civilDay(dayNumber({ year: first.year, month: first.month + 1, day: 1 }))
  return civilDay(dayNumber(first) + (unit === 'day' ? 1 : 7))
}

interface Period {
  readonly from: number
  /** When the next one begins. */
  readonly until: number
}
/** The period of each unit and zone that was asked for last: nearly every request is in the same one. */
const last = new Map<string, Period>()

/** When the running period began, and when the next one begins, milliseconds since the epoch. */
export function period(unit: CalendarUnit, zone: string, at: number): Period {
  const key = `${unit}/${zone}`
  const known = last.get(key)
  if (known && known.from <= at && at < known.until) return known
  const found = findPeriod(unit, zone, at)
  if (last.size >= 300) last.clear()
  last.set(key, found)
  return found
}

function findPeriod(unit: CalendarUnit, zone: string, at: number): Period {
  const first = firstDay(unit, localTime(zone, at))
  const next = nextDay(unit, first)
  const until = startOfDay(zone, next)
  if (at < until) return { from: startOfDay(zone, first), until }
  // The clock was set back over midnight: the new day has begun, although the calendar shows the old one again.
  return { from: until, until: startOfDay(zone, nextDay(unit, next)) }
}

/** The first millisecond that counts for a request at `at`; undefined where only the request itself does. */
export function windowFrom(window: LimitWindow, at: number): number | undefined {
  if (window.kind === 'single') return undefined
  if (window.kind === 'rolling') return at - window.ms + 1
  return period(window.unit, window.zone, at).from
}

/** The longest that a window looks back, milliseconds. */
export function windowReach(window: LimitWindow): number {
  if (window.kind === 'single') return 0
  if (window.kind === 'rolling') return window.ms
  // A day more than the longest, for clocks that are set back and countries that move across the date line.
  const days = { day: 2, week: 8, month: 32 }
  return days[window.unit] * 86_400_000
}
