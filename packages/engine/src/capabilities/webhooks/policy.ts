const SECOND = 1000
const MINUTE = 60 * SECOND
const HOUR = 60 * MINUTE
const DAY = 24 * HOUR

/** Pauses after the first, second, … failed attempt in milliseconds; the last one repeats. Source: Standard Webhooks. */
export const SCHEDULE: readonly number[] = [
  5 * SECOND,
  5 * MINUTE,
  30 * MINUTE,
  2 * HOUR,
  5 * HOUR,
  10 * HOUR,
  12 * HOUR,
]
/** Up to this share of a pause is added at random, so that a thousand receivers behind one failed proxy do not return at once. */
export const JITTER = 0.2
/** A receiver may ask for a pause within these bounds. */
export const RETRY_AFTER = { least: 5 * SECOND, most: 12 * HOUR } as const
/** Failing without a single success for this long pauses a subscription. */
export const GIVE_UP_MS = 5 * DAY
/** How long a claim holds without a sign of life: several times what one attempt may take. */
export const LEASE_MS = 30 * SECOND
/** What the log keeps. */
export const KEEP = { perWebhook: 1000, forMs: 30 * DAY } as const
export const OVERLAP = { usual: DAY, most: 30 * DAY } as const
/** Secrets that sign at once; the oldest end when there are more. */
export const MOST_SECRETS = 5
/**
 * Webhooks that one creator may have at once. Each may be sent every event: without an end, one key could make every order
 * of the shop into thousands of requests to somebody else.
 */
export const MOST_WEBHOOKS = 100

/** The pause after the `attempts`th failure in a row. `random` from 0 to 1. */
export function pauseAfter(attempts: number, random: number, askedMs?: number): number {
  if (askedMs !== undefined) return Math.min(Math.max(askedMs, RETRY_AFTER.least), RETRY_AFTER.most)
  const usual = SCHEDULE[Math.min(attempts, SCHEDULE.length) - 1] ?? 0
  return Math.round(usual * (1 + JITTER * random))
}

/** Whether a status may carry a Retry-After that counts. */
export const mayAskForPause = (status: number): boolean => status === 429 || status === 503

/** Milliseconds from `now` that a Retry-After asks for: seconds, or a date. Source: RFC 9110 10.2.3. */
export function parseRetryAfter(
  text: string | undefined,
  now: number,
  parseDate: (text: string) => number,
): number | undefined {
  if (text === undefined) return undefined
  if (/^\d{1,9}$/.test(text)) return Number(text) * SECOND
  // Only the form that RFC 9110 prescribes: readers of dates make something of nearly any text.
  if (!/^[A-Z][a-z]{2}, \d{2} [A-Z][a-z]{2} \d{4} \d{2}:\d{2}:\d{2} GMT$/.test(text))
    return undefined
  const at = parseDate(text)
  return Number.isFinite(at) ? Math.max(0, at - now) : undefined
}
