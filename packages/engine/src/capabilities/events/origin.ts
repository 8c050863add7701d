import type { Origin, OriginOf, Transactor } from '../../kernel/index.ts'
import type { EventRows, NewEvent } from './ports.ts'
import type { EventsTx } from './service.ts'

/** The doors of a transaction that works for a request: what is told in it says so. */
const originating = <Tx extends EventsTx>(tx: Tx, origin: Origin): Tx =>
  Object.create(tx, {
    origin: { value: origin, enumerable: true },
    events: {
      enumerable: true,
      get: (): EventRows => ({
        ...tx.events,
        append: (at, events) =>
          tx.events.append(
            at,
            events.map((event): NewEvent => ({ origin, ...event })),
          ),
      }),
    },
  }) as Tx

/**
 * The same store, which notes in every event and audit entry the request that its transaction was asked for by. Not for
 * transactions that many requests share: those name the request with each event and entry.
 */
export const originatingStore = <Tx extends EventsTx, S extends Transactor<Tx>>(
  store: S,
  originOf: OriginOf | undefined,
): S =>
  originOf === undefined
    ? store
    : {
        ...store,
        transact: <T>(work: (tx: Tx) => Promise<T>): Promise<T> => {
          const origin = originOf()
          return store.transact(origin ? (tx) => work(originating(tx, origin)) : work)
        },
      }
