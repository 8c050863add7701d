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
  const { engine, clock, timers } = options
  const logger = options.logger ?? silentLogger
  const metrics = options.metrics ?? silentMetrics
  const startedAt = clock.now()
  let health: Health = {
    lastSyncAt: undefined,
    degraded: undefined,
    failure: undefined,
    failures: 0,
  }
  let stopping = false
  let interrupt: () => void = () => {}
  let woken = false

  const wake = () => {
    woken = true
    interrupt()
  }
  const setHealth = (next: Health) => {
    health = next
    options.onHealth?.(next)
  }

  async function alarmWhenStalled(): Promise<void> {
    const since = health.lastSyncAt ?? startedAt
    const silentFor = clock.now() - since
    if (silentFor < (options.stallMs ?? STALL_MS)) return
    await engine.raise([
      {
        key: `stalled/${since}`,
        kind: 'chain_stalled',
        severity: 'critical',
        subject: 'chain',
        message: `The chain has not been read for ${Math.floor(silentFor / 1000)} s: ${health.failure?.message ?? 'the node does not answer'}`,
        data: { since, code: health.failure?.code ?? null },
      },
    ])
  }

  async function look(): Promise<void> {
    try {
      const report = await engine.sync(options)
      if (report.degraded !== health.degraded && report.degraded)
        logger.log('warn', 'the node is degraded', { reason: report.degraded })
      setHealth({
        lastSyncAt: clock.now(),
        degraded: report.degraded,
        failure: undefined,
        failures: 0,
      })
      metrics.gauge('kaccy_chain_height', report.tip.height)
      options.onReport?.(report)
    } catch (error) {
      const known = error instanceof EngineError
      // Our own bug, or a database that cannot be written: nothing may go on as if it were fine.
      if (!known || FATAL.includes(error.code)) throw error
      const failure = {
        code: error.code,
        message: error.message,
        since: health.failure?.since ?? clock.now(),
      }
      setHealth({ ...health, degraded: 'unreachable', failure, failures: health.failures + 1 })
      metrics.count('kaccy_chain_looks_failed_total', 1, { code: error.code })
      logger.log('warn', 'looking at the node failed', { code: error.code, message: error.message })
    }
    await alarmWhenStalled().catch((error: unknown) => {
      if (!(error instanceof EngineError)) throw error
      logger.log('error', 'the stall alarm could not be stored', { code: error.code })
    })
  }

  const waitForTurn = () =>
    new Promise<void>((resolve) => {
      const cancel = timers.after(options.pollMs ?? POLL_MS, resolve)
      interrupt = () => {
        cancel()
        resolve()
      }
      if (stopping || woken) interrupt()
    })

  async function loop(): Promise<void> {
    const unlisten = options.source.onWake?.(wake)
    try {
      while (!stopping) {
        woken = false
        await look()
        await waitForTurn()
      }
    } finally {
      unlisten?.()
    }
  }

  const ended = loop()
  return {
    wake,
    health: () => health,
    stop() {
      stopping = true
      interrupt()
      return ended
    },
    ended,
  }
}
