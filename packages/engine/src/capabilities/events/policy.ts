/** First and longest pause between two attempts of a handler that fails, in milliseconds. */
export const BACKOFF = { firstMs: 500, longestMs: 60_000 } as const

/** Pause before attempt `attempt + 1`: doubles each time up to the longest. `attempt` counts from 1. */
export const backoffMs = (attempt: number): number =>
  Math.min(BACKOFF.firstMs * 2 ** Math.min(attempt - 1, 20), BACKOFF.longestMs)

/** Numbers that nobody asked for are skipped in memory; only a jump this long is worth a commit. */
export const SKIP_WORTH_SAVING = 1000
