import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type Server } from 'node:https'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { callKaccy } from '../../e2e/kaccy.ts'
import { selfSigned } from '../counterparts/certificate.ts'

let folder: string
let server: Server
let url: string
const { cert, key } = selfSigned('kaccy test')

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'kaccy-certificates-'))
  server = createServer({ cert, key }, (_request, response) => {
    response.setHeader('content-type', 'application/json')
    response.end('{"data":[],"has_more":false,"next":null}')
  })
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve)
  })
  url = `https://127.0.0.1:${(server.address() as AddressInfo).port}`
})
afterAll(() => {
  server.closeAllConnections()
  server.close()
  rmSync(folder, { recursive: true, force: true })
})

const write = (name: string, text: string): string => {
  writeFileSync(join(folder, name), text)
  return join(folder, name)
}
const kaccy = (args: readonly string[], environment: Record<string, string> = {}) =>
  callKaccy(args, { folder, environment })

test('a server is believed only by its own authority', async () => {
  const list = ['order', 'list', '--api', url]
  const refused = await kaccy(list)
  expect(refused.code).toBe(5)
  expect(refused.stderr).toMatch(/^API_CERTIFICATE_REFUSED: /)
  const believed = await kaccy([...list, '--api-ca', write('ca.pem', cert)])
  expect(believed).toMatchObject({ code: 0, stderr: '' })
  const other = write('other.pem', selfSigned('somebody else').cert)
  expect((await kaccy(list, { KACCY_API_CA_FILE: other })).code).toBe(5)
  expect((await kaccy([...list, '--api-ca', join(folder, 'away.pem')])).code).toBe(2)
})

test('the doctor reads the certificate files of the HTTP interface', async () => {
  const certFile = write('cert.pem', cert)
  const keyFile = write('key.pem', key)
  const ask = async (http: string, tls: string, more: Record<string, string> = {}) => {
    const files = { KACCY_HTTP_TLS_CERT_FILE: http, KACCY_HTTP_TLS_KEY_FILE: tls, ...more }
    const { stdout } = await kaccy(['doctor', '--json', '--network', 'regtest'], files)
    const findings = stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line))
    const found = findings.filter(({ check }) => check === 'certificate').at(-1)
    return `${found?.state} ${found?.says}`
  }
  expect(await ask(certFile, keyFile)).toBe('ok good until 2049-12-31')
  expect(await ask(join(folder, 'away.pem'), keyFile)).toMatch(/^failed .*cannot be read: ENOENT/)
  expect(await ask(write('bad.pem', 'no'), keyFile)).toMatch(/^failed .*is not what it should be/)
  const foreign = write('foreign.pem', selfSigned('x').key)
  expect(await ask(certFile, foreign)).toMatch(/^failed .*is not the key of/)
  const named = { KACCY_HTTP_PUBLIC_URL: 'https://pay.example.invalid' }
  expect(await ask(certFile, keyFile, named)).toMatch(/^failed it does not stand for pay\.example/)
  const address = { KACCY_HTTP_PUBLIC_URL: 'https://127.0.0.1' }
  expect(await ask(certFile, keyFile, address)).toMatch(/^ok/)
})
