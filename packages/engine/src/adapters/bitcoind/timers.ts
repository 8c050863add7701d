import { EngineError } from '../../kernel/index.ts'

/** Waiting as a port, so that deadlines and pauses run on virtual time in a simulation. */
export interface Timers {
  /** Calls `action` once after `milliseconds`; the answer cancels it. */
  after(milliseconds: number, action: () => void): () => void
}

/** Longest delay that a Node timer can hold; more would fire at once. */
const LONGEST = 2 ** 31 - 1

export const systemTimers: Timers = {
  after(milliseconds, action) {
    const timer = setTimeout(action, Math.min(milliseconds, LONGEST))
    return () => clearTimeout(timer)
  },
}

export const cancelled = (method: string): EngineError =>
  new EngineError('NODE_CALL_CANCELLED', `${method} was cancelled`, { details: { method } })

/** @throws NODE_CALL_CANCELLED as soon as `signal` says so. */
export function pause(
  timers: Timers,
  milliseconds: number,
  method: string,
  signal: AbortSignal | undefined,
): Promise<void> {
  return new Promise((resolve, reject) => {
    const stop = timers.after(milliseconds, () => {
      signal?.removeEventListener('abort', abandon)
      resolve()
    })
    const abandon = () => {
      stop()
      reject(cancelled(method))
    }
    if (signal?.aborted) abandon()
    else signal?.addEventListener('abort', abandon, { once: true })
  })
}
