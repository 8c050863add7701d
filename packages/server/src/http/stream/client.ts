import { type EventGrant, matchesType, mayEventBeSeen } from '@kaccy/bitcoin/events'
import type { Channel } from './channel.ts'
import type { Frame } from './frame.ts'
import { CLOSE, type CloseCode, type StreamSettings } from './policy.ts'
import type { Ring } from './ring.ts'

/** Which events a client asked for, among those that it may see. */
export interface StreamFilter {
  readonly subject?: string
  /** Exact, `area.*` or `*`. */
  readonly types?: readonly string[]
}
export interface ClientOptions {
  readonly channel: Channel
  readonly filter: StreamFilter
  readonly grant: EventGrant
  /** Id of its key; undefined for a principal of this process, who is not looked at again. */
  readonly key?: string
  /** From where it connected: its key may be limited to addresses. */
  readonly address: string
  /** It gets what comes behind this number. */
  readonly after: number
}

/** One page of the past, read for one client. */
export interface Past {
  readonly frames: readonly Frame[]
  /** Nothing up to here is left. */
  readonly upTo: number
  /** It was the newest there was. */
  readonly isEnd: boolean
}
/** What a client needs of the hub. */
export interface Home {
  readonly settings: StreamSettings
  /** Lets a client follow, if what the hub remembers begins before its position. */
  follow(client: Client): 'follows' | 'behind' | 'unreachable'
  /** Begins to follow from the position of the first client. False when the hub follows already. */
  begin(client: Client): boolean
  /** The past behind a position. Undefined when the store cannot be read now. */
  read(after: number, filter: StreamFilter): Promise<Past | undefined>
  remove(client: Client, why: string): void
  sent(client: Client, events: number): void
  /** Resolves after `milliseconds`, or when the hub closes. */
  pause(milliseconds: number): Promise<void>
  /** Calls `action` later; the answer takes it back. */
  later(milliseconds: number, action: () => void): () => void
}

/**
 * One open stream. Its position alone decides what it still gets, so nothing comes twice and nothing is left out, however it
 * changes between its two ways of life: following the hub, or reading the store by itself at its own pace.
 */
export class Client {
  readonly key: string | undefined
  readonly address: string
  readonly filter: StreamFilter
  readonly channel: Channel
  /** Changes when the key changes. */
  grant: EventGrant
  #position: number
  #isOpen = true
  /** Takes back that the connection is broken off when the other side does not close it. */
  #spare: () => void = () => {}
  readonly #hub: Home

  constructor(hub: Home, { channel, filter, grant, key, address, after }: ClientOptions) {
    this.#hub = hub
    this.channel = channel
    this.filter = filter
    this.grant = grant
    this.key = key
    this.address = address
    this.#position = after
  }
  /** Everything up to here was handed over, or is not for it. */
  get position(): number {
    return this.#position
  }
  get isOpen(): boolean {
    return this.#isOpen
  }

  /** Takes what the ring has for it. False when too much waits for it, or the ring does not reach it: then it has to `run`. */
  take(ring: Ring): boolean {
    if (!ring.reaches(this.#position)) return false
    this.#give(ring.after(this.#position))
    return this.#position >= ring.last && this.channel.waiting <= this.#hub.settings.highWater
  }

  /** Reads from the store until it can follow. Never rejects. */
  async run(): Promise<void> {
    const { pollMs } = this.#hub.settings
    while (this.#isOpen) {
      if (!(await this.#drained())) return
      const joined = this.#hub.follow(this)
      if (joined === 'follows') return
      if (joined === 'behind') continue
      const page = await this.#hub.read(this.#position, this.filter)
      if (!this.#isOpen) return
      if (!page) await this.#hub.pause(pollMs)
      else if (this.#give(page.frames)) {
        this.#position = Math.max(this.#position, page.upTo)
        if (page.isEnd && this.#hub.begin(this)) return
      }
    }
  }

  /** Ends the stream, saying why and from where to go on. */
  cut(code: CloseCode, why: string): void {
    if (!this.#isOpen) return
    this.gone(why)
    this.channel.close(code, `${why}; resume with after=${this.#position}`)
    this.#spare = this.#hub.later(this.#hub.settings.closeMs, () => this.channel.terminate())
  }
  /** The connection has ended. */
  gone(why: string): void {
    // A timer that nobody needs would keep a process that is asked to end.
    this.#spare()
    if (!this.#isOpen) return
    this.#isOpen = false
    this.#hub.remove(this, why)
  }

  /** Hands over what is for it. False when it stopped on the way because enough is waiting. */
  #give(frames: readonly Frame[]): boolean {
    const { highWater } = this.#hub.settings
    const chosen: Frame[] = []
    let bytes = this.channel.waiting
    let isWhole = true
    for (const frame of frames) {
      if (bytes > highWater) {
        isWhole = false
        break
      }
      this.#position = frame.seq
      if (!this.#wants(frame)) continue
      chosen.push(frame)
      bytes += frame.json.length
    }
    if (chosen.length > 0) {
      this.channel.write(chosen)
      this.#hub.sent(this, chosen.length)
    }
    return isWhole
  }
  #wants({ event }: Frame): boolean {
    const { subject, types } = this.filter
    if (subject !== undefined && event.subject !== subject) return false
    if (types !== undefined && !matchesType(event.type, types)) return false
    return mayEventBeSeen(event, this.grant)
  }

  /** Waits until the client has read what was handed over; one that does not is cut. */
  async #drained(): Promise<boolean> {
    let isLate = false
    const cancel = this.#hub.later(this.#hub.settings.drainMs, () => {
      isLate = true
      this.cut(CLOSE.slow, 'too slow')
    })
    await this.channel.flushed()
    cancel()
    return this.#isOpen && !isLate
  }
}
