export type { Analysis, AnalyseRefusal, ConsolidationWish } from './analyse.ts'
export { consolidationSnapshot } from './announce.ts'
export {
  type CoinGroup,
  chooseGroup,
  groupsOf,
  type KnownCoin,
  spareCoins,
} from './grouping.ts'
export {
  type ConsolidationEvent,
  type ConsolidationState,
  isUnderWay,
  nextConsolidation,
  type SpendFacts,
} from './machine.ts'
export { createConsolidationOwner } from './owner.ts'
export type * from './ports.ts'
export type { RunRefusal } from './run.ts'
export { type Savings, type SavingsInput, savingsOf } from './savings.ts'
export {
  type CancelRefusal,
  type Consolidation,
  type ConsolidationDeps,
  createConsolidation,
} from './service.ts'
export {
  type AutomaticSettings,
  type ConsolidationSettings,
  DEFAULT_CONSOLIDATION,
} from './settings.ts'
export type { ConsolidationTx } from './transaction.ts'
