import { assert, type CivilDay, DAY_MS, dayNumber } from '../../kernel/index.ts'

const HOUR_MS = 3_600_000
/** Local midnight lies between these distances from midnight UTC: no zone is further from it. */
const EARLIEST = 15 * HOUR_MS
const LATEST = 13 * HOUR_MS

const formats = new Map<string, Intl.DateTimeFormat | undefined>()

function formatOf(zone: string): Intl.DateTimeFormat | undefined {
  if (formats.has(zone)) return formats.get(zone)
  let format: Intl.DateTimeFormat | undefined
  try {
    format = new Intl.DateTimeFormat('en-US-u-ca-gregory-nu-latn', {
      timeZone: zone,
      hourCycle: 'h23',
      era: 'short',
      year: 'numeric',
      month: 'numeric',
      day: 'numeric',
      hour: 'numeric',
      minute: 'numeric',
      second: 'numeric',
    })
  } catch {
    // A RangeError is how the platform says that it does not know the zone.
    format = undefined
  }
  if (formats.size >= 100) formats.clear()
  formats.set(zone, format)
  return format
}

/** Whether this is the name of a time zone (IANA: `Europe/Berlin`, `UTC`); bare offsets are none, they know no summer. */
export const isZone = (name: string): boolean =>
  name.length <= 64 && /^[A-Za-z]/.test(name) && formatOf(name) !== undefined

/** The local time of an instant. */
export interface LocalTime extends CivilDay {
  readonly hour: number
  readonly minute: number
  readonly second: number
}

/** @throws AssertionError for a name that `isZone` does not accept. */
export function localTime(zone: string, at: number): LocalTime {
  const format = formatOf(zone)
  assert(format, `not a time zone: ${zone}`)
  const parts = new Map(format.formatToParts(at).map(({ type, value }) => [type, value]))
  const part = (name: Intl.DateTimeFormatPartTypes) => Number(parts.get(name))
  const year = parts.get('era') === 'BC' ? 1 - part('year') : part('year')
  return {
    year,
    month: part('month'),
    day: part('day'),
    hour: part('hour'),
    minute: part('minute'),
    second: part('second'),
  }
}

/** How far local time is ahead of UTC at this instant, milliseconds. */
export function offsetAt(zone: string, at: number): number {
  const second = Math.floor(at / 1000) * 1000
  const local = localTime(zone, second)
  const clock = local.hour * HOUR_MS + local.minute * 60_000 + local.second * 1000
  return dayNumber(local) * DAY_MS + clock - second
}

/** The first instant after `low`, up to `high`, at which the offset is no longer that of `low`. */
function changeBetween(zone: string, low: number, high: number, before: number): number {
  let [left, right] = [low, high]
  while (right - left > 1) {
    const middle = Math.floor((left + right) / 2)
    if (offsetAt(zone, middle) === before) left = middle
    else right = middle
  }
  return right
}

/**
 * The first instant of a local day: the first at which the local calendar shows that day or a later one. Where the clock
 * jumps over midnight that is the moment of the jump; where midnight comes twice it is the first; a day that a country
 * left out begins with the next one.
 */
export function startOfDay(zone: string, day: CivilDay): number {
  const midnight = dayNumber(day) * DAY_MS
  const [low, high] = [midnight - EARLIEST, midnight + LATEST]
  const [before, after] = [offsetAt(zone, low), offsetAt(zone, high)]
  if (before === after) return midnight - before
  const change = changeBetween(zone, low, high, before)
  if (midnight - before < change) return midnight - before
  return Math.max(change, midnight - after)
}
