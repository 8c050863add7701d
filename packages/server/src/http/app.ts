import { createHash } from 'node:crypto'
import { newId, refuse } from '@kaccy/bitcoin/kernel'
import { systemEntropy } from '@kaccy/bitcoin/adapters/system'
import rateLimit from '@fastify/rate-limit'
import Fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify'
import { admitAddress, authenticate } from './authenticate.ts'
import { clientAddress } from './client-address.ts'
import { gateFor, InFlight, openGate, readIdempotencyKey } from './idempotency.ts'
import { readBody } from './json-body.ts'
import { addOpenApi, schemaOf } from './openapi.ts'
import type { AppParts } from './parts.ts'
import type { Principal } from './principal.ts'
import { PROBLEM_TYPE, problemOf, RefusedError } from './problem.ts'
import { createLimits } from './limits.ts'
import { allRoutes } from './routes/index.ts'
import type { Answer, Route } from './route.ts'
import { ProblemSchema } from './schemas/basics.ts'
import { validatorCompiler } from './validate.ts'

declare module 'fastify' {
  interface FastifyRequest {
    /** Address of the client, behind trusted proxies. */
    client: string
    principal: Principal | undefined
    /** SHA-256 of the body as it came, hex. */
    bodyDigest: string
  }
}

/** The HTTP interface over one engine; it listens nowhere yet. */
export async function createApp(parts: AppParts): Promise<FastifyInstance> {
  const { settings, clock } = parts
  const app = Fastify({
    bodyLimit: settings.bodyLimit,
    requestIdHeader: false,
    genReqId: () => newId('req', clock, systemEntropy),
    requestTimeout: 30_000,
    keepAliveTimeout: 65_000,
    routerOptions: { maxParamLength: 300, ignoreTrailingSlash: false, caseSensitive: true },
    ...(settings.tls === undefined ? {} : { https: settings.tls }),
  } as Parameters<typeof Fastify>[0]) as unknown as FastifyInstance
  app.setValidatorCompiler(validatorCompiler)
  // Presenters are typed by the schema of the answer, and the tests hold every answer against it: a serialiser made for
  // each schema would check it a second time, and take seconds to be made.
  app.setSerializerCompiler(() => (body) => JSON.stringify(body))
  app.decorateRequest('client', '')
  app.decorateRequest('principal', undefined)
  app.decorateRequest('bodyDigest', '')
  addBodyReader(app)
  addFailures(app, parts)
  await app.register(rateLimit, { global: false })
  await addOpenApi(app, parts)
  app.addSchema(ProblemSchema)
  addRoutes(app, parts)
  return app
}

const EMPTY = createHash('sha256').digest('hex')

function addBodyReader(app: FastifyInstance): void {
  app.removeAllContentTypeParsers()
  app.addContentTypeParser('application/json', { parseAs: 'buffer' }, (request, bytes, done) => {
    request.bodyDigest = createHash('sha256').update(bytes).digest('hex')
    const body = readBody(bytes as Buffer)
    if (body.ok) done(null, body.value)
    else done(new RefusedError(body.error))
  })
}

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

function addFailures(app: FastifyInstance, { onFailure }: AppParts): void {
  app.setErrorHandler((error: Error & { readonly code?: string }, request, reply) => {
    const own = OWN_CODES[error.code ?? '']
    const failure = own ? new RefusedError(refuse(own[0], own[1]).error) : error
    onFailure?.(failure, request.id)
    return sendProblem(request, reply, failure)
  })
  app.setNotFoundHandler((request, reply) =>
    sendProblem(
      request,
      reply,
      new RefusedError(refuse('ROUTE_NOT_FOUND', 'nothing is at this address and method').error),
    ),
  )
}

function sendProblem(request: FastifyRequest, reply: FastifyReply, error: unknown): FastifyReply {
  const problem = problemOf(error, request.id)
  if (error instanceof RefusedError) reply.headers(error.headers)
  return reply
    .code(problem.status)
    .header('x-request-id', request.id)
    .type(PROBLEM_TYPE)
    .serializer((body: unknown) => JSON.stringify(body))
    .send(problem)
}

function addRoutes(app: FastifyInstance, parts: AppParts): void {
  const inFlight = new InFlight()
  const limits = createLimits(app, parts)
  const routes = allRoutes(parts)
  for (const schema of routes.flatMap(({ named }) => named)) app.addSchema(schema)
  for (const route of routes.flatMap(({ routes: own }) => own))
    app.route({
      method: route.method,
      url: route.url,
      schema: schemaOf(route),
      ...(route.bodyLimit === undefined ? {} : { bodyLimit: route.bodyLimit }),
      // Before the body is read: a stranger's body costs nothing.
      async onRequest(request, reply) {
        reply.header('x-request-id', request.id)
        const { remoteAddress = '' } = request.socket
        const forwarded = request.headers['x-forwarded-for']
        const list = typeof forwarded === 'string' ? forwarded : forwarded?.join(',')
        request.client = clientAddress(remoteAddress, list, parts.settings.trustedProxies)
        admitAddress(request.client, parts)
        await limits.byAddress(request, reply)
        request.principal = await authenticate(request, route, request.client, parts)
        await limits.byKey(request, reply)
      },
      handler: (request, reply) => serve(route, request, reply, parts, inFlight),
    })
}

async function serve(
  route: Route,
  request: FastifyRequest,
  reply: FastifyReply,
  parts: AppParts,
  inFlight: InFlight,
): Promise<FastifyReply> {
  const { principal } = request
  const key = route.once ? readIdempotencyKey(request.headers['idempotency-key']) : undefined
  const gate =
    key === undefined || !principal
      ? openGate
      : gateFor(
          parts,
          route,
          {
            scope: `${principal.id} ${route.method} ${request.url}`,
            key,
            digest: request.bodyDigest === '' ? EMPTY : request.bodyDigest,
          },
          inFlight,
        )
  const { status, body, headers } = await gate.run(() =>
    route.handle({
      path: request.params,
      query: request.query,
      body: request.body as undefined,
      // Routes without a key do not look at it.
      principal: principal ?? NOBODY,
      requestId: request.id,
      address: request.client,
      accept: request.headers.accept ?? '*/*',
      once: <T>(present: (made: T) => Answer) => gate.once(present),
    }),
  )
  if (headers) reply.headers(headers)
  reply.code(status)
  return reply.send(body)
}

const NOBODY: Principal = { actor: 'public', id: 'public', scopes: [] }
