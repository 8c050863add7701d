import { type AddressInfo, createServer, type Server } from 'node:net'
import { DevnetError } from '../failure.ts'
import { Subscriber } from './subscriber.ts'
import { type Notification, ZMQ_TOPICS, type ZmqTopic } from './topics.ts'
import { encodeMessage } from './wire.ts'

export interface ZmqOptions {
  /** TCP port on 127.0.0.1 of every topic that has none of its own; 0 (default) takes a free one. */
  readonly port?: number
  /** What is published: a list, or a port for each topic (0: a free one of its own). Default: all five on one port. */
  readonly topics?: readonly ZmqTopic[] | Readonly<Partial<Record<ZmqTopic, number>>>
  /** Messages that wait for a slow subscriber before the next ones are dropped. Default 1000, as Core's. */
  readonly highWaterMark?: number
}
/** One line of `getzmqnotifications`. */
export interface ZmqNotifier {
  readonly type: string
  readonly address: string
  readonly hwm: number
}
interface Endpoint {
  port: number
  readonly topics: Set<ZmqTopic>
  readonly subscribers: Set<Subscriber>
  server: Server | undefined
}
const DEFAULT_MARK = 1000
const HOST = '127.0.0.1'

/** A ZeroMQ PUB socket for each address, with Core's topics and one counter for each topic. */
export class ZmqPublisher {
  readonly #endpoints: Endpoint[] = []
  readonly #byTopic = new Map<ZmqTopic, Endpoint>()
  readonly #counters = new Map<ZmqTopic, number>()
  readonly #mark: number
  #dropped = 0

  /** @throws DevnetError DEVNET_USAGE for a topic or a port that does not exist, or a mark below 1. */
  constructor(options: ZmqOptions = {}) {
    const { port = 0, topics = ZMQ_TOPICS, highWaterMark = DEFAULT_MARK } = options
    if (!Number.isInteger(highWaterMark) || highWaterMark < 1) {
      throw new DevnetError(
        'DEVNET_USAGE',
        `zmq.highWaterMark has to be 1 or more: ${highWaterMark}`,
      )
    }
    this.#mark = highWaterMark
    const list = topics as readonly ZmqTopic[] | Readonly<Record<string, number>>
    const wanted = Array.isArray(list)
      ? list.map((topic: ZmqTopic) => [topic, undefined] as const)
      : Object.entries(list)
    const shared = this.#endpoint(port)
    for (const [name, own] of wanted) {
      const topic = ZMQ_TOPICS.find((known) => known === name)
      if (!topic) throw new DevnetError('DEVNET_USAGE', `zmq has no topic ${name}`)
      const same = own === undefined || (own !== 0 && own === shared.port) ? shared : undefined
      const endpoint =
        same ??
        this.#endpoints.find((other) => own !== 0 && other.port === own) ??
        this.#endpoint(own ?? 0)
      endpoint.topics.add(topic)
      this.#byTopic.set(topic, endpoint)
    }
  }
  #endpoint(port: number): Endpoint {
    if (!Number.isInteger(port) || port < 0 || port > 65_535) {
      throw new DevnetError('DEVNET_USAGE', `zmq: ${port} is no port: 0 to 65535`)
    }
    const endpoint = {
      port,
      topics: new Set<ZmqTopic>(),
      subscribers: new Set<Subscriber>(),
      server: undefined,
    }
    this.#endpoints.push(endpoint)
    return endpoint
  }

  /** Opens the ports; the same ones again after `stop`. Without `keepAlive` they do not keep the process from ending. */
  async listen(keepAlive = true): Promise<void> {
    for (const endpoint of this.#endpoints) {
      if (endpoint.server || endpoint.topics.size === 0) continue
      const server = createServer((socket) => {
        const subscriber = new Subscriber(socket, this.#mark, () => {
          this.#dropped += 1
        })
        endpoint.subscribers.add(subscriber)
        if (!keepAlive) socket.unref()
        socket.on('close', () => endpoint.subscribers.delete(subscriber))
      })
      endpoint.server = server
      await new Promise<void>((resolve, reject) => {
        server.once('error', reject)
        server.listen(endpoint.port, HOST, resolve)
      })
      endpoint.port = (server.address() as AddressInfo).port
      if (!keepAlive) server.unref()
    }
  }
  /** Breaks all connections. What is published meanwhile is counted and lost. */
  async stop(): Promise<void> {
    for (const endpoint of this.#endpoints) {
      const { server } = endpoint
      if (!server) continue
      endpoint.server = undefined
      const closed = new Promise<void>((resolve) => server.close(() => resolve()))
      for (const subscriber of endpoint.subscribers) subscriber.close()
      await closed
    }
  }
  /** A new life of the node: every topic counts from 0 again. */
  resetCounters(): void {
    this.#counters.clear()
  }
  /** Sends topic, body and the topic's counter (4 bytes, little end first) to everyone who subscribed a prefix of it. */
  readonly publish = ({ topic, body }: Notification): void => {
    const endpoint = this.#byTopic.get(topic)
    if (!endpoint) return
    const counter = this.#counters.get(topic) ?? 0
    this.#counters.set(topic, (counter + 1) >>> 0)
    let message: Buffer | undefined
    for (const subscriber of endpoint.subscribers) {
      if (!subscriber.wants(topic)) continue
      message ??= messageOf(topic, body, counter)
      subscriber.send(message)
    }
  }

  /** Messages that slow subscribers never got. */
  get dropped(): number {
    return this.#dropped
  }
  /** Subscribers that finished their handshake. */
  get subscribers(): number {
    return this.#endpoints.reduce(
      (sum, { subscribers }) => sum + [...subscribers].filter(({ isReady }) => isReady).length,
      0,
    )
  }
  /** `tcp://127.0.0.1:<port>` of every published topic. */
  get addresses(): Readonly<Partial<Record<ZmqTopic, string>>> {
    return Object.fromEntries(
      ZMQ_TOPICS.flatMap((topic) => {
        const endpoint = this.#byTopic.get(topic)
        return endpoint ? [[topic, `tcp://${HOST}:${endpoint.port}`]] : []
      }),
    )
  }
  get notifiers(): readonly ZmqNotifier[] {
    return Object.entries(this.addresses).map(([topic, address]) => ({
      type: `pub${topic}`,
      address,
      hwm: this.#mark,
    }))
  }
}
function messageOf(topic: string, body: Uint8Array, counter: number): Buffer {
  const count = Buffer.alloc(4)
  count.writeUInt32LE(counter)
  return encodeMessage([Buffer.from(topic, 'latin1'), body, count])
}
