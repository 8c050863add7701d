import type { IncomingHttpHeaders } from 'node:http'
import type { HttpSettings } from './parts.ts'

/** On every answer that does not say otherwise: it is data, for this client, this once. */
export const DATA_CSP = "default-src 'none'; frame-ancestors 'none'"
const YEAR = 31_536_000

/** The fixed headers, made once. */
export function securityHeaders({ tls, publicUrl, origins }: HttpSettings): Record<string, string> {
  const isEncrypted = tls !== undefined || publicUrl?.startsWith('https:') === true
  return {
    'cache-control': 'no-store',
    'content-security-policy': DATA_CSP,
    'cross-origin-resource-policy': 'same-origin',
    'referrer-policy': 'no-referrer',
    'x-content-type-options': 'nosniff',
    ...(isEncrypted ? { 'strict-transport-security': `max-age=${YEAR}` } : {}),
    // What an answer lets a page read depends on the page, wherever one may ask at all.
    ...(origins.length > 0 ? { vary: 'Origin' } : {}),
  }
}

const METHODS = 'GET, HEAD, POST, PATCH, DELETE'
const REQUEST_HEADERS =
  'Authorization, Content-Type, Idempotency-Key, Last-Event-ID, Traceparent, X-Correlation-Id'
const READABLE =
  'X-Request-Id, RateLimit, RateLimit-Policy, Retry-After, Idempotent-Replayed, Location, Allow'
/** Seconds for which a browser need not ask again. */
const MAX_AGE = '600'

/**
 * What a page of another origin may do (Fetch standard, 3.3). Only origins that are named, letter for letter; never with
 * cookies, of which there are none. Empty for everybody else: the browser then keeps the answer from the page.
 */
export function corsHeaders(
  method: string,
  headers: IncomingHttpHeaders,
  origins: ReadonlySet<string>,
): Record<string, string> | undefined {
  const { origin } = headers
  if (origin === undefined || !origins.has(origin)) return undefined
  if (method !== 'OPTIONS' || headers['access-control-request-method'] === undefined)
    return { 'access-control-allow-origin': origin, 'access-control-expose-headers': READABLE }
  return {
    'access-control-allow-origin': origin,
    'access-control-allow-methods': METHODS,
    'access-control-allow-headers': REQUEST_HEADERS,
    'access-control-max-age': MAX_AGE,
  }
}
