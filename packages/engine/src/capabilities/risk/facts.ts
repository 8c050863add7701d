import type { Sat } from '../../kernel/index.ts'
import type { RiskProfile } from './ports.ts'

interface Sum {
  /** Satoshi. */
  readonly amount: bigint
  readonly count: number
}
/** Everything that a score is made from: it does not depend on the policy, and is kept with the decision. */
export interface RiskFacts {
  readonly at: number
  readonly amount: Sat
  /** As it was before this request. */
  readonly profile: RiskProfile
  /** Withdrawals to the same script that were settled before. */
  readonly paidToDestination: number
  /** What the same subject asked for in the last hour and in the last day, without this request and without what was given up. */
  readonly lastHour: Sum
  readonly lastDay: Sum
}
