import { refuse } from '@kaccy/bitcoin/kernel'
import { isInside, parseIp } from '@kaccy/bitcoin/protocol/ip'
import type { FastifyRequest } from 'fastify'
import type { Limits } from './limits.ts'
import type { AppParts } from './parts.ts'
import { mayUse, type Principal } from './principal.ts'
import { RefusedError } from './problem.ts'
import type { Route } from './route.ts'
import { endOfTurn } from './turn.ts'

/** @throws RefusedError ADDRESS_FORBIDDEN when only some addresses may call and this is none of them */
export function admitAddress(address: string, { settings }: AppParts): void {
  const { allowedAddresses } = settings
  if (allowedAddresses.length === 0) return
  const own = parseIp(address)
  if (own && allowedAddresses.some((range) => isInside(own, range))) return
  throw new RefusedError(
    refuse('ADDRESS_FORBIDDEN', 'requests from this address are not served').error,
  )
}

/**
 * Who asks.
 * @throws RefusedError TOKEN_MISSING, KEY_UNKNOWN, KEY_EXPIRED, KEY_REVOKED, KEY_ADDRESS_FORBIDDEN, KEY_MODE, SCOPE_MISSING,
 * RATE_LIMITED after too many wrong keys from this address
 */
export async function authenticate(
  request: FastifyRequest,
  { scope }: Pick<Route, 'scope'>,
  parts: AppParts,
  limits: Limits,
): Promise<Principal | undefined> {
  if (scope === 'public') return undefined
  const principal = parts.principal ?? (await principalOf(request, parts, limits))
  if (scope === 'any' || mayUse(principal, scope)) return principal
  // The log names who asked for what they may not do.
  request.principal = principal
  throw new RefusedError(
    refuse('SCOPE_MISSING', `this key does not have the scope ${scope}`, {
      details: { scope },
    }).error,
  )
}

function tokenOf({ headers }: FastifyRequest): string {
  const token = /^Bearer +([\w-]{1,200})$/i.exec(headers.authorization ?? '')?.[1]
  if (token !== undefined) return token
  const { error } = refuse('TOKEN_MISSING', 'send the key as `Authorization: Bearer kc_…`')
  throw new RefusedError(error, { 'www-authenticate': 'Bearer realm="kaccy"' })
}

async function principalOf(
  request: FastifyRequest,
  { engine, clock }: AppParts,
  limits: Limits,
): Promise<Principal> {
  const token = tokenOf(request)
  const { client } = request
  limits.beforeToken(client, token)
  // Requests of one moment share the look-up of their keys.
  await endOfTurn()
  const found = await engine.access.authenticate(token, client, clock.now())
  limits.afterToken(client, token, found.ok)
  if (!found.ok) {
    const headers = { 'www-authenticate': 'Bearer realm="kaccy", error="invalid_token"' }
    throw new RefusedError(found.error, headers)
  }
  const { id, scopes, wallets } = found.value
  return { actor: `api:${id}`, id, scopes, ...(wallets === undefined ? {} : { wallets }) }
}
