import swagger, { type FastifyDynamicSwaggerOptions } from '@fastify/swagger'
import { REGISTRY } from '@kaccy/bitcoin/kernel'
import type { FastifyInstance, FastifySchema } from 'fastify'
import { type TSchema, Type } from 'typebox'
import { VERSION } from '../version.ts'
import { BYTES } from './bytes-body.ts'
import type { AppParts } from './parts.ts'
import type { Route } from './route.ts'
import { ProblemSchema, ref } from './schemas/basics.ts'
import { statusOf } from './status.ts'

/** Statuses that every route with a key can answer. */
const ALWAYS = [400, 401, 403, 429, 431, 500, 503] as const
const PUBLIC = [400, 429, 431, 500, 503] as const

/** A query that has no fields: everything in it is unknown. */
const NOTHING = Type.Object({}, { additionalProperties: false })

const IdempotencyKey = Type.String({
  minLength: 1,
  maxLength: 255,
  pattern: '^[\\x21-\\x7e]+$',
  description: 'The same key and body again give the first answer again',
})

/** Registers what writes the OpenAPI 3.1 document, before any route. */
export async function addOpenApi(app: FastifyInstance, { settings }: AppParts): Promise<void> {
  await app.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: {
        title: 'kaccy-bitcoin',
        version: VERSION,
        description:
          'Bitcoin payments with public keys only. Amounts are integers in satoshi, times are RFC 3339 in UTC, errors are problem+json (RFC 9457).',
        license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
      },
      ...(settings.publicUrl === undefined ? {} : { servers: [{ url: settings.publicUrl }] }),
      components: {
        securitySchemes: {
          key: { type: 'http', scheme: 'bearer', bearerFormat: 'kc_<mode>_<secret>' },
        },
      },
    },
    transformObject: (document) =>
      'openapiObject' in document ? bodiesByNeed(document.openapiObject) : document.swaggerObject,
    refResolver: {
      buildLocalReference: (json, _base, _fragment, index) =>
        typeof json['$id'] === 'string' ? json['$id'] : `schema-${index}`,
    },
  })
}

type Document = Extract<Parameters<TransformObject>[0], { openapiObject: unknown }>['openapiObject']
type TransformObject = NonNullable<FastifyDynamicSwaggerOptions['transformObject']>

/** A body none of whose fields is required may be left out altogether. */
function bodiesByNeed(document: Document): Document {
  for (const path of Object.values(document.paths ?? {}))
    for (const operation of [path?.post, path?.patch]) {
      const body = operation?.requestBody
      if (!body || !('content' in body)) continue
      if (body.content[BYTES])
        body.content[BYTES] = { schema: { type: 'string', format: 'binary' }, example: 'psbt…' }
      const schema = body.content['application/json']?.schema
      const isNeeded = schema !== undefined && 'required' in schema && schema.required?.length !== 0
      body.required = isNeeded
    }
  return document
}

/** The schema of one route as Fastify, the serialiser and the document read it. */
export function schemaOf(route: Route): FastifySchema {
  const { schemas, scope, once } = route
  const described = describe(route)
  const headers = once
    ? Type.Object({
        'idempotency-key':
          route.requiresKey === true ? IdempotencyKey : Type.Optional(IdempotencyKey),
      })
    : undefined
  return {
    operationId: route.id,
    summary: route.summary,
    ...(described === '' ? {} : { description: described }),
    tags: [route.tag],
    security: scope === 'public' ? [] : [{ key: [] }],
    ...(schemas.path ? { params: schemas.path } : {}),
    querystring: schemas.query ?? NOTHING,
    ...(schemas.body ? { body: schemas.body } : {}),
    ...(route.bytes === undefined ? {} : { consumes: ['application/json', BYTES] }),
    ...(headers ? { headers } : {}),
    response: { ...schemas.answers, ...problems(route) },
  } as FastifySchema
}

function describe({ description = '', scope, refuses = [] }: Route): string {
  const lines = [description]
  if (scope !== 'public' && scope !== 'any') lines.push(`Scope: \`${scope}\`.`)
  if (refuses.length > 0)
    lines.push(
      `Refusals: ${refuses.map((code) => `\`${code}\` (${REGISTRY[code].title})`).join('; ')}.`,
    )
  return lines.filter((line) => line !== '').join('\n\n')
}

function problems({
  schemas,
  scope,
  refuses = [],
  once,
  url,
  method,
}: Route): Record<number, TSchema> {
  const statuses = new Set<number>(scope === 'public' ? PUBLIC : ALWAYS)
  for (const code of refuses) statuses.add(statusOf(code))
  if (schemas.body) for (const status of [413, 415]) statuses.add(status)
  if (once) statuses.add(409)
  if (url.includes(':')) statuses.add(404)
  if (method !== 'GET') statuses.add(415)
  return problemsOf([...statuses])
}

/** Problems by status, as the document shows them. */
export const problemsOf = (statuses: readonly number[]): Record<number, TSchema> =>
  Object.fromEntries(
    statuses.map((status) => [
      status,
      {
        description: 'Problem',
        content: { 'application/problem+json': { schema: ref(ProblemSchema) } },
      } as unknown as TSchema,
    ]),
  )
