export { withdrawalSnapshot } from './announce.ts'
export { holdOf } from './books.ts'
export { reservationOf } from './change.ts'
export type * from './doors.ts'
export type { Explanation } from './explain.ts'
export {
  aboveMostFee,
  DEFAULT_RULES,
  type InputRefusal,
  type WithdrawalInput,
  type WithdrawalRules,
} from './input.ts'
export {
  type BookMove,
  begin,
  type EventRefusal,
  isEnded,
  isExposed,
  isHeld,
  isQueued,
  next,
  type QueueMove,
  type SpendFacts,
  type Step,
  type WithdrawalEvent,
  type WithdrawalState,
} from './machine.ts'
export {
  bookingFees,
  bookNetworkFee,
  createChildOwner,
  createOwner,
  lockBeforeFollow,
  type OwnerDeps,
} from './owner.ts'
export { type PlannerDeps, type PlanReport, planDue } from './planner.ts'
export type * from './ports.ts'
export type { RequestedWithdrawal, RequestRefusal } from './request.ts'
export { DEFAULT_RHYTHM, type PlanRhythm } from './rhythm.ts'
export { createWithdrawals, type Withdrawals, type WithdrawalsDeps } from './service.ts'
export { type Part, partsOf, splitFee } from './shares.ts'
export type { WithdrawalsTx } from './transaction.ts'
export type { BumpInput, BumpRefusal, CancelRefusal, VerbRefusal } from './verbs.ts'
