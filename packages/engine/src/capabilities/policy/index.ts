export {
  approvalFault,
  approvalState,
  approve,
  approveTransaction,
  progressOf,
  requireTransactionApprovals,
} from './approvals.ts'
export { type CaseFailure, type TestReport, testPolicy } from './cases.ts'
export { type Decided, type DecisionInput, decide } from './decide.ts'
export { DEFAULT_DOCUMENT, defaultPolicy } from './default.ts'
export type * from './document.ts'
export type * from './doors.ts'
export { judge, release, reserve, settle } from './judge.ts'
export type { LimitsAsked, LimitUse } from './limits-in-use.ts'
export { type Finding, lint } from './lint.ts'
export { parsePolicy } from './parse.ts'
export type * from './ports.ts'
export {
  type ReplayDifference,
  type ReplayOptions,
  type ReplayReport,
  replayPolicy,
  type ShortVerdict,
} from './replay.ts'
export { digestOf } from './request.ts'
export * from './service.ts'
export * from './subject.ts'
