import { dayNumber, weekdayOf } from '../../kernel/index.ts'
import { localTime, type LocalTime } from '../limits/index.ts'
import { type Conditions, type Range, type RequestView, type Rule, WEEKDAYS } from './document.ts'

/** What conditions look at beside the request. */
export interface Circumstances {
  readonly score: number
  /** Withdrawals to the same script for the same user that were settled before. */
  readonly paidToDestination: number
  readonly zone: string
}

export const inRange = <T extends number | bigint>(range: Range<T>, value: T): boolean =>
  (range.least === undefined || value >= range.least) &&
  (range.most === undefined || value <= range.most)

const has = (list: readonly string[] | undefined, value: string | undefined): boolean =>
  list === undefined || (value !== undefined && list.includes(value))

function isTime({ hours, weekdays }: Conditions, local: () => LocalTime): boolean {
  if (hours !== undefined && !hours.includes(local().hour)) return false
  if (weekdays === undefined) return true
  const today = WEEKDAYS[weekdayOf(dayNumber(local()))]
  return today !== undefined && weekdays.includes(today)
}

/** Whether all conditions hold. */
export function matches(
  when: Conditions,
  request: RequestView,
  { score, paidToDestination, zone }: Circumstances,
): boolean {
  if (!has(when.wallets, request.wallet)) return false
  if (!has(when.users, request.user) || !has(when.customers, request.customer)) return false
  if (!has(when.initiators, request.initiator)) return false
  if (!has(when.destinations, request.destination)) return false
  if (when.newDestination !== undefined && when.newDestination !== (paidToDestination === 0))
    return false
  if (when.amount !== undefined && !inRange<bigint>(when.amount, request.amount)) return false
  if (when.score !== undefined && !inRange(when.score, score)) return false
  const { metadata } = request
  if (Object.entries(when.metadata ?? {}).some(([key, value]) => metadata[key] !== value))
    return false
  return isTime(when, () => localTime(zone, request.at))
}

/** The first rule that matches decides; the order of the document is the order of the questions. */
export const firstMatch = (
  rules: readonly Rule[],
  request: RequestView,
  circumstances: Circumstances,
): Rule | undefined => rules.find(({ when }) => matches(when, request, circumstances))
