import { readFileSync } from 'node:fs'
import { isIP } from 'node:net'
import { createPrivateKey, X509Certificate } from 'node:crypto'
import type { Config } from '../config/settings.ts'
import { type Finding, fine, warning, wrong } from './finding.ts'

const DAY_MS = 24 * 60 * 60 * 1000
/** Certificates that renew themselves do it a month before; two weeks say that this one does not. */
const SOON_MS = 14 * DAY_MS

/** The certificate files of the HTTP interface: whether they can be read, belong together, are in time and name the host. */
export function examineTls(config: Config, now: number): Finding[] {
  const certFile = config['http.tls_cert_file']
  const keyFile = config['http.tls_key_file']
  if (certFile === undefined || keyFile === undefined) return []
  const certificate = read(certFile, (text) => new X509Certificate(text))
  const key = read(keyFile, createPrivateKey)
  if (typeof certificate === 'string')
    return [bad(`${certFile} ${certificate}`, 'a PEM file that begins with its own certificate')]
  if (typeof key === 'string')
    return [bad(`${keyFile} ${key}`, 'a PEM file with the private key, without a password')]
  if (!certificate.checkPrivateKey(key))
    return [bad(`${keyFile} is not the key of ${certFile}`, 'the two files of one certificate')]
  return [...examineTime(certificate, now), ...examineName(certificate, config['http.public_url'])]
}

const bad = (says: string, needed: string): Finding =>
  wrong('certificate', says, `put ${needed} there`)

/** Whether a certificate is in its time. @param now milliseconds since the epoch */
export function examineTime(
  { validFrom, validTo }: Pick<X509Certificate, 'validFrom' | 'validTo'>,
  now: number,
): Finding[] {
  const until = Date.parse(validTo)
  const day = new Date(until).toISOString().slice(0, 10)
  if (until <= now)
    return [wrong('certificate', `it ran out on ${day}`, 'renew it; a running server takes it up')]
  if (Date.parse(validFrom) > now)
    return [wrong('certificate', 'its time has not begun', 'compare the clocks of both machines')]
  if (until - now < SOON_MS)
    return [warning('certificate', `it runs out on ${day}`, 'renew it before that day')]
  return [fine('certificate', `good until ${day}`)]
}

function examineName(certificate: X509Certificate, publicUrl: string | undefined): Finding[] {
  if (publicUrl === undefined || !URL.canParse(publicUrl)) return []
  const { hostname } = new URL(publicUrl)
  const address = hostname.replace(/^\[|\]$/g, '')
  if (isIP(address) === 0 ? certificate.checkHost(hostname) : certificate.checkIP(address))
    return []
  const todo = 'get a certificate for that name, or correct http.public_url'
  return [wrong('certificate', `it does not stand for ${hostname}`, todo)]
}

/** What the file holds, or why it cannot be used. */
function read<T>(path: string, parse: (text: Buffer) => T): T | string {
  let text: Buffer
  try {
    text = readFileSync(path)
  } catch (error) {
    return `cannot be read: ${(error as NodeJS.ErrnoException).code ?? 'unknown'}`
  }
  try {
    return parse(text)
  } catch {
    // OpenSSL's words help nobody; what belongs there does.
    return 'is not what it should be'
  }
}
