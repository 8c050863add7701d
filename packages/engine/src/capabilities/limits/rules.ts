import type { Sat } from '../../kernel/index.ts'
import type { LimitSubject, Sum, SumSince } from './ports.ts'
import { type LimitWindow, period } from './windows.ts'

export type LimitPer = 'platform' | 'user' | 'customer' | 'wallet' | 'destination'

/** So much, or so many, in a time. */
export interface LimitRule {
  readonly name: string
  readonly per: LimitPer
  readonly window: LimitWindow
  /** The most satoshi, this request included. */
  readonly amount?: Sat
  /** The most requests, this one included. */
  readonly count?: number
  /** What happens to a request that goes over it. */
  readonly over: 'hold' | 'deny'
  /** Only for these users, customers, wallets or scripts (hex). */
  readonly of?: readonly string[]
  /** Not for these. */
  readonly except?: readonly string[]
}

/** Of a request, what limits look at. */
export interface Counted {
  readonly wallet: string
  /** The script in hex. */
  readonly destination: string
  readonly user?: string
  readonly customer?: string
}

/**
 * Whose the request is, for a kind of limit. Requests that name no user (or customer) are those of one and the same nobody,
 * so that leaving the name out evades no limit.
 */
export function idFor(per: LimitPer, request: Counted): string {
  if (per === 'platform') return ''
  return request[per] ?? ''
}
export const subjectFor = (per: LimitPer, id: string): LimitSubject =>
  per === 'platform' ? 'platform' : `${per}/${id}`

const PERS: readonly LimitPer[] = ['platform', 'user', 'customer', 'wallet', 'destination']

/** Every subject that a request is counted for, whatever limits there are: a limit of tomorrow finds today's requests. */
export const subjectsOf = (request: Counted): readonly LimitSubject[] =>
  PERS.map((per) => subjectFor(per, idFor(per, request)))

/** Whether a limit is for this user, customer, wallet or script. */
export const appliesTo = ({ of, except }: LimitRule, id: string): boolean =>
  (of === undefined || of.includes(id)) && !(except?.includes(id) ?? false)

/** Whether one more request of this amount goes over a limit of which so much is used. */
export const isOver = (rule: LimitRule, used: Sum, amount: bigint): boolean =>
  (rule.amount !== undefined && used.amount + amount > rule.amount) ||
  (rule.count !== undefined && used.count + 1 > rule.count)

/** What is left of a limit, never below nothing. */
export interface LimitLeft {
  /** Satoshi. */
  readonly amount?: bigint
  readonly count?: number
}
export function leftOf(rule: LimitRule, used: Sum): LimitLeft {
  const rest = (most: bigint) => (most > used.amount ? most - used.amount : 0n)
  return {
    ...(rule.amount === undefined ? {} : { amount: rest(rule.amount) }),
    ...(rule.count === undefined ? {} : { count: Math.max(0, rule.count - used.count) }),
  }
}

/**
 * When there is room again: the end of a calendar period, or when the oldest of what a rolling window holds leaves it.
 * Undefined when nothing is used, and for single requests.
 */
export function resetsAt({ window }: LimitRule, used: SumSince, at: number): number | undefined {
  if (window.kind === 'single' || used.oldestAt === undefined) return undefined
  if (window.kind === 'rolling') return used.oldestAt + window.ms
  return period(window.unit, window.zone, at).until
}
