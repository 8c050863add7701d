import { hash } from 'node:crypto'
import type { Once, RequestKey } from '@kaccy/bitcoin/idempotency'
import { refuse } from '@kaccy/bitcoin/kernel'
import type { PlainJson } from './json-body.ts'
import type { AppParts } from './parts.ts'
import { RefusedError } from './problem.ts'
import type { Answer, Route } from './route.ts'

/** What goes out: an answer that the serialiser of its status writes, or a kept one whose text stands. */
export type Outgoing = Answer & { readonly text?: string }

/** How the answer of one request is kept, and found again when the request comes a second time. */
export interface OnceGate {
  once<T>(present: (made: T) => Answer): Once<T> | undefined
  /** Runs the handler at most once for each key. */
  run(handle: () => Promise<Answer>): Promise<Outgoing>
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

/** Reads the header for one route. @throws RefusedError IDEMPOTENCY_KEY_INVALID, IDEMPOTENCY_KEY_MISSING */
export function readIdempotencyKey(
  header: string | readonly string[] | undefined,
  { once, requiresKey = false }: Pick<Route, 'once' | 'requiresKey'>,
): string | undefined {
  if (once === undefined) return undefined
  if (header === undefined) {
    if (!requiresKey) return undefined
    const { error } = refuse(
      'IDEMPOTENCY_KEY_MISSING',
      'money moves here: the request must carry an Idempotency-Key',
    )
    throw new RefusedError(error)
  }
  if (typeof header === 'string' && PRINTABLE.test(header)) return header
  throw new RefusedError(
    refuse('IDEMPOTENCY_KEY_INVALID', 'Idempotency-Key must be 1 to 255 visible ASCII characters')
      .error,
  )
}

/** Says whether two requests ask for the same: white space and the order of names in the body do not matter. */
export const digestOf = (method: string, url: string, body: PlainJson | undefined): string =>
  hash('sha256', `${method} ${url}\n${body === undefined ? '' : canonical(body)}`)

function canonical(value: PlainJson): string {
  if (Array.isArray(value)) return `[${value.map(canonical).join(',')}]`
  if (typeof value !== 'object' || value === null) return JSON.stringify(value)
  const members = Object.entries(value)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, member]) => `${JSON.stringify(name)}:${canonical(member)}`)
  return `{${members.join(',')}}`
}

export const openGate: OnceGate = { once: () => undefined, run: (handle) => handle() }

export interface GateOptions {
  readonly parts: AppParts
  readonly route: Pick<Route, 'once'>
  readonly request: RequestKey
  readonly inFlight: InFlight
  /** Writes an answer as its own schema says, so that the kept text is the one that was sent. */
  readonly textOf: (answer: Answer) => string
}

export function gateFor({ parts, route, request, inFlight, textOf }: GateOptions): OnceGate {
  const { idempotency } = parts.engine
  const keptOf = (answer: Answer) => ({ status: answer.status, body: textOf(answer) })
  const kept = async (): Promise<Outgoing | undefined> => {
    const found = await idempotency.find(request)
    if (!found.ok) throw new RefusedError(found.error)
    if (!found.value) return undefined
    const { status, body } = found.value
    return { status, text: body, headers: REPLAYED }
  }
  /** For verbs that may run again without harm; of two processes at once, the answer that was kept first is everybody's. */
  const around = async (handle: () => Promise<Answer>): Promise<Outgoing> => {
    const before = await kept()
    if (before) return before
    const fresh = await handle()
    const own = keptOf(fresh)
    const first = await idempotency.keep(request, own)
    if (!first.ok) throw new RefusedError(first.error)
    const { status, body } = first.value
    return body === own.body && status === own.status
      ? fresh
      : { status, text: body, headers: REPLAYED }
  }
  const inside = async (handle: () => Promise<Answer>): Promise<Outgoing> => {
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
  }
  return {
    once: <T>(present: (made: T) => Answer): Once<T> => ({
      request,
      answer: (made) => keptOf(present(made)),
    }),
    run: (handle) =>
      inFlight.hold(`${request.scope} ${request.key}`, () =>
        route.once === 'around' ? around(handle) : inside(handle),
      ),
  }
}
