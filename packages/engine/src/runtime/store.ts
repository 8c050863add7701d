import type { AccessRows } from '../capabilities/access/index.ts'
import type { AlertRows } from '../capabilities/alerts/index.ts'
import type { AuditRows } from '../capabilities/audit/index.ts'
import type { ChainRows } from '../capabilities/chain/index.ts'
import type { CoinRows } from '../capabilities/coins/index.ts'
import type { DepositRows } from '../capabilities/deposits/index.ts'
import type { EventRows } from '../capabilities/events/index.ts'
import type { IdempotencyRows } from '../capabilities/idempotency/index.ts'
import type { LedgerRows } from '../capabilities/ledger/index.ts'
import type { SpendingRows } from '../capabilities/spending/index.ts'
import type { WalletRows } from '../capabilities/wallet/index.ts'
import type { WebhookRows } from '../capabilities/webhooks/index.ts'
import type { WithdrawalRows } from '../capabilities/withdrawals/index.ts'
import type { LimitRows } from '../capabilities/limits/index.ts'
import type { RiskRows } from '../capabilities/risk/index.ts'
import type { PolicyRows } from '../capabilities/policy/index.ts'
import type { ConsolidationRows } from '../capabilities/consolidation/index.ts'
import type { AnalyticsRows } from '../capabilities/analytics/index.ts'
import type { Transactor } from '../kernel/index.ts'

/** The row doors of every capability, in one transaction: state, books, events and cursor move together. */
export interface StoreTx {
  readonly chain: ChainRows
  readonly wallet: WalletRows
  readonly deposits: DepositRows
  readonly ledger: LedgerRows
  readonly events: EventRows
  readonly audit: AuditRows
  readonly alerts: AlertRows
  readonly access: AccessRows
  readonly idempotency: IdempotencyRows
  readonly webhooks: WebhookRows
  readonly coins: CoinRows
  readonly spending: SpendingRows
  readonly withdrawals: WithdrawalRows
  readonly limits: LimitRows
  readonly risk: RiskRows
  readonly policy: PolicyRows
  readonly analytics: AnalyticsRows
  readonly consolidations: ConsolidationRows
}

/** Where everything is kept. Made by `adapters/memory` or `adapters/sql`; any other passes `testing/store-conformance`. */
export interface Store extends Transactor<StoreTx> {
  /** Waits for what is running, then refuses with STORE_UNAVAILABLE. */
  close(): Promise<void>
}
