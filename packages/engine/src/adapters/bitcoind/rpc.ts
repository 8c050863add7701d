import { AssertionError, EngineError, type Result } from '../../kernel/index.ts'
import type { JsonWritable } from '../../protocol/json/index.ts'
import { type Credentials, createCredentials } from './credentials.ts'
import {
  answerInvalid,
  formatBatch,
  formatCall,
  type RpcCall,
  type RpcError,
  type RpcReply,
  readBatch,
  readReply,
} from './envelope.ts'
import { createHttp, type Http, type HttpAnswer, type TransportFault } from './http.ts'
import { natureOf } from './methods.ts'
import type { Settings } from './options.ts'
import { backoff } from './retry.ts'
import { cancelled, pause } from './timers.ts'

export interface CallOptions {
  /** Asks the node's wallet of this name. */
  readonly wallet?: string | undefined
  /** Milliseconds for the whole call with its attempts, instead of the one of the method's class. */
  readonly deadline_ms?: number
  readonly signal?: AbortSignal
  /** The caller knows that these calls, as they are, change nothing: they may be repeated like reads. */
  readonly harmless?: boolean
}

/** Untyped calls. The node's own errors are values here; everything that is not an answer throws. */
export interface Rpc {
  readonly settings: Settings
  /**
   * @throws NODE_UNREACHABLE, NODE_TIMEOUT, NODE_BUSY, NODE_WARMING_UP, NODE_UNAUTHORIZED, NODE_CERTIFICATE_REFUSED,
   * NODE_ANSWER_INVALID, NODE_CALL_CANCELLED. `details.sent` false says that the node never saw the call.
   */
  ask(method: string, params?: readonly JsonWritable[], options?: CallOptions): Promise<RpcReply>
  /** Answers in the order asked. Split into batches of the configured size; each is repeated only if all of it may be. */
  askAll(calls: readonly RpcCall[], options?: CallOptions): Promise<RpcReply[]>
  /** The body of one answer, unread, for answers too large to be read twice. */
  askRaw(
    method: string,
    params: readonly JsonWritable[],
    options?: CallOptions,
  ): Promise<{ readonly id: number; readonly body: Uint8Array }>
  /** Grows each time the node was lost and found again: what was learned of it before may be stale. */
  connectionLife(): number
  close(): void
}

interface Job<T> {
  readonly name: string
  readonly path: string
  readonly body: string
  readonly idempotent: boolean
  readonly deadline_ms: number
  readonly signal: AbortSignal | undefined
  read(body: Uint8Array): T
  /** For traces: `ok`, or the node's own error. */
  outcome(value: T): string
  /** The node's "I am still starting" inside an answer, if it is one. */
  warmingUp(value: T): RpcError | undefined
}

export const RPC_IN_WARMUP = -28

export function createRpc(settings: Settings): Rpc {
  const http = createHttp(settings)
  const asker = new Asker(settings, http, createCredentials(settings.auth, settings.clock))
  let nextId = 1
  const jobFor = (method: string, params: readonly JsonWritable[], options: CallOptions) => {
    const id = nextId++
    const nature = natureOf(method)
    return {
      id,
      name: method,
      path: pathOf(options.wallet),
      body: formatCall(settings.jsonrpc, { method, params }, id),
      idempotent: options.harmless ?? nature.idempotent,
      deadline_ms: options.deadline_ms ?? settings.deadlines[nature.class],
      signal: options.signal,
    }
  }
  const askBatch = (calls: readonly RpcCall[], options: CallOptions): Promise<RpcReply[]> => {
    const first = nextId
    nextId += calls.length
    const natures = calls.map((call) => natureOf(call.method))
    const deadline = Math.max(...natures.map((nature) => settings.deadlines[nature.class]))
    return asker.run<RpcReply[]>({
      name: 'batch',
      path: pathOf(options.wallet),
      body: formatBatch(settings.jsonrpc, calls, first),
      idempotent: options.harmless ?? natures.every((nature) => nature.idempotent),
      deadline_ms: options.deadline_ms ?? deadline,
      signal: options.signal,
      read: (body) => readBatch(calls, first, body),
      outcome: (replies) => replies.map(outcomeOf).find((word) => word !== 'ok') ?? 'ok',
      warmingUp: (replies) => replies.map(warmUpOf).find((error) => error !== undefined),
    })
  }
  return {
    settings,
    ask: (method, params = [], options = {}) => {
      const job = jobFor(method, params, options)
      const read = (body: Uint8Array) => readReply(method, job.id, body)
      return asker.run<RpcReply>({ ...job, read, outcome: outcomeOf, warmingUp: warmUpOf })
    },
    askRaw: (method, params, options = {}) => {
      const job = jobFor(method, params, options)
      const read = (body: Uint8Array) => ({ id: job.id, body })
      return asker.run({ ...job, read, outcome: () => 'ok', warmingUp: () => undefined })
    },
    askAll: async (calls, options = {}) => {
      const replies: RpcReply[] = []
      for (let at = 0; at < calls.length; at += settings.batchSize) {
        const part = calls.slice(at, at + settings.batchSize)
        for (const reply of await askBatch(part, options)) replies.push(reply)
      }
      return replies
    },
    connectionLife: () => asker.life,
    close: () => http.close(),
  }
}

const outcomeOf = (reply: RpcReply): string => (reply.ok ? 'ok' : `rpc ${reply.error.code}`)
const warmUpOf = (reply: RpcReply): RpcError | undefined =>
  !reply.ok && reply.error.code === RPC_IN_WARMUP ? reply.error : undefined

const pathOf = (wallet: string | undefined): string =>
  wallet === undefined ? '/' : `/wallet/${encodeURIComponent(wallet)}`

/** Attempts, pauses and deadlines: everything between "call this" and one answer. */
class Asker {
  readonly #settings: Settings
  readonly #http: Http
  readonly #credentials: Credentials
  #lost = false
  life = 0

  constructor(settings: Settings, http: Http, credentials: Credentials) {
    this.#settings = settings
    this.#http = http
    this.#credentials = credentials
  }

  /** One span around a call with all its attempts. Arguments are never part of it: they name addresses and keys. */
  run<T>(job: Job<T>): Promise<T> {
    return this.#settings.tracer.span(
      `bitcoind ${job.name}`,
      { 'rpc.system': 'bitcoind', 'rpc.method': job.name },
      () => this.#run(job),
      (value) => ({ outcome: job.outcome(value) }),
    )
  }

  async #run<T>(job: Job<T>): Promise<T> {
    const { clock, retry, timers, metrics } = this.#settings
    const end = clock.now() + job.deadline_ms
    for (let failures = 1; ; failures++) {
      const outcome = await this.#attempt(job, end)
      if ('value' in outcome) return outcome.value
      const { error } = outcome
      metrics.count('kaccy_node_call_failures_total', 1, { method: job.name, code: error.code })
      if (!job.idempotent || failures >= retry.attempts) throw error
      const wait = pauseAfter(error, failures, this.#settings)
      if (wait === undefined || clock.now() + wait >= end) throw error
      await pause(timers, wait, job.name, job.signal)
    }
  }

  async #attempt<T>(job: Job<T>, end: number): Promise<Attempt<T>> {
    const { clock, metrics } = this.#settings
    const begun = clock.now()
    try {
      return await this.#answered(job, end)
    } finally {
      const seconds = Math.max(0, clock.now() - begun) / 1000
      metrics.observe('kaccy_node_call_seconds', seconds, { method: job.name })
    }
  }

  async #answered<T>(job: Job<T>, end: number): Promise<Attempt<T>> {
    try {
      const value = job.read((await this.#answer(job, end)).body)
      const warmUp = job.warmingUp(value)
      if (!warmUp) return { value }
      const error = new EngineError('NODE_WARMING_UP', `the node is starting: ${warmUp.message}`, {
        details: { method: job.name, sent: false },
      })
      return { error }
    } catch (error) {
      if (error instanceof EngineError) return { error }
      throw error
    }
  }

  /** One answer with a body that may be JSON. A refused cookie is read again, once. */
  async #answer<T>(job: Job<T>, end: number): Promise<HttpAnswer> {
    for (let refusals = 0; ; refusals++) {
      const header = await this.#credentials.header()
      const outcome = await this.#http.post({
        path: job.path,
        authorization: header.reveal(),
        body: job.body,
        deadline_ms: end - this.#settings.clock.now(),
        ownConnection: !job.idempotent,
        signal: job.signal,
      })
      const answer = this.#took(job.name, outcome)
      if (answer.status !== 401) return checked(job.name, answer)
      if (refusals > 0 || !(await this.#credentials.refresh(header))) {
        throw unauthorized(job.name, answer.status)
      }
    }
  }

  #took(method: string, outcome: Result<HttpAnswer, TransportFault>): HttpAnswer {
    if (!outcome.ok) {
      // A broken connection may have been the end of the node as well.
      if (['unreachable', 'broken'].includes(outcome.error.kind)) this.#lost = true
      throw failureOf(method, outcome.error)
    }
    if (this.#lost) {
      this.#lost = false
      this.life++
    }
    return outcome.value
  }
}

type Attempt<T> = { readonly value: T } | { readonly error: EngineError }

/** How long to wait before the same call makes sense again; undefined when it does not. */
function pauseAfter(error: EngineError, failures: number, settings: Settings): number | undefined {
  const again = ['NODE_UNREACHABLE', 'NODE_WARMING_UP', 'NODE_BUSY'].includes(error.code)
  if (!again) return undefined
  return error.details['stale'] === true ? 0 : backoff(settings.retry, failures, settings.entropy)
}

const unauthorized = (method: string, status: number): EngineError =>
  new EngineError('NODE_UNAUTHORIZED', `the node refuses our credentials (HTTP ${status})`, {
    details: { method, status, sent: false },
  })

function failureOf(method: string, fault: TransportFault): EngineError {
  const { reason, sent, stale } = fault
  const details = { method, reason, sent, ...(stale ? { stale } : {}) }
  switch (fault.kind) {
    case 'unreachable':
    case 'broken': {
      const why = fault.sent ? 'the connection to the node broke' : 'the node cannot be reached'
      return new EngineError('NODE_UNREACHABLE', `${method}: ${why}`, { details })
    }
    case 'timeout':
      return new EngineError('NODE_TIMEOUT', `${method}: ${fault.reason}`, { details })
    case 'certificate':
      return new EngineError(
        'NODE_CERTIFICATE_REFUSED',
        `the certificate of the node is not trusted (${fault.reason})`,
        { details },
      )
    case 'too_large':
    case 'not_http':
      return new EngineError('NODE_ANSWER_INVALID', `answer to ${method}: ${fault.reason}`, {
        details: { ...details, field: 'the answer' },
      })
    case 'cancelled':
      return cancelled(method)
    default:
      throw new AssertionError('unknown transport fault')
  }
}

/** Tells the pages of web servers and proxies from answers of the node. @throws what they mean. */
function checked(method: string, answer: HttpAnswer): HttpAnswer {
  const { status, body } = answer
  if (status === 403) throw unauthorized(method, status)
  const json = body[0] === 0x7b || body[0] === 0x5b
  if (json && (status === 200 || status === 400 || status === 404 || status === 500)) return answer
  const details = { method, status, sent: true }
  if (status === 503 || status === 429) {
    // Core's queue is full: the call was not taken, so even a send was not performed.
    throw new EngineError('NODE_BUSY', `${method}: the node is busy (HTTP ${status})`, {
      details: { ...details, sent: false },
    })
  }
  if (status === 502 || status === 504) {
    throw new EngineError('NODE_UNREACHABLE', `${method}: HTTP ${status} from a proxy`, { details })
  }
  throw answerInvalid(method, `HTTP status ${status}`, 'with a body that is not JSON')
}
