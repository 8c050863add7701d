import type { EventGrant } from '../../capabilities/events/index.ts'
import {
  type DeliveryRecord,
  deliveryId,
  type WebhookInterest,
  type WebhookRecord,
  type WebhookSecret,
} from '../../capabilities/webhooks/index.ts'
import { fromHex, Secret, toHex } from '../../kernel/index.ts'
import { int, maybeInt, num, present } from './doors.ts'
import type { WebhookDeliveryRow, WebhookRow } from './schema.ts'

const maybe = (value: bigint | null): number | null => (value === null ? null : num(value))

const secretsText = (secrets: readonly WebhookSecret[]): string =>
  JSON.stringify(
    secrets.map(({ secret, createdAt, expiresAt }) => ({
      secret: secret.reveal(),
      createdAt,
      expiresAt,
    })),
  )
function secretsOf(text: string): readonly WebhookSecret[] {
  const stored: readonly { secret: string; createdAt: number; expiresAt?: number }[] =
    JSON.parse(text)
  return stored.map((one) => ({ ...one, secret: new Secret(one.secret) }))
}

/** All but the lease. */
export const webhookRow = (webhook: WebhookRecord): Omit<WebhookRow, 'fence' | 'leased_until'> => ({
  id: webhook.id,
  url: webhook.url,
  event_types: JSON.stringify(webhook.eventTypes),
  description: webhook.description ?? null,
  metadata: JSON.stringify(webhook.metadata),
  status: webhook.status,
  paused_reason: webhook.pausedReason ?? null,
  paused_at: maybeInt(webhook.pausedAt),
  visible: JSON.stringify(webhook.grant),
  created_by: webhook.createdBy,
  created_at: int(webhook.createdAt),
  updated_at: int(webhook.updatedAt),
  secrets: secretsText(webhook.secrets),
  cursor: int(webhook.cursor),
  last_delivered: int(webhook.lastDelivered),
  last_delivered_at: maybeInt(webhook.lastDeliveredAt),
  attempts: int(webhook.attempts),
  failing_since: maybeInt(webhook.failingSince),
  last_error: webhook.lastError ?? null,
  next_attempt_at: maybeInt(webhook.nextAttemptAt),
  deliveries: int(webhook.deliveries),
})

export const webhookOf = (row: WebhookRow): WebhookRecord => ({
  id: row.id,
  url: row.url,
  eventTypes: JSON.parse(row.event_types),
  ...present('description', row.description),
  metadata: JSON.parse(row.metadata),
  status: row.status as WebhookRecord['status'],
  ...present('pausedReason', row.paused_reason as WebhookRecord['pausedReason'] | null),
  ...present('pausedAt', maybe(row.paused_at)),
  grant: JSON.parse(row.visible) as EventGrant,
  createdBy: row.created_by,
  createdAt: num(row.created_at),
  updatedAt: num(row.updated_at),
  secrets: secretsOf(row.secrets),
  cursor: num(row.cursor),
  lastDelivered: num(row.last_delivered),
  ...present('lastDeliveredAt', maybe(row.last_delivered_at)),
  attempts: num(row.attempts),
  ...present('failingSince', maybe(row.failing_since)),
  ...present('lastError', row.last_error),
  ...present('nextAttemptAt', maybe(row.next_attempt_at)),
  deliveries: num(row.deliveries),
})

export const interestOf = (
  row: Pick<WebhookRow, 'id' | 'event_types' | 'visible'>,
): WebhookInterest => ({
  id: row.id,
  eventTypes: JSON.parse(row.event_types),
  grant: JSON.parse(row.visible) as EventGrant,
})

export const deliveryRow = (delivery: DeliveryRecord): WebhookDeliveryRow => ({
  webhook: delivery.webhook,
  number: int(delivery.number),
  seq: int(delivery.seq),
  type: delivery.type,
  attempt: int(delivery.attempt),
  at: int(delivery.at),
  duration_ms: int(delivery.durationMs),
  outcome: delivery.outcome,
  url: delivery.url,
  body: delivery.body,
  body_hash: fromHex(delivery.bodyHash),
  status: maybeInt(delivery.status),
  answer: delivery.answer ?? null,
  error: delivery.error ?? null,
})
export const deliveryOf = (row: WebhookDeliveryRow): DeliveryRecord => ({
  id: deliveryId(row.webhook, num(row.number)),
  webhook: row.webhook,
  number: num(row.number),
  seq: num(row.seq),
  type: row.type,
  attempt: num(row.attempt),
  at: num(row.at),
  durationMs: num(row.duration_ms),
  outcome: row.outcome as DeliveryRecord['outcome'],
  url: row.url,
  body: row.body,
  bodyHash: toHex(row.body_hash),
  ...present('status', maybe(row.status)),
  ...present('answer', row.answer),
  ...present('error', row.error),
})
