export type {
  LookChange,
  LookCoin,
  LookExpectation,
  LookLimits,
  LookPayment,
} from './expectation.ts'
export type { LookFault, LookReason } from './fault.ts'
export { lastLook, refuseByLook } from './look.ts'
export { isLookToken, type LookToken } from './token.ts'
