import type { EngineEvent } from '@kaccy/bitcoin/events'
import { eventJson } from '../present/events.ts'

/** One event, encoded once, when it is first needed, for all clients that get it. */
export class Frame {
  readonly event: EngineEvent
  #json: Buffer | undefined
  #sse: Buffer | undefined

  constructor(event: EngineEvent) {
    this.event = event
  }
  /** The text of a WebSocket message: the JSON that `GET /v1/events` shows. */
  get json(): Buffer {
    this.#json ??= Buffer.from(JSON.stringify(eventJson(this.event)))
    return this.#json
  }
  get seq(): number {
    return this.event.seq
  }
  /** The same as a server-sent event (HTML Standard, 9.2.6). JSON in one line has no line ends of its own. */
  get sse(): Buffer {
    this.#sse ??= Buffer.concat([
      Buffer.from(`id: ${this.seq}\nevent: ${this.event.type}\ndata: `),
      this.json,
      Buffer.from('\n\n'),
    ])
    return this.#sse
  }
}
