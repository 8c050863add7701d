export { createFees, FEE_TARGETS, type FeesRefusal } from './fees.ts'
export { createFollower, type Follower, isOvertaken, type Look } from './follower.ts'
export type { ChainTx, FollowerOptions, OnProgress } from './follower-options.ts'
export { keepHeadersFrom } from './headers.ts'
export { locatorHeights, type Plan, plan } from './machine.ts'
export {
  absenceOf,
  type Degradation,
  degradationOf,
  GENESIS,
  mayFollow,
  TIP_AGE_LIMIT_MS,
} from './policy.ts'
export type * from './ports.ts'
export { matchBlock, matchTransaction } from './scan.ts'
