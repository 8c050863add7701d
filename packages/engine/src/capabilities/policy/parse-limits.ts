import type { LimitPer, LimitRule, LimitWindow } from '../limits/index.ts'
import { DEFAULT_RISK, RECENT, type RiskSettings, SIGNALS, type Signal } from '../risk/index.ts'
import { at, given, type Reader } from './reader.ts'

const MINUTE_MS = 60_000
/** The longest time that a limit looks back over. Older entries are forgotten. */
export const LONGEST_MINUTES = 92 * 24 * 60

function readWindow(reader: Reader, value: unknown, path: string, zone: string): LimitWindow {
  if (value === 'single') return { kind: 'single' }
  const window = reader.object(value, path, ['rolling_minutes', 'calendar', 'zone'])
  if (window['rolling_minutes'] !== undefined) {
    if (window['calendar'] !== undefined || window['zone'] !== undefined)
      reader.no(path, 'is either rolling or of the calendar', undefined)
    const place = at(path, 'rolling_minutes')
    const minutes = reader.whole(window['rolling_minutes'], place, 1, LONGEST_MINUTES)
    return { kind: 'rolling', ms: minutes * MINUTE_MS }
  }
  return {
    kind: 'calendar',
    unit: reader.oneOf(window['calendar'], at(path, 'calendar'), ['day', 'week', 'month']),
    zone: window['zone'] === undefined ? zone : reader.zone(window['zone'], at(path, 'zone')),
  }
}

const PERS: readonly LimitPer[] = ['platform', 'user', 'customer', 'wallet', 'destination']
const LIMIT = ['name', 'per', 'window', 'amount_sat', 'count', 'over', 'of', 'except']

/** @param scriptsOf what the members of `of` and `except` are for a limit per destination: names of lists */
export function readLimit(
  reader: Reader,
  value: unknown,
  path: string,
  {
    zone,
    scriptsOf,
  }: { zone: string; scriptsOf: (value: unknown, path: string) => readonly string[] },
): LimitRule {
  const limit = reader.object(value, path, LIMIT)
  const per = reader.oneOf(limit['per'], at(path, 'per'), PERS)
  const window = readWindow(reader, limit['window'], at(path, 'window'), zone)
  const [amount, count] = [limit['amount_sat'], limit['count']]
  if (amount === undefined && count === undefined)
    reader.no(path, 'limits neither amount_sat nor count', undefined)
  if (window.kind === 'single' && count !== undefined)
    reader.no(at(path, 'count'), 'cannot be limited within a single request', undefined)
  const ids = (name: 'of' | 'except') => {
    const list = limit[name]
    const place = at(path, name)
    if (list === undefined) return undefined
    if (per === 'platform') return reader.no(place, 'there is one platform only', undefined)
    if (per === 'destination') return scriptsOf(list, place)
    return reader.set(list, place, 1000, (id, where) => reader.text(id, where))
  }
  return {
    name: reader.name(limit['name'], at(path, 'name')),
    per,
    window,
    over:
      limit['over'] === undefined
        ? 'deny'
        : reader.oneOf(limit['over'], at(path, 'over'), ['hold', 'deny']),
    ...given(
      'amount',
      amount === undefined ? undefined : reader.satoshi(amount, at(path, 'amount_sat')),
    ),
    ...given(
      'count',
      count === undefined ? undefined : reader.whole(count, at(path, 'count'), 0, 1_000_000),
    ),
    ...given('of', ids('of')),
    ...given('except', ids('except')),
  }
}

const RISK = [
  'hold',
  'deny',
  'alert',
  'large_sat',
  'velocity_sat',
  'habit_percent',
  'rapid',
  'structuring',
  'points',
]

/** What is not named stays as it is by default; a threshold that is `null` is switched off. */
export function readRisk(reader: Reader, value: unknown, path: string): RiskSettings {
  if (value === undefined) return DEFAULT_RISK
  const risk = reader.object(value, path, RISK)
  const score = (name: 'hold' | 'deny' | 'alert') => {
    if (risk[name] === null) return undefined
    return risk[name] === undefined
      ? DEFAULT_RISK[name]
      : reader.whole(risk[name], at(path, name), 1, 100)
  }
  const [hold, deny] = [score('hold'), score('deny')]
  if (hold !== undefined && deny !== undefined && deny < hold)
    reader.no(at(path, 'deny'), 'is below hold', undefined)
  const satoshi = (name: string) =>
    risk[name] === undefined ? undefined : reader.satoshi(risk[name], at(path, name))
  return {
    ...given('hold', hold),
    ...given('deny', deny),
    ...given('alert', score('alert')),
    ...given('large', satoshi('large_sat')),
    ...given('velocity', satoshi('velocity_sat')),
    habitPercent:
      risk['habit_percent'] === undefined
        ? DEFAULT_RISK.habitPercent
        : reader.whole(risk['habit_percent'], at(path, 'habit_percent'), 100, 100_000),
    ...readPatterns(reader, risk, path),
    points: readPoints(reader, risk['points'], at(path, 'points')),
  }
}

function readPatterns(
  reader: Reader,
  risk: Readonly<Record<string, unknown>>,
  path: string,
): Pick<RiskSettings, 'rapid' | 'structuring'> {
  let { rapid, structuring } = DEFAULT_RISK
  if (risk['rapid'] !== undefined) {
    const place = at(path, 'rapid')
    const { count, minutes } = reader.object(risk['rapid'], place, ['count', 'minutes'])
    rapid = {
      count: reader.whole(count, at(place, 'count'), 2, RECENT),
      ms: reader.whole(minutes, at(place, 'minutes'), 1, 24 * 60) * MINUTE_MS,
    }
  }
  if (risk['structuring'] !== undefined) {
    const place = at(path, 'structuring')
    const names = ['count', 'hours', 'percent']
    const { count, hours, percent } = reader.object(risk['structuring'], place, names)
    structuring = {
      count: reader.whole(count, at(place, 'count'), 2, RECENT),
      ms: reader.whole(hours, at(place, 'hours'), 1, 31 * 24) * 60 * MINUTE_MS,
      percent: reader.whole(percent, at(place, 'percent'), 1, 99),
    }
  }
  return { rapid, structuring }
}

function readPoints(
  reader: Reader,
  value: unknown,
  path: string,
): Readonly<Record<Signal, number>> {
  if (value === undefined) return DEFAULT_RISK.points
  const points = reader.object(value, path, SIGNALS)
  const read = (signal: Signal) =>
    points[signal] === undefined
      ? DEFAULT_RISK.points[signal]
      : reader.whole(points[signal], at(path, signal), 0, 100)
  return Object.fromEntries(SIGNALS.map((signal) => [signal, read(signal)])) as Record<
    Signal,
    number
  >
}
