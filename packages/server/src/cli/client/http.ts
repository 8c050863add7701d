import { readFileSync } from 'node:fs'
import { Agent, type IncomingMessage, request as plainRequest } from 'node:http'
import { Agent as SecureAgent, request as secureRequest } from 'node:https'
import { EngineError, type Secret } from '@kaccy/bitcoin/kernel'
import { VERSION } from '../../version.ts'
import type { Answered, Asked, Transport } from './transport.ts'

export interface HttpTransportOptions {
  /** `https://pay.example.com`, without a path. */
  readonly url: string
  readonly key?: Secret<string> | undefined
  /** PEM file of the authority that signed the server's certificate, instead of the system's. */
  readonly caFile?: string | undefined
  readonly allowPlainHttp?: boolean
  /** Longest silence before an answer begins. */
  readonly timeoutMs?: number
}

const TIMEOUT_MS = 30_000

/** Asks a running server. @throws EngineError CONFIG_VALUE_INVALID, CONFIG_FILE_UNREADABLE */
export function httpTransport(options: HttpTransportOptions): Transport {
  const { key, caFile, timeoutMs = TIMEOUT_MS } = options
  const url = readAddress(options)
  const secure = url.protocol === 'https:'
  const ca = caFile === undefined ? undefined : readAuthority(caFile)
  const agent = secure
    ? new SecureAgent({ keepAlive: true, ...(ca === undefined ? {} : { ca }) })
    : new Agent({ keepAlive: true })
  const headers = {
    'user-agent': `kaccy/${VERSION}`,
    ...(key === undefined ? {} : { authorization: `Bearer ${key.reveal()}` }),
  }
  const send = (asked: Asked): Promise<Answered> =>
    new Promise((resolve, reject) => {
      const { method, path, body, signal } = asked
      const request = (secure ? secureRequest : plainRequest)(new URL(path, url), {
        method,
        agent,
        headers: { ...headers, ...asked.headers, ...lengthOf(body) },
        ...(signal === undefined ? {} : { signal }),
      })
      request.setTimeout(timeoutMs, () => request.destroy(new Error('no answer in time')))
      request.on('error', (error) => reject(signal?.aborted ? error : failureOf(url, error)))
      request.on('response', (response) => {
        // A stream may be silent between its heartbeats; the answer has begun.
        request.setTimeout(0)
        resolve(answered(response, url, signal))
      })
      request.end(body)
    })
  return {
    name: url.origin,
    send,
    async close() {
      agent.destroy()
    },
  }
}

const lengthOf = (body: string | undefined): Record<string, number> =>
  body === undefined ? {} : { 'content-length': Buffer.byteLength(body) }

function answered(response: IncomingMessage, url: URL, signal: AbortSignal | undefined): Answered {
  const headers = Object.fromEntries(
    Object.entries(response.headers).map(([name, value]) => [name, value?.toString()]),
  )
  const body = async function* (): AsyncGenerator<Uint8Array> {
    try {
      for await (const piece of response) yield piece as Uint8Array
    } catch (error) {
      if (!signal?.aborted) throw failureOf(url, error)
    }
  }
  return { status: response.statusCode ?? 0, headers, body: body() }
}

const LOOPBACK = /^(localhost|127(\.\d{1,3}){3}|\[::1\])$/

function readAddress({ url: text, allowPlainHttp = false }: HttpTransportOptions): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined
  const no = (reason: string) =>
    new EngineError('CONFIG_VALUE_INVALID', `api.url ${reason}`, { details: { param: 'api.url' } })
  if (!url || !/^https?:$/.test(url.protocol))
    throw no('is no address such as https://pay.example.com')
  if (url.username !== '' || url.password !== '')
    throw no('holds a password: the key belongs into api.key_file or KACCY_API_KEY')
  if (url.pathname !== '/' || url.search !== '' || url.hash !== '')
    throw no('has a path: give the address of the server alone')
  if (url.protocol === 'http:' && !LOOPBACK.test(url.hostname) && !allowPlainHttp)
    throw no('would send the key unencrypted: use https://, or set api.allow_plain_http')
  return url
}

function readAuthority(path: string): Buffer {
  try {
    return readFileSync(path)
  } catch (cause) {
    throw new EngineError('CONFIG_FILE_UNREADABLE', `${path} cannot be read`, {
      details: { path, param: 'api.ca_file' },
      cause,
    })
  }
}

/** Codes of Node and OpenSSL that say the other side's certificate is not believed. */
const CERTIFICATE = /CERT|SELF_SIGNED|UNABLE_TO|ERR_TLS|HOSTNAME/

function failureOf(url: URL, error: unknown): EngineError {
  const { code = '', message } = error as NodeJS.ErrnoException
  const reason = code === '' ? message : code
  const options = { details: { reason }, cause: error }
  if (CERTIFICATE.test(code))
    return new EngineError('API_CERTIFICATE_REFUSED', `${url.origin}: ${message}`, options)
  return new EngineError('API_UNREACHABLE', `${url.origin} cannot be reached: ${reason}`, options)
}
