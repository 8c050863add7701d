import { readFileSync, statSync } from 'node:fs'
import { createSecureContext } from 'node:tls'
import type { Logger, Timers } from '@kaccy/bitcoin/kernel'

export interface CertificateFiles {
  readonly cert: string
  readonly key: string
}
export interface CertificatePair {
  readonly cert: Buffer
  readonly key: Buffer
}

/** Nothing older is spoken. Source: RFC 8996. */
export const LEAST_TLS = 'TLSv1.2'

/** The files as they are now. @throws Error of the file system, or what OpenSSL says: no PEM, a key of another certificate */
export function readCertificate({ cert, key }: CertificateFiles): CertificatePair {
  const pair = { cert: readFileSync(cert), key: readFileSync(key) }
  createSecureContext({ ...pair, minVersion: LEAST_TLS })
  return pair
}

export interface CertificateWatch {
  /** Reads the files now, as a signal asks for. */
  reload(): void
  stop(): void
}
export interface CertificateWatchOptions {
  readonly files: CertificateFiles
  /** A server of `node:tls`. */
  readonly server: {
    setSecureContext(options: CertificatePair & { minVersion: typeof LEAST_TLS }): void
  }
  readonly logger: Logger
  readonly timers: Timers
  /** Pause between two looks at the files. Default 10 s. */
  readonly pollMs?: number
}

/**
 * Takes a renewed certificate without a restart: connections that are open keep theirs, new ones get the new one. Files that
 * cannot be used change nothing, and are tried again when they change again.
 */
export function watchCertificate(options: CertificateWatchOptions): CertificateWatch {
  const { files, server, logger, timers, pollMs = 10_000 } = options
  let seen = stampOf(files)
  let cancel: (() => void) | undefined
  const reload = (): void => {
    seen = stampOf(files)
    try {
      server.setSecureContext({ ...readCertificate(files), minVersion: LEAST_TLS })
      logger.log('info', 'the certificate was read again', { file: files.cert })
    } catch (error) {
      logger.log('error', 'the new certificate cannot be used; the one before stays', {
        file: files.cert,
        reason: error instanceof Error ? error.message : String(error),
      })
    }
  }
  const look = (): void => {
    // Two files are not replaced at once: a pair that does not fit yet is looked at again with its second half.
    if (stampOf(files) !== seen) reload()
    cancel = timers.after(pollMs, look)
  }
  cancel = timers.after(pollMs, look)
  return { reload, stop: () => cancel?.() }
}

/** Changes when one of the files does. One that is missing for a moment is a change too. */
const stampOf = ({ cert, key }: CertificateFiles): string =>
  [cert, key]
    .map((path) => {
      const found = statSync(path, { throwIfNoEntry: false })
      return found ? `${found.mtimeMs} ${found.size} ${found.ino}` : 'missing'
    })
    .join(', ')
