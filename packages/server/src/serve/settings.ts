import { readFileSync } from 'node:fs'
import { EngineError } from '@kaccy/bitcoin/kernel'
import { type IpRange, parseIpRange } from '@kaccy/bitcoin/protocol/ip'
import type { Config } from '../config/settings.ts'
import { type CertificateFiles, type HttpSettings, readCertificate } from '../http/index.ts'

/** The settings of the HTTP interface, read from the configuration. @throws EngineError CONFIG_VALUE_INVALID, CONFIG_CONFLICT, CONFIG_FILE_UNREADABLE */
export function httpSettings(config: Config): HttpSettings {
  const publicUrl = config['http.public_url']
  const tls = tlsOf(config)
  return {
    ...(publicUrl === undefined ? {} : { publicUrl: readPublicUrl(publicUrl) }),
    trustedProxies: ranges(config, 'http.trusted_proxies'),
    allowedAddresses: ranges(config, 'http.allowed_addresses'),
    origins: (config['http.origins'] ?? []).map(readOrigin),
    bodyLimit: config['http.body_limit'],
    requestsPerMinute: {
      address: config['http.requests_per_minute_address'],
      key: config['http.requests_per_minute_key'],
      wrongKeys: config['http.wrong_keys_per_minute'],
    },
    ...(tls === undefined ? {} : { tls }),
  }
}

/** Address and port to listen on: `127.0.0.1:8080`, `[::1]:8080`, `:8080` for all addresses. */
export function listenOn(config: Pick<Config, 'http.listen'>): {
  readonly host: string
  readonly port: number
} {
  const text = config['http.listen']
  const [, bracketed, plain, port = ''] = /^(?:\[([^\]]+)\]|([^:]*)):(\d{1,5})$/.exec(text) ?? []
  if (Number(port) <= 65_535 && port !== '')
    return { host: bracketed ?? (plain || '::'), port: Number(port) }
  throw invalid('http.listen', `${text} is not of the form 127.0.0.1:8080`)
}

/** Who may read /metrics; undefined: everybody whose address is not public. */
export const metricsAddresses = (config: Config): readonly IpRange[] | undefined =>
  config['http.metrics_addresses'] === undefined
    ? undefined
    : ranges(config, 'http.metrics_addresses')

const invalid = (param: string, message: string): EngineError =>
  new EngineError('CONFIG_VALUE_INVALID', message, { details: { param } })

function ranges(
  config: Config,
  key: 'http.trusted_proxies' | 'http.allowed_addresses' | 'http.metrics_addresses',
): readonly IpRange[] {
  return (config[key] ?? []).map((text) => {
    const range = parseIpRange(text)
    if (range) return range
    throw invalid(key, `${text} is not an address or a range such as 10.0.0.0/8`)
  })
}

function readPublicUrl(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : undefined
  if (
    url &&
    /^https?:$/.test(url.protocol) &&
    url.pathname === '/' &&
    url.search === '' &&
    url.username === ''
  )
    return url.origin
  throw invalid('http.public_url', `${text} is not an address such as https://pay.example.com`)
}

function readOrigin(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : undefined
  if (url && url.origin === text) return text
  throw invalid('http.origins', `${text} is not an origin such as https://shop.example`)
}

function tlsOf(config: Config): HttpSettings['tls'] {
  const cert = config['http.tls_cert_file']
  const key = config['http.tls_key_file']
  if (cert === undefined && key === undefined) return undefined
  if (cert === undefined || key === undefined)
    throw new EngineError(
      'CONFIG_CONFLICT',
      'http.tls_cert_file and http.tls_key_file belong together',
      {
        details: { param: cert === undefined ? 'http.tls_cert_file' : 'http.tls_key_file' },
      },
    )
  const pair = {
    cert: readFile(cert, 'http.tls_cert_file'),
    key: readFile(key, 'http.tls_key_file'),
  }
  try {
    readCertificate({ cert, key })
    return pair
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    throw invalid('http.tls_cert_file', `the certificate and its key cannot be used: ${reason}`)
  }
}

/** The files to read again when they change. Undefined: TLS is not ours. */
export function certificateFiles(config: Config): CertificateFiles | undefined {
  const cert = config['http.tls_cert_file']
  const key = config['http.tls_key_file']
  return cert === undefined || key === undefined ? undefined : { cert, key }
}

function readFile(path: string, param: string): Buffer {
  try {
    return readFileSync(path)
  } catch (error) {
    throw new EngineError('CONFIG_FILE_UNREADABLE', `${path} cannot be read`, {
      details: { path, param },
      cause: error,
    })
  }
}
