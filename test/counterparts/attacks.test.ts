import { createServer as createTcpServer } from 'node:net'
import { inspect } from 'node:util'
import {
  type BitcoindClient,
  type BitcoindOptions,
  createBitcoindClient,
} from '@kaccy/bitcoin/adapters/bitcoind'
import { Secret, type Txid } from '@kaccy/bitcoin/kernel'
import { afterEach, describe, expect, it } from 'vitest'
import { HeldTimers } from './held-timers.ts'
import { type HttpNode, type Script, serve } from './http-node.ts'

const PASSWORD = 'p4ssw0rd-that-nobody-may-see'
const NOW = { attempts: 4, base_ms: 0, cap_ms: 0 }
let open: { client: BitcoindClient; node: HttpNode }[] = []

afterEach(async () => {
  for (const { client, node } of open) {
    client.close()
    await node.stop()
  }
  open = []
})

async function against(script: Script, options: Partial<BitcoindOptions> = {}) {
  const node = await serve(script)
  const auth = { user: 'u', password: new Secret(PASSWORD) }
  const client = createBitcoindClient({ url: node.url, auth, retry: NOW, ...options })
  open.push({ client, node })
  return { node, client }
}
const idOf = (body: string): number => (JSON.parse(body) as { id: number }).id
const good = (body: string, result: unknown) => ({
  status: 200,
  responseText: `{"result":${JSON.stringify(result)},"error":null,"id":${idOf(body)}}\n`,
})
const says = (responseText: string, status = 200, contentType = 'application/json') =>
  against(() => ({ status, responseText, contentType }))
const TXID = 'a1'.repeat(32) as Txid
const send = (client: BitcoindClient) =>
  client.sendRawTransaction({ txid: TXID, raw: Uint8Array.of(1) })

describe('a connection that breaks', () => {
  it('is tried again for a read when it is reset in the middle of the body', async () => {
    let calls = 0
    const { client, node } = await against(({ body }, response) => {
      if (++calls > 2) return good(body, 7)
      response.writeHead(200, { 'content-length': 40 })
      response.write('{"result":', () => response.destroy())
      return undefined
    })
    expect(await client.getBlockCount()).toBe(7)
    expect(node.requests).toHaveLength(3)
  })

  it('is unreachable when it never gets better', async () => {
    const { client, node } = await against((_, response) => void response.destroy())
    await expect(client.getBlockCount()).rejects.toMatchObject({
      code: 'NODE_UNREACHABLE',
      remedy: 'retry',
      details: { sent: true },
    })
    expect(node.requests).toHaveLength(NOW.attempts)
  })

  it('is seen in an answer without a length that lacks its end', async () => {
    const raw = createTcpServer((socket) => {
      socket.once('data', () =>
        socket.end('HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n{"result":12'),
      )
    })
    await new Promise<void>((resolve) => raw.listen(0, '127.0.0.1', resolve))
    const { port } = raw.address() as { port: number }
    const auth = { user: 'u', password: new Secret(PASSWORD) }
    const url = `http://127.0.0.1:${port}`
    const client = createBitcoindClient({ url, auth, retry: { attempts: 1 } })
    await expect(client.getBlockCount()).rejects.toMatchObject({ code: 'NODE_UNREACHABLE' })
    client.close()
    raw.close()
  })

  it('says that nothing was sent when nobody listens', async () => {
    const { client, node } = await against(() => undefined)
    await node.stop()
    await expect(client.getBlockCount()).rejects.toMatchObject({
      code: 'NODE_UNREACHABLE',
      details: { sent: false, reason: 'ECONNREFUSED' },
    })
    expect(await send(client)).toMatchObject({ status: 'unknown', sent: false })
  })

  it('that the node had closed before is replaced without a pause', async () => {
    const used = new WeakSet<object>()
    const { client, node } = await against(
      ({ body }, _response, { socket }) => {
        if (used.has(socket)) return void socket.destroy()
        used.add(socket)
        return good(body, 1)
      },
      { retry: { attempts: 2, base_ms: 60_000, cap_ms: 60_000 } },
    )
    expect(await client.getBlockCount()).toBe(1)
    expect(await client.getBlockCount()).toBe(1)
    expect(node.connections()).toBe(2)
  })

  it('is not mended past the deadline of the call', async () => {
    const timers = new HeldTimers()
    const { client, node } = await against((_, response) => void response.destroy(), {
      timers,
      clock: { now: () => 0 },
      retry: { attempts: 9, base_ms: 500, cap_ms: 500 },
      entropy: { bytes: (length) => new Uint8Array(length).fill(255) },
    })
    await expect(client.getBlockCount({ deadline_ms: 400 })).rejects.toMatchObject({
      code: 'NODE_UNREACHABLE',
    })
    expect(node.requests).toHaveLength(1)
  })

  it('repeats a batch only when all of it may be repeated', async () => {
    const { client, node } = await against((_, response) => void response.destroy())
    const [read, act] = ['getblockcount', 'sendrawtransaction'].map((method) => ({
      method,
      params: [],
    }))
    if (!read || !act) return
    await expect(client.rpc.askAll([read, act])).rejects.toThrow()
    expect(node.requests).toHaveLength(1)
    await expect(client.rpc.askAll([read, read])).rejects.toThrow()
    expect(node.requests).toHaveLength(1 + NOW.attempts)
    await expect(client.rpc.askAll([act], { harmless: true })).rejects.toThrow()
    expect(node.requests).toHaveLength(1 + 2 * NOW.attempts)
  })
})

describe('an answer that is not one', () => {
  const INVALID = { code: 'NODE_ANSWER_INVALID', remedy: 'human' }
  const cases: readonly (readonly [string, string])[] = [
    ['a wrong id', '{"result":1,"error":null,"id":99}'],
    ['no id', '{"result":1,"error":null}'],
    ['an id that is only equal as text', '{"result":1,"error":null,"id":"1"}'],
    ['a name twice', '{"result":1,"result":2,"error":null,"id":1}'],
    ['an error twice', '{"result":1,"error":null,"error":{"code":-5,"message":""},"id":1}'],
    ['result and error', '{"result":1,"error":{"code":-5,"message":"x"},"id":1}'],
    ['no result', '{"error":null,"id":1}'],
    ['a list', '[{"result":1,"error":null,"id":1}]'],
    ['half of it', '{"result":1,"err'],
    ['more after the end', '{"result":1,"error":null,"id":1}{}'],
    ['nothing', ''],
    ['a lone word', 'null'],
    ['a fraction', '{"result":1.5,"error":null,"id":1}'],
    ['an exponent', '{"result":1e3,"error":null,"id":1}'],
    ['a negative height', '{"result":-1,"error":null,"id":1}'],
    ['an unsafe integer', '{"result":9007199254740993,"error":null,"id":1}'],
    ['a text', '{"result":"1","error":null,"id":1}'],
    ['an error without code', '{"result":null,"error":{"message":"x"},"id":1}'],
    ['an error that is a text', '{"result":null,"error":"x","id":1}'],
    ['depth', `{"result":${'['.repeat(100_000)}`],
  ]
  it.each(cases)('%s', async (_, text) => {
    const { client, node } = await says(text)
    await expect(client.getBlockCount()).rejects.toMatchObject(INVALID)
    expect(node.requests, 'is not asked again').toHaveLength(1)
  })

  it.each([200, 302, 404, 500])('an HTML page with status %i', async (status) => {
    const { client } = await says('<html><h1>Welcome</h1></html>', status, 'text/html')
    await expect(client.getBlockCount()).rejects.toMatchObject(INVALID)
  })

  it('a page of a proxy counts as unreachable', async () => {
    const { client, node } = await says('<html>bad gateway</html>', 502, 'text/html')
    await expect(client.getBlockCount()).rejects.toMatchObject({ code: 'NODE_UNREACHABLE' })
    expect(node.requests).toHaveLength(NOW.attempts)
  })

  it('something that is not HTTP', async () => {
    const raw = createTcpServer((socket) => socket.once('data', () => socket.end('SSH-2.0-x\r\n')))
    await new Promise<void>((resolve) => raw.listen(0, '127.0.0.1', resolve))
    const { port } = raw.address() as { port: number }
    const auth = { user: 'u', password: new Secret(PASSWORD) }
    const client = createBitcoindClient({ url: `http://127.0.0.1:${port}`, auth, retry: NOW })
    await expect(client.getBlockCount()).rejects.toMatchObject(INVALID)
    client.close()
    raw.close()
  })

  it('a length of 1 GB is refused before it is read', async () => {
    const { client } = await against((_, response) => {
      response.writeHead(200, { 'content-length': 1_000_000_000 })
      response.flushHeaders()
      return undefined
    })
    await expect(client.getBlockCount()).rejects.toMatchObject(INVALID)
  })

  it('a body without end is cut at the cap', async () => {
    const { client } = await against(
      (_, response) => {
        response.writeHead(200)
        const pour = () => {
          while (!response.destroyed && response.write(Buffer.alloc(65_536, 0x20)));
        }
        response.on('drain', pour)
        pour()
        return undefined
      },
      { maxAnswerBytes: 1_000_000 },
    )
    await expect(client.getBlockCount()).rejects.toMatchObject(INVALID)
  })

  it('names method and field and quotes nothing', async () => {
    const { client } = await says('{"result":{"chain":{"evil":"\\u001b[2J"}},"error":null,"id":1}')
    await expect(client.getBlockchainInfo()).rejects.toMatchObject({
      message: 'answer to getblockchaininfo: chain is not a text',
      details: { method: 'getblockchaininfo', field: 'chain' },
    })
  })

  it('cleans what the node says before it reaches a log', async () => {
    const { client } = await says(
      '{"result":null,"error":{"code":-1,"message":"a\\n2026 ok\\u001b[2J"},"id":1}',
    )
    await expect(client.getBlockCount()).rejects.toThrow('getblockcount: a 2026 ok [2J (-1)')
  })
})

describe('a node that takes its time', () => {
  it('runs into the deadline of the call', async () => {
    const timers = new HeldTimers()
    const { client } = await against(() => undefined, { timers, clock: { now: () => 0 } })
    const call = client.getBlockCount({ deadline_ms: 1_234 })
    await Promise.all([
      expect(call).rejects.toMatchObject({ code: 'NODE_TIMEOUT', remedy: 'retry' }),
      timers.fire(1_234),
    ])
  })

  it('cannot drip its body past the deadline of the body', async () => {
    const timers = new HeldTimers()
    const { client } = await against(
      (_, response) => {
        response.writeHead(200, { 'content-length': 100 })
        response.write('{')
        return undefined
      },
      { timers, clock: { now: () => 0 }, deadlines: { body: 777 } },
    )
    await Promise.all([
      expect(client.getBlockCount()).rejects.toMatchObject({ code: 'NODE_TIMEOUT' }),
      timers.fire(777),
    ])
  })

  it('has its own deadline for each class of methods', async () => {
    const timers = new HeldTimers()
    const deadlines = { read: 11, block: 22, scan: 33, send: 44 }
    const { client } = await against(() => undefined, {
      timers,
      clock: { now: () => 0 },
      deadlines,
    })
    const calls = [
      client.getBlockCount(),
      client.getRawBlock('0'.repeat(64) as never),
      client.scanTxOutSet([]),
      client.call('invalidateblock', ['x']),
    ]
    const fired = [11, 22, 33, 44].map((milliseconds) => timers.fire(milliseconds))
    const settled = await Promise.allSettled(calls)
    await Promise.all(fired)
    expect(settled.map(({ status }) => status)).toEqual(Array(4).fill('rejected'))
  })

  it('is left at once when the caller gives up', async () => {
    const control = new AbortController()
    const { client } = await against(() => void control.abort())
    await expect(client.getBlockCount({ signal: control.signal })).rejects.toMatchObject({
      code: 'NODE_CALL_CANCELLED',
    })
  })

  it('is left during a pause as well', async () => {
    const timers = new HeldTimers()
    const control = new AbortController()
    const { client } = await against((_, response) => void response.destroy(), {
      timers,
      clock: { now: () => 0 },
      retry: { attempts: 3, base_ms: 4_000, cap_ms: 4_000 },
      entropy: { bytes: (length) => new Uint8Array(length).fill(128) },
    })
    const call = client.getBlockCount({ signal: control.signal })
    const seen = expect(call).rejects.toMatchObject({ code: 'NODE_CALL_CANCELLED' })
    while (!timers.asked.includes(2_007)) await new Promise((done) => setImmediate(done))
    control.abort()
    await seen
  })
})

describe('a node that starts or is busy', () => {
  it('is asked again until it has warmed up', async () => {
    let calls = 0
    const { client } = await against(({ body }) =>
      ++calls < 3
        ? {
            status: 500,
            responseText: `{"result":null,"error":{"code":-28,"message":"Loading…"},"id":${idOf(body)}}`,
          }
        : good(body, 5),
    )
    expect(await client.getBlockCount()).toBe(5)
  })

  it('is asked again when its queue of work is full', async () => {
    let calls = 0
    const { client } = await against(({ body }) =>
      ++calls < 3
        ? { status: 503, contentType: 'text/plain', responseText: 'Work queue depth exceeded' }
        : good(body, 5),
    )
    expect(await client.getBlockCount()).toBe(5)
  })

  it('stays busy', async () => {
    const { client } = await says('Work queue depth exceeded', 503, 'text/plain')
    await expect(client.getBlockCount()).rejects.toMatchObject({ code: 'NODE_BUSY' })
    expect(await send(client)).toMatchObject({ status: 'unknown', sent: false })
  })
})

describe('a transaction that is sent', () => {
  it('has an unknown outcome after a timeout, and is sent once', async () => {
    const timers = new HeldTimers()
    const { client, node } = await against(() => undefined, {
      timers,
      clock: { now: () => 0 },
      deadlines: { send: 55 },
    })
    const outcome = send(client)
    while (node.requests.length === 0) await new Promise((done) => setImmediate(done))
    await timers.fire(55)
    expect(await outcome).toMatchObject({
      status: 'unknown',
      sent: true,
      error: { code: 'NODE_TIMEOUT' },
    })
    expect(node.requests).toHaveLength(1)
  })

  it.each([
    ['the connection breaks', undefined],
    ['the answer is no JSON', '<html>'],
    ['the answer has another id', '{"result":"00","error":null,"id":77}'],
    [
      'the answer is the id of another transaction',
      `{"result":"${'b2'.repeat(32)}","error":null,"id":1}`,
    ],
    ['the answer is no id', '{"result":true,"error":null,"id":1}'],
  ])('has an unknown outcome when %s', async (_, responseText) => {
    const { client, node } = await against((_asked, response) => {
      if (responseText !== undefined) return { status: 200, responseText }
      response.destroy()
      return undefined
    })
    expect(await send(client)).toMatchObject({ status: 'unknown', sent: true })
    expect(node.requests).toHaveLength(1)
  })

  it('never shares a kept-alive connection', async () => {
    const { client, node } = await against(({ body }) => good(body, TXID))
    await send(client)
    await send(client)
    expect(node.connections()).toBe(2)
  })

  it('reads share one', async () => {
    const { client, node } = await against(({ body }) => good(body, 1))
    for (let i = 0; i < 5; i++) await client.getBlockCount()
    expect(node.connections()).toBe(1)
  })
})

describe('secrets', () => {
  it('stand in no error, whatever happens', async () => {
    const scripts: Script[] = [
      () => ({ status: 401, responseText: '' }),
      () => ({ status: 500, responseText: 'x' }),
      (_, response) => void response.destroy(),
    ]
    for (const script of scripts) {
      const { client, node } = await against(script)
      const error: unknown = await client.getBlockCount().catch((caught: unknown) => caught)
      const shown = inspect(error, { depth: 9, showHidden: true })
      const encoded = node.requests[0]?.authorization.slice('Basic '.length) ?? '-'
      expect(Buffer.from(encoded, 'base64').toString()).toBe(`u:${PASSWORD}`)
      expect(shown).not.toContain(PASSWORD)
      expect(shown).not.toContain(encoded)
    }
  })
})
