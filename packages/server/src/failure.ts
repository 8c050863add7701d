import {
  AssertionError,
  asError,
  type Details,
  EngineError,
  type ErrorCode,
  REGISTRY,
  type Refusal,
  type Remedy,
  type Result,
} from '@kaccy/bitcoin/kernel'
import { EXIT, type ExitCode } from './shell.ts'

/** An error as it is shown: to people on stderr, to programs as one JSON object. */
export interface Failure {
  readonly code: string
  readonly message: string
  readonly remedy: Remedy
  readonly title: string
  readonly param?: string
  readonly details: Details
  readonly exit: ExitCode
  readonly stack?: string
}

export const ERROR_PAGE = 'docs/errors.md'
/** The section of a code, as the headings of the page are linked. */
export const linkOf = (code: string): string => `${ERROR_PAGE}#${code.toLowerCase()}`

/** What a person can do, by who can do it. */
export const ADVICE: Readonly<Record<Remedy, string>> = {
  caller: 'change the request',
  retry: 'try again later; time heals it',
  human: 'look at it yourself: trying again will not help',
}

/** The server is there and does not let this caller in. */
const ACCESS: readonly string[] = [
  'TOKEN_MISSING',
  'KEY_UNKNOWN',
  'KEY_EXPIRED',
  'KEY_REVOKED',
  'KEY_MODE',
  'KEY_ADDRESS_FORBIDDEN',
  'SCOPE_MISSING',
  'ADDRESS_FORBIDDEN',
]

/** Which exit code a code of the registry means to a script. */
export function exitOf(code: string): ExitCode {
  if (/^(CONFIG|USAGE)_/.test(code) || code === 'NODE_OPTIONS_INVALID') return EXIT.usage
  if (/^(STORE_(UNAVAILABLE|SCHEMA)|SERVER_DATABASE_)/.test(code)) return EXIT.database
  if (/^API_/.test(code) || ACCESS.includes(code)) return EXIT.api
  if (/^(NODE|CHAIN)_/.test(code) || code === 'SERVER_NODE_DOWNLOADING') return EXIT.node
  return EXIT.failure
}

/** Everything that can be thrown at the top, in one form. */
export function failureOf(error: unknown): Failure {
  if (error instanceof EngineError) {
    const { param, ...details } = error.details
    const known: ErrorCode = error.code
    return {
      code: known,
      message: error.message,
      remedy: error.remedy,
      title: REGISTRY[known].title,
      ...(typeof param === 'string' ? { param } : {}),
      details,
      // A failed check ends as what failed first would have ended.
      exit: exitOf(known === 'SERVER_CHECK_FAILED' ? String(details['first']) : known),
      ...(error.stack === undefined ? {} : { stack: error.stack }),
    }
  }
  const ours = error instanceof AssertionError
  return {
    code: 'BUG',
    message: error instanceof Error ? error.message : String(error),
    remedy: 'human',
    title: ours ? 'A rule of our own was broken; nothing of it was kept' : 'Unexpected',
    details: {},
    exit: EXIT.failure,
    ...(error instanceof Error && error.stack !== undefined ? { stack: error.stack } : {}),
  }
}

/** The value of a result; its refusal becomes an error with the same code. @throws EngineError */
export function orThrow<T>(result: Result<T, Refusal>): T {
  if (result.ok) return result.value
  throw asError(result.error)
}

/** Lines for people: code and reason first, then what to do, then where to read on. */
export function describeFailure(failure: Failure, debug: boolean): string[] {
  const { code, message, remedy, param, details } = failure
  const facts = Object.entries(details).map(([name, value]) => `${name}=${value}`)
  return [
    `${code}: ${message}`,
    ...(param === undefined ? [] : [`  field    ${param}`]),
    ...(facts.length === 0 ? [] : [`  facts    ${facts.join(' ')}`]),
    `  remedy   ${remedy}: ${ADVICE[remedy]}`,
    ...(code === 'BUG' ? [] : [`  more     ${linkOf(code)}`]),
    ...(debug && failure.stack !== undefined ? [failure.stack] : []),
    ...(code === 'BUG' && !debug ? ['  --debug shows where it happened'] : []),
  ]
}

export const failureJson = (failure: Failure) => ({
  type: 'error',
  code: failure.code,
  title: failure.title,
  message: failure.message,
  remedy: failure.remedy,
  param: failure.param ?? null,
  details: failure.details,
  link: failure.code === 'BUG' ? null : linkOf(failure.code),
})
