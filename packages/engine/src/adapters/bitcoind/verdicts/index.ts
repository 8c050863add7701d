export { ERROR_CODES, verdictOfCode } from './codes.ts'
export { REJECT_REASONS, type Verdict, verdictOfReject } from './rejects.ts'
