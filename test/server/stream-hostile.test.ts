import { randomBytes } from 'node:crypto'
import { existsSync, readFileSync } from 'node:fs'
import { connect, type Socket } from 'node:net'
import { join } from 'node:path'
import { deflateRawSync } from 'node:zlib'
import { silentMetrics } from '@kaccy/bitcoin/kernel'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { Listener, openStreamed, refusedAt, type Streamed, upTo } from './streamed.ts'

interface Case {
  readonly origin?: string | null
  readonly messages_per_s?: number
  readonly slow_reader?: boolean
  readonly compressed_bomb?: boolean
  readonly fragment_never_finished?: boolean
  readonly expect: string
}
const FILE = join(
  process.env['KACCY_SHARED'] ?? join(process.cwd(), '../shared'),
  'vectors/hostile/websocket.json',
)
const isMissing = !existsSync(FILE)
if (isMissing) process.stderr.write('SKIPPED without ../shared: vectors/hostile/websocket.json\n')
const cases = isMissing
  ? []
  : (JSON.parse(readFileSync(FILE, 'utf8')) as { readonly cases: readonly Case[] }).cases

const HIGH = 32_768
const BIG = { note: 'x'.repeat(4_000) }

let streamed: Streamed
let token: string
let cut = 0
/** The server's ends of all connections. */
const ends: Socket[] = []
beforeAll(async () => {
  streamed = await openStreamed({
    streams: { highWater: HIGH, drainMs: 400, closeMs: 2_000, unfinishedMs: 150 },
    settings: { origins: ['https://app.example'] },
    parts: {
      metrics: {
        ...silentMetrics,
        count: (_name, _by, labels) => {
          if (labels?.['reason'] === 'too slow') cut += 1
        },
      },
    },
  })
  streamed.served.app.server.on('connection', (socket: Socket) => ends.push(socket))
  token = streamed.served.admin
})
afterAll(() => streamed.served.close())

/** A WebSocket without a library: it may break every rule. */
class Raw {
  readonly socket: Socket
  readonly ended: Promise<void>
  #text = Buffer.alloc(0)

  private constructor(socket: Socket) {
    this.socket = socket
    socket.on('data', (chunk: Buffer) => {
      this.#text = Buffer.concat([this.#text, chunk])
    })
    // Being cut off is what these tests are about.
    socket.on('error', () => {})
    this.ended = new Promise((resolve) => socket.once('close', () => resolve()))
  }
  static async open(extra = '', url = streamed.url): Promise<Raw> {
    const raw = new Raw(connect(Number(new URL(url).port), '127.0.0.1'))
    raw.socket.write(
      `GET /v1/events/stream HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${token}\r\nconnection: upgrade\r\nupgrade: websocket\r\nsec-websocket-version: 13\r\nsec-websocket-key: ${randomBytes(16).toString('base64')}\r\n${extra}\r\n`,
    )
    await expect.poll(() => raw.head).toContain('\r\n\r\n')
    return raw
  }
  get head(): string {
    return (
      this.#text.toString('latin1').split('\r\n\r\n')[0] +
      (this.#text.includes('\r\n\r\n') ? '\r\n\r\n' : '')
    )
  }
  /** Code and reason of the close frame that came, if one did. */
  get closed(): { readonly code: number; readonly reason: string } | undefined {
    let at = this.#text.indexOf('\r\n\r\n') + 4
    while (at + 2 <= this.#text.length) {
      const opcode = (this.#text[at] ?? 0) & 0x0f
      const short = (this.#text[at + 1] ?? 0) & 0x7f
      const start = at + (short === 126 ? 4 : 2)
      const length = short === 126 ? this.#text.readUInt16BE(at + 2) : short
      const payload = this.#text.subarray(start, start + length)
      if (opcode === 8)
        return { code: payload.readUInt16BE(0), reason: payload.subarray(2).toString() }
      at = start + length
    }
    return undefined
  }
  /** @param first the first byte: FIN, reserved bits, opcode */
  frame(first: number, payload: Buffer): Buffer {
    const length =
      payload.length > 125
        ? Buffer.from([0x80 | 126, payload.length >> 8, payload.length & 255])
        : Buffer.from([0x80 | payload.length])
    // A mask of zeroes leaves the payload as it is.
    return Buffer.concat([Buffer.from([first]), length, Buffer.alloc(4), payload])
  }
  say(first: number, payload = Buffer.alloc(0)): void {
    this.socket.write(this.frame(first, payload))
  }
}

const checks = {
  async origin({ origin, expect: expected }: Case) {
    if (origin === null) {
      const listener = new Listener(streamed.url, { token })
      await listener.opened
      listener.close()
      expect(await refusedAt(streamed.url, {})).toMatchObject({ status: 401 })
    } else if (origin !== undefined && expected.startsWith('101')) {
      const listener = new Listener(streamed.url, { token, origin })
      await listener.opened
      listener.close()
      expect(await refusedAt(streamed.url, { origin })).toMatchObject({ status: 401 })
    } else if (origin !== undefined) {
      const dial = { token, origin }
      expect((await refusedAt(streamed.url, dial)).status).toBe(Number(expected))
    }
  },
  async messages_per_s({ messages_per_s: count = 0 }: Case) {
    // Texts, pings that ask for an answer, and pongs nobody asked for.
    for (const first of [0x81, 0x89, 0x8a]) {
      const raw = await Raw.open()
      const one = raw.frame(first, Buffer.from('hello'))
      for (let i = 0; i < count; i += 100) raw.socket.write(Buffer.concat(Array(100).fill(one)))
      await raw.ended
      expect(raw.closed).toMatchObject({ code: 1008 })
    }
  },
  async slow_reader() {
    const head = await streamed.head()
    const dead = new Listener(streamed.url, { token, query: `?after=${head}` })
    const slow = new Listener(streamed.url, { token, query: `?after=${head}` })
    const fast = new Listener(streamed.url, { token, query: `?after=${head}` })
    await Promise.all([dead.opened, slow.opened, fast.opened])
    dead.socket.pause()
    slow.socket.pause()
    let most = 0
    let sent = head
    // The kernel takes some megabytes for them; then they begin to wait here.
    for (let more = 20; more > 0 && sent < head + 20_000; more -= most > 0 ? 1 : 0) {
      await streamed.many(100, BIG)
      sent += 100
      await fast.until(sent)
      most = Math.max(most, ...ends.map(({ writableLength }) => writableLength))
    }
    expect(fast.seqs).toEqual(upTo(sent, head + 1))
    expect(most).toBeGreaterThan(0)
    expect(most).toBeLessThan(HIGH + 2 * 4_500)
    // Both are told; only the one that reads again hears it.
    await expect.poll(() => cut).toBe(2)
    slow.socket.resume()
    const { code, reason } = await slow.ended
    expect([code, reason]).toEqual([4008, `too slow; resume with after=${slow.seqs.at(-1)}`])
    expect(slow.seqs).toEqual(upTo(slow.seqs.at(-1) ?? 0, head + 1))
    await expect
      .poll(() => ends.filter(({ destroyed }) => !destroyed).length, { timeout: 5_000 })
      .toBe(1)
    dead.close()
    fast.close()
  },
  async compressed_bomb() {
    const raw = await Raw.open('sec-websocket-extensions: permessage-deflate\r\n')
    expect(raw.head.toLowerCase()).not.toContain('sec-websocket-extensions')
    raw.say(0xc1, deflateRawSync(Buffer.alloc(900_000)))
    await raw.ended
    // Compression was not agreed upon: a protocol error.
    expect(raw.closed).toMatchObject({ code: 1002 })
  },
  async fragment_never_finished() {
    const raw = await Raw.open()
    raw.say(0x01, Buffer.from('begun'))
    // Stays alive otherwise.
    const alive = setInterval(() => raw.say(0x8a), 60)
    await raw.ended
    clearInterval(alive)
    expect(raw.closed).toMatchObject({ code: 1008 })
    expect(raw.closed?.reason).toMatch(/^message not finished; resume with after=\d+$/)
  },
} as const

describe('vectors/hostile/websocket.json', () => {
  test.each(cases.map((one) => [JSON.stringify(one), one] as const))('%s', async (_, one) => {
    const kind = (Object.keys(checks) as (keyof typeof checks)[]).find((name) => name in one)
    expect(kind).toBeDefined()
    if (kind) await checks[kind](one)
  })
})

test('a header that is never finished, and a frame too large', async () => {
  const half = await Raw.open()
  half.socket.write(Buffer.from([0x81]))
  await half.ended
  expect(half.closed).toMatchObject({ code: 1008 })
  const large = await Raw.open()
  large.say(0x81, Buffer.alloc(1_025, 'x'))
  await large.ended
  expect(large.closed).toMatchObject({ code: 1009 })
  const announced = await Raw.open()
  // Four gigabytes are announced; none has to come.
  announced.socket.write(Buffer.from([0x82, 0xff, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0]))
  await announced.ended
  expect(announced.closed).toMatchObject({ code: 1009 })
})

test('frames without a mask, of no known kind, and texts that are no text', async () => {
  for (const [bytes, code] of [
    [Buffer.from([0x81, 0x01, 0x61]), 1002],
    [Buffer.from([0x83, 0x80, 0, 0, 0, 0]), 1002],
    [Buffer.from([0x81, 0x81, 0, 0, 0, 0, 0xff]), 1007],
    [Buffer.from([0x88, 0x81, 0, 0, 0, 0, 0x00]), 1002],
  ] as const) {
    const raw = await Raw.open()
    raw.socket.write(bytes)
    await raw.ended
    expect(raw.closed).toMatchObject({ code })
  }
})

test('who speaks before the handshake is over is not heard', async () => {
  const socket = connect(Number(new URL(streamed.url).port), '127.0.0.1')
  let text = ''
  socket.on('data', (chunk: Buffer) => {
    text += chunk.toString('latin1')
  })
  socket.write(
    `GET /v1/events/stream HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${token}\r\nconnection: upgrade\r\nupgrade: websocket\r\nsec-websocket-version: 13\r\nsec-websocket-key: ${randomBytes(16).toString('base64')}\r\n\r\nearly`,
  )
  await new Promise((resolve) => socket.once('close', resolve))
  expect(text).toMatch(/^HTTP\/1\.1 400 /)
})

test('a few words are heard and mean nothing; a ping is answered', async () => {
  const listener = new Listener(streamed.url, { token })
  await listener.opened
  listener.socket.send('{"subscribe":"everything"}')
  const pong = new Promise<string>((resolve) =>
    listener.socket.once('pong', (bytes) => resolve(bytes.toString())),
  )
  listener.socket.ping('there?')
  expect(await pong).toBe('there?')
  await streamed.many(1)
  await listener.until(await streamed.head())
  listener.close()
})

test('a peer that answers no ping is let go', async () => {
  const own = await openStreamed({ streams: { heartbeatMs: 400 } })
  token = own.served.admin
  const raw = await Raw.open('', own.url)
  const good = new Listener(own.url, { token })
  await raw.ended
  expect(raw.closed).toBeUndefined()
  await expect.poll(() => good.pings.length, { timeout: 5_000 }).toBeGreaterThan(3)
  expect(good.socket.readyState).toBe(good.socket.OPEN)
  await own.served.close()
  token = streamed.served.admin
})

test('a client that reads slowly but reads gets everything, at its own pace', async () => {
  const listener = new Listener(streamed.url, { token, query: '?after=0' })
  const last = await streamed.head()
  const rhythm = setInterval(() => {
    if (listener.socket.isPaused) listener.socket.resume()
    else listener.socket.pause()
  }, 15)
  await listener.until(last)
  clearInterval(rhythm)
  expect(listener.seqs).toEqual(upTo(last))
  listener.close()
})
