import { refuse } from '@kaccy/bitcoin/kernel'
import type { FastifyInstance } from 'fastify'
import { RefusedError } from './problem.ts'

const METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'TRACE', 'QUERY'] as const

/** Notes which methods every address has; call it before the first route. */
export function collectMethods(app: FastifyInstance): Map<string, Set<string>> {
  const known = new Map<string, Set<string>>()
  app.addHook('onRoute', ({ url, method }) => {
    const methods = known.get(url) ?? new Set()
    for (const one of [method].flat()) methods.add(one)
    known.set(url, methods)
  })
  return known
}

/**
 * Gives every known address an answer to all other methods: 405 with `Allow`, and for `OPTIONS` the same list (RFC 9110
 * 9.3.7, 15.5.6). Call it after the last route.
 */
export function addOtherMethods(
  app: FastifyInstance,
  known: ReadonlyMap<string, ReadonlySet<string>>,
): void {
  for (const [url, methods] of [...known]) {
    if (url.includes('*')) continue
    const own = new Set(methods)
    const allow = [...METHODS.filter((method) => own.has(method)), 'OPTIONS'].join(', ')
    const others = METHODS.filter((method) => !own.has(method))
    app.route({
      method: others,
      url,
      schema: { hide: true } as object,
      // Before the body is read.
      async onRequest() {
        const { error } = refuse('METHOD_NOT_ALLOWED', `only ${allow} can be used here`)
        throw new RefusedError(error, { allow })
      },
      handler: () => undefined,
    })
    if (own.has('OPTIONS')) continue
    app.options(url, { schema: { hide: true } as object }, (_request, reply) =>
      reply.code(204).header('allow', allow).send(),
    )
  }
}
