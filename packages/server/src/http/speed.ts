import { refuse, satPerKvB } from '@kaccy/bitcoin/kernel'
import type { Speed } from '@kaccy/bitcoin/withdrawals'
import { RefusedError } from './problem.ts'
import { readTime } from './time.ts'

/** The fields of a request that say how soon. */
export interface SpeedFields {
  readonly priority?: 'low' | 'normal' | 'high'
  readonly fee_rate_sat_kvb?: number
  readonly deadline?: string
}
const NAMES = ['priority', 'fee_rate_sat_kvb', 'deadline'] as const

/** At most one of them says how soon. @throws RefusedError FIELD_INVALID */
export function speedOf(fields: SpeedFields): Speed | undefined {
  const [first, second] = NAMES.filter((name) => fields[name] !== undefined)
  if (first !== undefined && second !== undefined)
    throw new RefusedError(
      refuse('FIELD_INVALID', `${second} and ${first} both say how soon: give one of them`, {
        param: second,
      }).error,
    )
  const { priority, fee_rate_sat_kvb: rate, deadline } = fields
  if (priority !== undefined) return { kind: 'priority', priority }
  if (rate !== undefined) return { kind: 'rate', rate: satPerKvB(BigInt(rate)) }
  if (deadline !== undefined) return { kind: 'deadline', at: readTime(deadline, 'deadline') }
  return undefined
}
