import type { Tolerance } from '@kaccy/bitcoin/deposits'
import { EngineError, parseBtc, parseSat, type Sat } from '@kaccy/bitcoin/kernel'
import { orThrow } from '../failure.ts'

const no = (param: string, reason: string): EngineError =>
  new EngineError('USAGE_INVALID', `${param} ${reason}`, { details: { param } })

/** Satoshi as `150000` or `150000sat`, bitcoins as `0.0015btc`; nothing else, and nothing is rounded. */
export function readAmount(text: string, param: string): Sat {
  const [, digits = '', unit = ''] = /^([\d.]+)\s*([a-z]*)$/i.exec(text.trim()) ?? []
  if (unit.toLowerCase() === 'btc') return orThrow(parseBtc(digits, param))
  if (unit === '' || unit.toLowerCase() === 'sat') return orThrow(parseSat(digits, param))
  throw no(param, 'is neither satoshi (150000) nor bitcoin (0.0015btc)')
}

/**
 * A fee rate as people speak of it, satoshi for a virtual byte with up to three decimals (`12`, `1.5`, `2.25sat/vB`), in
 * satoshi for 1000.
 */
export function readRate(text: string, param: string): number {
  const [, whole, part = ''] = /^(\d{1,6})(?:\.(\d{1,3}))?\s*(?:sat\/vb)?$/i.exec(text.trim()) ?? []
  const rate = whole === undefined ? 0 : Number(`${whole}${part.padEnd(KVB_DIGITS, '0')}`)
  if (rate > 0) return rate
  throw no(param, 'is no rate in sat/vB like 12 or 1.5')
}
const KVB_DIGITS = 3
/** The same the other way: 1500 sat/kvB are `1.5 sat/vB`. */
export const rateText = (perKvb: number): string => `${perKvb / 1000} sat/vB`

/** A whole number within bounds. */
export function readNumber(text: string, param: string, from: number, to: number): number {
  const value = /^\d{1,16}$/.test(text) ? Number(text) : Number.NaN
  if (Number.isSafeInteger(value) && value >= from && value <= to) return value
  throw no(param, `is no whole number from ${from} to ${to}`)
}

const UNITS: Readonly<Record<string, number>> = {
  s: 1_000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
}
/** A duration like `90s`, `15m`, `2h`, `7d`, in milliseconds. */
export function readDuration(text: string, param: string): number {
  const [, digits = '', unit = ''] = /^(\d{1,6})([smhd])$/.exec(text) ?? []
  const factor = UNITS[unit]
  if (factor === undefined) throw no(param, 'is no duration like 90s, 15m, 2h or 7d')
  return Number(digits) * factor
}

const PPM_DIGITS = 4
/** What still counts as exact: `500` satoshi, or `0.5%`. */
export function readTolerance(text: string, param: string): Tolerance {
  if (!text.endsWith('%')) return { kind: 'absolute', sat: readAmount(text, param) }
  const [, whole, part = ''] = /^(\d{1,2})(?:\.(\d{1,4}))?%$/.exec(text) ?? []
  if (whole === undefined) throw no(param, 'is no share like 0.5% with at most four decimals')
  return { kind: 'relative', ppm: Number(`${whole}${part.padEnd(PPM_DIGITS, '0')}`) }
}

/** A moment as RFC 3339 or a date, in milliseconds since the epoch. */
export function readTime(text: string, param: string): number {
  const value = /^\d{4}-\d{2}-\d{2}/.test(text) ? Date.parse(text) : Number.NaN
  if (Number.isNaN(value)) throw no(param, 'is no time like 2026-11-22 or 2026-11-22T20:00:00Z')
  return value
}

/** `key=value` pairs. */
export function readPairs(texts: readonly string[], param: string): Record<string, string> {
  return Object.fromEntries(
    texts.map((text) => {
      const at = text.indexOf('=')
      if (at < 1) throw no(param, 'is not of the form key=value')
      return [text.slice(0, at), text.slice(at + 1)]
    }),
  )
}

/** One of a few words. */
export function readChoice<T extends string>(
  text: string,
  choices: readonly T[],
  param: string,
): T {
  const found = choices.find((choice) => choice === text)
  if (found === undefined) throw no(param, `is none of ${choices.join(', ')}`)
  return found
}

/** Words with commas between them. */
export const listOf = (text: string): string[] =>
  text
    .split(',')
    .map((word) => word.trim())
    .filter((word) => word !== '')
