import type { Engine, Health, PayoutHealth } from '@kaccy/bitcoin'
import { type Clock, EngineError } from '@kaccy/bitcoin/kernel'

/** One thing that the server stands on. */
export interface Check {
  readonly name: string
  /** `warning`: it works, and somebody should look. */
  readonly state: 'ok' | 'warning' | 'failed'
  /** In words, without secrets. */
  readonly says: string
  readonly facts: Readonly<Record<string, string | number | boolean | null>>
}
export interface Readiness {
  readonly ready: boolean
  readonly checks: readonly Check[]
}

export interface ReadinessParts {
  readonly engine: Pick<Engine, 'tip' | 'webhooks'>
  readonly clock: Clock
  /** How following the node stands; undefined in a process that does not follow it. */
  readonly following?: () => Health
  /** How paying out stands; undefined in a process that pays nothing out. */
  readonly paying?: () => PayoutHealth
  /** Connections of the database. */
  readonly pool?: () => { readonly total: number; readonly idle: number; readonly waiting: number }
  /** True from the moment that the process was asked to end. */
  readonly draining: () => boolean
  /** A look at the node older than this is too old, milliseconds. */
  readonly staleMs: number
  /** An event that waits longer than this for a webhook is worth a warning, milliseconds. */
  readonly backlogMs?: number
}

const BACKLOG_MS = 15 * 60_000
/** A database that takes longer is no database to take orders with. */
const DATABASE_MS = 5_000

/**
 * Whether this process should get requests: it can write down what happens, and knows the chain. A receiver that does not take
 * its webhooks is no reason to turn customers away, so it only warns.
 */
export async function readiness(parts: ReadinessParts): Promise<Readiness> {
  const database = await checkDatabase(parts)
  const checks = [
    checkProcess(parts),
    database,
    checkNode(parts),
    ...(parts.paying ? [checkPayouts(parts.paying(), parts)] : []),
    ...(database.state === 'ok' ? [await checkWebhooks(parts)] : []),
  ]
  return { ready: checks.every(({ state }) => state !== 'failed'), checks }
}

/** Callers that ask at the same time share one answer: whoever may ask without a key must not multiply the work. */
export function shared<T>(work: () => Promise<T>): () => Promise<T> {
  let running: Promise<T> | undefined
  return () => {
    running ??= work().finally(() => {
      running = undefined
    })
    return running
  }
}

const checkProcess = ({ draining }: ReadinessParts): Check =>
  draining()
    ? { name: 'process', state: 'failed', says: 'it is ending', facts: {} }
    : { name: 'process', state: 'ok', says: 'it runs', facts: {} }

async function checkDatabase({ engine, clock, pool }: ReadinessParts): Promise<Check> {
  const begun = clock.now()
  const connections = pool?.()
  try {
    const tip = await within(engine.tip(), DATABASE_MS)
    const facts = {
      latency_ms: Math.max(0, clock.now() - begun),
      height: tip?.height ?? null,
      ...(connections
        ? {
            connections: connections.total,
            connections_idle: connections.idle,
            connections_awaited: connections.waiting,
          }
        : {}),
    }
    return { name: 'database', state: 'ok', says: 'it answers', facts }
  } catch (error) {
    return { name: 'database', state: 'failed', says: reasonOf(error), facts: {} }
  }
}

function checkNode({ following, clock, staleMs }: ReadinessParts): Check {
  const name = 'node'
  if (!following) return { name, state: 'ok', says: 'another process follows it', facts: {} }
  const { lastSyncAt, degraded, failure, failures, lag } = following()
  const age = lastSyncAt === undefined ? null : Math.max(0, clock.now() - lastSyncAt)
  const facts = {
    last_look_age_ms: age,
    lag_blocks: lag ?? null,
    degraded: degraded ?? null,
    failures,
  }
  if (age === null)
    return { name, state: 'failed', says: failure?.code ?? 'it has not been read yet', facts }
  if (age > staleMs)
    return { name, state: 'failed', says: `${failure?.code ?? 'silence'} for too long`, facts }
  if (degraded)
    return { name, state: 'warning', says: `it cannot be trusted fully: ${degraded}`, facts }
  return { name, state: 'ok', says: 'it is followed', facts }
}

/** Payouts that stand still are no reason to refuse deposits, so they only warn. */
function checkPayouts(
  { lastTurnAt, failures }: PayoutHealth,
  { clock, staleMs }: ReadinessParts,
): Check {
  const name = 'payouts'
  const age = lastTurnAt === undefined ? null : Math.max(0, clock.now() - lastTurnAt)
  const failing = Object.entries(failures)
  const facts = {
    last_turn_age_ms: age,
    failing: failing.length === 0 ? null : failing.map(([step]) => step).join(' '),
  }
  const [first] = failing
  if (first) {
    const [step, { code }] = first
    return { name, state: 'warning', says: `${step} fails: ${code}`, facts }
  }
  if (age === null) return { name, state: 'ok', says: 'the first turn is under way', facts }
  if (age > staleMs) return { name, state: 'warning', says: 'no turn for too long', facts }
  return { name, state: 'ok', says: 'they go out', facts }
}

async function checkWebhooks(parts: ReadinessParts): Promise<Check> {
  const { engine, clock, backlogMs = BACKLOG_MS } = parts
  const { head, slowest } = await engine.webhooks.status()
  const name = 'webhooks'
  if (!slowest) return { name, state: 'ok', says: 'nothing waits', facts: { events_head: head } }
  const age = Math.max(0, clock.now() - slowest.oldestAt)
  const facts = {
    events_head: head,
    slowest: slowest.id,
    lag_events: slowest.lag,
    oldest_undelivered_age_ms: age,
  }
  if (age <= backlogMs) return { name, state: 'ok', says: 'they are being delivered', facts }
  return { name, state: 'warning', says: `${slowest.id} does not take its events`, facts }
}

async function within<T>(work: Promise<T>, milliseconds: number): Promise<T> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(
      () => reject(new EngineError('STORE_UNAVAILABLE', 'the database does not answer in time')),
      milliseconds,
    )
  })
  try {
    return await Promise.race([work, late])
  } finally {
    clearTimeout(timer)
  }
}

const reasonOf = (error: unknown): string =>
  error instanceof EngineError ? error.code : 'it failed in a way that nobody thought of'
