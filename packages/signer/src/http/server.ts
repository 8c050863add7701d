import { createHash, timingSafeEqual } from 'node:crypto'
import { chmodSync, rmSync } from 'node:fs'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { connect } from 'node:net'
import { fromBase64, toBase64 } from '../bytes.ts'
import type { Desk } from '../desk.ts'
import { SignerFailure } from '../failure.ts'
import type { Settings } from '../home/registry.ts'

export interface RunningServer {
  /** For people: `http://127.0.0.1:7655` or the path of the socket. */
  readonly address: string
  /** Takes nothing new, finishes what it has begun. */
  stop(): Promise<void>
}

/** What a request is answered with. */
interface Reply {
  readonly status: number
  readonly body: Readonly<Record<string, unknown>>
}

/** A PSBT of 400,000 weight units with large previous transactions, as base64. */
const MAX_BODY = 32 * 1024 * 1024
const LOOPBACK = new Set(['127.0.0.1', '::1'])

const no = (status: number, code: string, reason: string, detail: string): Reply => ({
  status,
  body: { code, reason, detail },
})

const sha256 = (text: string): Buffer => createHash('sha256').update(text).digest()

function isAllowed(request: IncomingMessage, tokenHash: string): boolean {
  const given = /^Bearer (\S+)$/.exec(request.headers.authorization ?? '')?.[1] ?? ''
  return timingSafeEqual(sha256(given), Buffer.from(tokenHash, 'hex'))
}

/** The body, or undefined when it is too large. */
async function readBody(request: IncomingMessage): Promise<Buffer | undefined> {
  const parts: Buffer[] = []
  let length = 0
  for await (const part of request as AsyncIterable<Buffer>) {
    length += part.length
    if (length > MAX_BODY) return undefined
    parts.push(part)
  }
  return Buffer.concat(parts)
}

function parseSign(body: Buffer): { psbt: string; receipt: string } | undefined {
  try {
    const { psbt, receipt, ...rest } = JSON.parse(body.toString('utf8')) as Record<string, unknown>
    const isText = typeof psbt === 'string' && typeof receipt === 'string'
    return isText && Object.keys(rest).length === 0 ? { psbt, receipt } : undefined
  } catch {
    return undefined // not JSON, or not an object
  }
}

function sign(desk: Desk, body: Buffer): Reply {
  const asked = parseSign(body)
  if (!asked)
    return no(400, 'BAD_REQUEST', 'body', 'the body is { "psbt": base64, "receipt": text }')
  // What is no base64 is no PSBT: the desk says so in its own words, after the receipt.
  const answer = desk.sign(fromBase64(asked.psbt) ?? new Uint8Array(), asked.receipt)
  if (answer.answer === 'signed') {
    return { status: 200, body: { psbt: toBase64(answer.psbt), tx_hash: answer.txHash } }
  }
  if (answer.answer === 'not_ready') return no(503, 'NOT_READY', 'state', answer.detail)
  const [first] = answer.faults
  const detail = answer.faults.map((each) => each.detail).join('; ')
  const reasons = [...new Set(answer.faults.map(({ reason }) => reason))]
  return { status: 422, body: { code: 'REFUSED', reason: first?.reason, detail, reasons } }
}

async function route(request: IncomingMessage, desk: Desk, settings: Settings): Promise<Reply> {
  const { method, url } = request
  if (url === '/v1/health' && method === 'GET') return { status: 200, body: { status: 'ok' } }
  if (!isAllowed(request, settings.token_sha256)) {
    return no(401, 'UNAUTHORIZED', 'token', 'the bearer token is missing or wrong')
  }
  if (url === '/v1/wallets' && method === 'GET') {
    return { status: 200, body: { data: desk.wallets() } }
  }
  if (url === '/v1/sign' && method === 'POST') {
    const body = await readBody(request)
    return body
      ? sign(desk, body)
      : no(413, 'TOO_LARGE', 'body', `a body has ${MAX_BODY} bytes at most`)
  }
  const isKnown = ['/v1/health', '/v1/wallets', '/v1/sign'].includes(url ?? '')
  return isKnown
    ? no(405, 'METHOD', 'method', 'this address does not take this method')
    : no(404, 'NOT_FOUND', 'url', 'there is nothing here')
}

function send(response: ServerResponse, { status, body }: Reply): void {
  const text = JSON.stringify(body)
  response.writeHead(status, {
    'content-type': 'application/json',
    'content-length': Buffer.byteLength(text),
    'cache-control': 'no-store',
    // After a refusal the rest of a body may still be on its way.
    ...(status === 413 || status === 401 ? { connection: 'close' } : {}),
  })
  response.end(text)
}

/** True while something listens there. */
const isServed = (socket: string): Promise<boolean> =>
  new Promise((resolve) => {
    const probe = connect(socket)
    probe.once('connect', () => {
      probe.destroy()
      resolve(true)
    })
    probe.once('error', () => resolve(false))
  })

async function listen(server: Server, at: Settings['listen']): Promise<string> {
  if ('host' in at && !LOOPBACK.has(at.host)) {
    throw new SignerFailure(`${at.host} is not this machine: listen on 127.0.0.1, ::1 or a socket`)
  }
  // A socket file that a killed process left would keep this one from listening.
  if ('socket' in at && !(await isServed(at.socket))) rmSync(at.socket, { force: true })
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error) =>
      reject(new SignerFailure(`cannot listen: ${error.message}`, { cause: error })),
    )
    if ('socket' in at) server.listen(at.socket, resolve)
    else server.listen(at.port, at.host, resolve)
  })
  if ('socket' in at) {
    chmodSync(at.socket, 0o600)
    return at.socket
  }
  const bound = server.address()
  const port = typeof bound === 'object' && bound ? bound.port : at.port
  return at.host === '::1' ? `http://[::1]:${port}` : `http://${at.host}:${port}`
}

/**
 * HTTP/1.1 with JSON on this machine only. `report` gets what no caller is told.
 * @throws SignerFailure when the address cannot be had.
 */
export async function startServer(
  desk: Desk,
  settings: Settings,
  report: (error: unknown) => void,
): Promise<RunningServer> {
  let isStopping = false
  const server = createServer(
    {
      headersTimeout: 5_000,
      requestTimeout: 30_000,
      keepAliveTimeout: 5_000,
      maxHeaderSize: 8_192,
    },
    (request, response) => {
      const answer = isStopping
        ? Promise.resolve(no(503, 'NOT_READY', 'stopping', 'the signer is stopping'))
        : route(request, desk, settings)
      answer
        .catch((error: unknown) => {
          report(error)
          return no(500, 'FAILED', 'internal', 'the signer failed; its log says more')
        })
        .then((reply) => send(response, reply))
    },
  )
  server.maxConnections = 64
  const address = await listen(server, settings.listen)
  return {
    address,
    stop: () =>
      new Promise((resolve) => {
        isStopping = true
        server.close(() => resolve())
        server.closeIdleConnections()
      }),
  }
}
