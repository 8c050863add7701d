import type { Socket } from 'node:net'
import {
  Decoder,
  decodeProperties,
  encodeCommand,
  encodeProperties,
  greeting,
  type Incoming,
} from './wire.ts'

const SUBSCRIBER_TYPES = new Set(['SUB', 'XSUB'])
/** More prefixes than any program has: a peer that goes on is hostile. */
const MAX_SUBSCRIPTIONS = 10_000
/** Who does not finish the handshake in this time is no subscriber. */
const HANDSHAKE_MS = 30_000

/**
 * One connection of a PUB socket: handshake, subscriptions by prefix, heartbeats, and a queue that drops what a slow reader
 * leaves lying above the high-water mark.
 */
export class Subscriber {
  readonly #socket: Socket
  readonly #mark: number
  readonly #decoder = new Decoder()
  /** Prefix (latin1) and how often it was subscribed: each needs its own cancel. */
  readonly #prefixes = new Map<string, number>()
  readonly #queue: Buffer[] = []
  readonly #onDropped: () => void
  #ready = false
  #inMessage = false
  #blocked = false
  #backlog: number | undefined
  #silence: NodeJS.Timeout | undefined

  constructor(socket: Socket, mark: number, onDropped: () => void) {
    this.#socket = socket
    this.#mark = mark
    this.#onDropped = onDropped
    socket.setNoDelay(true)
    socket.setKeepAlive(true)
    // A broken connection is no news to a publisher: the subscriber comes back or not.
    socket.on('error', () => socket.destroy())
    socket.on('close', () => this.#listenFor(undefined))
    socket.on('data', (part: Buffer) => this.#hear(part))
    socket.on('drain', () => this.#drain())
    this.#listenFor(HANDSHAKE_MS)
    socket.write(greeting())
  }
  close(): void {
    this.#socket.destroy()
  }
  get isReady(): boolean {
    return this.#ready && !this.#socket.destroyed
  }
  wants(topic: string): boolean {
    for (const prefix of this.#prefixes.keys()) if (topic.startsWith(prefix)) return true
    return false
  }

  /**
   * Sends one message, or drops it. The mark is compared with what was left lying before this turn of the event loop: nobody
   * can read while one synchronous call mines a hundred blocks, so such a burst is not held against the reader.
   */
  send(message: Buffer): void {
    if (this.#socket.destroyed) return
    if (this.#backlog === undefined) {
      this.#backlog = this.#queue.length
      setImmediate(() => {
        this.#backlog = undefined
      })
    }
    if (this.#backlog >= this.#mark) {
      this.#onDropped()
      return
    }
    if (this.#blocked) this.#queue.push(message)
    else this.#blocked = !this.#socket.write(message)
  }
  #drain(): void {
    this.#blocked = false
    let sent = 0
    for (const message of this.#queue) {
      sent += 1
      this.#blocked = !this.#socket.write(message)
      if (this.#blocked) break
    }
    this.#queue.splice(0, sent)
  }

  #hear(part: Buffer): void {
    for (const said of this.#decoder.feed(part)) {
      if (this.#socket.destroyed) return
      this.#take(said)
    }
  }
  #take(said: Incoming): void {
    switch (said.kind) {
      case 'fault':
        this.#refuse(said.reason)
        return
      case 'greeting':
        this.#socket.write(encodeCommand('READY', encodeProperties({ 'Socket-Type': 'PUB' })))
        return
      case 'command':
        this.#command(said.name, said.data)
        return
      case 'frame':
        if (!this.#ready) this.#refuse('a message before READY')
        else this.#message(said.body, said.more)
    }
  }
  #command(name: string, data: Buffer): void {
    if (!this.#ready) {
      if (name === 'READY') this.#handshake(data)
      else this.#refuse('READY has to come first')
      return
    }
    switch (name) {
      case 'SUBSCRIBE':
        this.#subscribe(data)
        return
      case 'CANCEL':
        this.#cancel(data)
        return
      case 'PING':
        this.#pong(data)
        return
      case 'ERROR':
        this.#socket.destroy()
        return
      default:
      // PONG and what later versions add: nothing to do.
    }
  }
  #handshake(data: Buffer): void {
    const type = decodeProperties(data)?.get('socket-type')
    if (type === undefined || !SUBSCRIBER_TYPES.has(type)) {
      this.#refuse('Invalid socket type')
      return
    }
    this.#ready = true
    this.#listenFor(undefined)
  }
  /** ZMTP 3.0 subscribes by messages of one frame: 1 or 0 and the prefix. Whatever else comes is ignored, as PUB does. */
  #message(body: Buffer, more: boolean): void {
    const alone = !this.#inMessage && !more
    this.#inMessage = more
    if (!alone) return
    if (body[0] === 1) this.#subscribe(body.subarray(1))
    else if (body[0] === 0) this.#cancel(body.subarray(1))
  }
  #subscribe(prefix: Buffer): void {
    const key = prefix.toString('latin1')
    const count = this.#prefixes.get(key)
    if (count === undefined && this.#prefixes.size >= MAX_SUBSCRIPTIONS) {
      this.#refuse('too many subscriptions')
      return
    }
    this.#prefixes.set(key, (count ?? 0) + 1)
  }
  #cancel(prefix: Buffer): void {
    const key = prefix.toString('latin1')
    const count = this.#prefixes.get(key)
    if (count === undefined) return
    if (count > 1) this.#prefixes.set(key, count - 1)
    else this.#prefixes.delete(key)
  }
  /** PING: two bytes of time to live in tenths of a second, and up to 16 bytes that come back. */
  #pong(data: Buffer): void {
    if (data.length < 2 || data.length > 18) {
      this.#refuse('Invalid PING')
      return
    }
    this.#socket.write(encodeCommand('PONG', data.subarray(2)))
    const tenths = data.readUInt16BE(0)
    this.#listenFor(tenths === 0 ? undefined : tenths * 100)
  }
  /** Closes the connection unless something is heard within this time. */
  #listenFor(ms: number | undefined): void {
    clearTimeout(this.#silence)
    this.#silence = ms === undefined ? undefined : setTimeout(() => this.close(), ms).unref()
  }
  #refuse(reason: string): void {
    const text = Buffer.from(reason, 'latin1').subarray(0, 255)
    this.#socket.end(encodeCommand('ERROR', Buffer.concat([Buffer.of(text.length), text])))
    this.#socket.destroySoon()
  }
}
