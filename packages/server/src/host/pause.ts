import { systemTimers } from '@kaccy/bitcoin/adapters/system'

/** Resolves after `milliseconds`, or at once when `signal` says stop. For readers only: nothing correct waits by time. */
export function pauseFor(milliseconds: number, signal: AbortSignal): Promise<void> {
  if (milliseconds <= 0 || signal.aborted) return Promise.resolve()
  return new Promise((resolve) => {
    const done = () => {
      cancel()
      signal.removeEventListener('abort', done)
      resolve()
    }
    const cancel = systemTimers.after(milliseconds, done)
    signal.addEventListener('abort', done, { once: true })
  })
}
