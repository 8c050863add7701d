import { type RunningPayouts, runPayouts } from '@kaccy/bitcoin'
import { systemClock, systemTimers } from '@kaccy/bitcoin/adapters/system'
import type { Logger } from '@kaccy/bitcoin/kernel'
import type { Config } from '../config/settings.ts'
import type { Host } from '../host/host.ts'

/** Takes turns at paying out, woken by each commit of this process. */
export function payOut(host: Host, config: Config, logger: Logger): RunningPayouts {
  const running = runPayouts({
    engine: host.engine,
    clock: systemClock,
    timers: systemTimers,
    logger,
    pollMs: config['payouts.poll_ms'],
  })
  const unlisten = host.onCommit(() => running.wake())
  return {
    ...running,
    async stop() {
      unlisten()
      await running.stop()
    },
  }
}
