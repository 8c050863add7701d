import { Server } from 'node:tls'
import { type Running, runEngine, runWebhooks } from '@kaccy/bitcoin'
import { systemClock, systemEntropy, systemTimers } from '@kaccy/bitcoin/adapters/system'
import { createWebhookSender } from '@kaccy/bitcoin/adapters/webhook'
import type { Logger } from '@kaccy/bitcoin/kernel'
import type { FastifyInstance } from 'fastify'
import type { Config } from '../config/settings.ts'
import { keepNetwork } from '../host/database.ts'
import { type Host, targetRules } from '../host/host.ts'
import { createApp, Drain, watchCertificate } from '../http/index.ts'
import { stopAll } from '../operations/drain.ts'
import type { Exported } from '../operations/metrics.ts'
import { readiness, type ReadinessParts } from '../operations/readiness.ts'
import { operationsResource } from '../operations/routes.ts'
import { openTelemetryTracer } from '../operations/tracer.ts'
import { checkoutOf } from './checkout.ts'
import { payOut } from './payouts.ts'
import { startChores } from './chores.ts'
import { certificateFiles, httpSettings, listenOn, metricsAddresses } from './settings.ts'

export interface ServeOptions {
  readonly host: Host
  readonly config: Config
  readonly logger: Logger
  /** The registry that the engine of the host counts into. */
  readonly exported: Exported
  /** Ends the server: requests under way are answered, then it stops. */
  readonly signal: AbortSignal
  /** The address it listens on, once it does. */
  readonly onListening: (url: string) => void
}

/** Connections that have not ended by then are cut. */
const CLOSE_MS = 20_000
const WEBHOOKS_MS = 10_000

/**
 * The engine's loop, webhooks and the HTTP interface in one process, until it is asked to stop. Everything that waits is in the
 * database, so a kill loses nothing; a clean end only spares clients an error. @throws what no waiting can heal
 */
export async function runServe(options: ServeOptions): Promise<void> {
  const { host, config, logger, signal, exported } = options
  const { metrics } = exported
  const drain = new Drain()
  const following = follow(options)
  const paying = payOut(host, config, logger)
  const look: ReadinessParts = {
    engine: host.engine,
    clock: systemClock,
    following: () => following.health(),
    paying: () => paying.health(),
    ...(host.connections ? { pool: host.connections } : {}),
    draining: () => drain.isDraining,
    staleMs: Math.max(config['chain.stall_ms'], 2 * config['chain.poll_ms']),
  }
  const app = await createApp({
    engine: host.engine,
    network: host.network,
    clock: systemClock,
    logger,
    metrics,
    drain,
    settings: httpSettings(config),
    onCommit: host.onCommit,
    ...checkoutParts(options),
    more: [
      operationsResource({
        readiness: () => readiness(look),
        exported,
        metricsAddresses: metricsAddresses(config),
      }),
    ],
  })
  const webhooks = runWebhooks({
    store: host.store,
    clock: systemClock,
    entropy: systemEntropy,
    timers: systemTimers,
    logger,
    metrics,
    tracer: openTelemetryTracer,
    sender: createWebhookSender({ targets: targetRules(config) }),
  })
  const unlisten = host.onCommit(() => webhooks.wake())
  const chores = startChores({ host, config, logger, metrics, readiness: () => readiness(look) })
  const certificate = renewCertificate(app, config, logger)
  const steps = [
    { name: 'requests', stop: () => closeWithin(app, CLOSE_MS) },
    { name: 'payouts', stop: () => paying.stop() },
    { name: 'webhooks', stop: () => webhooks.stop(WEBHOOKS_MS) },
    { name: 'chain', stop: () => following.stop() },
    { name: 'chores', stop: () => chores.stop() },
  ]
  try {
    onceListening(options, await app.listen(listenOn(config)))
    await Promise.race([asked(signal), following.ended, paying.ended, webhooks.ended])
  } finally {
    drain.begin()
    unlisten()
    certificate()
    await stopAll(steps, (name, error) =>
      logger.log('error', 'a part did not end cleanly', { part: name, reason: String(error) }),
    )
  }
}

/** Takes renewed certificate files, on SIGHUP or when they change; answers what ends it. */
function renewCertificate(app: FastifyInstance, config: Config, logger: Logger): () => void {
  const files = certificateFiles(config)
  const { server } = app
  const watch =
    files && server instanceof Server
      ? watchCertificate({ files, server, logger, timers: systemTimers })
      : undefined
  // Listened to in any case: a reload of a service that has nothing to read again must not end it.
  const reload = () => {
    if (watch) watch.reload()
    else logger.log('info', 'nothing to read again: the server has no certificate of its own')
  }
  process.on('SIGHUP', reload)
  return () => {
    process.off('SIGHUP', reload)
    watch?.stop()
  }
}

/** The checkout page, where the configuration wants one. */
function checkoutParts({ host, config }: ServeOptions) {
  const checkout = checkoutOf(config)
  if (!checkout) return {}
  const head = () => host.store.read((tx) => tx.events.head())
  return { pay: { ...checkout, timers: systemTimers, head } }
}

const onceListening = ({ onListening, logger }: ServeOptions, url: string): void => {
  logger.log('info', 'listening', { url })
  onListening(url)
}

const asked = (signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    if (signal.aborted) resolve()
    else signal.addEventListener('abort', () => resolve(), { once: true })
  })

/** Follows the node; the network of the database is noted once a node has shown that it is on it. */
function follow({ host, config, logger, exported }: ServeOptions): Running {
  let isNoted = false
  return runEngine({
    engine: host.engine,
    source: host.source,
    clock: systemClock,
    timers: systemTimers,
    logger,
    metrics: exported.metrics,
    pollMs: config['chain.poll_ms'],
    stallMs: config['chain.stall_ms'],
    onReport: () => {
      if (isNoted) return
      isNoted = true
      keepNetwork(host.store, host.network).catch((error: unknown) => {
        isNoted = false
        logger.log('warn', 'the network could not be noted', { reason: String(error) })
      })
    },
  })
}

/** Answers what is under way; what takes longer is cut, because a deploy must not hang on one slow client. */
async function closeWithin(app: FastifyInstance, milliseconds: number): Promise<void> {
  const cancel = systemTimers.after(milliseconds, () => app.server.closeAllConnections())
  try {
    await app.close()
  } finally {
    cancel()
  }
}
