import type { Clock, Logger, Transactor } from '../../kernel/index.ts'
import { backoffMs, SKIP_WORTH_SAVING } from './policy.ts'
import type { EngineEvent } from './ports.ts'
import type { EventsTx } from './service.ts'

const PAGE = 100

/** Waiting as a port, so that a simulation can make it instant. */
export interface Timer {
  /** Calls `run` once after `ms`; the answer takes the call back. */
  after(ms: number, run: () => void): () => void
}

/** Must be idempotent: an event comes again when the process dies between the handler and the cursor. */
export type EventHandler = (event: EngineEvent) => Promise<void>

/** Where one subscriber stands. */
export interface SubscriptionStatus {
  readonly name: string
  /** Everything up to here was handled. */
  readonly cursor: number
  /** Failed attempts at the event after it; 0 when it goes well. */
  readonly attempts: number
  readonly failingSince?: number
  readonly lastError?: string
}
export interface Subscription {
  /** Ends after the handler that runs now, and stores the cursor. */
  stop(): Promise<void>
  wake(): void
  status(): SubscriptionStatus
}
export interface SubscriptionOptions {
  readonly name: string
  readonly handler: EventHandler
  readonly types?: readonly string[]
  readonly store: Transactor<EventsTx>
  readonly clock: Clock
  readonly timer: Timer
  readonly logger: Logger
  readonly pollMs: number
  readonly onStop: () => void
}

export function createSubscription(options: SubscriptionOptions): Subscription {
  const loop = new Loop(options)
  const ended = loop.run()
  return {
    wake: () => loop.wake(),
    status: () => loop.status(),
    async stop() {
      loop.end()
      await ended
      options.onStop()
    },
  }
}

class Loop {
  readonly #options: SubscriptionOptions
  /** Handled so far, and how much of it is stored. */
  #cursor = 0
  #stored = 0
  #attempts = 0
  #failing: { readonly since: number; readonly error: string } | undefined
  #stopped = false
  /** Something was committed since the last look. */
  #woken = false
  #rouse: (() => void) | undefined

  constructor(options: SubscriptionOptions) {
    this.#options = options
  }

  wake(): void {
    this.#woken = true
    // While a handler is failing, a commit is no reason to try again earlier.
    if (this.#attempts === 0) this.#rouse?.()
  }
  end(): void {
    this.#stopped = true
    this.#rouse?.()
  }
  status(): SubscriptionStatus {
    return {
      name: this.#options.name,
      cursor: this.#cursor,
      attempts: this.#attempts,
      ...(this.#failing
        ? { failingSince: this.#failing.since, lastError: this.#failing.error }
        : {}),
    }
  }

  /** Never rejects: what fails is logged and tried again. */
  async run(): Promise<void> {
    await this.#trying(() => this.#begin())
    while (!this.#stopped) {
      this.#woken = false
      const more = await this.#trying(() => this.#turn())
      if (more === false && !this.#woken) await this.#sleep(this.#options.pollMs)
    }
    await this.#save().catch((error: unknown) => this.#note('cannot store its cursor', error))
  }

  async #begin(): Promise<void> {
    const { store, name } = this.#options
    this.#cursor = await store.read((tx) => tx.events.cursor(name))
    this.#stored = this.#cursor
  }

  /** Handles one page. False: everything there is was handled. */
  async #turn(): Promise<boolean> {
    const { store, types } = this.#options
    const { page, head } = await store.read(async (tx) => ({
      head: await tx.events.head(),
      page: await tx.events.list({
        after: this.#cursor,
        limit: PAGE,
        ...(types === undefined ? {} : { types }),
      }),
    }))
    for (const event of page) {
      if (this.#stopped) return false
      await this.#deliver(event)
    }
    if (page.length === PAGE) {
      await this.#save()
      return true
    }
    // Nothing else up to the head was for us: the next look begins there.
    const skipped = head - this.#cursor
    this.#cursor = Math.max(this.#cursor, head)
    if (page.length > 0 || skipped >= SKIP_WORTH_SAVING) await this.#save()
    return false
  }

  async #deliver(event: EngineEvent): Promise<void> {
    try {
      await this.#options.handler(event)
      this.#cursor = event.seq
    } catch (error) {
      // What went well before it is not delivered again, whatever happens during the pause.
      await this.#save()
      throw error
    }
  }

  async #save(): Promise<void> {
    const { store, name } = this.#options
    const cursor = this.#cursor
    if (cursor === this.#stored) return
    await store.transact((tx) => tx.events.saveCursor(name, cursor))
    this.#stored = cursor
  }

  /** Runs a step until it succeeds or the subscription ends, with growing pauses. */
  async #trying<T>(step: () => Promise<T>): Promise<T | undefined> {
    for (;;) {
      try {
        const result = await step()
        this.#attempts = 0
        this.#failing = undefined
        return result
      } catch (error) {
        this.#attempts += 1
        this.#note(`failed ${this.#attempts} times`, error)
      }
      if (!this.#stopped) await this.#sleep(backoffMs(this.#attempts))
      if (this.#stopped) return undefined
    }
  }

  #note(what: string, error: unknown): void {
    const { name, clock, logger } = this.#options
    const text = error instanceof Error ? error.message : String(error)
    this.#failing = { since: this.#failing?.since ?? clock.now(), error: text }
    logger.log('warn', `subscriber ${name} ${what}`, {
      subscriber: name,
      cursor: this.#cursor,
      attempts: this.#attempts,
      error: text,
    })
  }

  #sleep(ms: number): Promise<void> {
    if (this.#stopped) return Promise.resolve()
    return new Promise((resolve) => {
      const rouse = () => {
        cancel()
        if (this.#rouse === rouse) this.#rouse = undefined
        resolve()
      }
      const cancel = this.#options.timer.after(ms, rouse)
      this.#rouse = rouse
    })
  }
}
