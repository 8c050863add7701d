import { hmac } from '@noble/hashes/hmac.js'
import { sha256 } from '@noble/hashes/sha2.js'
import { concatBytes, utf8ToBytes } from '@noble/hashes/utils.js'
import { base64 } from '@scure/base'
import {
  AssertionError,
  type Entropy,
  ok,
  type Refusal,
  type Result,
  refuse,
  Secret,
} from '../../kernel/index.ts'

/** Source of all of this: Standard Webhooks 1.0, symmetric signatures (`v1`). */
const PREFIX = 'whsec_'
/** Standard Webhooks: 24 (192 bits) to 64 bytes. */
const SECRET_BYTES = { least: 24, most: 64, fresh: 32 } as const
export const TOLERANCE_MS = 5 * 60_000
/** More signatures than anybody's rotation needs; each costs the receiver an HMAC. */
const MOST_SIGNATURES = 20

export const newWebhookSecret = (entropy: Entropy): Secret<string> =>
  new Secret(PREFIX + base64.encode(entropy.bytes(SECRET_BYTES.fresh)))

type Invalid = Refusal<'WEBHOOK_SECRET_INVALID'>

/** The key in a secret `whsec_<base64>`. */
export function parseWebhookSecret(text: string): Result<Uint8Array, Invalid> {
  const no = (reason: string) =>
    refuse('WEBHOOK_SECRET_INVALID', `the secret ${reason}`, { param: 'secret' })
  if (!text.startsWith(PREFIX)) return no(`does not begin with ${PREFIX}`)
  const key = decoded(text.slice(PREFIX.length))
  if (!key) return no('is not base64')
  if (key.length < SECRET_BYTES.least || key.length > SECRET_BYTES.most)
    return no(`does not hold ${SECRET_BYTES.least} to ${SECRET_BYTES.most} bytes`)
  return ok(key)
}
function decoded(text: string): Uint8Array | undefined {
  try {
    return base64.decode(text)
  } catch {
    // Not base64: the caller says so in its own words.
    return undefined
  }
}

const macOf = (key: Uint8Array, id: string, timestamp: string, body: Uint8Array): Uint8Array =>
  hmac(sha256, key, concatBytes(utf8ToBytes(`${id}.${timestamp}.`), body))

const bytesOf = (body: string | Uint8Array): Uint8Array =>
  typeof body === 'string' ? utf8ToBytes(body) : body
const keyOf = (secret: string | Secret<string>): Uint8Array => {
  const key = parseWebhookSecret(typeof secret === 'string' ? secret : secret.reveal())
  if (!key.ok) throw new AssertionError(key.error.message)
  return key.value
}

/**
 * The three headers of a delivery. One signature for each secret, so that a receiver that knows any of them is served while
 * they change. `now` in milliseconds since the epoch. @throws AssertionError for a secret that is none.
 */
export function signWebhook(
  id: string,
  now: number,
  body: string | Uint8Array,
  secrets: readonly (string | Secret<string>)[],
): Readonly<Record<'webhook-id' | 'webhook-timestamp' | 'webhook-signature', string>> {
  const timestamp = String(Math.floor(now / 1000))
  const bytes = bytesOf(body)
  const signatures = secrets.map(
    (secret) => `v1,${base64.encode(macOf(keyOf(secret), id, timestamp, bytes))}`,
  )
  return {
    'webhook-id': id,
    'webhook-timestamp': timestamp,
    'webhook-signature': signatures.join(' '),
  }
}

/** Headers as Node has them, or as `fetch` has them. */
export type WebhookHeaders =
  | Readonly<Record<string, string | readonly string[] | undefined>>
  | { get(name: string): string | null }

function headerOf(headers: WebhookHeaders, name: string): string | undefined {
  if (typeof headers['get'] === 'function') return headers.get(name) ?? undefined
  const entry = Object.entries(headers).find(([key]) => key.toLowerCase() === name)
  return typeof entry?.[1] === 'string' ? entry[1] : undefined
}

/** A delivery that was signed by the sender, at the time it says. */
export interface VerifiedWebhook {
  readonly id: string
  /** Seconds since the epoch. */
  readonly timestamp: number
}
type Unverified = Refusal<'WEBHOOK_SIGNATURE_INVALID' | 'WEBHOOK_TIMESTAMP_OUTSIDE'>

/**
 * Whether a request comes from the holder of one of the secrets, and now. `rawBody` is the body exactly as it came, before any
 * parser. `now` in milliseconds since the epoch. Signatures are compared in constant time.
 * @throws AssertionError for a secret that is none: that is the configuration's fault, not the sender's.
 */
export function verifyWebhook(
  headers: WebhookHeaders,
  rawBody: string | Uint8Array,
  secrets: readonly (string | Secret<string>)[],
  now: number,
  toleranceMs = TOLERANCE_MS,
): Result<VerifiedWebhook, Unverified> {
  const id = headerOf(headers, 'webhook-id')
  const timestamp = headerOf(headers, 'webhook-timestamp')
  const given = headerOf(headers, 'webhook-signature')
  const keys = secrets.map(keyOf)
  if (!id || !timestamp || !given || !/^(0|[1-9]\d{0,11})$/.test(timestamp))
    return refuse('WEBHOOK_SIGNATURE_INVALID', 'a header of Standard Webhooks is missing or wrong')
  const body = bytesOf(rawBody)
  if (!isSignedBy(keys, id, timestamp, body, given))
    return refuse('WEBHOOK_SIGNATURE_INVALID', 'no signature fits any of the secrets')
  const seconds = Number(timestamp)
  if (Math.abs(now - seconds * 1000) > toleranceMs)
    return refuse('WEBHOOK_TIMESTAMP_OUTSIDE', 'the signed time is too far from this clock', {
      details: { timestamp: seconds, now },
    })
  return ok({ id, timestamp: seconds })
}

/** Every pair is compared to its end, so that time tells nothing about where a forgery begins to differ. */
function isSignedBy(
  keys: readonly Uint8Array[],
  id: string,
  timestamp: string,
  body: Uint8Array,
  given: string,
): boolean {
  const macs = keys.map((key) => macOf(key, id, timestamp, body))
  let fits = 0
  for (const signature of given.split(' ').slice(0, MOST_SIGNATURES)) {
    if (!signature.startsWith('v1,')) continue
    const bytes = decoded(signature.slice(3))
    if (bytes?.length !== 32) continue
    for (const mac of macs) fits |= Number(differenceOf(mac, bytes) === 0)
  }
  return fits !== 0
}
function differenceOf(a: Uint8Array, b: Uint8Array): number {
  let difference = a.length ^ b.length
  for (let i = 0; i < a.length; i++) difference |= (a[i] ?? 0) ^ (b[i] ?? 0)
  return difference
}
