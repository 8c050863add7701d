import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'

export interface Asked {
  readonly path: string
  readonly authorization: string
  readonly body: string
}
export interface Said {
  readonly status: number
  readonly contentType?: string
  readonly responseText: string
}
export interface HttpNode {
  readonly url: string
  readonly requests: readonly Asked[]
  /** Connections made to it so far. */
  readonly connections: () => number
  stop(): Promise<void>
}
/** Answers by text, or takes the response into its own hands and answers undefined. */
export type Script = (
  asked: Asked,
  response: ServerResponse,
  request: IncomingMessage,
) => Said | undefined | Promise<Said | undefined>

/** A stand-in on loopback that says exactly what it is told to say, for tests of the transport. */
export async function serve(
  script: Script,
  server: Server = createServer(),
  wanted = 0,
): Promise<HttpNode> {
  const requests: Asked[] = []
  const sockets = new Set<Socket>()
  let connections = 0
  server.on('connection', (socket: Socket) => {
    connections++
    sockets.add(socket)
    socket.on('close', () => sockets.delete(socket))
    socket.on('error', () => {})
  })
  server.on('request', (request: IncomingMessage, response: ServerResponse) => {
    const chunks: Buffer[] = []
    request.on('error', () => {})
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', async () => {
      const asked = {
        path: request.url ?? '',
        authorization: request.headers.authorization ?? '',
        body: Buffer.concat(chunks).toString('utf8'),
      }
      requests.push(asked)
      const said = await script(asked, response, request)
      if (!said) return
      response.writeHead(said.status, {
        'content-type': said.contentType ?? 'application/json',
        'content-length': Buffer.byteLength(said.responseText),
      })
      response.end(said.responseText)
    })
  })
  await new Promise<void>((resolve) => server.listen(wanted, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  const secure = 'setSecureContext' in server
  return {
    url: `${secure ? 'https' : 'http'}://127.0.0.1:${port}`,
    requests,
    connections: () => connections,
    stop: () =>
      new Promise((resolve) => {
        for (const socket of sockets) socket.destroy()
        server.close(() => resolve())
      }),
  }
}
