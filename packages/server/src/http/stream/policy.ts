/** How streams are bounded. Times in milliseconds, sizes in bytes. */
export interface StreamSettings {
  /** Streams that may be open at once: in all, of one key, from one address. */
  readonly total: number
  readonly perKey: number
  readonly perAddress: number
  /** Longest pause between two looks for what other processes committed. */
  readonly pollMs: number
  readonly heartbeatMs: number
  /** How often a key is looked at again while its streams are open. */
  readonly recheckMs: number
  /** What may wait for one client; behind that it is served at its own pace, from the store. */
  readonly highWater: number
  /** How long a client may take to read what waits for it. */
  readonly drainMs: number
  /** What one client may say in a second; nothing it says is needed. */
  readonly messagesPerSecond: number
  /** How long a message may stay unfinished. */
  readonly unfinishedMs: number
  /** How long the other side may take to close. */
  readonly closeMs: number
}

export const STREAM_DEFAULTS: StreamSettings = {
  total: 10_000,
  perKey: 100,
  perAddress: 200,
  pollMs: 1_000,
  heartbeatMs: 20_000,
  recheckMs: 30_000,
  highWater: 262_144,
  drainMs: 30_000,
  messagesPerSecond: 5,
  unfinishedMs: 10_000,
  closeMs: 5_000,
}

/** The largest message of a client that is read at all; a larger one ends with 1009 (RFC 6455, 7.4.1). */
export const MESSAGE_BYTES = 1_024
/** Events that are read from the store at once. */
export const PAGE = 200
/** Newest events that are kept encoded, for clients that come back. */
export const KEPT = { events: 2_048, bytes: 4_194_304 } as const
/** Clients that read their past from the store at the same time; the others wait for their turn. */
export const READERS = 4
/** Clients that are served between two breaths of the event loop. */
export const CLIENTS_PER_BREATH = 64
/** What a browser waits before it comes back (`retry:`). */
export const RETRY_MS = 3_000
/** Longest pause while the store cannot be read. */
export const LONGEST_PAUSE_MS = 30_000
/** Name of the protocol in `Sec-WebSocket-Protocol`. */
export const PROTOCOL = 'kaccy.v1'

/** Why a stream ends: close codes of WebSocket (RFC 6455, 7.4; from 4000 our own). */
export const CLOSE = {
  /** The server stops. Come back. */
  goingAway: 1001,
  /** The client says things that nobody asked for. */
  policy: 1008,
  /** The key may not be used any more. */
  key: 4001,
  /** The client does not read. Come back when it can. */
  slow: 4008,
} as const
export type CloseCode = (typeof CLOSE)[keyof typeof CLOSE]
