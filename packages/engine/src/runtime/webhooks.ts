import {
  createDispatcher,
  type Dispatcher,
  type DispatcherOptions,
} from '../capabilities/webhooks/index.ts'
import type { Store } from './store.ts'

export interface RunWebhooksOptions extends DispatcherOptions {
  readonly store: Store
}

/**
 * Delivers webhooks until it is stopped. Beside `runEngine`, in the same process or in one of its own; any number of processes
 * may do so on one store. Wake it after each commit of this process: `wakingStore(store, () => running.wake())` of
 * `@kaccy/bitcoin/events` is the store to make the engine with.
 */
export const runWebhooks = (options: RunWebhooksOptions): Dispatcher => createDispatcher(options)
