import { createServer as createTcpServer } from 'node:net'
import { createBitcoindClient } from '@kaccy/bitcoin/adapters/bitcoind'
import { Secret } from '@kaccy/bitcoin/kernel'
import { afterEach, describe, expect, it } from 'vitest'
import { against, endAll, good, NOW, PASSWORD, says, send } from './against.ts'
import { HeldTimers } from './held-timers.ts'

afterEach(endAll)

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
