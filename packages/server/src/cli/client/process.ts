import { systemClock } from '@kaccy/bitcoin/adapters/system'
import { asError, silentLogger } from '@kaccy/bitcoin/kernel'
import type { FastifyInstance } from 'fastify'
import type { Host } from '../../host/host.ts'
import { type AppParts, createApp, routeTable } from '../../http/index.ts'
import { RefusedError } from '../../http/problem.ts'
import type { Answered, Asked, Transport } from './transport.ts'

/** The operator who has the database at hand is not limited. */
const UNLIMITED = 1_000_000_000
/** A body that the operator hands over themselves, such as a large file. */
const BODY_LIMIT = 64 * 1024 * 1024

type Failures = Map<string, unknown>

/**
 * Asks the same routes in this process, over a database that nobody needs to serve. What fails is thrown as it failed, with
 * its cause: the operator may know what a stranger may not.
 */
export function processTransport(host: Host, publicUrl?: string): Transport {
  const failures: Failures = new Map()
  const apps = createApps(partsOf(host, publicUrl, failures))
  async function send({ method, path, headers, body, signal }: Asked): Promise<Answered> {
    const app = await apps.for(method, path)
    const response = await app.inject({
      method,
      url: path,
      headers,
      payloadAsStream: true,
      ...(body === undefined ? {} : { payload: body }),
      ...(signal === undefined ? {} : { signal }),
    })
    const id = String(response.headers['x-request-id'])
    const failure = failures.get(id)
    failures.delete(id)
    if (failure !== undefined)
      throw failure instanceof RefusedError ? asError(failure.refusal) : failure
    const got = Object.entries(response.headers).map(([name, value]) => [name, value?.toString()])
    return {
      status: response.statusCode,
      headers: Object.fromEntries(got),
      body: response.stream(),
    }
  }
  return { name: 'in this process', send, close: apps.close }
}

const partsOf = (host: Host, publicUrl: string | undefined, failures: Failures): AppParts => ({
  engine: host.engine,
  network: host.network,
  clock: systemClock,
  // What fails is thrown to the command, which says it once.
  logger: silentLogger,
  settings: {
    ...(publicUrl === undefined ? {} : { publicUrl }),
    trustedProxies: [],
    allowedAddresses: [],
    origins: [],
    bodyLimit: BODY_LIMIT,
    requestsPerMinute: { address: UNLIMITED, key: UNLIMITED },
  },
  principal: { actor: host.actor, id: host.actor, scopes: ['admin'] },
  onFailure: (error, requestId) => failures.set(requestId, error),
})

/** One small app for each route that is asked: a command asks a few of many, and each has schemas to compile. */
function createApps(parts: AppParts) {
  const routes = routeTable(parts)
    .flatMap((resource) => resource.routes)
    .map((route) => ({ route, pattern: patternOf(route.url) }))
    // A word of the address is meant before anything that a placeholder could hold.
    .sort((a, b) => placeholders(a.route.url) - placeholders(b.route.url))
  const apps = new Map<string, Promise<FastifyInstance>>()
  return {
    for(method: string, path: string): Promise<FastifyInstance> {
      const [address = ''] = path.split('?')
      const fits = routes.find((one) => one.route.method === method && one.pattern.test(address))
      const key = fits ? `${method} ${fits.route.url}` : ''
      const only: AppParts['only'] = (one) => `${one.method} ${one.url}` === key
      const app = apps.get(key) ?? createApp({ ...parts, only })
      apps.set(key, app)
      return app
    },
    async close(): Promise<void> {
      for (const app of apps.values()) await (await app).close()
    },
  }
}

const placeholders = (url: string): number => url.split(':').length
const patternOf = (url: string): RegExp =>
  new RegExp(`^${url.replaceAll('.', '\\.').replace(/:\w+/g, '[^/]+')}$`)
