import { refuse } from '@kaccy/bitcoin/kernel'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { admitAddress } from './authenticate.ts'
import { clientAddress } from './client-address.ts'
import { Drain } from './drain.ts'
import type { Limits } from './limits.ts'
import type { AppParts } from './parts.ts'
import type { Principal } from './principal.ts'
import { RefusedError } from './problem.ts'
import { type RequestContext, readContext } from './request-context.ts'
import { corsHeaders, securityHeaders } from './security-headers.ts'

declare module 'fastify' {
  interface FastifyRequest {
    /** Address of the client, behind trusted proxies. */
    client: string
    context: RequestContext
    principal: Principal | undefined
    idempotencyKey: string | undefined
    /** Digest of a request that carries an `Idempotency-Key`. */
    digest: string
  }
  interface FastifyContextConfig {
    /** For probes and scrapers: answered also while the server drains, and not counted against an address. */
    readonly always?: boolean
    /** The field that the bytes of the body stand for, where bytes are taken at all. */
    readonly bytes?: string
  }
}

/** What stands around every request, whatever it asks for and whether anything is there. */
export function addFrame(app: FastifyInstance, parts: AppParts, limits: Limits): void {
  const { settings, drain = new Drain() } = parts
  app.decorateRequest('client', '')
  // Set by the hook below before anybody can look.
  app.decorateRequest('context', null as never)
  app.decorateRequest('principal', undefined)
  app.decorateRequest('idempotencyKey', undefined)
  app.decorateRequest('digest', '')
  const fixed = securityHeaders(settings)
  const origins = new Set(settings.origins)
  // A callback, not a promise: it waits for nothing.
  app.addHook('onRequest', (request, reply, done) => {
    reply.headers(fixed).header('x-request-id', request.id)
    request.context = readContext(request.id, request.headers)
    request.client = clientOf(request, parts)
    const cors =
      origins.size === 0 ? undefined : corsHeaders(request.method, request.headers, origins)
    if (cors) reply.headers(cors)
    try {
      admit(request, reply, parts, limits, drain)
      // Before a body is read, or missed: nobody here takes it.
      if (request.is404)
        throw new RefusedError(refuse('ROUTE_NOT_FOUND', 'nothing is at this address').error)
    } catch (error) {
      done(error as Error)
      return
    }
    done()
  })
  app.addHook('onSend', (_request, reply, _payload, done) => {
    if (drain.isDraining) reply.header('connection', 'close')
    done()
  })
  addAccessLog(app, parts)
  app.addHook('preClose', (done) => {
    drain.begin()
    done()
  })
}

/** @throws RefusedError SERVER_DRAINING, REQUEST_MALFORMED, ADDRESS_FORBIDDEN, RATE_LIMITED */
function admit(
  request: FastifyRequest,
  reply: FastifyReply,
  parts: AppParts,
  limits: Limits,
  drain: Drain,
): void {
  const isAlways = request.routeOptions.config?.always === true
  if (drain.isDraining && !isAlways) {
    const { error } = refuse('SERVER_DRAINING', 'this server is about to stop')
    throw new RefusedError(error, { 'retry-after': '1' })
  }
  // RFC 9112 3.2. Requests that commands make in their own process carry one too.
  if (request.headers.host === undefined && request.raw.httpVersionMinor > 0)
    throw new RefusedError(refuse('REQUEST_MALFORMED', 'the request has no Host').error)
  // The parser keeps the first one, a proxy may have judged by the other.
  if (hostsOf(request.raw.rawHeaders) > 1)
    throw new RefusedError(refuse('REQUEST_MALFORMED', 'the request has two Hosts').error, {
      connection: 'close',
    })
  admitAddress(request.client, parts)
  if (!isAlways) limits.byAddress(request.client, reply)
}

/** Names and values take turns. */
function hostsOf(raw: readonly string[]): number {
  let hosts = 0
  for (let i = 0; i < raw.length; i += 2)
    if (raw[i]?.length === 4 && raw[i]?.toLowerCase() === 'host') hosts += 1
  return hosts
}

function clientOf({ socket, headers }: FastifyRequest, { settings }: AppParts): string {
  const forwarded = headers['x-forwarded-for']
  const list = typeof forwarded === 'string' ? forwarded : forwarded?.join(',')
  return clientAddress(socket.remoteAddress ?? '', list, settings.trustedProxies)
}

/** One line a request: who asked for what by which route, and what came of it. Never a token, a body, a query or the address line. */
function addAccessLog(app: FastifyInstance, { logger, metrics, principal: own }: AppParts): void {
  // A command that asks its own process has no use for the line.
  const usual = own ? 'debug' : 'info'
  app.addHook('onResponse', (request, reply, done) => {
    const { context, principal } = request
    metrics?.observe('kaccy_http_request_seconds', reply.elapsedTime / 1000, {
      method: request.method,
      // The pattern, never the address: a stranger must not be able to make series.
      route: request.routeOptions.url ?? '',
      status: String(reply.statusCode),
    })
    // A probe that is told "not now" got its answer; that is no failure.
    const isFailure = reply.statusCode >= 500 && request.routeOptions.config?.always !== true
    logger.log(isFailure ? 'error' : usual, 'request', {
      request_id: request.id,
      method: request.method,
      route: request.routeOptions.url ?? '',
      status: reply.statusCode,
      duration_ms: Math.round(reply.elapsedTime * 100) / 100,
      client: request.client,
      ...(principal === undefined ? {} : { key: principal.id }),
      ...(context.correlationId === undefined ? {} : { correlation_id: context.correlationId }),
      ...(context.traceparent === undefined ? {} : { trace_id: context.traceparent.slice(3, 35) }),
    })
    done()
  })
}
