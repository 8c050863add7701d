import { type Refusal, refuse } from '../../kernel/index.ts'
import type { AnswerRecord, RequestKey } from './ports.ts'

const HOUR_MS = 60 * 60 * 1000
/** How long an answer is kept at least: a client that retries for a day gets its first answer again. */
export const LEAST_KEEP_MS = 24 * HOUR_MS
export const DEFAULT_KEEP_MS = 7 * LEAST_KEEP_MS

/** The time of an answer that is never pruned: the last moment that a `Date` can name. Source: ECMA-262 21.4.1.1. */
export const FOR_EVER = 8_640_000_000_000_000
/** What stands as the time of an answer that was given at `at`. */
export const keptSince = ({ isForEver = false }: RequestKey, at: number): number =>
  isForEver ? FOR_EVER : at

/** Why a request is not done: it was answered before (read the answer with `find`), or its key names another one. */
export type OnceRefusal = Refusal<'IDEMPOTENCY_ANSWERED' | 'IDEMPOTENCY_CONFLICT'>

/** One text for one name. */
export const nameOf = ({ scope, key }: Pick<RequestKey, 'scope' | 'key'>): string =>
  JSON.stringify([scope, key])

/** Another request has this key. */
export const conflictOf = (): Refusal<'IDEMPOTENCY_CONFLICT'> =>
  refuse('IDEMPOTENCY_CONFLICT', 'the idempotency key was used for another request', {
    param: 'idempotency_key',
  }).error

/** What an earlier use of the same key says to this request; undefined when there is none. */
export function judge(
  earlier: Pick<AnswerRecord, 'digest'> | undefined,
  request: RequestKey,
): OnceRefusal | undefined {
  if (!earlier) return undefined
  if (earlier.digest !== request.digest) return conflictOf()
  return refuse('IDEMPOTENCY_ANSWERED', 'this request was answered before').error
}
