import type { ServerResponse } from 'node:http'
import { type Channel, Writes } from './channel.ts'
import type { Frame } from './frame.ts'
import { RETRY_MS } from './policy.ts'

const HEADERS = {
  'content-type': 'text/event-stream; charset=utf-8',
  'cache-control': 'no-store, no-transform',
  // nginx would collect events in a buffer of its own.
  'x-accel-buffering': 'no',
  // The connection ends with the stream: nothing else can be asked on it.
  connection: 'close',
} as const

/** Events as `text/event-stream` (HTML Standard, 9.2). A line with `id:` alone moves the place to resume from. */
export class SseChannel implements Channel {
  readonly form = 'sse'
  readonly #response: ServerResponse
  readonly #writes = new Writes()
  #isStuck = false

  constructor(response: ServerResponse, headers: Readonly<Record<string, string>>) {
    this.#response = response
    response.once('close', () => this.#writes.release())
    response.writeHead(200, { ...headers, ...HEADERS })
  }
  get waiting(): number {
    return this.#response.writableLength
  }
  open(position: number): void {
    this.#response.write(`retry: ${RETRY_MS}\nid: ${position}\n\n`, this.#writes.begin())
  }
  write(frames: readonly Frame[]): void {
    if (this.#response.writableEnded || this.#response.destroyed) return
    this.#response.write(Buffer.concat(frames.map(({ sse }) => sse)), this.#writes.begin())
  }
  flushed(): Promise<void> {
    if (this.#response.writableEnded || this.#response.destroyed) return Promise.resolve()
    return this.#writes.flushed()
  }
  beat(position: number): boolean {
    if (this.#response.writableEnded || this.#response.destroyed) return true
    const moved = this.#writes.takeProgress() > 0
    if (this.waiting > 0 && !moved) {
      const wasStuck = this.#isStuck
      this.#isStuck = true
      return !wasStuck
    }
    this.#isStuck = false
    this.#response.write(`: alive\nid: ${position}\n\n`, this.#writes.begin())
    return true
  }
  close(code: number, reason: string): void {
    if (this.#response.writableEnded) return
    this.#response.end(`event: close\ndata: ${JSON.stringify({ code, reason })}\n\n`)
  }
  terminate(): void {
    this.#response.destroy()
  }
}
