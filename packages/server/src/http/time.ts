import { refuse } from '@kaccy/bitcoin/kernel'
import { RefusedError } from './problem.ts'

const FORM =
  /^(\d{4})-(\d{2})-(\d{2})[Tt](?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d(?:\.\d{1,9})?(?:[Zz]|[+-](?:[01]\d|2[0-3]):[0-5]\d)$/

/**
 * A time as RFC 3339 writes it, with seconds and offset, in milliseconds since the epoch; finer parts are cut off.
 * @throws RefusedError FIELD_INVALID
 */
export function readTime(text: string, param: string): number {
  const [, year, month, day] = FORM.exec(text) ?? []
  const at = year === undefined ? Number.NaN : Date.parse(text)
  if (!Number.isNaN(at) && isDay(Number(year), Number(month), Number(day))) return at
  const { error } = refuse(
    'FIELD_INVALID',
    `${param} must be a time such as 2026-01-31T12:00:00Z, with its offset`,
    { param },
  )
  throw new RefusedError(error)
}
export const readTimeIfGiven = (text: string | undefined, param: string): number | undefined =>
  text === undefined ? undefined : readTime(text, param)

/** February has no 30th. */
const isDay = (year: number, month: number, day: number): boolean =>
  day >= 1 && new Date(Date.UTC(year, month - 1, day)).getUTCDate() === day
