import {
  appliesTo,
  type LimitLeft,
  type LimitPer,
  type LimitRule,
  leftOf,
  resetsAt,
  type SumSince,
  subjectFor,
  windowFrom,
} from '../limits/index.ts'
import type { PolicyTx } from './ports.ts'
import { given } from './reader.ts'
import { policyAt } from './stored.ts'

/** Whose limits: those of the platform, and of whoever is named. */
export interface LimitsAsked {
  readonly user?: string
  readonly customer?: string
  readonly wallet?: string
  /** A script in hex. */
  readonly destination?: string
  /** Milliseconds since the epoch. */
  readonly at: number
}
/** One limit and what is used of it. */
export interface LimitUse {
  readonly rule: LimitRule
  readonly policyVersion: number
  /** `platform`, `user/<id>`, … */
  readonly subject: string
  /** Undefined for limits of a single request. */
  readonly used?: Pick<SumSince, 'amount' | 'count'>
  readonly left: LimitLeft
  /** When there is room again; undefined when nothing is used. */
  readonly resetsAt?: number
}

const idAsked = (per: LimitPer, asked: LimitsAsked): string | undefined =>
  per === 'platform' ? '' : asked[per]

/** The limits in force that concern somebody, in the order of the document, with what is used of each at this moment. */
export async function limitsInUse(
  tx: Pick<PolicyTx, 'policy' | 'limits'>,
  asked: LimitsAsked,
): Promise<readonly LimitUse[]> {
  const { at } = asked
  const { enabled, digest } = await tx.policy.head()
  const policy = await policyAt(tx, enabled, digest)
  const concerned = policy.limits.flatMap((rule) => {
    const id = idAsked(rule.per, asked)
    if (id === undefined || !appliesTo(rule, id)) return []
    return [{ rule, subject: subjectFor(rule.per, id), from: windowFrom(rule.window, at) }]
  })
  const queries = concerned.flatMap(({ subject, from }) =>
    from === undefined ? [] : [{ subject, from }],
  )
  const sums = [...(await tx.limits.sums(queries))]
  return concerned.map(({ rule, subject, from }): LimitUse => {
    const found = from === undefined ? undefined : sums.shift()
    const used = found ?? { amount: 0n, count: 0 }
    return {
      rule,
      policyVersion: enabled,
      subject,
      ...(found ? { used: { amount: found.amount, count: found.count } } : {}),
      left: leftOf(rule, used),
      ...given('resetsAt', resetsAt(rule, used, at)),
    }
  })
}
