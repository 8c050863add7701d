import { EventEmitter } from 'node:events'
import type { IncomingMessage, Server } from 'node:http'
import type { Socket } from 'node:net'
import websocket, { type WebSocket } from '@fastify/websocket'
import { silentMetrics } from '@kaccy/bitcoin/kernel'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { authenticate } from '../authenticate.ts'
import type { Limits } from '../limits.ts'
import type { AppParts } from '../parts.ts'
import type { Principal } from '../principal.ts'
import type { Channel } from './channel.ts'
import { boundChatter } from './chatter.ts'
import type { Client } from './client.ts'
import { streamSchema } from './document.ts'
import {
  chooseProtocol,
  mayUpgrade,
  requireEventStream,
  requireOrigin,
  STREAM_PATH,
  tokenOfProtocols,
} from './handshake.ts'
import { Hub } from './hub.ts'
import { CLOSE, MESSAGE_BYTES, STREAM_DEFAULTS, type StreamSettings } from './policy.ts'
import { beginningOf, filterOf, type StreamQuery } from './query.ts'
import { Seats } from './seats.ts'
import { SocketChannel } from './socket-channel.ts'
import { SseChannel } from './sse-channel.ts'
import type { Static } from 'typebox'

type Query = Static<typeof StreamQuery>
/** What the handshake found out, for the stream that opens after it. */
interface Admitted {
  readonly principal: Principal
  readonly after: number
}

/** The stream of events, as WebSocket and as server-sent events, on one address. */
export async function addStream(
  app: FastifyInstance,
  parts: AppParts,
  limits: Limits,
): Promise<void> {
  const settings: StreamSettings = { ...STREAM_DEFAULTS, ...parts.settings.streams }
  const hub = new Hub({
    engine: parts.engine,
    clock: parts.clock,
    logger: parts.logger,
    metrics: parts.metrics ?? silentMetrics,
    settings,
  })
  const unlisten = parts.onCommit?.(() => hub.wake())
  const stopUpgrading = { now: () => {} }
  // Encapsulated: what the plugin adds to every route is for this one only.
  await app.register(async (scope) => {
    const gate = new EventEmitter()
    stopUpgrading.now = openGate(app.server, gate)
    await scope.register(websocket, {
      options: {
        // The plugin listens for upgrades there; only those that may become a stream get through.
        server: gate as unknown as Server,
        // Nothing is inflated, so nothing can be inflated to more than it was.
        perMessageDeflate: false,
        maxPayload: MESSAGE_BYTES,
        autoPong: false,
        clientTracking: false,
        handleProtocols: chooseProtocol,
      },
      // The library has closed the connection with the code that says what was wrong.
      errorHandler: () => {},
      preClose: (done: () => void) => done(),
    })
    addRoute(scope, { parts, limits, hub, settings })
  })
  app.addHook('preClose', (done) => {
    stopUpgrading.now()
    unlisten?.()
    hub.close()
    done()
  })
}

/** Lets upgrades through that may become a stream. Where Node asks before it upgrades, no others come. */
function openGate(server: FastifyInstance['server'], gate: EventEmitter): () => void {
  const onUpgrade = (request: IncomingMessage, socket: Socket, head: Buffer) => {
    // Nobody may speak before the handshake is over (RFC 6455, 4.1).
    if (mayUpgrade(request) && head.length === 0) gate.emit('upgrade', request, socket, head)
    else socket.end('HTTP/1.1 400 Bad Request\r\nconnection: close\r\ncontent-length: 0\r\n\r\n')
  }
  server.on('upgrade', onUpgrade)
  return () => {
    server.off('upgrade', onUpgrade)
  }
}

interface RouteParts {
  readonly parts: AppParts
  readonly limits: Limits
  readonly hub: Hub
  readonly settings: StreamSettings
}

function addRoute(scope: FastifyInstance, { parts, limits, hub, settings }: RouteParts): void {
  const seats = new Seats(settings)
  const admitted = new WeakMap<FastifyRequest, Admitted>()
  const open = (request: FastifyRequest, channel: Channel): Client => {
    const { principal, after } = admitted.get(request) as Admitted
    return hub.open({
      channel,
      filter: filterOf(request.query as Query),
      grant: principal,
      ...(parts.principal ? {} : { key: principal.id }),
      address: request.client,
      after,
    })
  }
  scope.route({
    method: 'GET',
    url: STREAM_PATH,
    exposeHeadRoute: false,
    schema: streamSchema,
    async onRequest(request, reply) {
      const { headers } = request
      requireOrigin(headers.origin, parts.settings.origins)
      const token = request.ws ? tokenOfProtocols(headers['sec-websocket-protocol']) : undefined
      if (token !== undefined) headers.authorization ??= `Bearer ${token}`
      request.principal = await authenticate(request, { scope: 'events:read' }, parts, limits)
      if (request.principal) limits.byKey(request.principal.id, reply)
    },
    async preHandler(request) {
      if (!request.ws) requireEventStream(request.headers.accept)
      const { principal } = request
      if (!principal) return
      const lastEventId = request.headers['last-event-id']
      const id = Array.isArray(lastEventId) ? lastEventId[0] : lastEventId
      const after = await beginningOf(request.query as Query, id, parts.engine)
      const release = seats.take(principal.id, request.client)
      request.raw.socket.once('close', release)
      if (request.raw.socket.destroyed) release()
      admitted.set(request, { principal, after })
    },
    handler(request, reply) {
      openSse(request, reply, open)
    },
    wsHandler(socket, request) {
      openSocket(socket, request, settings, open)
    },
  })
}

type Open = (request: FastifyRequest, channel: Channel) => Client

function openSse(request: FastifyRequest, reply: FastifyReply, open: Open): void {
  reply.hijack()
  const headers = Object.entries(reply.getHeaders()).map(([name, value]) => [name, String(value)])
  const client = open(request, new SseChannel(reply.raw, Object.fromEntries(headers)))
  reply.raw.once('close', () => client.gone('left'))
  // The peer is gone; `close` follows.
  reply.raw.on('error', () => {})
  if (reply.raw.destroyed) client.gone('left')
}

function openSocket(
  socket: WebSocket,
  request: FastifyRequest,
  settings: StreamSettings,
  open: Open,
): void {
  const client = open(request, new SocketChannel(socket))
  socket.once('close', () => client.gone('left'))
  boundChatter({
    socket,
    raw: request.raw.socket,
    clock: { now: () => performance.now() },
    settings,
    cut: (why) => client.cut(CLOSE.policy, why),
  })
}
