import { type Clock, ok, type Refusal, type Result, type Transactor } from '../../kernel/index.ts'
import { conflictOf, DEFAULT_KEEP_MS, keptSince, LEAST_KEEP_MS, nameOf } from './policy.ts'
import type { AnswerRecord, KeptAnswer, RequestKey } from './ports.ts'
import { againAfterConflict, type IdempotencyTx } from './transaction.ts'

/** Answers that one step of pruning removes: short enough that no writer waits for it. */
const STEP = 1000

export interface Idempotency {
  /** The first answer to this request; undefined when there is none. */
  find(
    request: RequestKey,
  ): Promise<Result<KeptAnswer | undefined, Refusal<'IDEMPOTENCY_CONFLICT'>>>
  /**
   * Keeps the answer of a verb that may run again without harm, after it ran. The first one stays; what it says is the
   * result.
   */
  keep(
    request: RequestKey,
    answer: Pick<KeptAnswer, 'status' | 'body'>,
  ): Promise<Result<KeptAnswer, Refusal<'IDEMPOTENCY_CONFLICT'>>>
  /**
   * Removes what is older than this many milliseconds, 7 days by default and never less than 24 hours; answers how many. Answers
   * that are kept for ever stay.
   */
  prune(olderThanMs?: number): Promise<number>
}

type Found = Result<KeptAnswer | undefined, Refusal<'IDEMPOTENCY_CONFLICT'>>

async function findIn(tx: IdempotencyTx, request: RequestKey): Promise<Found> {
  const answers = await tx.idempotency.answers([request])
  const kept = answers.find((answer) => nameOf(answer) === nameOf(request))
  if (!kept) return ok(undefined)
  if (kept.digest !== request.digest) return { ok: false, error: conflictOf() }
  return ok(plain(kept))
}
const plain = ({ status, body, at }: AnswerRecord): KeptAnswer => ({ status, body, at })

export function createIdempotency({
  store,
  clock,
}: {
  readonly store: Transactor<IdempotencyTx>
  readonly clock: Clock
}): Idempotency {
  return {
    find: (request) => store.read((tx) => findIn(tx, request)),
    keep: (request, { status, body }) =>
      againAfterConflict(() =>
        store.transact(async (tx) => {
          const { scope, key, digest } = request
          const found = await findIn(tx, request)
          if (!found.ok) return found
          if (found.value) return ok(found.value)
          const kept = { scope, key, digest, status, body, at: keptSince(request, clock.now()) }
          await tx.idempotency.insert([kept])
          return ok(plain(kept))
        }),
      ),
    async prune(olderThanMs = DEFAULT_KEEP_MS) {
      const before = clock.now() - Math.max(olderThanMs, LEAST_KEEP_MS)
      const step = () => store.transact((tx) => tx.idempotency.prune(before, STEP))
      let removed = 0
      for (let some = await step(); some > 0; some = some < STEP ? 0 : await step()) removed += some
      return removed
    },
  }
}
