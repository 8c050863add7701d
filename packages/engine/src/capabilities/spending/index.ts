export { EVENT_OF, type PsbtEvent, tellVersion, versionSnapshot } from './announce.ts'
export type { Automatic } from './automatic.ts'
export { type ChildRefusal, FAMILY_LIMIT } from './child.ts'
export {
  type CommitRefusal,
  type CommitRequest,
  type CommittedSpend,
  commitSpend,
  steadyCoins,
} from './commit.ts'
export {
  type Draft,
  type DraftPayment,
  type DraftRefusal,
  type DraftRequest,
  draftSpend,
  type FeeWish,
} from './draft.ts'
export { type ExpectationInput, expectationOf } from './expectation.ts'
export {
  createFeeQuotes,
  type FeeQuote,
  type FeeQuoteRefusal,
  type FeeQuotes,
  type FeeQuotesOptions,
  type FeeSource,
  type FeeSpeed,
  feeCeiling,
  targetOf,
} from './fees.ts'
export { createFollow, type Follow, type FollowOptions, followedBy, tellOwner } from './follow.ts'
export {
  holdsCoins,
  isBeforeSending,
  nextSpend,
  nextVersion,
  type SpendEvent,
  type VersionEvent,
} from './machine.ts'
export type * from './node.ts'
export { descriptorOf, type SpendingOptions, tipOf } from './options.ts'
export type * from './owner.ts'
export {
  changeOf,
  hashOf,
  outputFor,
  paymentsOf,
  type PlannedTransaction,
  unsignedOf,
} from './plan.ts'
export type * from './ports.ts'
export {
  type PreviousDeps,
  type PreviousRefusal,
  type PreviousTransactions,
  previousOf,
} from './previous.ts'
export { needsPrevious } from './psbt.ts'
export type { BumpWish } from './replace.ts'
export { dropUnseen, type Replaced, type ReplaceRefusal } from './replacing.ts'
export { createSpending, type SpendView, type Spending } from './service.ts'
export { emptyTrail, type Trail, writeTrail } from './trail.ts'
export type { SpendingTx } from './transaction.ts'
export type { Ids } from './version.ts'
