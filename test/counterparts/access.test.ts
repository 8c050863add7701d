import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer as createSecureServer } from 'node:https'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  type BitcoindAuth,
  type BitcoindOptions,
  createBitcoindClient,
} from '@kaccy/bitcoin/adapters/bitcoind'
import { Secret } from '@kaccy/bitcoin/kernel'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { selfSigned } from './certificate.ts'
import { type HttpNode, serve } from './http-node.ts'

const AUTH: BitcoindAuth = { user: 'u', password: new Secret('p') }
const basic = (pair: string) => `Basic ${Buffer.from(pair).toString('base64')}`
const idOf = (body: string): number => (JSON.parse(body) as { id: number }).id

describe('a cookie', () => {
  let folder = ''
  let node: HttpNode
  let accepted = 'one'
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'kaccy-cookie-'))
    node = await serve(({ authorization, body }) =>
      authorization === basic(`__cookie__:${accepted}`)
        ? { status: 200, responseText: `{"result":1,"error":null,"id":${idOf(body)}}` }
        : { status: 401, responseText: '' },
    )
  })
  afterAll(async () => {
    await node.stop()
    await rm(folder, { recursive: true })
  })
  const write = (value: string) => writeFile(join(folder, '.cookie'), `__cookie__:${value}`)
  const clientAt = (now: { at: number }) =>
    createBitcoindClient({
      url: node.url,
      auth: { cookieFile: join(folder, '.cookie') },
      retry: { attempts: 1 },
      clock: { now: () => now.at },
    })

  it('that is not there is a node that does not run', async () => {
    const client = clientAt({ at: 0 })
    await expect(client.getBlockCount()).rejects.toMatchObject({ code: 'NODE_UNREACHABLE' })
    client.close()
  })

  it('is read again when the node refuses it, for a send as well', async () => {
    await write('one')
    const client = clientAt({ at: 0 })
    expect(await client.getBlockCount()).toBe(1)
    accepted = 'two'
    await write('two')
    const asked = node.requests.length
    await client.call('invalidateblock', ['x'])
    expect(node.requests.length - asked, 'refused once, taken once').toBe(2)
    client.close()
  })

  it('is read again after a while without being refused', async () => {
    const now = { at: 0 }
    const client = clientAt(now)
    await client.getBlockCount()
    accepted = 'three'
    await write('three')
    now.at += 60_000
    const asked = node.requests.length
    await client.getBlockCount()
    expect(node.requests.length - asked).toBe(1)
    client.close()
  })

  it('that is still refused ends in NODE_UNAUTHORIZED, without a storm', async () => {
    accepted = 'nobody has it'
    const client = clientAt({ at: 0 })
    const asked = node.requests.length
    await expect(client.getBlockCount()).rejects.toMatchObject({ code: 'NODE_UNAUTHORIZED' })
    expect(node.requests.length - asked).toBe(1)
    client.close()
  })

  it('that is half written is waited for', async () => {
    await writeFile(join(folder, '.cookie'), '__cookie__')
    const client = clientAt({ at: 0 })
    await expect(client.getBlockCount()).rejects.toMatchObject({ code: 'NODE_UNREACHABLE' })
    client.close()
  })
})

describe('TLS', () => {
  const own = selfSigned('node')
  const other = selfSigned('node')
  let node: HttpNode
  beforeAll(async () => {
    const server = createSecureServer({ cert: own.cert, key: own.key })
    server.on('tlsClientError', () => undefined)
    node = await serve(
      ({ body }) => ({
        status: 200,
        responseText: `{"result":1,"error":null,"id":${idOf(body)}}`,
      }),
      server,
    )
  })
  afterAll(() => node.stop())
  const ask = async (tls: BitcoindOptions['tls']) => {
    const client = createBitcoindClient({
      url: node.url,
      auth: AUTH,
      retry: { attempts: 3, base_ms: 0 },
      ...(tls ? { tls } : {}),
    })
    try {
      return await client.getBlockCount()
    } finally {
      client.close()
    }
  }

  it.each([
    ['the own authority', { ca: own.cert }],
    ['a pin', { pins: [own.fingerprint] }],
    [
      'a pin in lower case without colons',
      { pins: [own.fingerprint.replaceAll(':', '').toLowerCase()] },
    ],
    ['one of several pins, for a rotation', { pins: [other.fingerprint, own.fingerprint] }],
    ['authority and pin', { ca: own.cert, pins: [own.fingerprint] }],
    ['a name in the certificate', { ca: own.cert, serverName: 'localhost' }],
  ])('is trusted by %s', async (_, tls) => expect(await ask(tls)).toBe(1))

  it.each([
    ['the authorities of the system', undefined],
    ['another authority', { ca: other.cert }],
    ['another pin', { pins: [other.fingerprint] }],
    ['the authority but another pin', { ca: own.cert, pins: [other.fingerprint] }],
    ['the pin but another authority', { ca: other.cert, pins: [own.fingerprint] }],
    ['another name', { ca: own.cert, serverName: 'elsewhere.example' }],
  ])('is refused by %s before a word is said', async (_, tls) => {
    const asked = node.requests.length
    await expect(ask(tls)).rejects.toMatchObject({
      code: 'NODE_CERTIFICATE_REFUSED',
      remedy: 'human',
    })
    expect(node.requests.length).toBe(asked)
  })

  it('keeps its connection', async () => {
    const client = createBitcoindClient({ url: node.url, auth: AUTH, tls: { ca: own.cert } })
    const before = node.connections()
    for (let i = 0; i < 5; i++) await client.getBlockCount()
    expect(node.connections() - before).toBe(1)
    client.close()
  })
})

describe('options', () => {
  const make = (options: Partial<BitcoindOptions>) => () =>
    createBitcoindClient({ url: 'http://127.0.0.1:1', auth: AUTH, ...options }).close()

  it.each([
    ['a password over plain HTTP to another machine', { url: 'http://10.0.0.7:8332' }],
    ['a name that only looks like loopback', { url: 'http://127.0.0.1.example.com:8332' }],
    ['a name', { url: 'http://node:8332' }],
    ['every address', { url: 'http://0.0.0.0:8332' }],
    ['credentials in the URL', { url: 'http://u:hunter2@127.0.0.1:8332' }],
    ['no URL', { url: 'localhost:8332' }],
    ['a file', { url: 'file:///etc/passwd' }],
    ['a query', { url: 'http://127.0.0.1:1/?a=1' }],
    ['a pin that is none', { url: 'https://node:1', tls: { pins: ['abc'] } }],
    ['TLS options for plain HTTP', { tls: { pins: [] } }],
    ['no sockets', { maxSockets: 0 }],
    ['no answers', { maxAnswerBytes: 0 }],
    ['half a batch', { batchSize: 0.5 }],
  ])('refuses %s', (_, options) => {
    expect(make(options)).toThrow(expect.objectContaining({ code: 'NODE_OPTIONS_INVALID' }))
    expect(make(options)).not.toThrow(/hunter2/)
  })

  it.each([
    { url: 'http://localhost:8332' },
    { url: 'http://127.8.9.1:8332' },
    { url: 'http://[::1]:8332' },
    { url: 'https://node.example:8332/btc/' },
    { url: 'http://10.0.0.7:8332', allowPlainHttp: true },
  ])('takes %o', (options) => expect(make(options)).not.toThrow())

  it('asks below the path of the URL and below the wallet', async () => {
    const node = await serve(({ body }) => ({
      status: 200,
      responseText: `{"result":1,"error":null,"id":${idOf(body)}}`,
    }))
    const client = createBitcoindClient({ url: `${node.url}/btc/`, auth: AUTH })
    await client.getBlockCount()
    await client.call('getwalletinfo', [], { wallet: 'a b/../c' })
    expect(node.requests.map(({ path }) => path)).toEqual(['/btc/', '/btc/wallet/a%20b%2F..%2Fc'])
    client.close()
    await node.stop()
  })
})
