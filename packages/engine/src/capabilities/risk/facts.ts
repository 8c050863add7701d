import type { Sat } from '../../kernel/index.ts'
import type { RiskProfile } from './ports.ts'

/** Everything that a score is made from: it does not depend on the policy, and is kept with the decision. */
export interface RiskFacts {
  readonly at: number
  readonly amount: Sat
  /** As it was before this request. */
  readonly profile: RiskProfile
  /** Withdrawals to the same script that were settled before. */
  readonly paidToDestination: number
}
