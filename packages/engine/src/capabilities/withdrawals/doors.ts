import type { Result, SpendId } from '../../kernel/index.ts'
import type {
  ApprovalState,
  Approve,
  Judge,
  Release,
  RequireTransactionApprovals,
  Reserve,
  Settle,
} from '../policy/index.ts'
import type { BumpWish, Replaced, ReplaceRefusal } from '../spending/index.ts'
import type { WithdrawalsTx } from './transaction.ts'

/** What the policy decides and counts, as `capabilities/policy` does it. */
export interface PolicyDoors {
  readonly judge: Judge
  readonly reserve: Reserve
  readonly release: Release
  readonly settle: Settle
  readonly approve: Approve
  readonly approvalState: ApprovalState
  readonly requireTransactionApprovals: RequireTransactionApprovals
}

/** What becomes of spends, as `capabilities/spending` does it. */
export interface SpendDoors {
  /**
   * Ends a spend in the caller's transaction if nobody who can sign saw any version of it; undefined when somebody may have.
   * Its owner hears of it in the same transaction.
   */
  drop(
    tx: WithdrawalsTx,
    spend: SpendId,
    actor: string,
  ): Promise<Result<Replaced, ReplaceRefusal> | undefined>
  bump(spend: SpendId, wish: BumpWish, actor: string): Promise<Result<Replaced, ReplaceRefusal>>
  cancel(spend: SpendId, actor: string): Promise<Result<Replaced, ReplaceRefusal>>
}
