import { type Logger, METRICS, type MetricDefinition, type Metrics } from '@kaccy/bitcoin/kernel'
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client'

/** From an answer out of memory to one that waited for a slow disk, seconds. */
const REQUEST_SECONDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30]

/** What the process around the engine counts. */
export const SERVER_METRICS = [
  {
    name: 'kaccy_http_request_seconds',
    kind: 'histogram',
    help: 'Time to answer a request, by method, route and status',
    labels: ['method', 'route', 'status'],
    buckets: REQUEST_SECONDS,
  },
  {
    name: 'kaccy_database_connections',
    kind: 'gauge',
    help: 'Connections of the PostgreSQL pool: in use, idle, and callers that wait for one',
    labels: ['state'],
  },
  {
    name: 'kaccy_events_head',
    kind: 'gauge',
    help: 'Sequence number of the newest event',
    labels: [],
  },
  {
    name: 'kaccy_webhooks_oldest_undelivered_seconds',
    kind: 'gauge',
    help: 'Age of the oldest event that waits for an active webhook',
    labels: [],
  },
  {
    name: 'kaccy_ready',
    kind: 'gauge',
    help: '1 while /health/ready says yes',
    labels: [],
  },
  {
    name: 'kaccy_stream_clients',
    kind: 'gauge',
    help: 'Open event streams, by form: websocket or sse',
    labels: ['form'],
  },
  {
    name: 'kaccy_stream_events_total',
    kind: 'counter',
    help: 'Events handed to clients of streams, by form',
    labels: ['form'],
  },
  {
    name: 'kaccy_stream_disconnects_total',
    kind: 'counter',
    help: 'Event streams that ended, by reason: left, dead, too slow, going away, or the code of a key',
    labels: ['reason'],
  },
] as const satisfies readonly MetricDefinition[]

/** Every metric of the server, once. */
export const ALL_METRICS: readonly MetricDefinition[] = [...METRICS, ...SERVER_METRICS]

export interface Exported {
  readonly metrics: Metrics
  readonly contentType: string
  /** The Prometheus text format. */
  text(): Promise<string>
}

/** One registry with everything that is defined, and what the runtime says of itself. */
export function exportMetrics(
  logger: Logger,
  definitions: readonly MetricDefinition[] = ALL_METRICS,
): Exported {
  const registry = new Registry()
  collectDefaultMetrics({ register: registry })
  const known = new Map(definitions.map((one) => [one.name, create(one, registry)]))
  const told = new Set<string>()
  /** A metric is never a reason to fail: what nobody defined is said once and left out. */
  const find = (kind: keyof Made, name: string): Made => {
    const made = known.get(name) ?? {}
    if (made[kind] || told.has(name)) return made
    told.add(name)
    logger.log('warn', 'a metric is not defined', { name, kind })
    return made
  }
  return {
    contentType: registry.contentType,
    text: () => registry.metrics(),
    metrics: {
      count: (name, by = 1, labels = {}) => find('counter', name).counter?.inc(labels, by),
      gauge: (name, value, labels = {}) => find('gauge', name).gauge?.set(labels, value),
      observe: (name, value, labels = {}) =>
        find('histogram', name).histogram?.observe(labels, value),
    },
  }
}

interface Made {
  readonly counter?: Counter
  readonly gauge?: Gauge
  readonly histogram?: Histogram
}

function create({ name, kind, help, labels, buckets }: MetricDefinition, registry: Registry): Made {
  const options = { name, help, labelNames: [...labels], registers: [registry] }
  if (kind === 'counter') return { counter: new Counter(options) }
  if (kind === 'gauge') return { gauge: new Gauge(options) }
  return { histogram: new Histogram({ ...options, ...(buckets ? { buckets: [...buckets] } : {}) }) }
}
