import type { NewAlert } from '../capabilities/alerts/index.ts'
import type { ChainSource, Degradation } from '../capabilities/chain/index.ts'
import {
  type Clock,
  EngineError,
  type Logger,
  type Metrics,
  silentLogger,
  silentMetrics,
  type Timers,
} from '../kernel/index.ts'
import type { Engine, SyncProgress, SyncReport } from './engine.ts'

/** How following stands, for people and for readiness checks. */
export interface Health {
  /** When the last look succeeded, milliseconds since the epoch; undefined before the first. */
  readonly lastSyncAt: number | undefined
  readonly degraded: Degradation | undefined
  /** Code and message of the last failed look; undefined after a good one. */
  readonly failure:
    | { readonly code: string; readonly message: string; readonly since: number }
    | undefined
  /** Looks that failed in a row. */
  readonly failures: number
  /** Blocks that the node knew of at the last good look and that were not followed yet; undefined before the first. */
  readonly lag: number | undefined
}
export interface RunOptions extends SyncProgress {
  readonly engine: Pick<Engine, 'sync' | 'raise'>
  readonly source: Pick<ChainSource, 'onWake'>
  readonly clock: Clock
  readonly timers: Timers
  readonly logger?: Logger
  readonly metrics?: Metrics
  /** Floor of looking, also where wake-ups exist. Default 30 seconds. */
  readonly pollMs?: number
  /** Without a good look for this long, people are told. Default 5 minutes. */
  readonly stallMs?: number
  readonly onReport?: (report: SyncReport) => void
  readonly onHealth?: (health: Health) => void
}
export interface Running {
  /** Looks now instead of at the next turn. */
  wake(): void
  health(): Health
  /** Lets the look that is under way finish, then ends. */
  stop(): Promise<void>
  /** Resolves when it ended: by `stop`, or with the error that no waiting can heal. */
  readonly ended: Promise<void>
}

const POLL_MS = 30_000
const STALL_MS = 5 * 60_000
/** These do not get better by looking again; the loop ends with them so that somebody notices. */
const FATAL: readonly string[] = ['CHAIN_WRONG_NETWORK', 'CHAIN_FORK_UNKNOWN']

/** Follows the node until it is stopped: looks at every wake-up, and at least every `pollMs`. */
export function runEngine(options: RunOptions): Running {
  const loop = new Loop(options)
  const ended = loop.run()
  return {
    wake: () => loop.wake(),
    health: () => loop.health,
    stop() {
      loop.stop()
      return ended
    },
    ended,
  }
}

class Loop {
  readonly #options: RunOptions
  readonly #logger: Logger
  readonly #metrics: Metrics
  readonly #startedAt: number
  #stopping = false
  #woken = false
  /** Since when the node has been degraded for the same reason. */
  #degraded: { readonly reason: Degradation; readonly since: number } | undefined
  #interrupt: () => void = () => {}
  health: Health = {
    lastSyncAt: undefined,
    degraded: undefined,
    failure: undefined,
    failures: 0,
    lag: undefined,
  }

  constructor(options: RunOptions) {
    this.#options = options
    this.#logger = options.logger ?? silentLogger
    this.#metrics = options.metrics ?? silentMetrics
    this.#startedAt = options.clock.now()
  }
  wake(): void {
    this.#woken = true
    this.#interrupt()
  }
  stop(): void {
    this.#stopping = true
    this.#interrupt()
  }
  async run(): Promise<void> {
    const unlisten = this.#options.source.onWake?.(() => this.wake())
    try {
      while (!this.#stopping) {
        this.#woken = false
        await this.#look()
        await this.#alarmWhenStalled()
        await this.#alarmWhenDegraded()
        await this.#waitForTurn()
      }
    } finally {
      unlisten?.()
    }
  }
  #setHealth(next: Health): void {
    this.health = next
    this.#options.onHealth?.(next)
  }

  async #look(): Promise<void> {
    const { engine, clock, onReport } = this.#options
    try {
      const report = await engine.sync(this.#options)
      const { degraded, lag } = report
      if (degraded && degraded !== this.health.degraded)
        this.#logger.log('warn', 'the node is degraded', { reason: degraded })
      const lastSyncAt = clock.now()
      this.#setHealth({ lastSyncAt, degraded, failure: undefined, failures: 0, lag })
      this.#metrics.gauge('kaccy_chain_height', report.tip.height)
      onReport?.(report)
    } catch (error) {
      // Our own bug, or a chain that is not ours: nothing may go on as if it were fine.
      if (!(error instanceof EngineError) || FATAL.includes(error.code)) throw error
      this.#failed(error)
    }
  }
  #failed({ code, message }: EngineError): void {
    const { health } = this
    const since = health.failure?.since ?? this.#options.clock.now()
    this.#setHealth({
      ...health,
      degraded: code === 'CHAIN_NODE_BEHIND' ? 'node_behind_us' : 'unreachable',
      failure: { code, message, since },
      failures: health.failures + 1,
    })
    this.#metrics.count('kaccy_chain_looks_failed_total', 1, { code })
    this.#logger.log('warn', 'looking at the node failed', { code, reason: message })
  }

  async #alarmWhenStalled(): Promise<void> {
    const { clock, stallMs = STALL_MS } = this.#options
    const { lastSyncAt: since = this.#startedAt, failure } = this.health
    const silentFor = clock.now() - since
    if (silentFor < stallMs) return
    const reason = failure?.message ?? 'the node does not answer'
    const seconds = Math.floor(silentFor / 1000)
    await this.#raise({
      key: `stalled/${since}`,
      kind: failure?.code === 'CHAIN_NODE_BEHIND' ? 'node_behind' : 'chain_stalled',
      severity: 'critical',
      subject: 'chain',
      message: `The chain has not been read for ${seconds} s: ${reason}`,
      data: { since, code: failure?.code ?? null },
    })
  }

  /** A node that answers and cannot be trusted fully is told like one that does not answer (I25). */
  async #alarmWhenDegraded(): Promise<void> {
    const { clock, stallMs = STALL_MS } = this.#options
    const reason = this.health.failure ? undefined : this.health.degraded
    if (reason !== this.#degraded?.reason) this.#degraded = reason && { reason, since: clock.now() }
    if (!this.#degraded) return
    const { since } = this.#degraded
    // An old tip has been waited for already.
    if (reason !== 'tip_is_old' && clock.now() - since < stallMs) return
    await this.#raise({
      key: `degraded/${reason}/${since}`,
      kind: reason === 'tip_is_old' ? 'chain_stalled' : 'node_behind',
      severity: 'warning',
      subject: 'chain',
      message: `The node answers, but cannot be trusted fully: ${reason}. Nothing expires meanwhile`,
      data: { reason: reason ?? null, since },
    })
  }

  async #raise(alert: NewAlert): Promise<void> {
    try {
      await this.#options.engine.raise([alert])
    } catch (error) {
      if (!(error instanceof EngineError)) throw error
      this.#logger.log('error', 'an alarm about the chain could not be stored', {
        code: error.code,
      })
    }
  }

  #waitForTurn(): Promise<void> {
    const { timers, pollMs = POLL_MS } = this.#options
    return new Promise((resolve) => {
      const cancel = timers.after(pollMs, resolve)
      this.#interrupt = () => {
        cancel()
        resolve()
      }
      if (this.#stopping || this.#woken) this.#interrupt()
    })
  }
}
