import { GIVE_UP_MS, pauseAfter } from './policy.ts'
import type { PauseReason, WebhookRecord } from './ports.ts'

/** What came of one attempt to deliver the next event. Times in milliseconds since the epoch. */
export type Outcome = Readonly<
  | { type: 'delivered'; seq: number; at: number }
  | {
      type: 'failed'
      at: number
      error: string
      /** The receiver said that it is gone for good (410). */
      gone: boolean
      /** A pause that the receiver asked for. */
      askedMs?: number
      /** From 0 to 1. */
      random: number
    }
>

/** Takes away what has no place in the new state. */
function without<K extends keyof WebhookRecord>(
  webhook: WebhookRecord,
  ...keys: readonly K[]
): Omit<WebhookRecord, K> {
  const rest: Partial<WebhookRecord> = { ...webhook }
  for (const key of keys) delete rest[key]
  return rest as Omit<WebhookRecord, K>
}

const healthy = (webhook: WebhookRecord): WebhookRecord => ({
  ...without(webhook, 'failingSince', 'lastError'),
  attempts: 0,
})

/** The whole effect of an attempt on the subscription. Only an active one is given another attempt. */
export function afterAttempt(
  webhook: WebhookRecord,
  outcome: Outcome,
  giveUpMs = GIVE_UP_MS,
): WebhookRecord {
  const counted = { ...webhook, deliveries: webhook.deliveries + 1 }
  const { at } = outcome
  if (outcome.type === 'delivered') {
    const delivered = {
      ...healthy(counted),
      cursor: outcome.seq,
      lastDelivered: outcome.seq,
      lastDeliveredAt: at,
    }
    // There may be more: the worker that finds nothing says so by `afterLast`.
    return webhook.status === 'active' ? { ...delivered, nextAttemptAt: at } : delivered
  }
  if (webhook.status !== 'active') return counted
  const attempts = webhook.attempts + 1
  const failingSince = webhook.failingSince ?? at
  const failed = { ...counted, attempts, failingSince, lastError: outcome.error }
  if (outcome.gone) return paused(failed, 'gone', at)
  if (at - failingSince >= giveUpMs) return paused(failed, 'failing', at)
  return { ...failed, nextAttemptAt: at + pauseAfter(attempts, outcome.random, outcome.askedMs) }
}

/** Nothing up to `seq` is left to deliver, so nothing fails either. */
export const afterLast = (webhook: WebhookRecord, seq: number): WebhookRecord => ({
  ...without(healthy(webhook), 'nextAttemptAt'),
  cursor: Math.max(webhook.cursor, seq),
})

/** Nothing up to `seq` was for it, and there may be more. */
export const afterSkipped = (webhook: WebhookRecord, seq: number): WebhookRecord => ({
  ...webhook,
  cursor: Math.max(webhook.cursor, seq),
})

/**
 * Stops delivery; events wait. `fed`: up to which event it is known who has something to deliver. One that had nothing stands
 * there now, so that its return does not read history again.
 */
export const paused = (
  webhook: WebhookRecord,
  pausedReason: PauseReason,
  pausedAt: number,
  fed = 0,
): WebhookRecord => ({
  ...without(webhook, 'nextAttemptAt'),
  status: 'paused',
  pausedReason,
  pausedAt,
  updatedAt: pausedAt,
  cursor: webhook.nextAttemptAt === undefined ? Math.max(webhook.cursor, fed) : webhook.cursor,
})

/** Goes on where it stopped, at once. */
export const resumed = (webhook: WebhookRecord, at: number): WebhookRecord => ({
  ...without(healthy(webhook), 'pausedReason', 'pausedAt'),
  status: 'active',
  updatedAt: at,
  nextAttemptAt: at,
})

/**
 * Stands before `fromSeq` again. What comes first names `fromSeq - 1` as the event before it: a receiver that has everything
 * up to there sees no hole, and one that has not sees one.
 */
export const replayed = (webhook: WebhookRecord, fromSeq: number, at: number): WebhookRecord => {
  const back = {
    ...healthy(webhook),
    cursor: fromSeq - 1,
    lastDelivered: fromSeq - 1,
    updatedAt: at,
  }
  return webhook.status === 'active' ? { ...back, nextAttemptAt: at } : back
}

/** Its end. Secrets are forgotten. */
export const removed = (webhook: WebhookRecord, at: number): WebhookRecord => ({
  ...without(webhook, 'nextAttemptAt', 'pausedReason', 'pausedAt'),
  status: 'removed',
  updatedAt: at,
  secrets: [],
})
