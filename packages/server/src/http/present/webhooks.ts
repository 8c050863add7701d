import type { DeliveryRecord, WebhookRecord } from '@kaccy/bitcoin/webhooks'
import { assert } from '@kaccy/bitcoin/kernel'
import type { CreatedWebhookJson, DeliveryJson, WebhookJson } from '../schemas/webhooks.ts'
import { time, timeOrNull } from './basics.ts'

/** A webhook as the API shows it: never its secrets. @throws AssertionError for a removed one */
export function webhookJson(webhook: WebhookRecord): WebhookJson {
  const { status, grant } = webhook
  assert(status !== 'removed', 'a removed webhook is shown to nobody')
  return {
    id: webhook.id,
    url: webhook.url,
    event_types: [...webhook.eventTypes],
    description: webhook.description ?? null,
    metadata: { ...webhook.metadata },
    status,
    paused_reason: webhook.pausedReason ?? null,
    paused_at: timeOrNull(webhook.pausedAt),
    cursor: webhook.cursor,
    last_delivered_seq: webhook.lastDelivered,
    last_delivered_at: timeOrNull(webhook.lastDeliveredAt),
    failed_attempts: webhook.attempts,
    failing_since: timeOrNull(webhook.failingSince),
    last_error: webhook.lastError ?? null,
    next_attempt_at: timeOrNull(webhook.nextAttemptAt),
    secrets: webhook.secrets.map(({ createdAt, expiresAt }) => ({
      created_at: time(createdAt),
      expires_at: timeOrNull(expiresAt),
    })),
    scopes: [...grant.scopes],
    wallets: grant.wallets ? [...grant.wallets] : null,
    created_by: webhook.createdBy,
    created_at: time(webhook.createdAt),
    updated_at: time(webhook.updatedAt),
  }
}

/** @param secret undefined where it must not be kept, or is not known any more */
export const createdWebhookJson = (
  webhook: WebhookRecord,
  secret?: string,
): CreatedWebhookJson => ({
  ...webhookJson(webhook),
  secret: secret ?? null,
})

/** An attempt as it was made, with what was sent and what came back. */
export const deliveryJson = (delivery: DeliveryRecord): DeliveryJson => ({
  id: delivery.id,
  webhook: delivery.webhook,
  number: delivery.number,
  event: `evt_${delivery.seq}`,
  seq: delivery.seq,
  type: delivery.type,
  attempt: delivery.attempt,
  at: time(delivery.at),
  duration_ms: Math.round(delivery.durationMs),
  outcome: delivery.outcome,
  url: delivery.url,
  body: delivery.body,
  body_sha256: delivery.bodyHash,
  status: delivery.status ?? null,
  answer: delivery.answer ?? null,
  error: delivery.error ?? null,
})
