import { createHash } from 'node:crypto'
import { refuse } from '@kaccy/bitcoin/kernel'
import { parseIp } from '@kaccy/bitcoin/protocol/ip'
import type { FastifyReply } from 'fastify'
import type { AppParts } from './parts.ts'
import { RefusedError } from './problem.ts'
import { type Allowance, Rate } from './rate.ts'

const MINUTE = 60_000
/** Callers that are remembered at most, by address and by key: a few megabytes. */
const MOST = 100_000
/** Keys that an address may get wrong in a minute, unless the settings say another number. */
const WRONG_KEYS = 20

/** How often one caller may ask. */
export interface Limits {
  /** Counts a request of this address. @throws RefusedError RATE_LIMITED */
  byAddress(address: string, reply: FastifyReply): void
  /** Counts a request with this key. @throws RefusedError RATE_LIMITED */
  byKey(key: string, reply: FastifyReply): void
  /** Asked before a token is looked up. @throws RefusedError RATE_LIMITED where too many were wrong before */
  beforeToken(address: string, token: string): void
  /** Told what came of it. */
  afterToken(address: string, token: string, isRight: boolean): void
}

/** Everybody in one IPv6 /64 is one caller: a single host is given so many addresses. Source: RFC 6177. */
export function callerOf(address: string): string {
  if (!address.includes(':')) return address
  const bytes = parseIp(address)
  return bytes ? Buffer.from(bytes.subarray(0, 8)).toString('hex') : address
}

/** No limits: for an app that never listens. */
const UNLIMITED: Limits = {
  byAddress: () => {},
  byKey: () => {},
  beforeToken: () => {},
  afterToken: () => {},
}

export function createLimits({ settings, principal, clock }: AppParts): Limits {
  if (principal) return UNLIMITED
  const addresses = new Rate(settings.requestsPerMinute.address, MINUTE, MOST)
  const keys = new Rate(settings.requestsPerMinute.key, MINUTE, MOST)
  const wrong = new Rate(settings.requestsPerMinute.wrongKeys ?? WRONG_KEYS, MINUTE, MOST)
  const right = new Recent(MOST)
  const policies = {
    address: policyOf('address', addresses),
    both: `${policyOf('address', addresses)}, ${policyOf('key', keys)}`,
  }
  return {
    byAddress(address, reply) {
      const left = addresses.take(callerOf(address), clock.now())
      reply.header('ratelimit-policy', policies.address)
      reply.header('ratelimit', stateOf('address', left))
      if (!left.isAllowed) throw limited(left, `more than ${addresses.quota} requests in a minute`)
    },
    byKey(key, reply) {
      const left = keys.take(key, clock.now())
      reply.header('ratelimit-policy', policies.both)
      reply.header('ratelimit', `${String(reply.getHeader('ratelimit'))}, ${stateOf('key', left)}`)
      if (!left.isAllowed) throw limited(left, `more than ${keys.quota} requests in a minute`)
    },
    beforeToken(address, token) {
      const left = wrong.peek(callerOf(address), clock.now())
      // A neighbour that guesses must not shut out a key that is known to work from there.
      if (left.isAllowed || right.has(nameOf(address, token))) return
      throw limited(left, 'too many requests with wrong keys came from this address')
    },
    afterToken(address, token, isRight) {
      if (isRight) right.add(nameOf(address, token))
      else wrong.take(callerOf(address), clock.now())
    },
  }
}

const nameOf = (address: string, token: string): string =>
  createHash('sha256')
    .update(`${callerOf(address)} ${token}`)
    .digest('base64url')

/** Names that came lately, up to a number. */
class Recent {
  readonly #most: number
  readonly #names = new Set<string>()
  constructor(most: number) {
    this.#most = most
  }
  has(name: string): boolean {
    return this.#names.has(name)
  }
  add(name: string): void {
    if (this.#names.has(name)) return
    if (this.#names.size >= this.#most) this.#names.clear()
    this.#names.add(name)
  }
}

/** Source: draft-ietf-httpapi-ratelimit-headers-10. */
const policyOf = (name: string, { quota, windowMs }: Rate): string =>
  `"${name}";q=${quota};w=${windowMs / 1000}`
const stateOf = (name: string, { remaining, fullIn }: Allowance): string =>
  `"${name}";r=${remaining};t=${fullIn}`

function limited({ retryIn }: Allowance, message: string): RefusedError {
  const { error } = refuse('RATE_LIMITED', message)
  return new RefusedError(error, { 'retry-after': String(retryIn) })
}
