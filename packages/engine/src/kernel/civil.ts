/** A day of the calendar, without a time zone. */
export interface CivilDay {
  readonly year: number
  /** 1 to 12. */
  readonly month: number
  readonly day: number
}

export const DAY_MS = 86_400_000

/** Days since 1970-01-01 in the Gregorian calendar. A month or day outside its range counts on: day 0 is the one before day 1. */
export function dayNumber({ year, month, day }: CivilDay): number {
  const months = year * 12 + month - 1
  const fromMarch = months - 2
  const y = Math.floor(fromMarch / 12)
  const m = fromMarch - y * 12
  // Years that begin in March end with the leap day.
  const dayOfYear = Math.floor((153 * m + 2) / 5) + day - 1
  const leaps = Math.floor(y / 4) - Math.floor(y / 100) + Math.floor(y / 400)
  return y * 365 + leaps + dayOfYear - 719_468
}

/** The day with this number. */
export function civilDay(number: number): CivilDay {
  const shifted = number + 719_468
  const era = Math.floor(shifted / 146_097)
  const inEra = shifted - era * 146_097
  const yearOfEra = Math.floor(
    (inEra - Math.floor(inEra / 1460) + Math.floor(inEra / 36_524) - Math.floor(inEra / 146_096)) /
      365,
  )
  const dayOfYear =
    inEra - (365 * yearOfEra + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100))
  const fromMarch = Math.floor((5 * dayOfYear + 2) / 153)
  const month = fromMarch < 10 ? fromMarch + 3 : fromMarch - 9
  return {
    year: yearOfEra + era * 400 + (month <= 2 ? 1 : 0),
    month,
    day: dayOfYear - Math.floor((153 * fromMarch + 2) / 5) + 1,
  }
}

/** 0 for Monday to 6 for Sunday. */
export const weekdayOf = (number: number): number => (((number + 3) % 7) + 7) % 7

/** The day (UTC) of an instant, as `2027-03-28`. */
export function dayOf(at: number): string {
  const { year, month, day } = civilDay(Math.floor(at / DAY_MS))
  const two = (value: number) => String(value).padStart(2, '0')
  return `${String(year).padStart(4, '0')}-${two(month)}-${two(day)}`
}
