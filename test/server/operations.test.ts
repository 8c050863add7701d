import type { Health } from '@kaccy/bitcoin'
import { createDispatcher } from '@kaccy/bitcoin/webhooks'
import { createBitcoindSource } from '@kaccy/bitcoin/adapters/bitcoind'
import { EVERYTHING } from '@kaccy/bitcoin/events'
import { assert, silentLogger } from '@kaccy/bitcoin/kernel'
import { createDevnet } from '@kaccy/devnet'
import { context, propagation, trace } from '@opentelemetry/api'
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks'
import { W3CTraceContextPropagator } from '@opentelemetry/core'
import {
  BasicTracerProvider,
  InMemorySpanExporter,
  type ReadableSpan,
  SimpleSpanProcessor,
} from '@opentelemetry/sdk-trace-node'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import {
  exportMetrics,
  openTelemetryTracer,
  operationsResource,
  type ReadinessParts,
  readiness,
} from '@kaccy/bitcoin-server/operations'
import { seededEntropy } from '../../tools/scenarios/engine.ts'
import { START } from '../deposits/till.ts'
import { Served } from './served.ts'

const exporter = new InMemorySpanExporter()
const provider = new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] })
const exported = exportMetrics(silentLogger)
const TRACE = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01'

let served: Served
let following: Health
let draining = false
let waiting = 0
let node: Awaited<ReturnType<typeof createDevnet>>

beforeAll(async () => {
  context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable())
  propagation.setGlobalPropagator(new W3CTraceContextPropagator())
  trace.setGlobalTracerProvider(provider)
  const { metrics } = exported
  node = await createDevnet()
  const source = createBitcoindSource({
    url: node.rpcUrl,
    auth: { cookieFile: node.cookiePath },
    metrics,
    tracer: openTelemetryTracer,
  })
  served = await Served.open({
    till: {
      metrics,
      tracer: openTelemetryTracer,
      // What a node answers over RPC, for a chain that is in the process.
      between: (own) => ({
        ...own,
        fees: () => source.fees?.() ?? Promise.reject(new TypeError('none')),
      }),
    },
    parts: {
      metrics,
      more: [
        operationsResource({
          readiness: () => readiness(parts()),
          exported,
          metricsAddresses: undefined,
        }),
      ],
    },
  })
})
afterAll(async () => {
  await served.close()
  await node.close()
  trace.disable()
  propagation.disable()
  context.disable()
})
beforeEach(() => {
  exporter.reset()
  draining = false
  waiting = 0
  following = { lastSyncAt: START, degraded: undefined, failure: undefined, failures: 0, lag: 0 }
})

const parts = (): ReadinessParts => ({
  engine: served.till.engine,
  clock: { now: () => served.till.now },
  following: () => following,
  pool: () => ({ total: 3, idle: 2, waiting }),
  draining: () => draining,
  staleMs: 60_000,
})
const ready = () => served.call('GET', '/health/ready', { token: '' })
const statesOf = (json: { checks: { name: string; state: string }[] }) =>
  Object.fromEntries(json.checks.map(({ name, state }) => [name, state]))

test('alive needs no key and nothing else', async () => {
  const alive = await served.call('GET', '/health/live', { token: '' })
  expect([alive.status, alive.json]).toEqual([200, { status: 'alive' }])
})

test('ready names what it stands on', async () => {
  const { status, json } = await ready()
  expect(status).toBe(200)
  expect(statesOf(json)).toEqual({ process: 'ok', database: 'ok', node: 'ok', webhooks: 'ok' })
  const database = json.checks.find(({ name }: { name: string }) => name === 'database')
  expect(database.facts).toMatchObject({ connections: 3, connections_idle: 2, height: 110 })
})

test('a node that has not been read, is silent for too long, or lies behind', async () => {
  following = { ...following, lastSyncAt: undefined }
  expect((await ready()).status).toBe(503)
  following = { ...following, lastSyncAt: served.till.now - 60_001, lag: 4 }
  const late = await ready()
  expect([late.status, statesOf(late.json)['node']]).toEqual([503, 'failed'])
  following = { ...following, lastSyncAt: served.till.now, degraded: 'tip_is_old' }
  const old = await ready()
  expect([old.status, statesOf(old.json)['node']]).toEqual([200, 'warning'])
})

test('a process that ends is not ready, and still answers those who ask', async () => {
  draining = true
  const { status, json } = await ready()
  expect([status, statesOf(json)['process']]).toEqual([503, 'failed'])
})

test('metrics are Prometheus text with what was counted, by route and not by address', async () => {
  const { till } = served
  const order = await till.order({ amount: 50_000 })
  till.pay('alice', [order, 50_000])
  await till.look()
  await till.mine(3)
  await served.call('GET', `/v1/orders/${order.id}`)
  await served.call('GET', '/v1/nothing')
  const { status, text, headers } = await served.call('GET', '/metrics', { token: '' })
  expect([status, headers.get('content-type')]).toEqual([200, exported.contentType])
  expect(text).toMatch(/^kaccy_payment_volume_sat_total\{kind="credited"\} 50000$/m)
  expect(text).toMatch(
    /^kaccy_http_request_seconds_count\{method="GET",route="\/v1\/orders\/:order",status="200"\} 1$/m,
  )
  expect(text).not.toContain(order.id)
  expect(text).toMatch(/^process_resident_memory_bytes /m)
})

test('metrics are for the own network', async () => {
  const shown = await served.app.inject({
    url: '/metrics',
    remoteAddress: '93.184.216.34',
    headers: { host: 'x' },
  })
  expect([shown.statusCode, shown.json().code]).toEqual([403, 'ADDRESS_FORBIDDEN'])
})

test.each(['x-forwarded-for', 'forwarded', 'x-real-ip', 'via'])(
  'metrics are not for whoever a proxy speaks for that nobody named: %s',
  async (header) => {
    const headers = { [header]: header === 'forwarded' ? 'for=10.0.0.9' : '10.0.0.9' }
    const { status, json } = await served.call('GET', '/metrics', { token: '', headers })
    expect([status, json.code]).toEqual([403, 'ADDRESS_FORBIDDEN'])
  },
)

test('a metric that nobody defined is said once and fails nothing', async () => {
  const said: string[] = []
  const odd = exportMetrics({ log: (_level, message) => void said.push(message) })
  odd.metrics.count('kaccy_odd_total')
  odd.metrics.count('kaccy_odd_total')
  odd.metrics.gauge('kaccy_orders_created_total', 1)
  expect(said).toHaveLength(2)
  expect(await odd.text()).not.toContain('kaccy_odd_total')
})

async function named(name: string): Promise<ReadableSpan> {
  await provider.forceFlush()
  const span = exporter.getFinishedSpans().find((one) => one.name === name)
  assert(span, `${name} is among ${exporter.getFinishedSpans().map((one) => one.name)}`)
  return span
}

test('one trace leads from the request to the event, and the delivery is linked to it', async () => {
  const { till } = served
  const made = await served.call('POST', '/v1/orders', {
    headers: { traceparent: TRACE },
    body: { wallet: till.wallet, amount_sat: 70_000 },
  })
  expect(made.status).toBe(201)
  const server = await named('POST /v1/orders')
  expect(server.spanContext().traceId).toBe('4bf92f3577b34da6a3ce929d0e0e4736')
  expect(server.parentSpanContext?.spanId).toBe('00f067aa0ba902b7')
  expect(server.attributes).toMatchObject({
    'http.response.status_code': 201,
    'kaccy.request_id': made.headers.get('x-request-id'),
  })
  const create = await named('orders.create')
  expect(create.parentSpanContext?.spanId).toBe(server.spanContext().spanId)
  const [event] = (await till.engine.events({ after: 0, limit: 1000 })).slice(-1)
  expect(event).toMatchObject({
    type: 'order.created',
    origin: {
      requestId: made.headers.get('x-request-id'),
      traceparent: `00-${server.spanContext().traceId}-${server.spanContext().spanId}-01`,
    },
  })
  await deliverOnce()
  expect((await named('webhook.deliver')).links.map((link) => link.context.spanId)).toContain(
    server.spanContext().spanId,
  )
})

test('a call to the node is a child of the request that needs it, without its arguments', async () => {
  const fees = await served.call('GET', '/v1/fees')
  expect([200, 503]).toContain(fees.status)
  const server = await named('GET /v1/fees')
  const calls = exporter.getFinishedSpans().filter(({ name }) => name.startsWith('bitcoind '))
  expect(calls.length).toBeGreaterThan(0)
  for (const call of calls) {
    expect(call.spanContext().traceId).toBe(server.spanContext().traceId)
    expect(Object.keys(call.attributes).filter((key) => /param|arg/.test(key))).toEqual([])
  }
  expect(await exported.text()).toMatch(/^kaccy_node_call_seconds_count\{method="/m)
})

test('an error of ours ends its span as one', async () => {
  const failed = await served.call('GET', '/v1/orders/ord_unknown')
  expect(failed.status).toBe(404)
  expect((await named('GET /v1/orders/:order')).status.code).toBe(2)
})

/** Registers a webhook behind all events but the newest, and delivers to nobody but this test. */
async function deliverOnce(): Promise<void> {
  const { engine, store, now } = served.till
  const hook = await engine.webhooks.create(
    { url: 'https://93.184.216.34/hook', eventTypes: ['order.created'], grant: EVERYTHING },
    'operator:test',
  )
  assert(hook.ok, 'registered')
  const head = (await engine.events({ after: 0, limit: 1000 })).findLast(
    ({ type }) => type === 'order.created',
  )
  assert(head, 'an order was made')
  await engine.webhooks.replay(hook.value.webhook.id, head.seq, 'operator:test')
  await new Promise<void>((resolve) => {
    const dispatcher = createDispatcher({
      store,
      clock: { now: () => now },
      entropy: seededEntropy(1),
      timers: {
        after: (ms, action) => {
          const timer = setTimeout(action, Math.min(ms, 5))
          return () => clearTimeout(timer)
        },
      },
      tracer: openTelemetryTracer,
      sender: {
        async send() {
          setImmediate(() => void dispatcher.stop().then(resolve))
          return { kind: 'answered', status: 200, body: '' }
        },
      },
    })
  })
}
