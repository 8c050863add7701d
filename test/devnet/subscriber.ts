import { connect, type Socket } from 'node:net'
import { addressOf, createDevnet, type Devnet, namedKey } from '@kaccy/devnet'
import { afterEach } from 'vitest'
import { Subscriber } from 'zeromq'

const NOW = 1_795_370_832_000
export const shop = addressOf(namedKey('shop').script) ?? ''
export const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms))
const open: (() => Promise<void> | void)[] = []
afterEach(async () => {
  for (const close of open.splice(0).reverse()) await close()
})

type Options = Parameters<typeof createDevnet>[0]
export async function publishing(zmq: NonNullable<Options>['zmq'] = true): Promise<Devnet> {
  const devnet = await createDevnet({ clock: () => NOW, verifySignatures: false, zmq })
  open.push(() => devnet.close())
  return devnet
}
export interface Heard {
  readonly topic: string
  readonly body: Buffer
  readonly count: number
}
/** A real subscriber that writes down what it hears. */
export async function listen(devnet: Devnet, prefixes: readonly string[] = ['']) {
  const before = devnet.zmq?.subscribers ?? 0
  const addresses = new Set(Object.values(devnet.zmq?.addresses ?? {}))
  const socket = new Subscriber({ receiveHighWaterMark: 0, linger: 0 })
  const heard: Heard[] = []
  for (const address of addresses) socket.connect(address)
  socket.subscribe(...prefixes)
  const reading = (async () => {
    for await (const [topic, body, count] of socket) {
      if (!topic || !body || !count) continue
      heard.push({ topic: topic.toString(), body, count: count.readUInt32LE() })
    }
  })()
  const close = async () => {
    if (!socket.closed) socket.close()
    await reading
  }
  open.push(close)
  while ((devnet.zmq?.subscribers ?? 0) < before + addresses.size) await pause(2)
  await subscribed(devnet, heard)
  return { heard, close }
}
/** The subscription travels after the handshake: a probe tells when it has arrived. */
export async function subscribed(devnet: Devnet, heard: Heard[]): Promise<void> {
  for (let i = 0; heard.length === 0 && i < 200; i++) {
    for (const topic of ['hashblock', 'hashtx', 'rawblock', 'rawtx', 'sequence'] as const) {
      devnet.zmq?.publish({ topic, body: PROBE })
    }
    await pause(5)
  }
  await pause(30)
  heard.length = 0
}
const PROBE = Buffer.from('probe')
export const until = async (isDone: () => boolean, ms = 5000) => {
  for (let waited = 0; !isDone() && waited < ms; waited += 5) await pause(5)
}
export const isTip = (heard: readonly Heard[], hash: string): boolean =>
  heard.some(({ topic, body }) => topic === 'hashblock' && body.toString('hex') === hash)
export const GREETING = Buffer.concat([
  Buffer.from('ff00000000000000007f0301', 'hex'),
  Buffer.from('NULL'),
  Buffer.alloc(48),
])
export const command = (name: string, data: Uint8Array) => {
  const body = Buffer.concat([Buffer.of(name.length), Buffer.from(name), data])
  return Buffer.concat([Buffer.of(4, body.length), body])
}
export const property = (name: string, value: string) =>
  Buffer.concat([
    Buffer.of(name.length),
    Buffer.from(name),
    Buffer.of(0, 0, 0, value.length),
    Buffer.from(value),
  ])
export const READY = command('READY', property('Socket-Type', 'SUB'))
export function plain(devnet: Devnet): Promise<Socket> {
  const port = Number(new URL(Object.values(devnet.zmq?.addresses ?? {})[0] ?? '').port)
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1', () => resolve(socket))
    socket.on('error', reject)
    open.push(() => void socket.destroy())
  })
}
export async function rawSubscriber(devnet: Devnet, join = command('SUBSCRIBE', new Uint8Array())) {
  const socket = await plain(devnet)
  socket.write(Buffer.concat([GREETING, READY, join]))
  await until(() => devnet.zmq?.subscribers === 1)
  await pause(20)
  return socket
}
/** The counters in the messages that a raw connection received so far. */
export function countsIn(socket: Socket, size: number): () => readonly number[] {
  const parts: Buffer[] = []
  socket.on('data', (part: Buffer) => parts.push(part))
  const head = Buffer.from('\x01\x08rawblock', 'latin1')
  return () => {
    const bytes = Buffer.concat(parts)
    const counts: number[] = []
    for (let at = bytes.indexOf(head); at >= 0; at = bytes.indexOf(head, at + 1)) {
      const count = at + head.length + 9 + size + 2
      if (count + 4 <= bytes.length) counts.push(bytes.readUInt32LE(count))
    }
    return counts
  }
}
