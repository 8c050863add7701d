import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { connect, type PeerCertificate, type Server } from 'node:tls'
import { assert, type Timers } from '@kaccy/bitcoin/kernel'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { readCertificate, watchCertificate } from '@kaccy/bitcoin-server/http'
import { selfSigned } from '../counterparts/certificate.ts'
import { Served } from './served.ts'

let folder = ''
let served: Served
const first = selfSigned('first')
const second = selfSigned('second')
const files = () => ({ cert: join(folder, 'cert.pem'), key: join(folder, 'key.pem') })
const write = async (cert: string, key: string) => {
  await writeFile(files().cert, cert)
  await writeFile(files().key, key)
}
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'kaccy-tls-'))
  await write(first.cert, first.key)
  served = await Served.open({ settings: { tls: readCertificate(files()) } })
})
afterEach(async () => {
  await served.close()
  await rm(folder, { recursive: true })
})

/** Which certificate a new connection sees, or why there is none. */
function shown(options: object = {}): Promise<string> {
  const { hostname, port } = new URL(served.url)
  return new Promise((resolve) => {
    const socket = connect(
      { host: hostname, port: Number(port), rejectUnauthorized: false, ...options },
      () => {
        const { subject }: PeerCertificate = socket.getPeerCertificate()
        socket.destroy()
        resolve(String(subject.CN))
      },
    )
    socket.on('error', (error: Error & { code?: string }) => resolve(error.code ?? error.message))
  })
}

/** Time that moves when it is told to. */
function handTimers(): { readonly timers: Timers; pass(): void } {
  const waiting = new Set<() => void>()
  return {
    timers: {
      after(_milliseconds, work) {
        waiting.add(work)
        return () => waiting.delete(work)
      },
    } as Timers,
    pass() {
      const due = [...waiting]
      waiting.clear()
      for (const work of due) work()
    },
  }
}

function watching() {
  const lines: string[] = []
  const hand = handTimers()
  const server = served.app.server as unknown as Server
  const watch = watchCertificate({
    files: files(),
    server,
    timers: hand.timers,
    logger: { log: (level, message) => lines.push(`${level} ${message}`) },
  })
  return { lines, hand, watch }
}

test('a renewed certificate is taken without a restart', async () => {
  const { lines, hand } = watching()
  expect(await shown()).toBe('first')
  hand.pass()
  expect([await shown(), lines]).toEqual(['first', []])
  await write(second.cert, second.key)
  hand.pass()
  expect(await shown()).toBe('second')
  expect(lines).toEqual(['info the certificate was read again'])
  hand.pass()
  expect(lines).toHaveLength(1)
})

test.each([
  ['no certificate', 'nonsense', first.key],
  ['the key of another one', second.cert, first.key],
  ['an empty file', '', ''],
])('%s changes nothing and is told', async (_, cert, key) => {
  const { lines, hand, watch } = watching()
  await write(cert, key)
  hand.pass()
  expect(await shown()).toBe('first')
  expect(lines).toEqual(['error the new certificate cannot be used; the one before stays'])
  // Once for each change of the files, not for each look.
  hand.pass()
  expect(lines).toHaveLength(1)
  await write(second.cert, second.key)
  watch.reload()
  expect(await shown()).toBe('second')
})

test('a file that is gone for a moment', async () => {
  const { hand, watch } = watching()
  await rm(files().key)
  hand.pass()
  expect(await shown()).toBe('first')
  await write(second.cert, second.key)
  hand.pass()
  expect(await shown()).toBe('second')
  watch.stop()
  await write(first.cert, first.key)
  hand.pass()
  expect(await shown()).toBe('second')
})

test('nothing older than TLS 1.2, also after a renewal', async () => {
  const { watch } = watching()
  const old = { minVersion: 'TLSv1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT:@SECLEVEL=0' }
  for (const _ of ['before', 'after']) {
    expect(await shown({ maxVersion: 'TLSv1.2' })).toBe('first')
    expect(await shown({ minVersion: 'TLSv1.3' })).toBe('first')
    expect(await shown(old)).toMatch(/PROTOCOL_VERSION|UNSUPPORTED|ECONNRESET/)
    watch.reload()
  }
})

test('says that it is to be reached by TLS alone', async () => {
  const answer = await new Promise<string>((resolve) => {
    const { hostname, port } = new URL(served.url)
    const socket = connect({ host: hostname, port: Number(port), rejectUnauthorized: false })
    socket.on('data', (bytes) => resolve(bytes.toString()))
    socket.write('GET /v1/nothing HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n')
  })
  expect(answer.toLowerCase()).toContain('strict-transport-security: max-age=31536000')
  assert(answer.startsWith('HTTP/1.1 404'), answer)
})
