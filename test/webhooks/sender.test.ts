import { existsSync, readFileSync } from 'node:fs'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { createServer as createSecureServer } from 'node:https'
import { type AddressInfo, createServer as createTcpServer, type Server } from 'node:net'
import { join } from 'node:path'
import { afterEach, expect, test } from 'vitest'
import { selfSigned } from '../counterparts/certificate.ts'
import { HeldTimers } from '../counterparts/held-timers.ts'
import { checkWebhookUrl, type TargetRules } from '@kaccy/bitcoin/webhooks'
import {
  ANSWER_BYTES,
  createWebhookSender,
  type WebhookSenderOptions,
} from '@kaccy/bitcoin/adapters/webhook'

const shared = process.env['KACCY_SHARED'] ?? join(process.cwd(), '../shared')
const hasVectors = existsSync(join(shared, 'vectors/hostile'))
const vectors = <T>(file: string): readonly T[] =>
  hasVectors ? JSON.parse(readFileSync(join(shared, 'vectors/hostile', file), 'utf8')).cases : []
test.skipIf(hasVectors)('hostile vectors: SKIPPED, ../shared is not there', () => {})

const open: Server[] = []
afterEach(() => {
  for (const server of open.splice(0)) {
    server.close()
    if ('closeAllConnections' in server) (server.closeAllConnections as () => void)()
  }
})
async function listen(server: Server): Promise<number> {
  open.push(server)
  await new Promise<void>((ready) => server.listen(0, '127.0.0.1', ready))
  return (server.address() as AddressInfo).port
}
type Handler = (request: IncomingMessage, response: ServerResponse, body: string) => void
const receiver = (handle: Handler) =>
  listen(
    createServer((request, response) => {
      const chunks: Buffer[] = []
      request.on('data', (chunk) => chunks.push(chunk))
      request.on('end', () => handle(request, response, Buffer.concat(chunks).toString()))
    }),
  )
const loopback: TargetRules = { allow: ['127.0.0.0/8'] }
const sender = (more: WebhookSenderOptions = {}) =>
  createWebhookSender({ targets: loopback, resolve: async () => ['127.0.0.1'], ...more })
const post = (url: string, more = {}) => ({
  url,
  headers: { 'webhook-id': 'evt_1' },
  body: '{}',
  ...more,
})

interface UrlCase {
  readonly url: string
  readonly expect: 'refuse' | 'allow'
  readonly why?: string
}
test.each(vectors<UrlCase>('webhook_urls.json'))('URL $url: $expect ($why)', async (one) => {
  const checked = checkWebhookUrl(one.url)
  expect(checked.ok).toBe(one.expect === 'allow')
  if (!checked.ok)
    expect(checked.error).toMatchObject({ code: 'WEBHOOK_URL_REFUSED', param: 'url' })
  if (checked.ok) return
  // A URL that was stored under other rules is looked at again at each delivery.
  const asked: string[] = []
  const answer = await createWebhookSender({
    resolve: async (host) => {
      asked.push(host)
      return ['10.1.2.3']
    },
  }).send(post(one.url))
  expect([answer, asked]).toMatchObject([{ kind: 'failed', reason: 'refused' }, []])
})

test.each([
  ['http://example.com/', 'plain http'],
  ['https://example.com:22/', 'a port of another service'],
  ['https://example.com:8332/', 'the port of a node'],
  ['https://example/', 'a single label'],
  ['https://example.com/#x', 'a fragment'],
  ['https://example.com/\n', 'a line break'],
  [' https://example.com/', 'a space'],
  ['https:example.com', 'no slashes'],
  ['https:///example.com', 'an empty authority'],
  ['https://@example.com/', 'empty credentials'],
  ['https://ex_ample..com/', 'an empty label'],
  ['https://-a.example.com/', 'a label that begins with a hyphen'],
  ['https://127%2e0.0.1/', 'percent-encoded dots'],
  ['https://0x7f.1/', 'hexadecimal'],
  ['https://2130706433/', 'one number'],
  ['https://017700000001/', 'octal'],
  ['https://127.1/', 'a short form'],
  ['https://[::ffff:127.0.0.1]/', 'mapped'],
  ['https://[::127.0.0.1]/', 'compatible'],
  ['https://[fe80::1]/', 'link-local'],
  ['https://router.home.arpa/', 'a home network'],
  ['https://169.254.169.254/latest', 'cloud metadata'],
  ['https://metadata.google.internal/', 'cloud metadata by name'],
  [`https://example.com/${'a'.repeat(2048)}`, 'too long'],
])('%s is refused: %s', (url) => {
  expect(checkWebhookUrl(url)).toMatchObject({ ok: false })
})

test.each<[string, TargetRules, boolean]>([
  ['http://10.0.0.5:8080/hook', { allow: ['10.0.0.0/8'] }, true],
  ['http://11.0.0.5:8080/hook', { allow: ['10.0.0.0/8'] }, false],
  ['http://127.0.0.1:3000/', { allow: ['10.0.0.0/8'] }, false],
  ['http://shop.internal:8080/hook', { allow: ['10.0.0.0/8'] }, true],
  ['http://localhost:3000/', { allowPrivate: true }, true],
  ['https://example.com:9443/', { ports: [9443] }, true],
  ['https://user:pass@10.0.0.5/', { allowPrivate: true }, false],
  ['ftp://10.0.0.5/', { allowPrivate: true }, false],
])('%s under %j: %s', (url, rules, expected) => {
  expect(checkWebhookUrl(url, rules).ok).toBe(expected)
})

test('headers, body and host arrive; the answer comes back', async () => {
  let got: unknown
  const port = await receiver(({ headers, method, url }, response, body) => {
    got = {
      body,
      method,
      url,
      host: headers.host,
      id: headers['webhook-id'],
      connection: headers.connection,
    }
    response.writeHead(202, { 'retry-after': '7' }).end('thanks ☕')
  })
  const answer = await sender().send(
    post(`http://shop.example:${port}/hook?a=1`, { body: '{"a":"☕"}' }),
  )
  expect(answer).toEqual({ kind: 'answered', status: 202, body: 'thanks ☕', retryAfter: '7' })
  expect(got).toEqual({
    body: '{"a":"☕"}',
    method: 'POST',
    url: '/hook?a=1',
    host: `shop.example:${port}`,
    id: 'evt_1',
    connection: 'close',
  })
})

interface HostileCase {
  readonly dns?: readonly (readonly string[] | string)[]
  readonly redirect?: readonly [number, string]
  readonly redirect_loop?: number
  readonly response_delay_s?: number
  readonly status?: number
  readonly body?: string
  readonly expect: string
}
/** Each of the vectors against a real socket; the names say what has to come of it. */
const hostile: Readonly<Record<string, (one: HostileCase) => Promise<void>>> = {
  async 'connect to the address that was checked, or refuse'({ dns = [] }) {
    let inside = 0
    const port = await receiver((_, response) => {
      inside += 1
      response.end()
    })
    const answers = [...dns]
    let asked = 0
    const stop = new AbortController()
    const resolve = async () => {
      asked += 1
      setImmediate(() => stop.abort())
      return (answers.shift() ?? []) as string[]
    }
    const sending = createWebhookSender({ resolve, targets: { ports: [port] } })
    const url = `https://rebinding.example:${port}/`
    // Nobody here is the public address: it is given up or has no route, and never ends at the loopback.
    expect(await sending.send(post(url, { signal: stop.signal }))).toMatchObject({ kind: 'failed' })
    expect(asked).toBe(1)
    expect(await sending.send(post(url))).toMatchObject({ kind: 'failed', reason: 'refused' })
    expect([asked, inside]).toEqual([2, 0])
  },
  async refuse({ redirect }) {
    const [status = 0, location = ''] = redirect ?? []
    let requests = 0
    const port = await receiver((_, response) => {
      requests += 1
      response.writeHead(status, { location }).end()
    })
    const answer = await sender().send(post(`http://127.0.0.1:${port}/`))
    expect(answer).toEqual({ kind: 'answered', status, body: '', location })
    expect(requests).toBe(1)
  },
  async stop() {
    let requests = 0
    const port = await receiver(({ headers }, response) => {
      requests += 1
      response.writeHead(307, { location: `http://${headers.host}/again` }).end()
    })
    expect(await sender().send(post(`http://127.0.0.1:${port}/`))).toMatchObject({ status: 307 })
    expect(requests).toBe(1)
  },
  async 'time out at 10 s, retry with back-off'() {
    let asked: () => void = () => {}
    const arrived = new Promise<void>((resolve) => {
      asked = resolve
    })
    const port = await receiver(() => asked())
    const timers = new HeldTimers()
    const answer = sender({ timers }).send(post(`http://127.0.0.1:${port}/`))
    await arrived
    await timers.fire(10_000)
    expect(await answer).toEqual({
      kind: 'failed',
      reason: 'timeout',
      message: 'no answer within 10 s',
    })
  },
  async delivered({ status = 0, body = '' }) {
    const port = await receiver((_, response) => response.writeHead(status).end(body))
    const answer = await sender().send(post(`http://127.0.0.1:${port}/`))
    expect(answer).toEqual({ kind: 'answered', status, body })
  },
  async retry({ status, dns }) {
    if (dns) {
      const resolve = async () => {
        throw Object.assign(new TypeError('queryA ENOTFOUND'), { code: 'ENOTFOUND' })
      }
      const answer = await sender({ resolve }).send(post('https://gone.example/'))
      expect(answer).toMatchObject({ kind: 'failed', reason: 'unresolved' })
      return
    }
    const port = await receiver((_, response) => response.writeHead(status ?? 0).end())
    expect(await sender().send(post(`http://127.0.0.1:${port}/`))).toMatchObject({ status })
  },
}
test.each(vectors<HostileCase>('redirects_and_rebinding.json'))(
  'hostile receiver: %j',
  async (one) => {
    await hostile[one.expect]?.(one)
    expect(Object.keys(hostile)).toContain(one.expect)
  },
)

test('one bad address among good ones is refused before anything connects', async () => {
  let inside = 0
  const port = await listen(createTcpServer(() => (inside += 1)))
  const resolve = async () => ['93.184.216.34', '127.0.0.1']
  const sending = createWebhookSender({ resolve, targets: { ports: [port] } })
  expect(await sending.send(post(`https://mixed.example:${port}/`))).toMatchObject({
    reason: 'refused',
    message: 'mixed.example leads to an address that is not public',
  })
  for (const odd of ['::ffff:7f00:1', '64:ff9b::7f00:1', 'fe80::1%lo', '0127.0.0.1', '']) {
    const answer = await createWebhookSender({ resolve: async () => [odd] }).send(
      post('https://odd.example/'),
    )
    expect(answer).toMatchObject({ reason: 'refused' })
  }
  expect(inside).toBe(0)
})

test('plain http leads into the allowed ranges and nowhere else', async () => {
  const answer = await sender({ resolve: async () => ['93.184.216.34'] }).send(
    post('http://shop.example:8080/'),
  )
  expect(answer).toMatchObject({ reason: 'refused', message: 'shop.example is not https' })
})

test('an address that refuses the connection gives way to the next one; nobody at all is unreachable', async () => {
  const port = await receiver((_, response) => response.end('here'))
  const resolve = async () => ['127.0.0.2', '127.0.0.1']
  expect(await sender({ resolve }).send(post(`http://two.example:${port}/`))).toMatchObject({
    kind: 'answered',
    body: 'here',
  })
  const none = sender({ resolve: async () => ['127.0.0.2', '127.0.0.3'] })
  expect(await none.send(post(`http://none.example:${port}/`))).toMatchObject({
    reason: 'unreachable',
  })
  expect(
    await sender({ resolve: async () => [] }).send(post('http://empty.example/')),
  ).toMatchObject({
    reason: 'unresolved',
  })
})

test('an answer without end is read up to the bound', async () => {
  const port = await receiver((_, response) => {
    response.writeHead(500)
    const more = () => response.write('x'.repeat(1000), (error) => error ?? setImmediate(more))
    more()
  })
  const answer = await sender().send(post(`http://127.0.0.1:${port}/`))
  expect(answer).toMatchObject({ status: 500, body: 'x'.repeat(ANSWER_BYTES) })
})

test.each([
  ['nothing', '', 'broken'],
  ['half a head', 'HTTP/1.1 200 OK\r\ncontent-le', 'broken'],
  ['no HTTP', 'SSH-2.0-OpenSSH_9.6\r\n', 'broken'],
  ['a head without end', `HTTP/1.1 200 OK\r\nx: ${'y'.repeat(100_000)}`, 'broken'],
])('a receiver that says %s and hangs up failed', async (_, text, reason) => {
  const port = await listen(
    createTcpServer((socket) => {
      socket.on('error', () => {})
      socket.once('data', () => socket.end(text))
    }),
  )
  expect(await sender().send(post(`http://127.0.0.1:${port}/`))).toMatchObject({
    kind: 'failed',
    reason,
  })
})

test('a status that has arrived counts, whatever becomes of the body', async () => {
  const port = await listen(
    createTcpServer((socket) => {
      socket.on('error', () => {})
      socket.once('data', () => socket.end('HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nhalf'))
    }),
  )
  expect(await sender().send(post(`http://127.0.0.1:${port}/`))).toMatchObject({
    status: 200,
    body: 'half',
  })
})

test('an upgrade that nobody asked for is no success', async () => {
  const port = await listen(
    createTcpServer((socket) => {
      socket.on('error', () => {})
      socket.once('data', () =>
        socket.write('HTTP/1.1 101 Switching\r\nconnection: upgrade\r\nupgrade: x\r\n\r\n'),
      )
    }),
  )
  expect(await sender().send(post(`http://127.0.0.1:${port}/`))).toMatchObject({ status: 101 })
})

test('certificates are verified for the name, and nothing is said before', async () => {
  const certificate = selfSigned('receiver')
  let requests = 0
  const server = createSecureServer(certificate, (_, response) => {
    requests += 1
    response.end('secure')
  })
  const port = await listen(server)
  const localhost = post(`https://localhost:${port}/`)
  expect(await sender().send(localhost)).toMatchObject({ kind: 'failed', reason: 'certificate' })
  const trusting = sender({ ca: [certificate.cert] })
  expect(await trusting.send(post(`https://other.example:${port}/`))).toMatchObject({
    reason: 'certificate',
  })
  expect(requests).toBe(0)
  expect(await trusting.send(localhost)).toMatchObject({ status: 200, body: 'secure' })
  expect(await trusting.send(post(`https://127.0.0.1:${port}/`))).toMatchObject({ status: 200 })
})

test('a sender that is told to stop hangs up', async () => {
  let closed: () => void = () => {}
  const gone = new Promise<void>((resolve) => {
    closed = resolve
  })
  const stop = new AbortController()
  const port = await receiver((request) => {
    request.socket.on('close', () => closed())
    stop.abort()
  })
  const answer = await sender().send(post(`http://127.0.0.1:${port}/`, { signal: stop.signal }))
  expect(answer).toMatchObject({ kind: 'failed', reason: 'broken' })
  await gone
  const after = await sender().send(post(`http://127.0.0.1:${port}/`, { signal: stop.signal }))
  expect(after).toMatchObject({ kind: 'failed' })
})
