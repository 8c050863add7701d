import { refuse } from '@kaccy/bitcoin/kernel'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import { RefusedError } from './problem.ts'

/** What a body is that holds a file as it is; PSBTs have no media type of their own. */
export const BYTES = 'application/octet-stream'

/** Bytes become the field that the route names, as base64: from there on both forms of a request are one. */
export function addBytesReader(app: FastifyInstance): void {
  app.addContentTypeParser(BYTES, { parseAs: 'buffer' }, (request, bytes, done) => {
    const name = request.routeOptions.config?.bytes
    if (name === undefined) done(unsupported())
    else done(null, { [name]: (bytes as Buffer).toString('base64') })
  })
}

/** Before the body is read: most routes take none. @throws RefusedError MEDIA_TYPE_UNSUPPORTED */
export function refuseBytes({ headers, routeOptions }: FastifyRequest): void {
  const [type = ''] = (headers['content-type'] ?? '').split(';')
  if (type.trim().toLowerCase() !== BYTES || routeOptions.config?.bytes !== undefined) return
  throw unsupported()
}

const unsupported = (): RefusedError =>
  new RefusedError(refuse('MEDIA_TYPE_UNSUPPORTED', 'send the body as application/json').error)
