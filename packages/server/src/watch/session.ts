import {
  type Engine,
  type Running,
  type RunOptions,
  runEngine,
  type Store,
  type SyncProgress,
} from '@kaccy/bitcoin'
import { systemClock, systemTimers } from '@kaccy/bitcoin/adapters/system'
import type { ChainSource } from '@kaccy/bitcoin/chain'
import type { Logger, OrderId } from '@kaccy/bitcoin/kernel'
import { eventsAfter, readSnapshot } from '../host/snapshot.ts'
import type { Snapshot } from '../view/model.ts'
import type { Presenter } from '../view/presenter.ts'
import { EVENT_ROWS } from '../view/screen.ts'

export interface SessionOptions {
  readonly engine: Engine
  readonly store: Store
  readonly source: ChainSource
  readonly presenter: Presenter
  readonly logger: Logger
  /** For messages about the node. */
  readonly nodeUrl: string
  readonly pollMs: number
  readonly stallMs?: number
  readonly focus?: OrderId
  /** The last event that the reader has seen; the newest one unless said. */
  readonly after?: number
  /** Ends every wait of the session. */
  readonly signal: AbortSignal
}

/** The engine's loop together with what is shown of it. */
export interface Session {
  /** Looks now, and resolves with the first state that fits. Undefined when the session was asked to stop before. */
  until(fits: (snapshot: Snapshot) => boolean): Promise<Snapshot | undefined>
  /** Resolves when the loop ended. @throws what no waiting can heal */
  readonly ended: Promise<void>
  /** Lets the look that is under way commit, shows its result, then ends. */
  stop(): Promise<void>
}

/** A clean end that takes longer is explained. */
const SLOW_MS = 1_500
/** Blocks behind the node that are worth a word. */
const FAR_BEHIND = 10

interface Waiting {
  readonly fits: (snapshot: Snapshot) => boolean
  readonly resolve: (snapshot: Snapshot | undefined) => void
}

export async function startSession(options: SessionOptions): Promise<Session> {
  const { engine, store, presenter, signal } = options
  let shown = options.after ?? (await store.read((tx) => tx.events.head()))
  let waiting: Waiting[] = []
  let failure: unknown
  let turn: Promise<void> = Promise.resolve()

  async function refresh(): Promise<void> {
    const fresh = await eventsAfter(engine, shown)
    const snapshot = await readSnapshot(engine, store, options.focus, EVENT_ROWS)
    shown = fresh.at(-1)?.seq ?? shown
    presenter.show(snapshot, fresh)
    const met = waiting.filter(({ fits }) => fits(snapshot))
    waiting = waiting.filter((other) => !met.includes(other))
    for (const { resolve } of met) resolve(snapshot)
  }
  const release = () => {
    for (const { resolve } of waiting.splice(0)) resolve(undefined)
  }
  /** One after the other, so that no older state is shown over a newer one. */
  const queueRefresh = () => {
    turn = turn.then(refresh).catch((error: unknown) => {
      failure ??= error
      release()
      void running.stop().catch(() => {
        // The loop's own end is reported by `ended`.
      })
    })
  }

  const running: Running = runEngine({ ...loopOf(options), onReport: queueRefresh })
  const ended = running.ended.then(
    async () => {
      await turn
      if (failure !== undefined) throw failure
    },
    async (error: unknown) => {
      release()
      throw error
    },
  )
  // Whoever awaits `ended` gets the error; nobody awaiting it yet is no unhandled rejection.
  ended.catch(() => {
    // See above.
  })
  signal.addEventListener('abort', release, { once: true })

  return {
    ended,
    async until(fits) {
      if (signal.aborted) return undefined
      const met = new Promise<Snapshot | undefined>((resolve) => {
        waiting.push({ fits, resolve })
      })
      running.wake()
      queueRefresh()
      const over = ended.then(() => undefined)
      return Promise.race([met, over])
    },
    async stop() {
      signal.removeEventListener('abort', release)
      const trouble = 'stopping: a look is under way; Ctrl-C again ends at once, and loses nothing'
      const patience = systemTimers.after(SLOW_MS, () =>
        presenter.node({ url: options.nodeUrl, trouble }),
      )
      try {
        await running.stop()
        await ended
      } finally {
        patience()
      }
    },
  }
}

/** Tells how far long work has come, in the place where troubles stand. */
export function progressTo(presenter: Presenter, url: string): SyncProgress {
  return {
    onBlocks: (tip, target) => {
      if (target.height - tip.height >= FAR_BEHIND)
        presenter.node({ url, trouble: `catching up: block ${tip.height} of ${target.height}` })
    },
    onRescan: ({ height, from, to }) => {
      if (to - from >= FAR_BEHIND)
        presenter.node({ url, trouble: `rescan: block ${Math.min(height, to)} of ${to}` })
    },
  }
}

/** The engine's loop, with its troubles told as they come and go. */
function loopOf(options: SessionOptions): RunOptions {
  const { presenter, nodeUrl: url } = options
  return {
    engine: options.engine,
    source: options.source,
    clock: systemClock,
    timers: systemTimers,
    logger: options.logger,
    pollMs: options.pollMs,
    ...(options.stallMs === undefined ? {} : { stallMs: options.stallMs }),
    ...progressTo(presenter, url),
    onHealth: ({ degraded, failure: bad }) => {
      const trouble = bad ? `${bad.code}: ${bad.message}; trying again` : degradedText(degraded)
      presenter.node({ url, ...(trouble === undefined ? {} : { trouble }) })
    },
  }
}

const DEGRADED: Readonly<Record<string, string>> = {
  initial_block_download: 'the node is still downloading the chain',
  node_behind_its_headers: 'the node lacks blocks whose headers it knows',
  node_behind_us: 'the node lacks blocks that we have seen',
  tip_is_old: 'no block for a long time: is the node cut off?',
  unreachable: 'the node cannot be reached',
}
const degradedText = (degraded: string | undefined): string | undefined =>
  degraded === undefined ? undefined : `${DEGRADED[degraded] ?? degraded} (${degraded})`
