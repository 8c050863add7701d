import type { FastifyReply, FastifyRequest } from 'fastify'
import { currentTraceparent, requestSpan } from '../operations/tracer.ts'
import { withRequest } from './request-context.ts'

/**
 * Runs a handler as the request that it is: in a span of its own, a child of the caller's, and with what events, audit entries
 * and log lines name it by.
 */
export function traced<T>(
  request: FastifyRequest,
  reply: FastifyReply,
  work: () => Promise<T>,
): Promise<T> {
  const { id, method, headers, context } = request
  return requestSpan(
    { id, method, route: request.routeOptions.url ?? '' },
    headers,
    () => {
      // Our own span where spans are recorded; else whatever the caller sent.
      const traceparent = currentTraceparent() ?? context.traceparent
      const own = traceparent === undefined ? context : { ...context, traceparent }
      return withRequest(own, work)
    },
    () => reply.statusCode,
  )
}
