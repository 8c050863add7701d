import { connect, type Socket } from 'node:net'

export interface Request {
  readonly method: string
  readonly path: string
  readonly body?: unknown
}
export interface LoadOptions {
  readonly url: string
  readonly token?: string
  /** Connections that stay open; each sends its next request when the answer is there. */
  readonly connections: number
  readonly seconds: number
  /** Ends after so many requests, if that is sooner. */
  readonly count?: number
  readonly request: () => Request
  /** Told of the body of every answer. */
  readonly onAnswer?: (body: string) => void
}
export interface Load {
  /** Requests a second. */
  readonly rate: number
  /** Milliseconds. */
  readonly p50: number
  readonly p99: number
  /** Answers that were no 2xx. */
  readonly failed: number
}

const textOf = ({ method, path, body }: Request, token: string | undefined): string => {
  const text = body === undefined ? '' : JSON.stringify(body)
  return [
    `${method} ${path} HTTP/1.1`,
    'host: bench',
    ...(token === undefined ? [] : [`authorization: Bearer ${token}`]),
    ...(text === '' ? [] : ['content-type: application/json', `content-length: ${text.length}`]),
    '',
    text,
  ].join('\r\n')
}

/** Reads answers with a Content-Length off a connection: a whole HTTP client would take the time that the server needs. */
class Answers {
  #rest: Buffer = Buffer.alloc(0)
  /** Status and body of each answer that is whole now. */
  take(chunk: Buffer): readonly (readonly [number, string])[] {
    this.#rest = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk])
    const whole: (readonly [number, string])[] = []
    for (;;) {
      const end = this.#rest.indexOf('\r\n\r\n')
      if (end < 0) return whole
      const head = this.#rest.toString('latin1', 0, end)
      const length = Number(/\r\ncontent-length: (\d+)/i.exec(head)?.[1] ?? 0)
      if (this.#rest.length < end + 4 + length) return whole
      whole.push([
        Number(head.slice(9, 12)),
        this.#rest.toString('utf8', end + 4, end + 4 + length),
      ])
      this.#rest = this.#rest.subarray(end + 4 + length)
    }
  }
}

/** Asks as fast as the answers come, over so many connections, for so long. */
export async function load(options: LoadOptions): Promise<Load> {
  const { url, connections, seconds, token, request, onAnswer, count = Infinity } = options
  const { port } = new URL(url)
  const times: number[] = []
  let failed = 0
  let asked = 0
  const end = performance.now() + seconds * 1000
  const run = (socket: Socket) =>
    new Promise<void>((resolve, reject) => {
      const answers = new Answers()
      let sent = 0
      const next = () => {
        if (performance.now() >= end || asked >= count) return resolve()
        asked++
        sent = performance.now()
        socket.write(textOf(request(), token))
      }
      socket.on('data', (chunk: Buffer) => {
        for (const [status, body] of answers.take(chunk)) {
          times.push(performance.now() - sent)
          if (status < 200 || status > 299) failed++
          onAnswer?.(body)
          next()
        }
      })
      socket.once('error', reject)
      socket.once('close', () => reject(new TypeError('the server closed a connection')))
      next()
    })
  const sockets = Array.from({ length: connections }, () => connect(Number(port), '127.0.0.1'))
  const begun = performance.now()
  await Promise.all(sockets.map(run))
  const took = (performance.now() - begun) / 1000
  for (const socket of sockets) socket.removeAllListeners('close').destroy()
  times.sort((a, b) => a - b)
  const at = (share: number) => times[Math.min(times.length - 1, Math.floor(times.length * share))]
  return { rate: times.length / took, p50: at(0.5) ?? 0, p99: at(0.99) ?? 0, failed }
}
