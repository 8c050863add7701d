import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import { DevnetError } from '../failure.ts'
import type { Reply } from './respond.ts'

/** What is answered below `/rest/`. */
export interface RestReply {
  readonly status: number
  readonly contentType: string
  readonly body: string | Uint8Array
}
export interface ServerPorts {
  /** The answer to a body; `walletPath` is the name in `/wallet/<name>`. */
  readonly respond: (body: Uint8Array, walletPath: string | undefined) => Reply | Promise<Reply>
  /** True for the value of an `Authorization: Basic` header that is right now. */
  readonly authorize: (credentials: string) => boolean
  /** The answer to a path below `/rest/`; undefined where there is no such path. */
  readonly rest: ((url: string, body: Uint8Array) => RestReply | undefined) | undefined
}
/** Core's limits: longer bodies are 413, longer headers 400. */
const MAX_BODY = 32 * 1024 * 1024
const MAX_HEADERS = 8192
/** Core keeps an idle connection for this long. */
const IDLE_MS = 30_000
const PLAIN_HTML = 'text/html; charset=ISO-8859-1'
/** What Core's HTTP library understands. DELETE and PUT it hands on to Core, which knows no DELETE. */
const METHODS = new Set(['GET', 'POST', 'HEAD', 'PUT', 'DELETE'])

/** Core's HTTP face on loopback. Listens, stops listening and listens again on the same port. */
export class RpcServer {
  readonly #ports: ServerPorts
  readonly #sockets = new Set<Socket>()
  readonly #timers = new Set<NodeJS.Timeout>()
  #server: Server | undefined
  readonly #keepAlive: boolean
  #port: number

  /** Without `keepAlive` neither the server nor a connection keeps the process from ending. */
  constructor(ports: ServerPorts, port: number, keepAlive = true) {
    this.#ports = ports
    this.#port = port
    this.#keepAlive = keepAlive
  }
  get port(): number {
    return this.#port
  }
  get listening(): boolean {
    return this.#server !== undefined
  }
  async listen(): Promise<void> {
    if (this.#server) return
    const options = { maxHeaderSize: MAX_HEADERS, keepAliveTimeout: IDLE_MS }
    const server = createServer(options, (request, response) => this.#serve(request, response))
    server.on('connection', (socket) => {
      this.#sockets.add(socket)
      if (!this.#keepAlive) socket.unref()
      socket.on('close', () => this.#sockets.delete(socket))
    })
    this.#server = server
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject)
      server.listen(this.#port, '127.0.0.1', resolve)
    })
    this.#port = (server.address() as AddressInfo).port
    if (!this.#keepAlive) server.unref()
  }
  /** Refuses connections and breaks those that are open, also calls that wait for an answer. */
  async stop(): Promise<void> {
    const server = this.#server
    if (!server) return
    this.#server = undefined
    for (const timer of this.#timers) clearTimeout(timer)
    this.#timers.clear()
    const closed = new Promise<void>((resolve) => server.close(() => resolve()))
    for (const socket of this.#sockets) socket.destroy()
    await closed
  }

  #serve(request: IncomingMessage, response: ServerResponse): void {
    const path = request.url ?? '/'
    const method = request.method ?? ''
    const known = path === '/' || path.startsWith('/wallet/')
    if (!METHODS.has(method)) refuse(request, response, 501, 'Not Implemented')
    else if (method === 'DELETE') plain(response, 405, '')
    else if (this.#ports.rest && path.startsWith('/rest/')) this.#serveRest(request, response)
    else if (!known) plain(response, 404, '')
    else if (method !== 'POST') {
      plain(response, 405, 'JSONRPC server handles only POST requests')
    } else if (!this.#isAuthorized(request)) {
      response.setHeader('www-authenticate', 'Basic realm="jsonrpc"')
      plain(response, 401, '')
    } else {
      const wallet = path === '/' ? undefined : urlDecode(path.slice(8))
      this.#read(request, response, async (body) => {
        this.#send(await this.#ports.respond(body, wallet), request, response)
      })
    }
  }
  /** Core compares the scheme to the letter. */
  #isAuthorized(request: IncomingMessage): boolean {
    const [, credentials] = /^Basic (.*)$/.exec(request.headers.authorization ?? '') ?? []
    return credentials !== undefined && this.#ports.authorize(credentials.trim())
  }
  #serveRest(request: IncomingMessage, response: ServerResponse): void {
    this.#read(request, response, async (body) => {
      const reply = this.#ports.rest?.(request.url ?? '', body)
      if (!reply) {
        plain(response, 404, '')
        return
      }
      response.writeHead(reply.status, {
        'content-type': reply.contentType,
        'content-length': Buffer.byteLength(reply.body),
      })
      response.end(reply.body)
    })
  }
  #read(
    request: IncomingMessage,
    response: ServerResponse,
    done: (body: Uint8Array) => Promise<void>,
  ): void {
    const parts: Buffer[] = []
    let size = 0
    const take = (more: number): boolean => {
      size += more
      if (size <= MAX_BODY) return true
      if (!response.writableEnded) refuse(request, response, 413, 'Request Entity Too Large')
      return false
    }
    const announced = Number(request.headers['content-length'] ?? 0)
    if (announced > MAX_BODY) take(announced)
    request.on('data', (part: Buffer) => {
      if (take(part.length)) parts.push(part)
    })
    request.on('end', () => {
      if (response.writableEnded) return
      // A fault of ours ends one request, not the process of the tests.
      done(Buffer.concat(parts)).catch(() => {
        if (!response.headersSent) plain(response, 500, '')
      })
    })
  }
  #send(reply: Reply, request: IncomingMessage, response: ServerResponse): void {
    const { fault } = reply
    const write = (body: string) => {
      // What has no body has no type.
      const type = reply.status === 204 ? {} : { 'content-type': 'application/json' }
      response.writeHead(reply.status, { ...type, 'content-length': Buffer.byteLength(body) })
      response.end(body)
    }
    switch (fault?.kind) {
      case 'timeout_before':
      case 'timeout_after':
        // The socket stays open without an answer until the caller gives up.
        return
      case 'reset':
      case 'reset_after':
        request.socket.destroy()
        return
      case 'garbage':
        write('<html>502 Bad Gateway</html>')
        return
      case 'delay': {
        const timer = setTimeout(() => {
          this.#timers.delete(timer)
          write(reply.body)
        }, fault.ms ?? 0)
        this.#timers.add(timer)
        return
      }
      default:
        write(reply.body)
    }
  }
}

function plain(response: ServerResponse, status: number, body: string): void {
  const size = Buffer.byteLength(body)
  response.writeHead(status, { 'content-type': PLAIN_HTML, 'content-length': size })
  response.end(body)
}
/** What Core's HTTP library says itself, before Core sees the request. The connection ends with it. */
function refuse(
  request: IncomingMessage,
  response: ServerResponse,
  status: number,
  text: string,
): void {
  const head = `<HTML><HEAD>\n<TITLE>${status} ${text}</TITLE>\n</HEAD>`
  const body = `${head}<BODY>\n<H1>${text}</H1>\n</BODY></HTML>\n`
  response.writeHead(status, {
    'content-type': 'text/html',
    connection: 'close',
    'content-length': body.length,
  })
  response.end(body)
  request.resume()
}
/** Percent signs that encode nothing stay as they are. */
function urlDecode(text: string): string {
  const bytes = text.replace(/%([0-9a-fA-F]{2})/g, (_, hex: string) =>
    String.fromCharCode(Number.parseInt(hex, 16)),
  )
  return Buffer.from(bytes, 'latin1').toString('utf8')
}

/** @throws DevnetError DEVNET_USAGE when the server was never started. */
export function urlOf(server: RpcServer | undefined): string {
  if (server && server.port !== 0) return `http://127.0.0.1:${server.port}`
  throw new DevnetError('DEVNET_USAGE', 'the RPC server is not listening: await devnet.listen()')
}
