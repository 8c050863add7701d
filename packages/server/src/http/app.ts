import { refuse } from '@kaccy/bitcoin/kernel'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { payRoutes } from '../pay/index.ts'
import { authenticate } from './authenticate.ts'
import { isRelayed } from './client-address.ts'
import { addDocs } from './docs/index.ts'
import { addFailures } from './failures.ts'
import { addFrame } from './frame.ts'
import { digestOf, gateFor, InFlight, openGate, readIdempotencyKey } from './idempotency.ts'
import { type PlainJson, readBody } from './json-body.ts'
import { addBytesReader, refuseBytes } from './bytes-body.ts'
import { createLimits, type Limits } from './limits.ts'
import { addOtherMethods, collectMethods } from './methods.ts'
import { addOpenApi, schemaOf } from './openapi.ts'
import type { AppParts } from './parts.ts'
import type { Principal } from './principal.ts'
import { RefusedError } from './problem.ts'
import type { Answer, Resource, Route } from './route.ts'
import { allRoutes } from './routes/index.ts'
import { ProblemSchema } from './schemas/basics.ts'
import { createServer } from './server.ts'
import { addStream } from './stream/index.ts'
import { traced } from './traced.ts'
import { endOfTurn } from './turn.ts'
import { refuseBody, validatorCompiler } from './validate.ts'

/** The HTTP interface over one engine; it listens nowhere yet. */
export async function createApp(parts: AppParts): Promise<FastifyInstance> {
  const app = createServer(parts)
  app.setValidatorCompiler(validatorCompiler)
  // Presenters are typed by the schema of the answer, and the tests hold every answer against it: a serialiser made for
  // each schema would check it a second time, and take seconds to be made.
  app.setSerializerCompiler(() => (body) => JSON.stringify(body))
  const limits = createLimits(parts)
  addFrame(app, parts, limits)
  addBodyReader(app)
  addFailures(app, parts)
  if (parts.only) {
    app.addSchema(ProblemSchema)
    addRoutes(app, parts, limits)
    return app
  }
  const methods = collectMethods(app)
  await addOpenApi(app, parts)
  app.addSchema(ProblemSchema)
  addRoutes(app, parts, limits)
  await addStream(app, parts, limits)
  await addPay(app, parts)
  addDocs(app, parts)
  addOtherMethods(app, methods)
  return app
}

/** Every route as data, also those of the embedder. */
export const routeTable = (parts: AppParts): readonly Resource[] => [
  ...allRoutes(parts),
  ...(parts.more ?? []),
]

/** The checkout page; the frame around every request stands around it as well. */
async function addPay(app: FastifyInstance, parts: AppParts): Promise<void> {
  const { pay, engine, clock, logger, settings, onFailure } = parts
  if (!pay) return
  const { publicUrl } = settings
  await app.register(payRoutes, {
    ...pay,
    engine,
    clock,
    logger,
    ...(publicUrl === undefined ? {} : { publicUrl }),
    ...(onFailure ? { onFailure } : {}),
  })
}

function addBodyReader(app: FastifyInstance): void {
  app.removeAllContentTypeParsers()
  app.addContentTypeParser('application/json', { parseAs: 'buffer' }, (_request, bytes, done) => {
    const body = readBody(bytes as Buffer)
    if (!body.ok) done(new RefusedError(body.error))
    // To Fastify null is no body at all.
    else if (body.value === null)
      done(new RefusedError(refuse('FIELD_INVALID', 'the body must be a JSON object').error))
    else done(null, body.value)
  })
  addBytesReader(app)
}

function addRoutes(app: FastifyInstance, parts: AppParts, limits: Limits): void {
  const inFlight = new InFlight()
  const { only = () => true } = parts
  const resources = routeTable(parts)
  for (const schema of resources.flatMap(({ named }) => named)) app.addSchema(schema)
  for (const route of resources.flatMap(({ routes }) => routes).filter(only))
    app.route({
      method: route.method,
      url: route.url,
      schema: schemaOf(route),
      config: {
        always: route.always === true,
        ...(route.bytes === undefined ? {} : { bytes: route.bytes }),
      },
      ...(route.bodyLimit === undefined ? {} : { bodyLimit: route.bodyLimit }),
      // Before the body is read: a stranger's body costs nothing.
      async onRequest(request, reply) {
        request.principal = await authenticate(request, route, parts, limits)
        if (request.principal) limits.byKey(request.principal.id, reply)
        refuseBytes(request)
        request.idempotencyKey = readIdempotencyKey(request.headers['idempotency-key'], route)
      },
      // The digest is over what came, before defaults are filled in.
      preValidation(request, _reply, done) {
        if (request.idempotencyKey !== undefined)
          request.digest = digestOf(
            request.method,
            placeOf(route, request),
            request.body as PlainJson,
          )
        done()
      },
      handler: (request, reply) =>
        traced(request, reply, () => serve(route, request, reply, parts, inFlight)),
    })
}

async function serve(
  route: Route,
  request: FastifyRequest,
  reply: FastifyReply,
  parts: AppParts,
  inFlight: InFlight,
): Promise<FastifyReply> {
  const { principal = NOBODY, idempotencyKey: key } = request
  if (!route.schemas.body) refuseBody(request.body)
  // Bodies come one by one, also those of one moment: from here on what they ask for shares its commits.
  if (route.method !== 'GET') await endOfTurn()
  const gate =
    key === undefined
      ? openGate
      : gateFor({
          parts,
          route,
          inFlight,
          request: {
            scope: `${principal.id} ${route.method} ${placeOf(route, request)}`,
            key,
            digest: request.digest,
            ...(route.keepsForEver === true ? { isForEver: true } : {}),
          },
          textOf: ({ status, body }) =>
            body === undefined
              ? ''
              : String(reply.serializeInput(body as Record<string, unknown>, String(status))),
        })
  const { status, body, text, headers } = await gate.run(() =>
    route.handle({
      path: request.params,
      query: request.query,
      body: request.body as undefined,
      principal,
      requestId: request.id,
      address: request.client,
      isRelayed: isRelayed(request.socket.remoteAddress ?? '', request.client, request.headers),
      accept: request.headers.accept ?? '*/*',
      once: <T>(present: (made: T) => Answer) => gate.once(present),
    }),
  )
  if (headers) reply.headers(headers)
  reply.code(status)
  if (text === undefined || text === '') return reply.send(body)
  return reply.type('application/json; charset=utf-8').serializer(asItIs).send(text)
}

/** What a request is about. Not its address as it was written: `/v1/%6frders` is `/v1/orders`, and done once. */
const placeOf = ({ url }: Route, { params }: FastifyRequest): string =>
  `${url} ${JSON.stringify(params)}`
const asItIs = (text: unknown): string => String(text)
/** Routes without a key do not look at it. */
const NOBODY: Principal = { actor: 'public', id: 'public', scopes: [] }
