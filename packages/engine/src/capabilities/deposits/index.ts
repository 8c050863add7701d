export { orderSnapshot } from './announce.ts'
export type { CreatedOrder, CreateRefusal } from './creation.ts'
export { type Explanation, explainOrder, type PaymentExplanation } from './explain.ts'
export { fixedRates } from './fixed-rates.ts'
export { createIntake, type Intake, type IntakeOptions } from './intake.ts'
export { creditDepth, depthOf, deriveOrder, missingOf, type Standing } from './machine.ts'
export { DEFAULT_EXPIRY_MS, type OrderInput } from './order-input.ts'
export { adoptFrom, type PlatformOrder, type PlatformOrders } from './platform.ts'
export {
  COINBASE_MATURITY,
  DEFAULT_THRESHOLDS,
  DEPTH_LIMIT,
  parseThresholds,
  verdictOf,
} from './policy.ts'
export type * from './ports.ts'
export { DEFAULT_RATE_AGE_MS, type PriceInput, type PriceRefusal, satoshisFor } from './price.ts'
export {
  type CoinsFilter,
  type PaymentDetail,
  type PaymentView,
  paymentCursor,
  paymentStatusOf,
  transactionCursor,
  type WalletTransaction,
  walletCoins,
  walletTransactions,
} from './queries.ts'
export { type Drift, type Reconciliation, reconcile } from './reconcile.ts'
export { createRescan, type RescanProgress } from './rescan.ts'
export {
  type DecisionRefusal,
  Orders,
} from './service.ts'
export {
  type ConfirmationStatistics,
  confirmationStatistics,
  type StatisticsSpan,
  type Waiting,
} from './statistics.ts'
export type { Adopt, DepositsTx } from './transaction.ts'
export { createWatch } from './watch.ts'
