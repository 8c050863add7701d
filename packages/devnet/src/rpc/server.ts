import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import { DevnetError } from '../failure.ts'
import type { Reply } from './respond.ts'

export interface ServerPorts {
  /** The answer to a body; `walletPath` is the name in `/wallet/<name>`. */
  readonly respond: (body: string, walletPath: string | undefined) => Reply
  /** True for the value of an `Authorization: Basic` header that is right now. */
  readonly authorize: (credentials: string) => boolean
}
const MAX_BODY = 32 * 1024 * 1024

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
    const server = createServer((request, response) => this.#serve(request, response))
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
    if (path !== '/' && !path.startsWith('/wallet/')) {
      response.writeHead(404).end()
      return
    }
    if (request.method !== 'POST') {
      response.writeHead(405, { 'content-type': 'text/html; charset=ISO-8859-1' })
      response.end('JSONRPC server handles only POST requests')
      return
    }
    const [scheme, credentials = ''] = (request.headers.authorization ?? '').split(' ')
    if (scheme !== 'Basic' || !this.#ports.authorize(credentials)) {
      response.writeHead(401, {
        'www-authenticate': 'Basic realm="jsonrpc"',
        'content-type': 'text/html; charset=ISO-8859-1',
      })
      response.end()
      return
    }
    this.#read(request, (body) => {
      const wallet = path.startsWith('/wallet/') ? decodeURIComponent(path.slice(8)) : undefined
      this.#send(this.#ports.respond(body, wallet), request, response)
    })
  }
  #read(request: IncomingMessage, done: (body: string) => void): void {
    const parts: Buffer[] = []
    let size = 0
    request.on('data', (part: Buffer) => {
      size += part.length
      if (size > MAX_BODY) request.destroy()
      else parts.push(part)
    })
    request.on('end', () => done(Buffer.concat(parts).toString('utf8')))
  }
  #send(reply: Reply, request: IncomingMessage, response: ServerResponse): void {
    const { fault } = reply
    const write = (body: string) => {
      response.writeHead(reply.status, {
        'content-type': 'application/json',
        'content-length': Buffer.byteLength(body),
      })
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

/** @throws DevnetError DEVNET_USAGE when the server was never started. */
export function urlOf(server: RpcServer | undefined): string {
  if (server && server.port !== 0) return `http://127.0.0.1:${server.port}`
  throw new DevnetError('DEVNET_USAGE', 'the RPC server is not listening: await devnet.listen()')
}
