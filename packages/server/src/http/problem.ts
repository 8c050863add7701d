import {
  AssertionError,
  EngineError,
  type ErrorCode,
  REGISTRY,
  type Refusal,
} from '@kaccy/bitcoin/kernel'
import { statusOf } from './status.ts'

export const PROBLEM_TYPE = 'application/problem+json; charset=utf-8'

/** What a client gets when the answer is no (RFC 9457), with the members of design/api.md. */
export interface Problem {
  readonly type: string
  readonly title: string
  readonly status: number
  readonly code: string
  readonly detail: string
  readonly param?: string
  readonly remedy: 'caller' | 'retry' | 'human'
  readonly request_id: string
  /** The numbers that explain it. */
  readonly facts?: Readonly<Record<string, string | number | boolean>>
}

/** A no that a handler returns or throws; everything else that is thrown is the world's failure or our bug. */
export class RefusedError extends Error {
  override readonly name = 'RefusedError'
  readonly refusal: Refusal
  /** Headers that go with it, such as `Retry-After`. */
  readonly headers: Readonly<Record<string, string>>
  constructor(refusal: Refusal, headers: Readonly<Record<string, string>> = {}) {
    // Whoever is refused asked for it: where that was noticed is nobody's question, and noting it costs more than the answer.
    const { stackTraceLimit } = Error
    Error.stackTraceLimit = 0
    super(refusal.message)
    Error.stackTraceLimit = stackTraceLimit
    this.refusal = refusal
    this.headers = headers
  }
}

/** Where the server explains a code, see `docs/errors.ts`. */
export const ERROR_PAGES = '/docs/errors'

/** @param base the address clients know the server by; without it links are relative to the answer (RFC 9457 3.1.1) */
export function problemOf(error: unknown, requestId: string, base = ''): Problem {
  const problem = judge(error, requestId)
  return { type: `${base}${ERROR_PAGES}/${problem.code}`, ...problem }
}

type Untyped = Omit<Problem, 'type'>

function judge(error: unknown, requestId: string): Untyped {
  if (error instanceof RefusedError) return fromRefusal(error.refusal, requestId)
  if (error instanceof EngineError) return fromEngine(error, requestId)
  const detail =
    error instanceof AssertionError
      ? 'a rule of our own was broken; nothing of this request was kept'
      : 'something unexpected happened; it stands in the log under the id of this request'
  return fromRefusal({ code: 'SERVER_INTERNAL', message: detail, details: {} }, requestId)
}

/** What failed inside is for the log; a stranger learns that it failed, and which request to name. */
function fromEngine(error: EngineError, requestId: string): Untyped {
  const code: ErrorCode = error.code
  const { remedy, title } = REGISTRY[code]
  const { param, ...details } = error.details
  if (remedy !== 'caller') return fromRefusal({ code, message: title, details: {} }, requestId)
  return fromRefusal(
    { code, message: error.message, ...(typeof param === 'string' ? { param } : {}), details },
    requestId,
  )
}

function fromRefusal(refusal: Refusal, requestId: string): Untyped {
  const { code, message, param, details } = refusal
  const { title, remedy } = REGISTRY[code]
  return {
    title,
    status: statusOf(code),
    code,
    detail: message,
    ...(param === undefined ? {} : { param }),
    remedy,
    request_id: requestId,
    ...(Object.keys(details).length === 0 ? {} : { facts: details }),
  }
}
