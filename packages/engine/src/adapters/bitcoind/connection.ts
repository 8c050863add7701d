import { type ClientRequestArgs, Agent as PlainAgent } from 'node:http'
import { Agent as SecureAgent } from 'node:https'
import { isIP } from 'node:net'
import type { Duplex } from 'node:stream'
import { connect, type TLSSocket } from 'node:tls'
import { EngineError } from '../../kernel/index.ts'
import type { Endpoint } from './options.ts'

/** Below the 30 s after which Core closes an idle connection: we hang up first, so no request meets a dead socket. */
const IDLE_MS = 20_000
const HANDSHAKE_MS = 15_000

export type NodeAgent = PlainAgent | SecureAgent

/** Where sockets come from; a proxy (Tor) would be put here. `keepAlive` false gives every request its own socket. */
export function createAgent(endpoint: Endpoint, keepAlive: boolean, maxSockets: number): NodeAgent {
  const options = { keepAlive, maxSockets, maxFreeSockets: maxSockets, timeout: IDLE_MS }
  if (!endpoint.secure) return new PlainAgent(options)
  return new TrustingAgent(endpoint, options)
}

/** Hands a socket out only after the certificate was found good: before that not a byte of ours leaves. */
class TrustingAgent extends SecureAgent {
  readonly #endpoint: Endpoint

  constructor(endpoint: Endpoint, options: ConstructorParameters<typeof SecureAgent>[0]) {
    super(options)
    this.#endpoint = endpoint
  }

  override createConnection(
    _options: ClientRequestArgs,
    callback?: (error: Error | null, stream: Duplex) => void,
  ): undefined {
    const { host, port, tls, pins } = this.#endpoint
    const name = tls.serverName ?? host
    const socket = connect({
      host,
      port,
      // Pins alone replace the chain check, and they are compared below before the socket is used.
      rejectUnauthorized: pins.length === 0 || tls.ca !== undefined,
      minVersion: 'TLSv1.2',
      ALPNProtocols: ['http/1.1'],
      ...(isIP(name) === 0 ? { servername: name } : {}),
      ...(tls.ca === undefined ? {} : { ca: tls.ca }),
    })
    const settle = (error: Error | null) => {
      socket.removeListener('error', settle)
      socket.setTimeout(0)
      if (error) socket.destroy()
      callback?.(error, socket)
    }
    socket.setTimeout(HANDSHAKE_MS, () => socket.destroy(handshakeTimeout()))
    socket.once('error', settle)
    socket.once('secureConnect', () => settle(refusal(socket, pins)))
    return undefined
  }
}

const handshakeTimeout = (): EngineError =>
  new EngineError('NODE_UNREACHABLE', 'the TLS handshake with the node took too long')

function refusal(socket: TLSSocket, pins: readonly string[]): EngineError | null {
  if (pins.length === 0) return null
  const shown = socket.getPeerX509Certificate()?.fingerprint256.replaceAll(':', '') ?? ''
  if (pins.includes(shown)) return null
  return new EngineError(
    'NODE_CERTIFICATE_REFUSED',
    'the certificate of the node is none of the pinned ones',
    { details: { fingerprint: shown } },
  )
}

const CERTIFICATE_FAULT =
  /^(CERT_|ERR_TLS_CERT|DEPTH_ZERO_SELF_SIGNED|SELF_SIGNED_CERT|UNABLE_TO_(GET|VERIFY|DECODE)|INVALID_(CA|PURPOSE)|HOSTNAME_MISMATCH)/

/** Whether this error says that we did not trust the other side (and not that it could not be reached). */
export const isCertificateFault = (error: unknown): boolean =>
  (error instanceof EngineError && error.code === 'NODE_CERTIFICATE_REFUSED') ||
  CERTIFICATE_FAULT.test(errorName(error))

/** The system's short name of an error (`ECONNREFUSED`): safe to show, unlike messages that may quote input. */
export const errorName = (error: unknown): string =>
  error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : ''
