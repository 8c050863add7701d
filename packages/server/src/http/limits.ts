import { refuse } from '@kaccy/bitcoin/kernel'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { AppParts } from './parts.ts'
import { RefusedError } from './problem.ts'

export interface Limits {
  /** @throws RefusedError RATE_LIMITED */
  byAddress(request: FastifyRequest, reply: FastifyReply): Promise<void>
  /** @throws RefusedError RATE_LIMITED */
  byKey(request: FastifyRequest, reply: FastifyReply): Promise<void>
}

/** Counts requests a minute, by address before the key is known and by key after. A principal of the process is not limited. */
export function createLimits(app: FastifyInstance, { settings, principal }: AppParts): Limits {
  const { address, key } = settings.requestsPerMinute
  const byAddress = app.createRateLimit({
    max: address,
    timeWindow: 60_000,
    keyGenerator: (request) => request.client,
  })
  const byKey = app.createRateLimit({
    max: key,
    timeWindow: 60_000,
    keyGenerator: (request) => request.principal?.id ?? request.client,
  })
  const check =
    (limit: typeof byAddress) =>
    async (request: FastifyRequest, reply: FastifyReply): Promise<void> => {
      if (principal) return
      const state = await limit(request)
      if (state.isAllowed) return
      reply.header('ratelimit-limit', state.max)
      reply.header('ratelimit-remaining', state.remaining)
      reply.header('ratelimit-reset', state.ttlInSeconds)
      if (!state.isExceeded) return
      const { error } = refuse('RATE_LIMITED', `more than ${state.max} requests in a minute`)
      throw new RefusedError(error, { 'retry-after': String(state.ttlInSeconds) })
    }
  return { byAddress: check(byAddress), byKey: check(byKey) }
}
