import { createHash } from 'node:crypto'
import { refuse } from '@kaccy/bitcoin/kernel'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { AppParts } from '../parts.ts'
import { ERROR_PAGES, RefusedError } from '../problem.ts'
import type { OpenApi } from './document.ts'
import { errorIndex, errorPage, readExplanations } from './errors.ts'
import { PAGE_CSP, readStyle, STYLE_PATH } from './page.ts'
import { referencePage } from './reference.ts'
import { addSamples } from './sample.ts'

const HTML = 'text/html; charset=utf-8'
const HIDDEN = { schema: { hide: true } as object }

/** The OpenAPI document, the reference that is made of it, and a page for every error code. They need no key. */
export function addDocs(app: FastifyInstance, _parts: AppParts): void {
  const explanations = readExplanations()
  // Made when it is first asked for, once: then every route is there.
  const document = once(() => addSamples(app.swagger() as unknown as OpenApi))
  const json = once(() => JSON.stringify(document()))
  const reference = once(() => referencePage(document()))
  const index = once(errorIndex)
  const style = once(readStyle)
  app.get('/openapi.json', HIDDEN, (request, reply) =>
    send(request, reply, json(), 'application/json; charset=utf-8'),
  )
  app.get('/docs', HIDDEN, (request, reply) => send(request, reply, reference(), HTML))
  app.get(STYLE_PATH, HIDDEN, (request, reply) =>
    send(request, reply, style(), 'text/css; charset=utf-8'),
  )
  app.get(ERROR_PAGES, HIDDEN, (request, reply) => send(request, reply, index(), HTML))
  app.get<{ Params: { code: string } }>(`${ERROR_PAGES}/:code`, HIDDEN, (request, reply) => {
    const page = errorPage(request.params.code, explanations)
    if (page === undefined)
      throw new RefusedError(refuse('ROUTE_NOT_FOUND', 'there is no such code').error)
    return send(request, reply, page, HTML)
  })
}

function once<T>(make: () => T): () => T {
  let made: { readonly value: T } | undefined
  return () => {
    made ??= { value: make() }
    return made.value
  }
}

function send(
  { headers }: FastifyRequest,
  reply: FastifyReply,
  text: string,
  type: string,
): FastifyReply {
  const etag = `"${createHash('sha256').update(text).digest('base64url').slice(0, 22)}"`
  reply.headers({ etag, 'cache-control': 'no-cache', 'content-security-policy': PAGE_CSP })
  if (headers['if-none-match'] === etag) return reply.code(304).send()
  return reply.type(type).send(text)
}
