/** What a node shows of its own age in one answer. */
export interface LifeSigns {
  /** Whole seconds since the node started. */
  readonly uptime?: number
  /** Our clock when the question left and when the answer was there, milliseconds since the epoch. */
  readonly asked: number
  readonly answered: number
  /** Bytes received since the node started: a counter that falls was reset. */
  readonly bytesReceived?: number
  /** Grows when we lost the node and found it again. */
  readonly connectionLife: number
}

/** The start that a name of ours speaks of, milliseconds since the epoch; NaN for another name, which fits no interval. */
const startOf = (name: string | undefined): number =>
  1000 * Number(/^start-(\d{1,12})$/.exec(name ?? '')?.[1])

/** The node rounds both its start and its now to seconds. */
const ROUNDING_MS = 1_000
/** How far a name may be from the start it stands for: the node's rounding, and the name's own to a second. */
const NAMED_MS = ROUNDING_MS + 500
/** What two clocks may drift apart between two looks. With a lost connection in between nothing is forgiven. */
const DRIFT_MS = 1_000

/**
 * Names the lives of a node process: the same name while it cannot have restarted in between, another one as soon as it
 * may have. A false alarm costs one round of caution; a missed restart would look like mass eviction.
 *
 * With `uptime` each answer proves an interval in which the node started. Intervals that overlap are one life; the
 * last one is compared, so slow drift changes nothing, and a step of either clock by seconds counts as a restart. A restart
 * within about three seconds of the start before cannot be seen. Without uptime, a falling counter of received bytes
 * or a lost connection ends a life.
 */
export function createLife(): {
  /** @param previous the name that an earlier process of ours gave; kept when the node may still be in that life */
  epoch(signs: LifeSigns, previous?: string): string
} {
  let name: string | undefined
  let started: readonly [earliest: number, latest: number] = [0, 0]
  let last: LifeSigns | undefined

  const isSame = (signs: LifeSigns, earliest: number, latest: number): boolean => {
    if (!last) return false
    const found = signs.connectionLife !== last.connectionLife
    if (signs.uptime === undefined || last.uptime === undefined) {
      return !found && (signs.bytesReceived ?? 0) >= (last.bytesReceived ?? 0)
    }
    const slack = found ? 0 : DRIFT_MS
    return (
      signs.uptime >= last.uptime && earliest <= started[1] + slack && latest >= started[0] - slack
    )
  }
  return {
    epoch(signs, previous) {
      const age = (signs.uptime ?? 0) * 1000
      const earliest = signs.asked - age - ROUNDING_MS
      const latest = signs.answered - age + ROUNDING_MS
      const known = startOf(previous)
      const resumes =
        signs.uptime !== undefined && known + NAMED_MS >= earliest && known - NAMED_MS <= latest
      if (name === undefined && resumes) name = previous
      else if (name === undefined || !isSame(signs, earliest, latest)) {
        const at = Math.round((earliest + latest) / 2000)
        name = signs.uptime === undefined ? `seen-${at}-${signs.connectionLife}` : `start-${at}`
      }
      started = [earliest, latest]
      last = signs
      return name ?? ''
    },
  }
}
