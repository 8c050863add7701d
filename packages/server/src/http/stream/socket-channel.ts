import type { WebSocket } from '@fastify/websocket'
import { type Channel, Writes } from './channel.ts'
import type { Frame } from './frame.ts'

/** Events over a WebSocket: one text message each; pings carry how far the client has been served. */
export class SocketChannel implements Channel {
  readonly form = 'websocket'
  readonly #socket: WebSocket
  readonly #writes = new Writes()
  #isAwaited = false
  #isStuck = false

  constructor(socket: WebSocket) {
    this.#socket = socket
    socket.on('pong', () => {
      this.#isAwaited = false
    })
    socket.once('close', () => this.#writes.release())
  }
  get waiting(): number {
    return this.#socket.bufferedAmount
  }
  open(position: number): void {
    this.beat(position)
  }
  write(frames: readonly Frame[]): void {
    if (this.#socket.readyState !== this.#socket.OPEN) return
    const done = this.#writes.begin()
    frames.forEach(({ json }, i) => {
      this.#socket.send(json, { binary: false }, i === frames.length - 1 ? done : undefined)
    })
  }
  flushed(): Promise<void> {
    if (this.#socket.readyState !== this.#socket.OPEN) return Promise.resolve()
    return this.#writes.flushed()
  }
  beat(position: number): boolean {
    if (this.#socket.readyState !== this.#socket.OPEN) return true
    const moved = this.#writes.takeProgress() > 0
    // Where something waits, a ping would wait behind it: then moving on is the sign of life.
    if (this.waiting > 0) {
      const wasStuck = this.#isStuck
      this.#isStuck = !moved
      return moved || !wasStuck
    }
    this.#isStuck = false
    if (this.#isAwaited) return false
    this.#isAwaited = true
    this.#socket.ping(String(position))
    return true
  }
  close(code: number, reason: string): void {
    this.#socket.close(code, reason)
  }
  terminate(): void {
    this.#socket.terminate()
  }
}
