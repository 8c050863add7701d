import type { Once, RequestKey } from '@kaccy/bitcoin/idempotency'
import { refuse } from '@kaccy/bitcoin/kernel'
import type { AppParts } from './parts.ts'
import { RefusedError } from './problem.ts'
import type { Answer, Route } from './route.ts'

/** How the answer of one request is kept, and found again when the request comes a second time. */
export interface OnceGate {
  once<T>(present: (made: T) => Answer): Once<T> | undefined
  /** Runs the handler at most once for each key. */
  run(handle: () => Promise<Answer>): Promise<Answer>
}

const PRINTABLE = /^[\x21-\x7e]{1,255}$/
const REPLAYED = { 'idempotent-replayed': 'true' } as const

/** Keys that are being worked on in this process; between processes the database's unique key decides. */
export class InFlight {
  readonly #keys = new Set<string>()
  /** @throws RefusedError IDEMPOTENCY_IN_FLIGHT while the same request is being answered */
  async hold<T>(key: string, work: () => Promise<T>): Promise<T> {
    if (this.#keys.has(key)) {
      const { error } = refuse(
        'IDEMPOTENCY_IN_FLIGHT',
        'a request with this Idempotency-Key is being answered right now',
      )
      throw new RefusedError(error, { 'retry-after': '1' })
    }
    this.#keys.add(key)
    try {
      return await work()
    } finally {
      this.#keys.delete(key)
    }
  }
}

/** Reads the header. @throws RefusedError IDEMPOTENCY_KEY_INVALID */
export function readIdempotencyKey(
  header: string | readonly string[] | undefined,
): string | undefined {
  if (header === undefined) return undefined
  if (typeof header === 'string' && PRINTABLE.test(header)) return header
  throw new RefusedError(
    refuse('IDEMPOTENCY_KEY_INVALID', 'Idempotency-Key must be 1 to 255 visible ASCII characters')
      .error,
  )
}

export const openGate: OnceGate = { once: () => undefined, run: (handle) => handle() }

export function gateFor(
  { engine }: AppParts,
  { once: mode }: Pick<Route, 'once'>,
  request: RequestKey,
  inFlight: InFlight,
): OnceGate {
  const kept = async (): Promise<Answer | undefined> => {
    const found = await engine.idempotency.find(request)
    if (!found.ok) throw new RefusedError(found.error)
    if (!found.value) return undefined
    const { status, body } = found.value
    return { status, body: JSON.parse(body), headers: REPLAYED }
  }
  return {
    once: <T>(present: (made: T) => Answer): Once<T> => ({
      request,
      answer(made) {
        const { status, body } = present(made)
        return { status, body: textOf(body) }
      },
    }),
    run: (handle) =>
      inFlight.hold(`${request.scope} ${request.key}`, async () => {
        if (mode === 'around') {
          const before = await kept()
          if (before) return before
          const fresh = await handle()
          await engine.idempotency.keep(request, { status: fresh.status, body: textOf(fresh.body) })
          return fresh
        }
        try {
          return await handle()
        } catch (error) {
          // The verb found in its own transaction that this request has been answered.
          if (!(error instanceof RefusedError && error.refusal.code === 'IDEMPOTENCY_ANSWERED'))
            throw error
          const before = await kept()
          if (before) return before
          throw error
        }
      }),
  }
}

/** The same text that the serialiser writes: a bigint is an integer. */
const textOf = (body: unknown): string =>
  JSON.stringify(body ?? null, (_, value: unknown) =>
    typeof value === 'bigint' ? Number(value) : value,
  )
