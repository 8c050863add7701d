export type { FeeEstimate } from './calls/network.ts'
export type { PackageResult, SendOutcome, SendRequest } from './calls/send.ts'
export type { NodeCapabilities, ProbedMethod } from './capabilities.ts'
export { type BitcoindClient, createBitcoindClient } from './client.ts'
export { DEFAULT_DEADLINES, type Deadlines, type MethodClass } from './methods.ts'
export { GENESIS } from './networks.ts'
export type { BitcoindAuth, BitcoindOptions, BitcoindTls } from './options.ts'
export { DEFAULT_RETRY, type RetryPolicy } from './retry.ts'
export type { CallOptions } from './rpc.ts'
export { type BitcoindSource, createBitcoindSource } from './source.ts'
export type { Timers } from './timers.ts'
export {
  ERROR_CODES,
  REJECT_REASONS,
  type Verdict,
  verdictOfCode,
  verdictOfReject,
} from './verdicts/index.ts'
