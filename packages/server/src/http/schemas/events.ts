import { type Static, Type } from 'typebox'
import { AFTER_NUMBER, Limit, named, object, Timestamp, Word } from './basics.ts'

export const EventSchema = named(
  'Event',
  object(
    {
      seq: Type.Integer({ description: 'Dense, from 1, in the order in which things happened' }),
      id: Type.String({ description: '`evt_<seq>`' }),
      type: Type.String({ description: '`resource.what`: `order.confirmed`' }),
      at: Timestamp('When it was written'),
      subject: Type.String({ description: 'Id of what it speaks of' }),
      request_id: Type.Optional(Type.String({ description: 'The request that caused it' })),
      data: Type.Record(Type.String(), Type.Unknown(), {
        description: 'What is true now, by type; amounts in satoshi',
      }),
    },
    {
      examples: [
        {
          seq: 42,
          id: 'evt_42',
          type: 'order.payment_seen',
          at: '2026-06-01T12:01:30.000Z',
          subject: 'ord_019a0a4d3b2c7e4f8a9b0c1d2e3f4a5b',
          data: { wallet: 'wal_019a0a4c2e7f7d1c9b1e2f3a4b5c6d7e', amount_sat: 150_000 },
        },
      ],
    },
  ),
)
export type EventJson = Static<typeof EventSchema>
export const EventList = object({
  data: Type.Array(Type.Unsafe<EventJson>({ $ref: 'Event#' })),
  has_more: Type.Boolean(),
  next: Type.String({
    description:
      '`after` of the next request, always: events that the key may not see are passed over',
  }),
})

/** An event type or an area: `order.confirmed`, `order.*`, `*`. */
export const EVENT_PATTERN = '^(?:\\*|[a-z_]{1,40}\\.(?:\\*|[a-z_]{1,60}))$'
export const EventQuery = object({
  after: Type.Optional(
    Type.String({
      pattern: AFTER_NUMBER,
      description: 'behind this number; default 0: from the first',
    }),
  ),
  limit: Limit,
  types: Type.Optional(
    Type.String({
      maxLength: 2_000,
      pattern:
        '^(?:\\*|[a-z_]{1,40}\\.(?:\\*|[a-z_]{1,60}))(?:,(?:\\*|[a-z_]{1,40}\\.(?:\\*|[a-z_]{1,60})))*$',
      description: 'only these, separated by commas: `order.confirmed,payment.*`',
    }),
  ),
  subject: Type.Optional(Word(200, 'Of this order, payment or wallet')),
})
