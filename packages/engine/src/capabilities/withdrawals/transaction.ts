import type { AnalyticsRows } from '../analytics/index.ts'
import type { IdempotencyRows } from '../idempotency/index.ts'
import type { LedgerRows } from '../ledger/index.ts'
import type { PolicyTx } from '../policy/index.ts'
import type { SpendingTx } from '../spending/index.ts'
import type { WithdrawalRows } from './ports.ts'

/** The row doors that one commit of the payout path needs. */
export interface WithdrawalsTx extends SpendingTx, PolicyTx {
  readonly withdrawals: WithdrawalRows
  readonly ledger: LedgerRows
  readonly idempotency: IdempotencyRows
  readonly analytics: AnalyticsRows
}
