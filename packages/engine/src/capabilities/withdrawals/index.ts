export type { Explanation } from './explain.ts'
export type { InputRefusal, WithdrawalInput, WithdrawalRules } from './input.ts'
export type {
  BookMove,
  QueueMove,
  SpendFacts,
  Step,
  WithdrawalEvent,
  WithdrawalState,
} from './machine.ts'
export type * from './ports.ts'
export type { RequestedWithdrawal, RequestRefusal } from './request.ts'
export { createWithdrawals, type Withdrawals, type WithdrawalsDeps } from './service.ts'
