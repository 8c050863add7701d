import { type Static, Type } from 'typebox'
import {
  After,
  Id,
  Limit,
  listOf,
  Metadata,
  named,
  nullable,
  object,
  Satoshi,
  SatoshiOut,
  Timestamp,
  words,
} from './basics.ts'

export const ORDER_STATUSES = [
  'pending',
  'unconfirmed',
  'confirmed',
  'full_confirmed',
  'finalized',
  'failed',
] as const

const Levels = {
  confirmed: Type.Integer({ minimum: 0, maximum: 10_000 }),
  full_confirmed: Type.Integer({ minimum: 0, maximum: 10_000 }),
  finalized: Type.Integer({ minimum: 0, maximum: 10_000 }),
}

/** Body of `POST /v1/orders`. */
export const OrderRequest = object({
  wallet: Id('wal', 'Where it is paid to'),
  amount_sat: Type.Optional(
    Satoshi('What is owed; without it the order is an open deposit address', 1),
  ),
  customer: Type.Optional(
    Type.String({ description: 'Your id of who is credited; without it the order itself is' }),
  ),
  external_id: Type.Optional(
    Type.String({ description: 'Your own id: the same one gives the same order, for ever' }),
  ),
  expires_in: Type.Optional(
    Type.Integer({
      minimum: 60,
      maximum: 316_224_000,
      description: 'Seconds until it expires; default one hour, an open deposit address never does',
    }),
  ),
  tolerance: Type.Optional(
    Type.Union(
      [
        object({ sat: Satoshi('Absolute') }),
        object({ ppm: Type.Integer({ minimum: 0, maximum: 999_999 }) }),
      ],
      { description: 'What still counts as exact: satoshi, or parts per million of the amount' },
    ),
  ),
  confirmations: Type.Optional(
    Type.Partial(object(Levels), {
      additionalProperties: false,
      description: 'Depths of the levels; default 1, 3, 6. The ledger credits at full_confirmed',
    }),
  ),
  description: Type.Optional(Type.String({ description: 'What it is for; the payer sees it' })),
  metadata: Type.Optional(Metadata),
})
export type OrderRequestBody = Static<typeof OrderRequest>

export const OrderSchema = named(
  'Order',
  object({
    id: Id('ord', 'Id of the order'),
    wallet: Id('wal', 'Where it is paid to'),
    address: Type.String({ description: 'Its own address, given to nobody else' }),
    bip21: Type.String({ description: 'What a wallet opens (BIP 21)' }),
    external_id: nullable(Type.String()),
    customer: nullable(Type.String()),
    amount_sat: nullable(SatoshiOut('What is owed; null for an open deposit address')),
    status: words(ORDER_STATUSES),
    failure_reason: nullable(words(['expired', 'cancelled'])),
    amount_verdict: words(['none', 'exact', 'underpaid', 'overpaid']),
    late: Type.Boolean({ description: 'Money came after expiry or cancelling' }),
    received_sat: SatoshiOut('In mempool and best chain'),
    confirmed_sat: SatoshiOut('The part of it that reached the level confirmed'),
    credited_sat: SatoshiOut('What the ledger has booked'),
    missing_sat: SatoshiOut('What is still owed'),
    confirmations: object(Levels),
    tolerance: Type.Union([
      object({ sat: SatoshiOut('Absolute') }),
      object({ ppm: Type.Integer() }),
    ]),
    description: nullable(Type.String()),
    metadata: Metadata,
    created_at: Timestamp('When it was made'),
    expires_at: nullable(Timestamp('When it expires unless paid')),
    expired_at: nullable(Timestamp('When it expired')),
    cancelled_at: nullable(Timestamp('When it was cancelled')),
    settled: nullable(
      object(
        { at: Timestamp('When'), by: Type.String(), reason: Type.String() },
        {
          description: 'Taken as paid by a person, whatever came',
        },
      ),
    ),
  }),
)
export const OrderList = listOf(OrderSchema)

/** Query of `GET /v1/orders`. */
export const OrderQuery = object({
  limit: Limit,
  after: After,
  wallet: Type.Optional(Id('wal', 'Of this wallet')),
  status: Type.Optional(words(ORDER_STATUSES)),
  customer: Type.Optional(Type.String({ maxLength: 255 })),
  external_id: Type.Optional(Type.String({ maxLength: 255 })),
  address: Type.Optional(Type.String({ maxLength: 120 })),
  created_from: Type.Optional(Timestamp('Made at or after')),
  created_until: Type.Optional(Timestamp('Made before')),
  metadata: Type.Optional(
    Type.String({ maxLength: 560, description: 'A pair that it has: `color:red`' }),
  ),
})
