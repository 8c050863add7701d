import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { connect } from 'node:tls'
import { createDevnet, type Devnet } from '@kaccy/devnet'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { selfSigned } from '../test/counterparts/certificate.ts'
import { startKaccy } from './kaccy.ts'

let folder: string
let devnet: Devnet
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'kaccy-certificate-'))
  devnet = await createDevnet({ dir: folder })
})
afterAll(async () => {
  await devnet.close()
  rmSync(folder, { recursive: true, force: true })
})

const start = (more: Readonly<Record<string, string>>) =>
  startKaccy(['serve', '--json'], {
    KACCY_NETWORK: 'regtest',
    KACCY_DATABASE_URL: join(folder, 'kaccy.sqlite'),
    KACCY_NODE_URL: devnet.rpcUrl,
    KACCY_NODE_COOKIE_FILE: devnet.cookiePath,
    KACCY_HTTP_LISTEN: '127.0.0.1:0',
    KACCY_LOG_LEVEL: 'error',
    ...more,
  })

/** The name in the certificate that a new connection sees. */
const shownAt = ({ hostname, port }: URL): Promise<string> =>
  new Promise((resolve, reject) => {
    const socket = connect(
      { host: hostname, port: Number(port), rejectUnauthorized: false },
      () => {
        const { subject } = socket.getPeerCertificate()
        socket.destroy()
        resolve(String(subject.CN))
      },
    )
    socket.on('error', reject)
  })

test('SIGHUP gives new connections the renewed certificate, and ends nothing', async () => {
  const files = { cert: join(folder, 'cert.pem'), key: join(folder, 'key.pem') }
  const put = (name: string) => {
    const { cert, key } = selfSigned(name)
    writeFileSync(files.cert, cert)
    writeFileSync(files.key, key)
  }
  put('first')
  const serve = start({
    KACCY_HTTP_TLS_CERT_FILE: files.cert,
    KACCY_HTTP_TLS_KEY_FILE: files.key,
  })
  const { url } = await serve.said(({ type }) => type === 'listening')
  const at = new URL(String(url))
  expect([at.protocol, await shownAt(at)]).toEqual(['https:', 'first'])
  put('second')
  serve.process.kill('SIGHUP')
  await expect.poll(() => shownAt(at), { timeout: 20_000 }).toBe('second')
  serve.process.kill('SIGTERM')
  expect(await serve.ended).toMatchObject({ code: 0, stderr: '' })
})

test('SIGHUP does not end a server that has no certificate of its own', async () => {
  const serve = start({ KACCY_LOG_LEVEL: 'info' })
  const { url } = await serve.said(({ type }) => type === 'listening')
  let log = ''
  serve.process.stderr?.on('data', (chunk: Buffer) => {
    log += chunk.toString('utf8')
  })
  serve.process.kill('SIGHUP')
  await expect.poll(() => log, { timeout: 20_000 }).toContain('nothing to read again')
  expect((await fetch(`${url}/health/live`)).status).toBe(200)
  serve.process.kill('SIGTERM')
  expect((await serve.ended).code).toBe(0)
})
