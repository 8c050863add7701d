import { createServer, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import { runProgram } from '@kaccy/bitcoin-server'
import { createApp } from '@kaccy/bitcoin-server/http'
import { silentLogger } from '@kaccy/bitcoin/kernel'
import { verifyWebhook } from '@kaccy/bitcoin/webhooks'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { SETTINGS } from './served.ts'
import { openStreamed, type Streamed, upTo } from './streamed.ts'

let streamed: Streamed
beforeAll(async () => {
  streamed = await openStreamed()
})
afterAll(() => streamed.served.close())

interface Run {
  readonly exit: Promise<number>
  readonly lines: () => readonly string[]
  // biome-ignore lint/suspicious/noExplicitAny: a test looks into lines of every shape
  readonly json: (type: string) => readonly any[]
  readonly errors: () => string
  stop(): void
}
/** Runs one command line in this process. */
function kaccy(args: readonly string[], environment: Record<string, string> = {}): Run {
  const stop = new AbortController()
  const out: string[] = []
  const err: string[] = []
  const exit = runProgram(args, {
    stdout: { write: (text) => out.push(text) },
    stderr: { write: (text) => err.push(text) },
    stdin: process.stdin,
    environment: { KACCY_API_KEY: streamed.served.admin, NO_COLOR: '1', ...environment },
    folder: process.cwd(),
    signal: stop.signal,
    readText: async () => '',
    readBytes: async () => new Uint8Array(),
    debug: false,
  })
  const lines = () =>
    out
      .join('')
      .split('\n')
      .filter((line) => line !== '')
  return {
    exit,
    lines,
    json: (type) =>
      lines().flatMap((line) => [JSON.parse(line)].filter((one) => one.type === type)),
    errors: () => err.join(''),
    stop: () => stop.abort(),
  }
}

/** A handler that answers what it is told to, and keeps what it got. */
async function handler(statuses: readonly number[] = []) {
  const got: { readonly request: IncomingMessage; readonly body: string }[] = []
  const server = createServer((request, response) => {
    let body = ''
    request.on('data', (chunk: Buffer) => {
      body += chunk.toString()
    })
    request.on('end', () => {
      const status = statuses[got.length] ?? 204
      got.push({ request, body })
      response.writeHead(status).end(status < 300 ? undefined : 'not\u001b[31m now')
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  return { got, url: `http://127.0.0.1:${port}/webhooks`, close: () => server.close() }
}

test('every event reaches the handler signed, in order, and again when it fails', async () => {
  await streamed.many(5)
  const head = await streamed.head()
  const target = await handler([204, 500, 503])
  const run = kaccy([
    'listen',
    ...['--api', streamed.url, '--forward-to', target.url, '--json'],
    ...['--after', String(head - 3), '--limit', '3', '--retries', '2'],
  ])
  expect([await run.exit, run.errors()]).toEqual([0, ''])
  const [{ secret, after }] = run.json('listening')
  expect(after).toBe(head - 3)
  for (const { request, body } of target.got)
    expect(verifyWebhook(request.headers, body, [secret], Date.now()).ok).toBe(true)
  const bodies = target.got.map(({ body }) => JSON.parse(body))
  expect(bodies.map(({ seq }) => seq)).toEqual([head - 2, head - 1, head - 1, head - 1, head])
  expect(bodies.map(({ previous_seq }) => previous_seq)).toEqual([
    0,
    head - 2,
    head - 2,
    head - 2,
    head - 1,
  ])
  expect(target.got.map(({ request }) => request.headers['webhook-id'])).toEqual(
    bodies.map(({ id }) => id),
  )
  const deliveries = run.json('delivery').map(({ attempt, ok, status }) => [attempt, ok, status])
  expect(deliveries).toEqual([
    [1, true, 204],
    [1, false, 500],
    [2, false, 503],
    [3, true, 204],
    [1, true, 204],
  ])
  const events = run.json('event').map(({ event }) => event)
  const [{ previous_seq: _, ...sent }] = bodies
  expect(events[0]).toEqual(sent)
  target.close()
})

test('an event that nobody takes shows in the exit code and in the next delivery', async () => {
  await streamed.many(2)
  const head = await streamed.head()
  const target = await handler([400, 204])
  const run = kaccy([
    'listen',
    ...['--api', streamed.url, '--forward-to', target.url, '--after', String(head - 2)],
    ...['--limit', '2', '--retries', '0'],
  ])
  expect(await run.exit).toBe(1)
  expect(JSON.parse(target.got[1]?.body ?? '').previous_seq).toBe(head - 1)
  const text = run.lines().join('\n')
  expect(text).toMatch(/400 in \d+ ms not/)
  // What a handler says cannot colour a terminal.
  expect(text).not.toContain('\u001b')
  target.close()
})

test('the secret is the same each time, and another for another key', async () => {
  const print = async (key: string) => {
    const run = kaccy(['listen', '--api', streamed.url, '--print-secret'], { KACCY_API_KEY: key })
    expect(await run.exit).toBe(0)
    return run.lines()[0]
  }
  const first = await print(streamed.served.admin)
  expect(first).toMatch(/^whsec_[A-Za-z0-9+/]{43}=$/)
  expect(await print(streamed.served.admin)).toBe(first)
  expect(await print(await streamed.served.key(['events:read']))).not.toBe(first)
})

test('without a number it begins now, hears only what it asked for, and ends on Ctrl-C', async () => {
  const run = kaccy(['listen', '--api', streamed.url, '--events', 'payment.*', '--json'])
  await expect.poll(() => run.json('listening').length).toBe(1)
  const head = await streamed.head()
  expect(run.json('listening')[0].after).toBe(head)
  await streamed.emit({ type: 'order.created' }, { type: 'payment.credited' })
  await expect.poll(() => run.json('event').map(({ event }) => event.seq)).toEqual([head + 2])
  run.stop()
  expect(await run.exit).toBe(130)
})

test('a server that goes away and comes back is heard to the last event', async () => {
  const { till } = streamed.served
  const open = async (port: number) => {
    const app = await createApp({
      engine: till.engine,
      network: 'regtest',
      clock: { now: () => till.now },
      logger: silentLogger,
      settings: { ...SETTINGS, streams: { pollMs: 20 } },
    })
    const url = await app.listen({ host: '127.0.0.1', port })
    return { app, url, port: Number(new URL(url).port) }
  }
  let server = await open(0)
  const start = await streamed.head()
  const run = kaccy(['listen', '--api', server.url, '--after', String(start), '--json'])
  for (let life = 0; life < 3; life++) {
    await streamed.many(3)
    const head = await streamed.head()
    await expect.poll(() => run.json('event').at(-1)?.event.seq, { timeout: 20_000 }).toBe(head)
    await server.app.close()
    await streamed.many(2)
    server = await open(server.port)
  }
  const head = await streamed.head()
  await expect.poll(() => run.json('event').at(-1)?.event.seq, { timeout: 20_000 }).toBe(head)
  expect(run.json('event').map(({ event }) => event.seq)).toEqual(upTo(head, start + 1))
  run.stop()
  await run.exit
  await server.app.close()
}, 90_000)

test('what it cannot do is said at once', async () => {
  const no = async (args: readonly string[], environment: Record<string, string> = {}) => {
    const run = kaccy(['listen', ...args], environment)
    return [await run.exit, run.errors().split(':')[0]]
  }
  expect(await no([])).toEqual([2, 'CONFIG_VALUE_MISSING'])
  const api = ['--api', streamed.url]
  expect(await no([...api, '--forward-to', 'ftp://x'])).toEqual([2, 'USAGE_INVALID'])
  expect(await no([...api, '--after', '-1'])).toEqual([2, 'USAGE_INVALID'])
  const wrong = { KACCY_API_KEY: `${streamed.served.admin.slice(0, -4)}AAAA` }
  expect(await no(api, wrong)).toEqual([5, 'KEY_UNKNOWN'])
  expect(await no([...api, '--after', '999999999'])).toEqual([1, 'FIELD_INVALID'])
})
