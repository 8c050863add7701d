import { randomBytes } from 'node:crypto'
import {
  type Clock,
  EngineError,
  type Entropy,
  type Logger,
  type Metrics,
  type Secret,
  silentLogger,
  silentMetrics,
  silentTracer,
  type Tracer,
} from '../../kernel/index.ts'
import { DEFAULT_DEADLINES, type Deadlines } from './methods.ts'
import { DEFAULT_RETRY, type RetryPolicy } from './retry.ts'
import { systemTimers, type Timers } from './timers.ts'

/** How the node knows us: a fixed user, or the cookie file that Core writes at each start. */
export type BitcoindAuth =
  | { readonly user: string; readonly password: Secret<string> }
  | { readonly cookieFile: string }

export interface BitcoindTls {
  /** PEM of the authority (or of the self-signed certificate) that we trust instead of the system's list. */
  readonly ca?: string
  /**
   * SHA-256 fingerprints of leaf certificates, hex with or without colons; one must match. Several allow a rotation.
   * Pins without `ca` replace the chain check (self-signed certificates); with `ca` both must hold.
   */
  readonly pins?: readonly string[]
  /** Name to ask for and to check instead of the host of the URL. */
  readonly serverName?: string
}

export interface BitcoindOptions {
  /** `http://127.0.0.1:8332` or `https://…`. No credentials inside: they belong into `auth`. */
  readonly url: string
  readonly auth: BitcoindAuth
  readonly tls?: BitcoindTls
  /** Danger: sends the password unencrypted to another machine. Without it such an address is refused. */
  readonly allowPlainHttp?: boolean
  /** Default 1.0, which every node speaks. Core 28 and later answer 2.0 in its own shape. */
  readonly jsonrpc?: '1.0' | '2.0'
  /** Sockets kept open at most, 8 by default: Core works on 16 calls at once and queues the rest. */
  readonly maxSockets?: number
  /** Largest answer that is read, in bytes; 64 MiB by default. */
  readonly maxAnswerBytes?: number
  /** Calls in one batch at most, 100 by default. */
  readonly batchSize?: number
  readonly deadlines?: Partial<Deadlines>
  readonly retry?: Partial<RetryPolicy>
  readonly clock?: Clock
  readonly entropy?: Entropy
  readonly timers?: Timers
  readonly logger?: Logger
  readonly metrics?: Metrics
  readonly tracer?: Tracer
}

/** Options with nothing left open; the URL is taken apart and found safe. */
export interface Settings {
  readonly endpoint: Endpoint
  readonly auth: BitcoindAuth
  readonly jsonrpc: '1.0' | '2.0'
  readonly maxSockets: number
  readonly maxAnswerBytes: number
  readonly batchSize: number
  readonly deadlines: Deadlines
  readonly retry: RetryPolicy
  readonly clock: Clock
  readonly entropy: Entropy
  readonly timers: Timers
  readonly logger: Logger
  readonly metrics: Metrics
  readonly tracer: Tracer
}

export interface Endpoint {
  readonly secure: boolean
  readonly host: string
  readonly port: number
  /** Path of the URL without a slash at its end: a reverse proxy may serve the node below one. */
  readonly basePath: string
  readonly tls: BitcoindTls
  /** Upper-case hex without colons. */
  readonly pins: readonly string[]
}

const MEBIBYTE = 1024 * 1024
const systemClock: Clock = { now: () => Date.now() }
const systemEntropy: Entropy = { bytes: (length) => new Uint8Array(randomBytes(length)) }

/** @throws NODE_OPTIONS_INVALID, never with a credential in the message. */
export function settle(options: BitcoindOptions): Settings {
  return {
    endpoint: parseEndpoint(options),
    auth: options.auth,
    jsonrpc: options.jsonrpc ?? '1.0',
    maxSockets: atLeastOne('maxSockets', options.maxSockets ?? 8),
    maxAnswerBytes: atLeastOne('maxAnswerBytes', options.maxAnswerBytes ?? 64 * MEBIBYTE),
    batchSize: atLeastOne('batchSize', options.batchSize ?? 100),
    deadlines: { ...DEFAULT_DEADLINES, ...options.deadlines },
    retry: { ...DEFAULT_RETRY, ...options.retry },
    clock: options.clock ?? systemClock,
    entropy: options.entropy ?? systemEntropy,
    timers: options.timers ?? systemTimers,
    logger: options.logger ?? silentLogger,
    metrics: options.metrics ?? silentMetrics,
    tracer: options.tracer ?? silentTracer,
  }
}

const invalid = (option: string, reason: string): EngineError =>
  new EngineError('NODE_OPTIONS_INVALID', `node option ${option} ${reason}`, {
    details: { option },
  })

function atLeastOne(option: string, value: number): number {
  if (!Number.isSafeInteger(value) || value < 1) throw invalid(option, 'is not a positive integer')
  return value
}

function parseEndpoint(options: BitcoindOptions): Endpoint {
  const url = URL.canParse(options.url) ? new URL(options.url) : undefined
  if (!url || (url.protocol !== 'http:' && url.protocol !== 'https:')) {
    throw invalid('url', 'is not an http or https URL')
  }
  if (url.username !== '' || url.password !== '') {
    throw invalid('url', 'has credentials in it; pass them as auth')
  }
  if (url.search !== '' || url.hash !== '') throw invalid('url', 'has a query or a fragment')
  const secure = url.protocol === 'https:'
  const host = url.hostname.replace(/^\[(.*)\]$/, '$1')
  if (!secure && options.tls !== undefined) throw invalid('tls', 'needs an https URL')
  if (!secure && !isLoopback(host) && options.allowPlainHttp !== true) {
    throw invalid('url', 'would send the password unencrypted to another machine (allowPlainHttp)')
  }
  return {
    secure,
    host,
    port: url.port === '' ? (secure ? 443 : 80) : Number(url.port),
    basePath: url.pathname.replace(/\/+$/, ''),
    tls: options.tls ?? {},
    pins: (options.tls?.pins ?? []).map(parsePin),
  }
}

function parsePin(pin: string): string {
  const hex = pin.replaceAll(':', '').toUpperCase()
  if (!/^[0-9A-F]{64}$/.test(hex)) throw invalid('tls.pins', 'has no SHA-256 fingerprint')
  return hex
}

/** Only addresses that never leave the machine; `localhost` by RFC 6761. */
export const isLoopback = (host: string): boolean =>
  host === 'localhost' || host === '::1' || /^127\.\d{1,3}\.\d{1,3}\.\d{1,3}$/.test(host)
