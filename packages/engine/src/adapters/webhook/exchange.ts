import type { ClientRequest, IncomingMessage } from 'node:http'
import type { WebhookAnswer } from '../../capabilities/webhooks/index.ts'

/** What is kept of an answer, and all that is read of it. */
export const ANSWER_BYTES = 4096

type Failure = Extract<WebhookAnswer, { kind: 'failed' }>['reason']

const CERTIFICATE_FAULT =
  /^(CERT_|ERR_TLS_CERT|DEPTH_ZERO_SELF_SIGNED|SELF_SIGNED_CERT|UNABLE_TO_(GET|VERIFY|DECODE)|INVALID_(CA|PURPOSE)|HOSTNAME_MISMATCH)/

/** One request and its answer. Whatever happens first decides; everything later is ignored. */
export class Exchange {
  readonly #request: ClientRequest
  readonly #isFit: (remoteAddress: string) => boolean
  #resolve: (answer: WebhookAnswer) => void = () => {}
  #done = false
  #connected = false
  /** Set when the status has arrived: from then on nothing takes it back. */
  #whole: (() => void) | undefined

  constructor(request: ClientRequest, isFit: (remoteAddress: string) => boolean) {
    this.#request = request
    this.#isFit = isFit
  }

  run(body: string, signal: AbortSignal): Promise<WebhookAnswer> {
    const request = this.#request
    return new Promise((resolve) => {
      this.#resolve = resolve
      const abandon = () => this.#fail('broken', 'given up')
      if (signal.aborted) return abandon()
      signal.addEventListener('abort', abandon, { once: true })
      request.on('close', () => signal.removeEventListener('abort', abandon))
      request.on('error', (error) => this.#broke(error))
      request.on('response', (response) => this.#receive(response))
      // Nobody asked for it; without a listener the connection would only be cut.
      request.on('upgrade', (response) => {
        this.#receive(response)
        this.#whole?.()
      })
      request.on('socket', (socket) => {
        const event = 'encrypted' in socket ? 'secureConnect' : 'connect'
        socket.once('connect', () => {
          // Once more at the only place that counts: nothing of a delivery goes to an address that may not be reached.
          if (!this.#isFit(socket.remoteAddress ?? ''))
            this.#fail('refused', 'the connection went to an address that may not be reached')
        })
        socket.once(event, () => {
          if (this.#done) return
          this.#connected = true
          request.end(body)
        })
      })
    })
  }

  #finish(answer: WebhookAnswer): void {
    if (this.#done) return
    this.#done = true
    this.#resolve(answer)
    this.#request.destroy()
  }
  #fail(reason: Failure, message: string): void {
    this.#finish({ kind: 'failed', reason, message })
  }
  #broke(error: Error): void {
    const name = 'code' in error ? String(error.code) : ''
    if (this.#whole) this.#whole()
    else if (CERTIFICATE_FAULT.test(name))
      this.#fail('certificate', `the certificate is not to be trusted (${name})`)
    else if (this.#connected) this.#fail('broken', `the connection broke off (${name})`)
    else this.#fail('unreachable', `no connection (${name})`)
  }

  #receive(response: IncomingMessage): void {
    const chunks: Buffer[] = []
    let size = 0
    const whole = () => {
      const { 'retry-after': retryAfter, location } = response.headers
      this.#finish({
        kind: 'answered',
        status: response.statusCode ?? 0,
        body: Buffer.concat(chunks).subarray(0, ANSWER_BYTES).toString('utf8'),
        ...(retryAfter === undefined ? {} : { retryAfter }),
        ...(location === undefined ? {} : { location }),
      })
    }
    this.#whole = whole
    response.on('data', (chunk: Buffer) => {
      chunks.push(chunk)
      size += chunk.length
      // The rest could go on for ever, and nobody reads it.
      if (size >= ANSWER_BYTES) whole()
    })
    response.on('end', whole)
    response.on('error', whole)
    response.on('close', whole)
  }
}
