import { randomUUID } from 'node:crypto'
import type { Host } from '../../host/host.ts'
import { pauseFor } from '../../host/pause.ts'
import type { EventJson } from './answers.ts'
import { errorOfAnswer, unreadable } from './problem.ts'
import { readServerSent } from './sse.ts'
import { type Answered, type Asked, textOf, type Transport } from './transport.ts'

/** What a query may hold; what is undefined is left out, a list gives its name several times. */
export type Query = Readonly<
  Record<string, string | number | boolean | readonly string[] | undefined>
>
/** A list as the API answers it. */
export interface ListPage<Row> {
  readonly data: readonly Row[]
  readonly has_more: boolean
  readonly next: string | null
}
export interface Post {
  readonly body?: object
  /** `Idempotency-Key`; one is made up where none is given. */
  readonly idempotencyKey?: string | undefined
}

export interface Created<T> {
  readonly made: T
  readonly created: boolean
}

const LARGEST_PAGE = 100
/** Pause between two looks while following inside the process: another process writes the table. */
const LOOK_MS = 500
/** Pause before a stream that broke is opened again, growing to the second number. */
const AGAIN_MS = [500, 15_000] as const

/** The API as commands see it: JSON in and out, problems as errors with their codes, lists of any length, streams. */
export class ApiClient {
  readonly name: string
  /** The engine in this process, where it is asked directly: for work that only a process with a node can do. */
  readonly host: Host | undefined
  readonly #transport: Transport
  readonly #close: () => Promise<void>

  constructor(transport: Transport, host?: Host) {
    this.#transport = transport
    this.name = transport.name
    this.host = host
    this.#close = async () => {
      await transport.close()
      await host?.close()
    }
  }

  get<T>(path: string, query: Query = {}): Promise<T> {
    return this.#json({ method: 'GET', path: withQuery(path, query), headers: {} })
  }
  async post<T>(path: string, post: Post = {}): Promise<T> {
    return (await this.create<T>(path, post)).made
  }
  /** A POST that says whether it made something new (201) or found it (200). */
  async create<T>(path: string, { body, idempotencyKey }: Post): Promise<Created<T>> {
    const headers = { 'idempotency-key': idempotencyKey ?? randomUUID() }
    const answered = await this.#send(withBody({ method: 'POST', path, headers }, body))
    return { made: await this.#read(answered), created: answered.status === 201 }
  }
  patch<T>(path: string, body: object): Promise<T> {
    return this.#json(withBody({ method: 'PATCH', path, headers: {} }, body))
  }
  delete<T>(path: string): Promise<T> {
    return this.#json({ method: 'DELETE', path, headers: {} })
  }
  /** The rows of a list, at most `limit`, from as many pages as they take. */
  async list<Row>(path: string, query: Query, limit: number): Promise<Row[]> {
    const rows: Row[] = []
    for await (const row of this.rows<Row>(path, query, limit)) rows.push(row)
    return rows
  }
  async *rows<Row>(
    path: string,
    query: Query = {},
    limit = Number.POSITIVE_INFINITY,
  ): AsyncGenerator<Row> {
    let after = query['after']
    for (let left = limit; left > 0; ) {
      const size = Math.min(LARGEST_PAGE, left)
      const page = await this.get<ListPage<Row>>(path, { ...query, limit: size, after })
      yield* page.data
      left -= page.data.length
      if (!page.has_more || page.next === null) return
      after = page.next
    }
  }
  /** A long answer, piece by piece, as text. */
  async *text(path: string, query: Query = {}, accept = '*/*'): AsyncGenerator<string> {
    const { body } = await this.#send({
      method: 'GET',
      path: withQuery(path, query),
      headers: { accept },
    })
    const decoder = new TextDecoder()
    for await (const piece of body) yield decoder.decode(piece, { stream: true })
  }
  /**
   * Events behind a number, for ever: first what there is, then what comes. A stream that breaks is opened again behind the
   * last event that came. Ends when `signal` says so.
   */
  async *follow(after: number, query: Query, signal: AbortSignal): AsyncGenerator<EventJson> {
    let last = after
    let pause: number = AGAIN_MS[0]
    while (!signal.aborted) {
      const events = this.host ? this.#look(last, query) : this.#stream(last, query, signal)
      try {
        for await (const event of events) {
          last = event.seq
          pause = AGAIN_MS[0]
          yield event
        }
      } catch (error) {
        if (signal.aborted) return
        if (this.host || !isPassing(error)) throw error
        pause = Math.min(pause * 2, AGAIN_MS[1])
      }
      await pauseFor(this.host ? LOOK_MS : pause, signal)
    }
  }
  close(): Promise<void> {
    return this.#close()
  }

  #look(after: number, query: Query): AsyncGenerator<EventJson> {
    return this.rows<EventJson>('/v1/events', { ...query, after })
  }
  async *#stream(after: number, query: Query, signal: AbortSignal): AsyncGenerator<EventJson> {
    const path = withQuery('/v1/events/stream', { ...query, after })
    const headers = { accept: 'text/event-stream' }
    const { body } = await this.#send({ method: 'GET', path, headers, signal })
    for await (const { data } of readServerSent(body)) {
      const event = JSON.parse(data) as Partial<EventJson>
      if (typeof event.seq === 'number') yield event as EventJson
    }
  }
  async #json<T>(asked: Asked): Promise<T> {
    return this.#read(await this.#send(asked))
  }
  async #read<T>(answered: Answered): Promise<T> {
    const text = await textOf(answered)
    if (text === '') return undefined as T
    try {
      return JSON.parse(text) as T
    } catch {
      // A page of somebody else, with a status that sounds like ours.
      throw unreadable(`${this.name} answered ${answered.status}`, text)
    }
  }
  async #send(asked: Asked) {
    const accept = { accept: 'application/json', ...asked.headers }
    const answered = await this.#transport.send({ ...asked, headers: accept })
    const { status } = answered
    if (status >= 200 && status < 300) return answered
    throw errorOfAnswer(status, await textOf(answered), this.name)
  }
}

const isPassing = (error: unknown): boolean =>
  error instanceof Error && 'remedy' in error && error.remedy === 'retry'

const withBody = (asked: Asked, body: object | undefined): Asked =>
  body === undefined
    ? asked
    : {
        ...asked,
        headers: { ...asked.headers, 'content-type': 'application/json' },
        body: JSON.stringify(body),
      }

function withQuery(path: string, query: Query): string {
  const search = new URLSearchParams()
  for (const [name, value] of Object.entries(query)) {
    if (value === undefined) continue
    for (const one of Array.isArray(value) ? value : [value]) search.append(name, String(one))
  }
  return search.size === 0 ? path : `${path}?${search}`
}
