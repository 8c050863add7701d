import { type ClientRequest, type IncomingMessage, request as plainRequest } from 'node:http'
import { request as secureRequest } from 'node:https'
import { err, ok, type Result } from '../../kernel/index.ts'
import { createAgent, errorName, isCertificateFault } from './connection.ts'
import type { Settings } from './options.ts'

export interface HttpPost {
  readonly path: string
  readonly authorization: string
  readonly body: string
  /** Milliseconds from now until the last byte of the answer. */
  readonly deadline_ms: number
  /** A call that must not be repeated gets a connection of its own: see ADR 0003. */
  readonly ownConnection: boolean
  readonly signal?: AbortSignal | undefined
}

export interface HttpAnswer {
  readonly status: number
  readonly body: Buffer
}

export type FaultKind =
  | 'unreachable'
  | 'broken'
  | 'timeout'
  | 'too_large'
  | 'certificate'
  | 'not_http'
  | 'cancelled'

/** Why there is no answer. `sent` false proves that the node never saw the request. */
export interface TransportFault {
  readonly kind: FaultKind
  readonly sent: boolean
  /** A kept-alive socket that the node had closed: worth another attempt without a pause. */
  readonly stale: boolean
  readonly reason: string
}

export interface Http {
  post(post: HttpPost): Promise<Result<HttpAnswer, TransportFault>>
  close(): void
}

/** JSON over kept-alive HTTP/1.1. Follows no redirect, reads no more than the cap, never waits past a deadline. */
export function createHttp(settings: Settings): Http {
  const { endpoint, maxSockets } = settings
  const kept = createAgent(endpoint, true, maxSockets)
  const own = createAgent(endpoint, false, maxSockets)
  return {
    post: (post) =>
      new Promise((resolve) => {
        const send = endpoint.secure ? secureRequest : plainRequest
        const request = send({
          host: endpoint.host,
          port: endpoint.port,
          path: `${endpoint.basePath}${post.path}`,
          method: 'POST',
          agent: post.ownConnection ? own : kept,
          headers: {
            authorization: post.authorization,
            'content-type': 'application/json',
            accept: 'application/json',
            'content-length': Buffer.byteLength(post.body),
          },
        })
        new Exchange(request, post, settings, resolve).start()
      }),
    close: () => {
      kept.destroy()
      own.destroy()
    },
  }
}

/** One request and its answer. Whatever happens first decides; everything later is ignored. */
class Exchange {
  readonly #request: ClientRequest
  readonly #post: HttpPost
  readonly #settings: Settings
  readonly #resolve: (outcome: Result<HttpAnswer, TransportFault>) => void
  readonly #stops: (() => void)[] = []
  #done = false
  #sent = false
  #answered = false

  constructor(
    request: ClientRequest,
    post: HttpPost,
    settings: Settings,
    resolve: (outcome: Result<HttpAnswer, TransportFault>) => void,
  ) {
    this.#request = request
    this.#post = post
    this.#settings = settings
    this.#resolve = resolve
  }

  start(): void {
    const request = this.#request
    const { signal, deadline_ms } = this.#post
    request.on('error', (error) => this.#broke(error))
    request.on('socket', (socket) => {
      if (!socket.connecting) this.#sent = true
      else socket.once('connect', () => (this.#sent = true))
    })
    request.on('response', (response) => this.#receive(response))
    this.#within(deadline_ms, 'no answer within the deadline')
    const abandon = () => this.#fail('cancelled', 'cancelled by the caller')
    if (signal) {
      signal.addEventListener('abort', abandon, { once: true })
      this.#stops.push(() => signal.removeEventListener('abort', abandon))
    }
    if (signal?.aborted) abandon()
    else request.end(this.#post.body)
  }

  #within(milliseconds: number, reason: string): void {
    const late = () => this.#fail('timeout', reason)
    if (milliseconds <= 0) late()
    else this.#stops.push(this.#settings.timers.after(milliseconds, late))
  }

  #finish(outcome: Result<HttpAnswer, TransportFault>): void {
    if (this.#done) return
    this.#done = true
    for (const stop of this.#stops) stop()
    this.#resolve(outcome)
  }

  #fail(kind: FaultKind, reason: string): void {
    const stale = kind === 'broken' && this.#request.reusedSocket && !this.#answered
    this.#finish(err({ kind, sent: this.#sent, stale, reason }))
    this.#request.destroy()
  }

  #broke(error: Error): void {
    const name = errorName(error)
    if (isCertificateFault(error)) this.#fail('certificate', name)
    else if (name.startsWith('HPE_')) this.#fail('not_http', name)
    else if (!this.#sent) this.#fail('unreachable', name)
    else this.#fail('broken', name)
  }

  #receive(response: IncomingMessage): void {
    this.#answered = true
    const cap = this.#settings.maxAnswerBytes
    const length = response.headers['content-length']
    const announced = length === undefined ? undefined : Number(length)
    if (announced !== undefined && announced > cap) {
      this.#fail('too_large', `the answer announces ${announced} bytes`)
      return
    }
    this.#within(this.#settings.deadlines.body, 'the body of the answer stopped coming')
    const chunks: Buffer[] = []
    let size = 0
    response.on('data', (chunk: Buffer) => {
      size += chunk.length
      if (size > cap) this.#fail('too_large', `the answer has more than ${cap} bytes`)
      else chunks.push(chunk)
    })
    response.on('error', (error) => this.#broke(error))
    response.on('close', () => this.#fail('broken', 'the answer was cut off'))
    response.on('end', () => {
      const body = Buffer.concat(chunks, size)
      if (!response.complete || isCutOff(response, body)) {
        this.#fail('broken', 'the answer was cut off')
      } else this.#finish(ok({ status: response.statusCode ?? 0, body }))
    })
  }
}

/** btcd announces no length: the end of the connection ends the answer, so only its last byte tells a whole one. */
function isCutOff(response: IncomingMessage, body: Buffer): boolean {
  const { headers } = response
  if (headers['content-length'] !== undefined || headers['transfer-encoding'] !== undefined) {
    return false
  }
  return body.at(-1) !== 0x0a
}
