import { systemTimers } from '@kaccy/bitcoin/adapters/system'
import type { Logger, Metrics } from '@kaccy/bitcoin/kernel'
import type { Config } from '../config/settings.ts'
import type { Host } from '../host/host.ts'
import type { Readiness } from '../operations/readiness.ts'

export interface ChoreParts {
  readonly host: Host
  readonly config: Config
  readonly logger: Logger
  readonly metrics: Metrics
  readonly readiness: () => Promise<Readiness>
}
export interface Chores {
  /** Ends after what runs now, and does each once more where something could be lost. */
  stop(): Promise<void>
}

const HOUR_MS = 60 * 60_000
const SECOND_MS = 1000

/** What has to be done now and then, beside requests: none of it holds up any other. */
export function startChores(parts: ChoreParts): Chores {
  const { host, config, logger } = parts
  const touch = async () => void (await host.engine.access.touch())
  const prune = async () => {
    await host.engine.idempotency.prune(config['idempotency.keep_hours'] * HOUR_MS)
  }
  const running = [
    every(5 * SECOND_MS, 'noting the use of keys', touch, logger),
    every(HOUR_MS, 'forgetting old answers', prune, logger),
    every(10 * SECOND_MS, 'measuring', () => measure(parts), logger),
  ]
  return {
    async stop() {
      await Promise.all(running.map((one) => one.stop()))
      await touch()
    },
  }
}

/** Sets the gauges that nobody else sets; /health/ready asks the same. */
async function measure({ host, metrics, readiness }: ChoreParts): Promise<void> {
  const { ready, checks } = await readiness()
  metrics.gauge('kaccy_ready', ready ? 1 : 0)
  const facts = checks.find(({ name }) => name === 'webhooks')?.facts ?? {}
  const head = facts['events_head']
  if (typeof head === 'number') metrics.gauge('kaccy_events_head', head)
  const age = facts['oldest_undelivered_age_ms'] ?? 0
  metrics.gauge('kaccy_webhooks_oldest_undelivered_seconds', Number(age) / 1000)
  const pool = host.connections?.()
  if (!pool) return
  metrics.gauge('kaccy_database_connections', pool.total - pool.idle, { state: 'used' })
  metrics.gauge('kaccy_database_connections', pool.idle, { state: 'idle' })
  metrics.gauge('kaccy_database_connections', pool.waiting, { state: 'awaited' })
}

/** Runs `work` again and again, `milliseconds` after it ended; a failure is told and tried again at the next turn. */
function every(
  milliseconds: number,
  name: string,
  work: () => Promise<void>,
  logger: Logger,
): { stop(): Promise<void> } {
  let isStopped = false
  let cancel: () => void = () => {}
  let turn: Promise<void> = Promise.resolve()
  const next = () => {
    if (isStopped) return
    cancel = systemTimers.after(milliseconds, () => {
      turn = work()
        .catch((error: unknown) =>
          logger.log('warn', 'a chore failed', { chore: name, reason: String(error) }),
        )
        .then(next)
    })
  }
  next()
  return {
    async stop() {
      isStopped = true
      cancel()
      await turn
    },
  }
}
