import { EngineError, refuse } from '@kaccy/bitcoin/kernel'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { AppParts } from './parts.ts'
import { PROBLEM_TYPE, problemOf, RefusedError } from './problem.ts'

/** What Fastify itself refuses, in our codes. */
const OWN_CODES: Readonly<
  Record<string, readonly ['BODY_TOO_LARGE' | 'MEDIA_TYPE_UNSUPPORTED' | 'JSON_INVALID', string]>
> = {
  FST_ERR_CTP_BODY_TOO_LARGE: ['BODY_TOO_LARGE', 'the body is larger than this server takes'],
  FST_ERR_CTP_INVALID_MEDIA_TYPE: ['MEDIA_TYPE_UNSUPPORTED', 'send the body as application/json'],
  FST_ERR_CTP_EMPTY_TYPE: ['MEDIA_TYPE_UNSUPPORTED', 'send the body as application/json'],
  FST_ERR_CTP_INVALID_CONTENT_LENGTH: [
    'JSON_INVALID',
    'the body is not as long as Content-Length says',
  ],
}

/** Everything that is refused or thrown becomes a problem; what is our fault or the world's is logged with its cause. */
export function addFailures(app: FastifyInstance, { settings, logger, onFailure }: AppParts): void {
  const send = (request: FastifyRequest, reply: FastifyReply, error: unknown): FastifyReply => {
    const problem = problemOf(error, request.id, settings.publicUrl)
    if (error instanceof RefusedError) reply.headers(error.headers)
    else if (problem.status >= 500)
      logger.log('error', 'request failed', { request_id: request.id, ...reasonsOf(error) })
    return reply
      .code(problem.status)
      .type(PROBLEM_TYPE)
      .serializer((body: unknown) => JSON.stringify(body))
      .send(problem)
  }
  app.setErrorHandler((error: Error & { readonly code?: string }, request, reply) => {
    const own = OWN_CODES[error.code ?? '']
    const failure = own ? new RefusedError(refuse(own[0], own[1]).error) : error
    onFailure?.(failure, request.id)
    return send(request, reply, failure)
  })
  app.setNotFoundHandler((request, reply) =>
    send(
      request,
      reply,
      new RefusedError(refuse('ROUTE_NOT_FOUND', 'nothing is at this address').error),
    ),
  )
}

function reasonsOf(error: unknown): Record<string, string> {
  if (!(error instanceof Error)) return { reason: String(error) }
  const { message, stack = '', cause } = error
  return {
    reason: message,
    ...(error instanceof EngineError ? { code: error.code } : { stack }),
    ...(cause === undefined ? {} : { cause: String(cause) }),
  }
}
