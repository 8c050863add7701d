import { type Static, Type } from 'typebox'
import {
  after,
  Id,
  Limit,
  listOf,
  Metadata,
  named,
  nullable,
  object,
  Timestamp,
  Word,
  words,
} from './basics.ts'
import { EVENT_PATTERN } from './events.ts'

const Url = Type.String({ maxLength: 2_000, description: 'Where events are posted to: https' })
const EventTypes = Type.Array(Type.String({ pattern: EVENT_PATTERN, examples: ['order.*'] }), {
  minItems: 1,
  maxItems: 100,
  description: 'Which events: `order.confirmed`, `order.*`, or `*`',
})
const Description = Type.String({ description: 'For people' })

/** Body of `POST /v1/webhooks`. */
export const WebhookRequest = object(
  {
    url: Url,
    event_types: EventTypes,
    description: Type.Optional(Description),
    metadata: Type.Optional(Metadata),
    secret: Type.Optional(
      Type.String({
        maxLength: 200,
        description: 'A secret of your own: `whsec_` and base64 of 24 to 64 bytes',
      }),
    ),
  },
  { examples: [{ url: 'https://shop.example/hooks/kaccy', event_types: ['order.*'] }] },
)
export type WebhookRequestBody = Static<typeof WebhookRequest>
/** Body of `PATCH /v1/webhooks/{id}`. */
export const WebhookChange = object({
  url: Type.Optional(Url),
  event_types: Type.Optional(EventTypes),
  description: Type.Optional(Description),
  metadata: Type.Optional(Metadata),
})
export type WebhookChangeBody = Static<typeof WebhookChange>
/** Body of `POST /v1/webhooks/{id}/rotate`. */
export const RotateRequest = object({
  overlap: Type.Optional(
    Type.Integer({
      minimum: 0,
      maximum: 2_592_000,
      description:
        'Seconds for which older secrets sign beside the new one; default a day, 0 ends them at once',
    }),
  ),
})
/** Body of `POST /v1/webhooks/{id}/replay`. */
export const ReplayRequest = object({
  from_seq: Type.Integer({ minimum: 1, description: 'The first event to deliver again' }),
})

const Fields = {
  id: Id('whk', 'Id of the webhook'),
  url: Type.String(),
  event_types: Type.Array(Type.String()),
  description: nullable(Type.String()),
  metadata: Metadata,
  status: words(['active', 'paused']),
  paused_reason: nullable(words(['operator', 'gone', 'failing'])),
  paused_at: nullable(Timestamp('When it was paused')),
  cursor: Type.Integer({
    description: 'Everything up to this event was delivered or is not for it',
  }),
  last_delivered_seq: Type.Integer({ description: 'The event delivered last; 0: none' }),
  last_delivered_at: nullable(Timestamp('When that was')),
  failed_attempts: Type.Integer({ description: 'At the next event; 0 when it goes well' }),
  failing_since: nullable(Timestamp('Since when it fails')),
  last_error: nullable(Type.String()),
  next_attempt_at: nullable(Timestamp('When it is tried next; null: nothing waits')),
  secrets: Type.Array(
    object({
      created_at: Timestamp('When it was made'),
      expires_at: nullable(Timestamp('When it ends to sign; null: it goes on')),
    }),
    { description: 'How many sign, never what they are' },
  ),
  scopes: Type.Array(Type.String(), {
    description: 'What its maker might see: only that is delivered',
  }),
  wallets: nullable(Type.Array(Type.String(), { description: 'Null: all' })),
  created_by: Type.String(),
  created_at: Timestamp('When it was made'),
  updated_at: Timestamp('When it was changed'),
}
export const WebhookSchema = named('Webhook', object(Fields))
export const CreatedWebhookSchema = named(
  'CreatedWebhook',
  object(
    {
      ...Fields,
      secret: nullable(
        Type.String({
          description:
            'What deliveries are signed with. Shown once. Null in a repeated answer: rotate for a new one',
        }),
      ),
    },
    { description: 'A webhook as it is answered when it gets a secret' },
  ),
)
export type WebhookJson = Static<typeof WebhookSchema>
export type CreatedWebhookJson = Static<typeof CreatedWebhookSchema>
export const WebhookList = listOf(WebhookSchema)
export const WebhookQuery = object({
  limit: Limit,
  after: after('^whk_[\\w-]{1,160}$'),
  status: Type.Optional(words(['active', 'paused'])),
  created_by: Type.Optional(Word(200, 'Made by this actor: `api:<key>`, `operator:<name>`')),
})
export const WebhookPath = object({ webhook: Id('whk', 'Id of the webhook') })

export const DeliverySchema = named(
  'Delivery',
  object(
    {
      id: Id('dlv', 'Id of the attempt'),
      webhook: Id('whk', 'Of this webhook'),
      number: Type.Integer({ description: 'Dense for each webhook, from 1' }),
      event: Type.String({ description: 'Id of the event' }),
      seq: Type.Integer(),
      type: Type.String(),
      attempt: Type.Integer({ description: 'From 1, for one event' }),
      at: Timestamp('When it began'),
      duration_ms: Type.Integer(),
      outcome: words(['delivered', 'failed']),
      url: Type.String(),
      body: Type.String({ description: 'What was sent, word for word' }),
      body_sha256: Type.String(),
      status: nullable(Type.Integer({ description: 'What the receiver answered' })),
      answer: nullable(Type.String({ description: 'The first 4 KiB of its answer' })),
      error: nullable(Type.String({ description: 'Why it failed' })),
    },
    { description: 'One attempt to deliver, as it was made' },
  ),
)
export type DeliveryJson = Static<typeof DeliverySchema>
export const DeliveryList = listOf(DeliverySchema)
export const DeliveryQuery = object({ limit: Limit, after: after('^dlv_[\\w-]{1,200}$') })
export const DeliveryPath = object({ delivery: Id('dlv', 'Id of the attempt') })
