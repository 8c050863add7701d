export {
  createEngine,
  type Engine,
  type EngineOptions,
  type SyncProgress,
  type SyncReport,
} from './engine.ts'
export { type Health, type Running, type RunOptions, runEngine } from './run.ts'
export type { PayoutOptions } from './payouts.ts'
export {
  type PayoutHealth,
  type PayoutStep,
  type PayoutSteps,
  type RunningPayouts,
  type RunPayoutsOptions,
  runPayouts,
} from './run-payouts.ts'
export type { Store, StoreTx } from './store.ts'
export { type RunWebhooksOptions, runWebhooks } from './webhooks.ts'
