import { type Running, runEngine } from '@kaccy/bitcoin'
import { systemClock, systemTimers } from '@kaccy/bitcoin/adapters/system'
import type { Logger } from '@kaccy/bitcoin/kernel'
import type { Config } from '../config/settings.ts'
import { keepNetwork } from '../host/database.ts'
import type { Host } from '../host/host.ts'
import { createApp } from '../http/index.ts'
import { httpSettings, listenOn } from './settings.ts'

export interface ServeOptions {
  readonly host: Host
  readonly config: Config
  readonly logger: Logger
  /** Ends the server: requests under way are answered, then it stops. */
  readonly signal: AbortSignal
  /** The address it listens on, once it does. */
  readonly onListening: (url: string) => void
}

/** The engine's loop and the HTTP interface over it, until it is asked to stop. @throws what no waiting can heal */
export async function runServe({
  host,
  config,
  logger,
  signal,
  onListening,
}: ServeOptions): Promise<void> {
  const app = await createApp({
    engine: host.engine,
    network: host.network,
    clock: systemClock,
    logger,
    settings: httpSettings(config),
    commits: host.commits,
  })
  let kept = false
  const running: Running = runEngine({
    engine: host.engine,
    source: host.source,
    clock: systemClock,
    timers: systemTimers,
    logger,
    pollMs: config['chain.poll_ms'],
    stallMs: config['chain.stall_ms'],
    onReport: () => {
      if (kept) return
      kept = true
      keepNetwork(host.store, host.network).catch((error: unknown) => {
        kept = false
        logger.log('warn', 'the network could not be noted', { reason: String(error) })
      })
    },
  })
  const asked = new Promise<void>((resolve) => {
    if (signal.aborted) resolve()
    else signal.addEventListener('abort', () => resolve(), { once: true })
  })
  try {
    onListening(await app.listen(listenOn(config)))
    await Promise.race([asked, running.ended])
  } finally {
    await app.close()
    await running.stop()
  }
}
