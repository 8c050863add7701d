import { type ErrorCode, REGISTRY, type Remedy } from './codes/index.ts'
import { err } from './result.ts'

/** Plain, loggable values only: no keys, no seeds, no PSBT bytes. */
export type Details = Readonly<Record<string, string | number | boolean>>

/** An expected "no": bad input, an unknown id, a rule that forbids. Returned, never thrown. */
export interface Refusal<C extends ErrorCode = ErrorCode> {
  readonly code: C
  readonly message: string
  /** The input field that has to change, in the caller's words. */
  readonly param?: string
  readonly details: Details
}

export const refuse = <C extends ErrorCode>(
  code: C,
  message: string,
  more: { readonly param?: string; readonly details?: Details } = {},
): { readonly ok: false; readonly error: Refusal<C> } =>
  err({
    code,
    message,
    ...(more.param === undefined ? {} : { param: more.param }),
    details: more.details ?? {},
  })

/** The world failed. Only `remedy` drives retries; it comes from the registry, not from the place that throws. */
export class EngineError<C extends ErrorCode = ErrorCode> extends Error {
  override readonly name = 'EngineError'
  readonly code: C
  readonly remedy: Remedy
  readonly details: Details

  constructor(
    code: C,
    message: string,
    options: { readonly details?: Details; readonly cause?: unknown } = {},
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause })
    this.code = code
    this.remedy = REGISTRY[code].remedy
    this.details = options.details ?? {}
  }
}

/** Our own bug. Stops the unit of work; nothing of it is committed. */
export class AssertionError extends Error {
  override readonly name = 'AssertionError'
}

/** States what must be true here. @throws AssertionError with `message` when it is not. */
export function assert(condition: unknown, message: string): asserts condition {
  if (!condition) throw new AssertionError(message)
}

/** A refusal that nobody handles as a value becomes an error with the same code. */
export const asError = <C extends ErrorCode>(refusal: Refusal<C>): EngineError<C> =>
  new EngineError(refusal.code, refusal.message, {
    details: {
      ...refusal.details,
      ...(refusal.param === undefined ? {} : { param: refusal.param }),
    },
  })
