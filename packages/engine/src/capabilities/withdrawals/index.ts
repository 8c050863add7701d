export type { Explanation } from './explain.ts'
export {
  DEFAULT_RULES,
  type InputRefusal,
  type WithdrawalInput,
  type WithdrawalRules,
} from './input.ts'
export type {
  BookMove,
  QueueMove,
  SpendFacts,
  Step,
  WithdrawalEvent,
  WithdrawalState,
} from './machine.ts'
export type * from './ports.ts'
export { bookingFees, createOwner } from './owner.ts'
export { DEFAULT_RHYTHM, type PlanRhythm } from './rhythm.ts'
export type { RequestedWithdrawal, RequestRefusal } from './request.ts'
export { createWithdrawals, type Withdrawals, type WithdrawalsDeps } from './service.ts'
