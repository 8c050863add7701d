import type { Socket } from 'node:net'
import { systemEntropy } from '@kaccy/bitcoin/adapters/system'
import { newId } from '@kaccy/bitcoin/kernel'
import Fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify'
import type { AppParts } from './parts.ts'
import { answerAndClose, parseFailureOf, rawProblem } from './raw-problem.ts'
import { securityHeaders } from './security-headers.ts'

const HEADER_BYTES = 16_384
const MOST_CONNECTIONS = 10_000
/** Longer than proxies keep an idle connection (60 s), so that it is they who close it. */
const KEEP_ALIVE_MS = 65_000

/** Fastify with our limits, request ids, and our own answers to what is no HTTP. */
export function createServer(parts: AppParts): FastifyInstance {
  const { settings, clock, logger } = parts
  const {
    most = MOST_CONNECTIONS,
    headersMs = 10_000,
    requestMs = 30_000,
  } = settings.connections ?? {}
  const node = {
    maxHeaderSize: HEADER_BYTES,
    headersTimeout: headersMs,
    requestTimeout: requestMs,
    connectionsCheckingInterval: settings.connections?.checkMs ?? 1_000,
    insecureHTTPParser: false,
    // Refused by us, as a problem.
    requireHostHeader: false,
  }
  const newRequestId = (): string => newId('req', clock, systemEntropy)
  const shape = { headers: securityHeaders(settings), docs: settings.publicUrl ?? '' }
  const app = Fastify({
    bodyLimit: settings.bodyLimit,
    requestIdHeader: false,
    genReqId: newRequestId,
    requestTimeout: requestMs,
    keepAliveTimeout: KEEP_ALIVE_MS,
    // While closing, requests on kept connections get a problem of ours.
    return503OnClosing: false,
    routerOptions: { maxParamLength: 300, ignoreTrailingSlash: false, caseSensitive: true },
    /** Addresses that cannot be decoded, or hold a part longer than any id: nothing is there. */
    frameworkErrors(_error: Error, request: FastifyRequest, reply: FastifyReply) {
      const message = 'nothing is at this address'
      const { text } = rawProblem('ROUTE_NOT_FOUND', message, request.id, shape)
      reply.hijack()
      logger.log('info', 'request', { request_id: request.id, route: '', status: 404 })
      answerAndClose(request.socket, text)
    },
    clientErrorHandler(error: Error & { readonly code?: string }, socket: Socket) {
      if (error.code === 'ECONNRESET') return void socket.destroy()
      const requestId = newRequestId()
      const [code, message] = parseFailureOf(error.code)
      const { status, text } = rawProblem(code, message, requestId, shape)
      const reason = error.code ?? error.message
      logger.log('info', 'no request', { request_id: requestId, status, reason })
      answerAndClose(socket, text)
    },
    ...(settings.tls === undefined
      ? { http: node }
      : { https: { ...node, ...settings.tls, minVersion: 'TLSv1.2' } }),
  } as Parameters<typeof Fastify>[0]) as unknown as FastifyInstance
  app.server.maxConnections = most
  return app
}
