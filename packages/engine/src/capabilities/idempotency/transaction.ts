import { EngineError, type Refusal, type Result } from '../../kernel/index.ts'
import { judge, keptSince, nameOf, type OnceRefusal } from './policy.ts'
import type { AnswerRecord, IdempotencyRows, Once, RequestKey } from './ports.ts'

/** The row door of this capability. */
export interface IdempotencyTx {
  readonly idempotency: IdempotencyRows
}

/**
 * Looks all requests of a transaction up at once. The answer tells for each why it must not be done; undefined: nobody
 * has answered it.
 */
export async function earlierAnswers(
  tx: IdempotencyTx,
  requests: readonly RequestKey[],
): Promise<(request: RequestKey) => OnceRefusal | undefined> {
  const kept = requests.length === 0 ? [] : await tx.idempotency.answers(requests)
  const byName = new Map(kept.map((answer) => [nameOf(answer), answer]))
  return (request) => judge(byName.get(nameOf(request)), request)
}

/** The record of what `made` is answered with, to be inserted in the transaction that made it. */
export function answerTo<T>({ request, answer }: Once<T>, made: T, at: number): AnswerRecord {
  const { scope, key, digest } = request
  const { status, body } = answer(made)
  return { scope, key, digest, status, body, at: keptSince(request, at) }
}

/**
 * Does the work of one request in the caller's transaction unless its key has been used, and keeps the answer beside it.
 * A refusal keeps nothing: the same key may be used again. Without `once` it is just the work.
 */
export async function doOnce<T, R extends Refusal>(
  tx: IdempotencyTx,
  once: Once<T> | undefined,
  at: number,
  work: () => Promise<Result<T, R>>,
): Promise<Result<T, R | OnceRefusal>> {
  if (!once) return work()
  const refused = (await earlierAnswers(tx, [once.request]))(once.request)
  if (refused) return { ok: false, error: refused }
  const made = await work()
  if (made.ok) await tx.idempotency.insert([answerTo(once, made.value, at)])
  return made
}

/**
 * Two requests with one unique key at the same moment in two processes: the database lets one pass and undoes the other,
 * which finds it when it runs again.
 */
export async function againAfterConflict<T>(attempt: () => Promise<T>): Promise<T> {
  try {
    return await attempt()
  } catch (error) {
    if (!(error instanceof EngineError && error.code === 'STORE_CONFLICT')) throw error
    return attempt()
  }
}
