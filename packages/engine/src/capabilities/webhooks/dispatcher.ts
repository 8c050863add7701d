import {
  EngineError,
  type Logger,
  type Metrics,
  silentLogger,
  silentMetrics,
  silentTracer,
  type Tracer,
} from '../../kernel/index.ts'
import type { DeliveryOptions } from './delivery.ts'
import { Feed } from './feed.ts'
import { GIVE_UP_MS, KEEP, LEASE_MS } from './policy.ts'
import { type WorkerOptions, work } from './worker.ts'

export interface DispatcherOptions
  extends Omit<DeliveryOptions, 'logger' | 'metrics' | 'tracer' | 'userAgent'> {
  readonly logger?: Logger
  readonly metrics?: Metrics
  readonly tracer?: Tracer
  /** Look at least this often, for what other processes committed. Milliseconds; default 1000. */
  readonly pollMs?: number
  /**
   * Subscriptions delivered at a time; default 100. One that has waited two seconds for its receiver counts no longer, up to
   * four times as many in all, so that slow receivers do not take the places of quick ones.
   */
  readonly concurrency?: number
  /** How long a claim holds without a sign of life; several times what the sender may take. Default 30 seconds. */
  readonly leaseMs?: number
  /** Failing for this long pauses a subscription. Default 5 days. */
  readonly giveUpMs?: number
  /** What the log of deliveries keeps: so many of each webhook, and none older than that. Default 1000 and 30 days. */
  readonly keep?: { readonly perWebhook?: number; readonly forMs?: number }
  readonly userAgent?: string
}
/** How the loop stands. */
export interface DispatcherHealth {
  /** When the last look at the store succeeded, milliseconds since the epoch. */
  readonly lastLookAt: number | undefined
  readonly failure: string | undefined
  /** Subscriptions that are being delivered now, and how many of them wait for a slow receiver. */
  readonly delivering: number
  readonly slow: number
}
export interface Dispatcher {
  /** Something was committed: look now. See `wakingStore` of `events`. */
  wake(): void
  health(): DispatcherHealth
  /** Begins no further attempt and lets those that run end; after `graceMs` (default 10 seconds) they are cut off. */
  stop(graceMs?: number): Promise<void>
  readonly ended: Promise<void>
}

const CLEAN_EVERY_MS = 60 * 60_000
const CLEAN_AT_ONCE = 1000
const MEASURE_EVERY_MS = 10_000
const GRACE_MS = 10_000

/** Delivers everything that waits, until it is stopped. Any number of processes may run one on the same store. */
export function createDispatcher(options: DispatcherOptions): Dispatcher {
  const loop = new Loop(options)
  const ended = loop.run()
  return {
    wake: () => loop.wake(),
    health: () => loop.health(),
    async stop(graceMs = GRACE_MS) {
      loop.stop()
      const cancel = options.timers.after(graceMs, () => loop.cut())
      await ended
      cancel()
    },
    ended,
  }
}

class Loop {
  readonly #options: DispatcherOptions
  readonly #worker: WorkerOptions
  readonly #feed: Feed
  readonly #running = new Map<string, Promise<void>>()
  /** Those whose worker failed; the store is asked again after a while, not at once. */
  readonly #resting = new Map<string, () => void>()
  readonly #cut = new AbortController()
  #slow = 0
  #stopping = false
  #woken = false
  #rouse: () => void = () => {}
  #cleanedAt = Number.NEGATIVE_INFINITY
  #measuredAt = Number.NEGATIVE_INFINITY
  #lastLookAt: number | undefined
  #failure: string | undefined

  constructor(options: DispatcherOptions) {
    this.#options = options
    this.#feed = new Feed(options.store, options.clock)
    this.#worker = {
      ...options,
      logger: options.logger ?? silentLogger,
      metrics: options.metrics ?? silentMetrics,
      tracer: options.tracer ?? silentTracer,
      userAgent: options.userAgent ?? 'kaccy-bitcoin',
      leaseMs: options.leaseMs ?? LEASE_MS,
      giveUpMs: options.giveUpMs ?? GIVE_UP_MS,
      keep: options.keep?.perWebhook ?? KEEP.perWebhook,
      isStopping: () => this.#stopping,
      signal: this.#cut.signal,
      onSlow: (isSlow) => {
        this.#slow += isSlow ? 1 : -1
        this.wake()
      },
    }
  }
  wake(): void {
    this.#woken = true
    this.#rouse()
  }
  stop(): void {
    this.#stopping = true
    this.#rouse()
  }
  cut(): void {
    this.#cut.abort()
  }
  health(): DispatcherHealth {
    return {
      lastLookAt: this.#lastLookAt,
      failure: this.#failure,
      delivering: this.#running.size,
      slow: this.#slow,
    }
  }

  async run(): Promise<void> {
    while (!this.#stopping) {
      this.#woken = false
      const wait = await this.#look()
      if (!this.#woken) await this.#sleep(wait)
    }
    await Promise.all(this.#running.values())
    for (const cancel of this.#resting.values()) cancel()
  }

  /** Answers for how long nothing is to do. */
  async #look(): Promise<number> {
    const { clock, pollMs = 1000 } = this.#options
    try {
      await this.#feed.advance()
      const next = await this.#begin()
      await this.#clean()
      await this.#measure()
      this.#lastLookAt = clock.now()
      this.#failure = undefined
      return Math.min(pollMs, Math.max(0, (next ?? Number.POSITIVE_INFINITY) - clock.now()))
    } catch (error) {
      this.#failure = this.#note('looking for deliveries failed', error)
      return pollMs
    }
  }

  /** Begins what is due as far as there is room. Answers when the next one is due that could be begun then. */
  async #begin(): Promise<number | undefined> {
    const { store, clock, concurrency = 100 } = this.#options
    const room = Math.min(
      concurrency - (this.#running.size - this.#slow),
      4 * concurrency - this.#running.size,
    )
    // Whoever ends makes room and wakes this loop.
    if (room <= 0) return undefined
    const at = clock.now()
    const { due, next } = await store.read(async (tx) => {
      const due = await tx.webhooks.due(at, room)
      return { due, next: due.length > 0 ? undefined : await tx.webhooks.nextDue(at) }
    })
    for (const id of due) this.#start(id)
    return next
  }

  #start(id: string): void {
    if (this.#running.has(id) || this.#resting.has(id)) return
    const run = work(this.#worker, id)
      // What it held runs out and is tried again, here or elsewhere.
      .catch((error: unknown) => this.#rest(id, error))
      .then(() => {
        this.#running.delete(id)
        this.wake()
      })
    this.#running.set(id, run)
  }
  #rest(id: string, error: unknown): void {
    this.#note(`delivering to ${id} failed`, error)
    const { timers, pollMs = 1000 } = this.#options
    const cancel = timers.after(pollMs, () => {
      this.#resting.delete(id)
      this.wake()
    })
    this.#resting.set(id, cancel)
  }

  async #clean(): Promise<void> {
    const { store, clock, keep } = this.#options
    const now = clock.now()
    if (now - this.#cleanedAt < CLEAN_EVERY_MS) return
    const before = now - (keep?.forMs ?? KEEP.forMs)
    const gone = await store.transact((tx) => tx.webhooks.forgetBefore(before, CLEAN_AT_ONCE))
    if (gone > 0) this.#worker.metrics.count('kaccy_webhook_deliveries_forgotten_total', gone)
    // The rest at the next look: nothing that is due waits for it.
    if (gone < CLEAN_AT_ONCE) this.#cleanedAt = now
  }

  /** For whoever watches: how far behind the slowest is. */
  async #measure(): Promise<void> {
    const { store, clock } = this.#options
    if (clock.now() - this.#measuredAt < MEASURE_EVERY_MS) return
    this.#measuredAt = clock.now()
    const lag = await store.read(async (tx) => {
      const slowest = await tx.webhooks.slowest()
      return slowest ? (await tx.events.head()) - slowest.cursor : 0
    })
    this.#worker.metrics.gauge('kaccy_webhook_lag_events', lag)
  }

  #note(what: string, error: unknown): string {
    const message = error instanceof Error ? error.message : String(error)
    const code = error instanceof EngineError ? error.code : 'bug'
    const level = error instanceof EngineError ? 'warn' : 'error'
    this.#worker.logger.log(level, what, { code, error: message })
    return message
  }

  #sleep(ms: number): Promise<void> {
    if (this.#stopping) return Promise.resolve()
    return new Promise((resolve) => {
      const rouse = () => {
        cancel()
        this.#rouse = () => {}
        resolve()
      }
      const cancel = this.#options.timers.after(ms, rouse)
      this.#rouse = rouse
    })
  }
}
