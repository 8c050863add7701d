import {
  assert,
  type Clock,
  type Logger,
  silentLogger,
  type Transactor,
} from '../../kernel/index.ts'
import type { EventsTx } from './service.ts'
import {
  createSubscription,
  type EventHandler,
  type Subscription,
  type SubscriptionStatus,
  type Timer,
} from './subscription.ts'

export type { EventHandler, Subscription, SubscriptionStatus, Timer } from './subscription.ts'

export interface SubscribeOptions {
  /** Only events of these types. */
  readonly types?: readonly string[]
}
export interface SubscribersOptions {
  readonly store: Transactor<EventsTx>
  readonly clock: Clock
  readonly timer: Timer
  readonly logger?: Logger
  /** Look at least this often, for what other processes committed. Milliseconds; default 1000. */
  readonly pollMs?: number
}
export interface Subscribers {
  /**
   * Delivers every event after the cursor of `name` to `handler`, one at a time, in order, each at least once (I30). The
   * cursor is stored after the handler resolved. A handler that fails is tried again with growing pauses and holds up
   * nobody else. One process at a time should run a name; two deliver everything twice.
   */
  subscribe(name: string, handler: EventHandler, options?: SubscribeOptions): Subscription
  /** Something was committed: look now. See `wakingStore`. */
  wake(): void
  /** Where everybody stands, for the operator. */
  status(): readonly SubscriptionStatus[]
  /** Waits for handlers that run, stores the cursors, and ends. */
  close(): Promise<void>
}

export function createSubscribers(options: SubscribersOptions): Subscribers {
  const { store, clock, timer, logger = silentLogger, pollMs = 1000 } = options
  const running = new Map<string, Subscription>()
  let closed = false
  return {
    subscribe(name, handler, { types } = {}) {
      assert(!closed, 'the subscribers are closed')
      assert(!running.has(name), `subscriber ${name} runs already in this process`)
      const subscription = createSubscription({
        name,
        handler,
        store,
        clock,
        timer,
        logger,
        pollMs,
        ...(types === undefined ? {} : { types }),
        onStop: () => running.delete(name),
      })
      running.set(name, subscription)
      return subscription
    },
    wake() {
      for (const subscription of running.values()) subscription.wake()
    },
    status: () => [...running.values()].map((subscription) => subscription.status()),
    async close() {
      closed = true
      await Promise.all([...running.values()].map((subscription) => subscription.stop()))
    },
  }
}

/** The same store, which says so after every commit: subscribers need not wait for their next poll. */
export const wakingStore = <Tx, S extends Transactor<Tx>>(store: S, wake: () => void): S => ({
  ...store,
  transact: async <T>(work: (tx: Tx) => Promise<T>): Promise<T> => {
    const result = await store.transact(work)
    wake()
    return result
  },
})
