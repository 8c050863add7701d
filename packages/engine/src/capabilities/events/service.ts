import type { Transactor } from '../../kernel/index.ts'
import type { EngineEvent, EventFilter, EventRows, NewEvent } from './ports.ts'

/** The row door of this capability. */
export interface EventsTx {
  readonly events: EventRows
}

/**
 * Writes events in the transaction of what they tell of. Takes the lock on the counter, which every writer needs: call it
 * last in a transaction. `at` in milliseconds since the epoch.
 */
export const appendEvents = (
  tx: EventsTx,
  at: number,
  events: readonly NewEvent[],
): Promise<readonly EngineEvent[]> =>
  events.length === 0 ? Promise.resolve([]) : tx.events.append(at, events)

const PAGE = 500

/** Every event that matches, in order, read a page at a time. Ends at the newest. */
export async function* eventsAfter(
  store: Transactor<EventsTx>,
  filter: Omit<EventFilter, 'limit'>,
): AsyncGenerator<EngineEvent> {
  let { after } = filter
  for (;;) {
    const page = await store.read((tx) => tx.events.list({ ...filter, after, limit: PAGE }))
    yield* page
    after = page.at(-1)?.seq ?? after
    if (page.length < PAGE) return
  }
}
