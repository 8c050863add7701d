import type { IncomingMessage } from 'node:http'
import { refuse } from '@kaccy/bitcoin/kernel'
import { RefusedError } from '../problem.ts'
import { PROTOCOL } from './policy.ts'

export const STREAM_PATH = '/v1/events/stream'
const LIST_PATH = '/v1/events'

const pathOf = (url: string | undefined): string => (url ?? '').split('?', 1)[0] ?? ''

/** Whether a request asks for a WebSocket where there is one. Other upgrades are not taken up: it is answered as if it had not asked. */
export const mayUpgrade = ({ method, url, headers }: IncomingMessage): boolean =>
  method === 'GET' && headers.upgrade?.toLowerCase() === 'websocket' && pathOf(url) === STREAM_PATH

/** The list of events, asked for as a stream, is the stream. */
export function rewriteUrl({ url = '/', headers, method }: IncomingMessage): string {
  if (method !== 'GET' || pathOf(url) !== LIST_PATH || !asksForEvents(headers.accept)) return url
  return STREAM_PATH + url.slice(LIST_PATH.length)
}

const mediaTypes = (accept: string): readonly string[] =>
  accept.split(',').map((entry) => entry.split(';', 1)[0]?.trim().toLowerCase() ?? '')
const asksForEvents = (accept: string | undefined): boolean =>
  mediaTypes(accept ?? '').includes('text/event-stream')

/** @throws RefusedError STREAM_FORM_UNKNOWN when the client takes no event stream */
export function requireEventStream(accept: string | undefined): void {
  if (accept === undefined) return
  const taken = mediaTypes(accept)
  if (['text/event-stream', 'text/*', '*/*'].some((type) => taken.includes(type))) return
  throw new RefusedError(
    refuse('STREAM_FORM_UNKNOWN', 'ask with Accept: text/event-stream, or for a WebSocket').error,
  )
}

/**
 * A page of a browser names its origin, and only pages of the origins in the configuration may connect. Programs name none.
 * @throws RefusedError ORIGIN_FORBIDDEN
 */
export function requireOrigin(origin: string | undefined, allowed: readonly string[]): void {
  if (origin === undefined || allowed.includes(origin)) return
  throw new RefusedError(
    refuse('ORIGIN_FORBIDDEN', 'pages of this origin may not connect; see http.origins').error,
  )
}

/** The key of a browser's WebSocket, which can send no header: `Sec-WebSocket-Protocol: kaccy.v1, bearer.<token>`. */
export function tokenOfProtocols(protocols: string | undefined): string | undefined {
  const offered = (protocols ?? '').split(',').map((name) => name.trim())
  if (!offered.includes(PROTOCOL)) return undefined
  return offered.find((name) => name.startsWith('bearer.'))?.slice('bearer.'.length)
}
/** Only the name of the protocol is answered, never the token. */
export const chooseProtocol = (offered: ReadonlySet<string>): string | false =>
  offered.has(PROTOCOL) ? PROTOCOL : false
