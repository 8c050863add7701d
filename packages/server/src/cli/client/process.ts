import { systemClock } from '@kaccy/bitcoin/adapters/system'
import { asError, silentLogger } from '@kaccy/bitcoin/kernel'
import type { Host } from '../../host/host.ts'
import { createApp } from '../../http/index.ts'
import { RefusedError } from '../../http/problem.ts'
import type { Answered, Asked, Transport } from './transport.ts'

/** The operator who has the database at hand is not limited. */
const UNLIMITED = 1_000_000_000
/** A body that the operator hands over themselves, such as a large file. */
const BODY_LIMIT = 64 * 1024 * 1024

/**
 * Asks the same routes in this process, over a database that nobody needs to serve. What fails is thrown as it failed, with
 * its cause: the operator may know what a stranger may not.
 */
export async function processTransport(host: Host, publicUrl?: string): Promise<Transport> {
  const failures = new Map<string, unknown>()
  const app = await createApp({
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
  async function send({ method, path, headers, body, signal }: Asked): Promise<Answered> {
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
  return { name: 'in this process', send, close: () => app.close() }
}
