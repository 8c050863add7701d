import type { Engine } from '@kaccy/bitcoin'
import { systemTimers } from '@kaccy/bitcoin/adapters/system'
import type { EngineEvent } from '@kaccy/bitcoin/events'
import type { Clock, Logger, Metrics } from '@kaccy/bitcoin/kernel'
import { Client, type ClientOptions, type Home, type Past, type StreamFilter } from './client.ts'
import { Frame } from './frame.ts'
import { Keys } from './keys.ts'
import {
  CLIENTS_PER_BREATH,
  CLOSE,
  KEPT,
  LONGEST_PAUSE_MS,
  PAGE,
  READERS,
  type StreamSettings,
} from './policy.ts'
import { Ring } from './ring.ts'
import { Turns } from './turns.ts'

export interface HubParts {
  readonly engine: Pick<Engine, 'events' | 'eventHead'> & {
    readonly access: Pick<Engine['access'], 'get'>
  }
  readonly clock: Clock
  readonly logger: Logger
  readonly metrics: Metrics
  readonly settings: StreamSettings
}
const pauseAfter = (failures: number, pollMs: number): number =>
  Math.min(pollMs * 2 ** Math.min(failures, 10), LONGEST_PAUSE_MS)

/**
 * Reads each new event once and hands it to all who follow. It reads only while somebody follows, holds a bounded number of
 * events, and waits for nobody: who cannot take an event now reads it from the store later.
 */
export class Hub implements Home {
  readonly settings: StreamSettings
  readonly #parts: HubParts
  readonly #keys: Keys
  readonly #clients = new Set<Client>()
  readonly #followers = new Set<Client>()
  readonly #readers = new Turns(READERS)
  readonly #timers = new Set<() => void>()
  readonly #open = { websocket: 0, sse: 0 }
  /** There while somebody follows. */
  #ring: Ring | undefined
  #isWoken = false
  #rouse: (() => void) | undefined
  #isClosed = false

  constructor(parts: HubParts) {
    this.#parts = parts
    this.settings = parts.settings
    this.#keys = new Keys(parts.engine.access, parts.clock, parts.logger)
    this.#every(parts.settings.heartbeatMs, async () => this.#beat())
    this.#every(parts.settings.recheckMs, () => this.#keys.recheckAll())
  }

  /** Opens a stream. */
  open(options: ClientOptions): Client {
    const client = new Client(this, options)
    this.#clients.add(client)
    this.#keys.add(client)
    this.#count(client, 1)
    if (this.#isClosed) client.cut(CLOSE.goingAway, 'going away')
    else {
      client.channel.open(client.position)
      void client.run()
    }
    return client
  }
  remove(client: Client, reason: string): void {
    this.#clients.delete(client)
    this.#followers.delete(client)
    this.#keys.remove(client)
    this.#count(client, -1)
    this.#parts.metrics.count('kaccy_stream_disconnects_total', 1, { reason })
    if (this.#followers.size === 0) this.wake()
  }
  sent({ channel }: Client, events: number): void {
    this.#parts.metrics.count('kaccy_stream_events_total', events, { form: channel.form })
  }
  /** Something was committed: look now. */
  wake(): void {
    this.#isWoken = true
    this.#rouse?.()
  }
  /** Ends every stream with 1001; a client that comes back elsewhere misses nothing. */
  close(): void {
    this.#isClosed = true
    for (const client of [...this.#clients]) client.cut(CLOSE.goingAway, 'going away')
    for (const cancel of this.#timers) cancel()
    this.#timers.clear()
    this.#ring = undefined
    this.#rouse?.()
  }

  follow(client: Client): 'follows' | 'behind' | 'unreachable' {
    const ring = this.#ring
    if (!ring?.reaches(client.position)) return 'unreachable'
    if (!client.take(ring)) return 'behind'
    if (client.isOpen) this.#followers.add(client)
    return 'follows'
  }
  begin(client: Client): boolean {
    if (this.#ring || this.#isClosed) return false
    this.#ring = new Ring(client.position, KEPT)
    this.#followers.add(client)
    void this.#loop(this.#ring)
    return true
  }
  read(after: number, { subject, types }: StreamFilter): Promise<Past | undefined> {
    const { engine, logger } = this.#parts
    // Patterns are for the client; the store knows types only.
    const exact = types?.every((type) => !type.includes('*')) === true ? types : undefined
    return this.#readers.take(async () => {
      try {
        // All up to this number was committed before the page is read, so a page that is not full has all of it.
        const head = await engine.eventHead()
        const page = await engine.events({
          after,
          limit: PAGE,
          ...(subject === undefined ? {} : { subject }),
          ...(exact === undefined ? {} : { types: exact }),
        })
        const isEnd = page.length < PAGE
        const last = page.at(-1)?.seq ?? after
        const frames = page.map((event) => new Frame(event))
        return { frames, upTo: isEnd ? Math.max(head, last) : last, isEnd }
      } catch (error) {
        logger.log('warn', 'events could not be read for a stream', { reason: String(error) })
        return undefined
      }
    })
  }
  pause(milliseconds: number): Promise<void> {
    return new Promise((resolve) => {
      const cancel = this.later(milliseconds, resolve)
      if (!this.#isClosed) return
      cancel()
      resolve()
    })
  }
  later(milliseconds: number, action: () => void): () => void {
    return systemTimers.after(milliseconds, action)
  }

  async #loop(ring: Ring): Promise<void> {
    let failures = 0
    while (this.#ring === ring) {
      this.#isWoken = false
      let isMore = false
      try {
        isMore = await this.#turn(ring)
        failures = 0
      } catch (error) {
        failures += 1
        this.#parts.logger.log('warn', 'events could not be read for the streams', {
          reason: String(error),
          failures,
        })
      }
      if (this.#ring !== ring) return
      if (this.#followers.size === 0) {
        this.#ring = undefined
        return
      }
      if (failures > 0 || (!isMore && !this.#isWoken))
        await this.#sleep(pauseAfter(failures, this.settings.pollMs))
    }
  }
  /** Reads one page and gives it out. True: there may be more. */
  async #turn(ring: Ring): Promise<boolean> {
    const page = await this.#parts.engine.events({ after: ring.last, limit: PAGE })
    await this.#judge(page)
    ring.push(page.map((event) => new Frame(event)))
    if (page.length > 0) await this.#pump(ring)
    return page.length === PAGE
  }
  /** A key that was changed or revoked: its streams know before they get anything that came behind. */
  async #judge(page: readonly EngineEvent[]): Promise<void> {
    const changed = page.filter(({ type }) => type.startsWith('key.'))
    for (const key of new Set(changed.map(({ subject }) => subject)))
      if (this.#keys.has(key)) await this.#keys.recheck(key)
  }
  async #pump(ring: Ring): Promise<void> {
    let served = 0
    for (const client of [...this.#followers]) {
      if (!client.isOpen) continue
      if (!client.take(ring)) {
        this.#followers.delete(client)
        void client.run()
      }
      served += 1
      if (served % CLIENTS_PER_BREATH === 0) await new Promise(setImmediate)
    }
  }
  #sleep(milliseconds: number): Promise<void> {
    return new Promise((resolve) => {
      const rouse = () => {
        cancel()
        this.#rouse = undefined
        resolve()
      }
      const cancel = this.later(milliseconds, rouse)
      this.#rouse = rouse
    })
  }
  #beat(): void {
    for (const client of [...this.#clients])
      if (!client.channel.beat(client.position)) {
        client.gone('dead')
        client.channel.terminate()
      }
  }
  #count({ channel: { form } }: Client, by: 1 | -1): void {
    this.#open[form] += by
    this.#parts.metrics.gauge('kaccy_stream_clients', this.#open[form], { form })
  }
  #every(milliseconds: number, action: () => Promise<void>): void {
    const again = () => {
      const cancel = this.later(milliseconds, () => {
        this.#timers.delete(cancel)
        void action().finally(() => {
          if (!this.#isClosed) again()
        })
      })
      this.#timers.add(cancel)
    }
    again()
  }
}
