export type {
  LookChange,
  LookCoin,
  LookExpectation,
  LookLimits,
  LookPayment,
} from './expectation.ts'
export type { LookFault, LookReason } from './fault.ts'
export { isLookToken, lastLook, refuseByLook } from './look.ts'
export type { LookToken } from './token.ts'
