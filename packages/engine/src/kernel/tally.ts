import { type Metrics, silentMetrics } from './observe.ts'
import type { Transactor } from './store.ts'

/** Counts what transactions did, and only what they did: a count reaches the metrics after its transaction is durable. */
export interface Tally<Tx extends object> {
  /** Counts for this transaction. Dropped when it is undone or runs again. */
  of(tx: Tx): Metrics
}

type Count = (metrics: Metrics) => void

/**
 * A store and the tally of its transactions. A transaction may run more than once, and may come to nothing: what its work
 * counts is kept aside, and handed on once for the run that was committed.
 */
export function createTally<Tx extends object>(
  store: Transactor<Tx>,
  metrics: Metrics,
): { readonly store: Transactor<Tx>; readonly tally: Tally<Tx> } {
  const open = new WeakMap<Tx, Count[]>()
  const tallied: Transactor<Tx> = {
    read: (work) => store.read(work),
    async transact(work) {
      let counts: Count[] = []
      const result = await store.transact((tx) => {
        counts = []
        open.set(tx, counts)
        return work(tx)
      })
      for (const count of counts) count(metrics)
      return result
    },
  }
  return {
    store: tallied,
    tally: {
      of(tx) {
        const counts = open.get(tx)
        if (!counts) return silentMetrics
        return {
          count: (...args) => counts.push((to) => to.count(...args)),
          gauge: (...args) => counts.push((to) => to.gauge(...args)),
          observe: (...args) => counts.push((to) => to.observe(...args)),
        }
      },
    },
  }
}
