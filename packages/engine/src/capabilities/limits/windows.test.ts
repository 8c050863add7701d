import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { civilDay, DAY_MS, dayNumber, dayOf, weekdayOf } from '../../kernel/index.ts'
import { isZone, localTime, offsetAt, startOfDay } from './zone.ts'
import { type CalendarUnit, period, windowFrom } from './windows.ts'

const HOUR = 3_600_000
/** Zones with summer time, half hours, changes at midnight, whole days left out, and none of it. */
const ZONES = [
  'UTC',
  'Europe/Berlin',
  'America/New_York',
  'America/Sao_Paulo',
  'America/St_Johns',
  'America/Santiago',
  'Asia/Beirut',
  'Asia/Kathmandu',
  'Australia/Lord_Howe',
  'Africa/Casablanca',
  'Pacific/Apia',
  'Pacific/Kiritimati',
]
const FROM = Date.UTC(1990, 0, 1)
const UNTIL = Date.UTC(2037, 0, 1)
const zone = fc.constantFrom(...ZONES)
const instant = fc.integer({ min: FROM, max: UNTIL })
const unit = fc.constantFrom<CalendarUnit>('day', 'week', 'month')

const iso = (text: string) => Date.parse(text)

describe('the calendar without zones', () => {
  test('is that of the platform', () => {
    fc.assert(
      fc.property(fc.integer({ min: -8_000_000, max: 8_000_000 }), (number) => {
        const date = new Date(number * DAY_MS)
        const day = civilDay(number)
        expect(day).toEqual({
          year: date.getUTCFullYear(),
          month: date.getUTCMonth() + 1,
          day: date.getUTCDate(),
        })
        expect(dayNumber(day)).toBe(number)
        expect(weekdayOf(number)).toBe((date.getUTCDay() + 6) % 7)
      }),
    )
  })
  test('month 13 is the next January, and day 0 the last of the month before', () => {
    expect(civilDay(dayNumber({ year: 2027, month: 13, day: 1 }))).toEqual({
      year: 2028,
      month: 1,
      day: 1,
    })
    expect(civilDay(dayNumber({ year: 2028, month: 3, day: 0 })).day).toBe(29)
  })
  test('a day has a name', () => {
    expect(dayOf(iso('2027-03-28T23:59:59.999Z'))).toBe('2027-03-28')
    expect(dayOf(iso('2027-03-29T00:00:00Z'))).toBe('2027-03-29')
    expect(dayOf(-1)).toBe('1969-12-31')
  })
})

describe('zones', () => {
  test.each(['Europe/Berlin', 'UTC', 'Asia/Kolkata'])('%s is one', (name) => {
    expect(isZone(name)).toBe(true)
  })
  test.each(['', 'Mars/Olympus', '+01:00', 'Europe/Berlin ', `A${'a'.repeat(64)}`])(
    '%j is none',
    (name) => {
      expect(isZone(name)).toBe(false)
    },
  )
  test('offsets are those of the zone, also between full seconds', () => {
    expect(offsetAt('Europe/Berlin', iso('2027-03-28T00:59:59.999Z'))).toBe(HOUR)
    expect(offsetAt('Europe/Berlin', iso('2027-03-28T01:00:00Z'))).toBe(2 * HOUR)
    expect(offsetAt('Asia/Kathmandu', 0)).toBe(5.5 * HOUR)
    expect(offsetAt('America/New_York', iso('2027-01-01T00:00:00Z'))).toBe(-5 * HOUR)
  })
})

/** Days whose beginning or length people get wrong. */
const DAYS: readonly (readonly [string, string, string, string, number])[] = [
  ['an ordinary day', 'Europe/Berlin', '2027-06-15T12:00Z', '2027-06-14T22:00Z', 24],
  ['23 hours in spring', 'Europe/Berlin', '2027-03-28T12:00Z', '2027-03-27T23:00Z', 23],
  ['25 hours in autumn', 'Europe/Berlin', '2027-10-31T12:00Z', '2027-10-30T22:00Z', 25],
  ['west of Greenwich', 'America/New_York', '2027-03-14T12:00Z', '2027-03-14T05:00Z', 23],
  ['half an hour', 'Australia/Lord_Howe', '2027-04-04T00:00Z', '2027-04-03T13:00Z', 24.5],
  ['no midnight at all', 'America/Sao_Paulo', '2018-11-04T12:00Z', '2018-11-04T03:00Z', 23],
  ['back at midnight', 'America/Sao_Paulo', '2018-02-17T12:00Z', '2018-02-17T02:00Z', 25],
  ['back one minute past', 'America/St_Johns', '2010-11-07T12:00Z', '2010-11-07T02:30Z', 25],
  ['the old day once more', 'America/St_Johns', '2010-11-07T02:45Z', '2010-11-07T02:30Z', 25],
  ['after a day left out', 'Pacific/Apia', '2011-12-31T00:00Z', '2011-12-30T10:00Z', 24],
  ['before a day left out', 'Pacific/Apia', '2011-12-30T00:00Z', '2011-12-29T10:00Z', 24],
]
test.each(DAYS)('%s: %s %s', (_name, zone, at, from, hours) => {
  const day = period('day', zone, iso(at))
  expect(new Date(day.from).toISOString()).toBe(new Date(iso(from)).toISOString())
  expect((day.until - day.from) / HOUR).toBe(hours)
})

/** As if nobody had asked before: the last answer is kept for each unit and zone. */
function freshPeriod(unit: CalendarUnit, zone: string, at: number) {
  period(unit, zone, at + 400 * DAY_MS)
  return period(unit, zone, at)
}

describe('periods', () => {
  test('hold their instant, follow each other without gap, and begin at a local midnight or a jump over it', () => {
    fc.assert(
      fc.property(unit, zone, instant, (unit, zone, at) => {
        const { from, until } = freshPeriod(unit, zone, at)
        expect(from).toBeLessThanOrEqual(at)
        expect(at).toBeLessThan(until)
        expect(period(unit, zone, at)).toEqual({ from, until })
        expect(freshPeriod(unit, zone, from)).toEqual({ from, until })
        expect(freshPeriod(unit, zone, until - 1)).toEqual({ from, until })
        expect(freshPeriod(unit, zone, until).from).toBe(until)
        const [before, after] = [localTime(zone, from - 1), localTime(zone, from)]
        // The calendar moves on at the beginning, and never stood there before.
        expect(dayNumber(after)).toBeGreaterThan(dayNumber(before))
        if (unit === 'month') expect(after.month).not.toBe(before.month)
        if (unit === 'week' && zone !== 'Pacific/Apia') expect(weekdayOf(dayNumber(after))).toBe(0)
      }),
    )
  })
  test('the first instant of a day is found among all minutes of three days', () => {
    fc.assert(
      fc.property(zone, fc.integer({ min: FROM / DAY_MS, max: UNTIL / DAY_MS }), (zone, number) => {
        const midnight = number * DAY_MS
        let first = midnight - 15 * HOUR
        // Every change of a clock in these years is on a full minute.
        while (dayNumber(localTime(zone, first)) < number) first += 60_000
        expect(startOfDay(zone, civilDay(number))).toBe(first)
      }),
      { numRuns: 30 },
    )
  })
  test('a rolling window holds the last milliseconds, the present one included', () => {
    expect(windowFrom({ kind: 'rolling', ms: 1000 }, 5000)).toBe(4001)
    expect(windowFrom({ kind: 'single' }, 5000)).toBeUndefined()
  })
})
