import type { Clock } from '../../kernel/index.ts'

/** What a node shows of its own age in one answer. */
export interface LifeSigns {
  /** Seconds since the node started. */
  readonly uptime?: number
  /** Bytes received since the node started: a counter that falls was reset. */
  readonly bytesReceived?: number
  /** Grows when we lost the node and found it again. */
  readonly connectionLife: number
}

/** Two readings of one start differ by the rounding of two clocks and the time of a call. */
const TOLERANCE_S = 5

/**
 * Names the lives of a node process: `epoch` gives the same name while it cannot have restarted in between, another one
 * as soon as it may have. A false alarm costs one round of caution; a missed restart would look like mass eviction.
 *
 * With `uptime` the life is the moment of the start, our clock minus the uptime; the last reading is the one compared
 * with, so slow drift of either clock changes nothing, and a step of more than 5 s is taken for a restart.
 * Without it a falling traffic counter or a lost connection ends a life.
 */
export function createLife(clock: Clock): { epoch(signs: LifeSigns): string } {
  let name: string | undefined
  let start = 0
  let counter = 0
  let connection = 0
  return {
    epoch({ uptime, bytesReceived, connectionLife }) {
      const now = Math.round(clock.now() / 1000)
      const started = uptime === undefined ? undefined : now - uptime
      const same =
        started === undefined
          ? connectionLife === connection && (bytesReceived ?? 0) >= counter
          : Math.abs(started - start) <= TOLERANCE_S
      if (name === undefined || !same) {
        name = started === undefined ? `seen-${now}-${connectionLife}` : `start-${started}`
      }
      start = started ?? start
      counter = bytesReceived ?? counter
      connection = connectionLife
      return name
    },
  }
}
