import { inspect } from 'node:util'
import { afterEach, describe, expect, it } from 'vitest'
import { against, endAll, good, idOf, PASSWORD, says, send, TXID } from './against.ts'
import { HeldTimers } from './held-timers.ts'
import type { Script } from './http-node.ts'

afterEach(endAll)

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
