import { type Refusal, refuse } from '@kaccy/bitcoin/kernel'
import { type IpRange, isInside, isPublicIp, parseIp } from '@kaccy/bitcoin/protocol/ip'
import { Type } from 'typebox'
import { RefusedError } from '../http/problem.ts'
import { answer } from '../http/reply.ts'
import { type Resource, type Route, route } from '../http/route.ts'
import { named, nullable, object, ref, textOf, words } from '../http/schemas/basics.ts'
import type { Exported } from './metrics.ts'
import { type Readiness, shared } from './readiness.ts'

export interface OperationsParts {
  readonly readiness: () => Promise<Readiness>
  readonly exported: Exported
  /** Who may read /metrics; undefined: everybody whose address is not public. */
  readonly metricsAddresses: readonly IpRange[] | undefined
}

const LiveSchema = named('Live', object({ status: words(['alive']) }))
const ReadySchema = named(
  'Ready',
  object({
    status: words(['ready', 'not_ready']),
    checks: Type.Array(
      object({
        name: Type.String({ description: 'process, database, node, payouts or webhooks' }),
        state: words(['ok', 'warning', 'failed']),
        says: Type.String(),
        facts: Type.Record(
          Type.String(),
          nullable(Type.Union([Type.String(), Type.Number(), Type.Boolean()])),
        ),
      }),
    ),
  }),
)

/** What balancers, orchestrators and Prometheus ask; no key is needed. */
export const operationsResource = (parts: OperationsParts): Resource => ({
  named: [LiveSchema, ReadySchema],
  routes: [live, ready(shared(parts.readiness)), metrics(parts)],
})

const live: Route = route({
  method: 'GET',
  url: '/health/live',
  id: 'getLive',
  tag: 'Health',
  summary: 'Whether the process answers at all',
  scope: 'public',
  always: true,
  schemas: { answers: { 200: ref(LiveSchema) } },
  handle: async () => answer(200, { status: 'alive' }),
})

const ready = (readiness: OperationsParts['readiness']): Route =>
  route({
    method: 'GET',
    url: '/health/ready',
    id: 'getReady',
    tag: 'Health',
    summary: 'Whether it should get requests, and what it stands on',
    description:
      '503 while it is not ready. A warning does not make it unready: a receiver that takes no webhooks is no reason to turn customers away.',
    scope: 'public',
    always: true,
    schemas: { answers: { 200: ref(ReadySchema), 503: ref(ReadySchema) } },
    async handle() {
      const { ready: isReady, checks } = await readiness()
      return answer(isReady ? 200 : 503, { status: isReady ? 'ready' : 'not_ready', checks })
    },
  })

const metrics = ({ exported, metricsAddresses }: OperationsParts): Route =>
  route({
    method: 'GET',
    url: '/metrics',
    id: 'getMetrics',
    tag: 'Health',
    summary: 'Counters, gauges and histograms in the Prometheus text format',
    description:
      'Answered to addresses of the own network only, or to those that the configuration names; never through a proxy that `http.trusted_proxies` does not name.',
    scope: 'public',
    always: true,
    refuses: ['ADDRESS_FORBIDDEN'],
    schemas: { answers: { 200: textOf('text/plain', 'The text format of Prometheus') } },
    async handle({ address, isRelayed }) {
      if (isRelayed || !mayRead(address, metricsAddresses)) throw new RefusedError(forbidden())
      return answer(200, await exported.text(), { 'content-type': exported.contentType })
    },
  })

const forbidden = (): Refusal =>
  refuse('ADDRESS_FORBIDDEN', 'metrics are not shown to this address').error

function mayRead(address: string, ranges: readonly IpRange[] | undefined): boolean {
  const own = parseIp(address)
  if (!own) return false
  return ranges ? ranges.some((range) => isInside(own, range)) : !isPublicIp(own)
}
