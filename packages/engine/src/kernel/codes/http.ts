import type { CodeEntry } from './remedy.ts'

/** Codes of the HTTP interface. */
export const HTTP_CODES = {
  ROUTE_NOT_FOUND: { remedy: 'caller', title: 'Nothing is at this address' },
  METHOD_NOT_ALLOWED: { remedy: 'caller', title: 'This address does not know this method' },
  REQUEST_MALFORMED: { remedy: 'caller', title: 'The request is not HTTP as it is read here' },
  REQUEST_TIMEOUT: { remedy: 'retry', title: 'The request took too long to come' },
  HEADERS_TOO_LARGE: { remedy: 'caller', title: 'The headers of the request are too large' },
  FIELD_UNKNOWN: { remedy: 'caller', title: 'A field is not known here' },
  BODY_TOO_LARGE: { remedy: 'caller', title: 'The body is too large' },
  MEDIA_TYPE_UNSUPPORTED: { remedy: 'caller', title: 'The body has a form that is not read here' },
  TOKEN_MISSING: { remedy: 'caller', title: 'The request carries no key' },
  SCOPE_MISSING: { remedy: 'caller', title: 'The key may not do this' },
  ADDRESS_FORBIDDEN: { remedy: 'caller', title: 'Requests from this address are not served' },
  RATE_LIMITED: { remedy: 'retry', title: 'Too many requests' },
  IDEMPOTENCY_IN_FLIGHT: { remedy: 'retry', title: 'The same request is being answered' },
  IDEMPOTENCY_KEY_INVALID: { remedy: 'caller', title: 'The Idempotency-Key cannot be used' },
  IDEMPOTENCY_KEY_MISSING: { remedy: 'caller', title: 'The request needs an Idempotency-Key' },
  SERVER_DRAINING: { remedy: 'retry', title: 'The server is about to stop' },
  SERVER_INTERNAL: { remedy: 'human', title: 'The server made a mistake' },
} as const satisfies Record<string, CodeEntry>
