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
  ref,
  Satoshi,
  SatoshiOut,
  Timestamp,
  TimestampIn,
  Word,
  words,
} from './basics.ts'
import { FactSchema, PaymentSchema } from './payments.ts'

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
const Tolerance = Type.Union(
  [
    object({ sat: Satoshi('Absolute') }),
    object({ ppm: Type.Integer({ minimum: 0, maximum: 999_999 }) }),
  ],
  { description: 'What still counts as exact: satoshi, or parts per million of the amount' },
)

/** Body of `POST /v1/orders`. */
export const OrderRequest = object(
  {
    wallet: Id('wal', 'Where it is paid to'),
    amount_sat: Type.Optional(
      Satoshi(
        'What is owed; without it and without `price` the order is an open deposit address',
        1,
      ),
    ),
    price: Type.Optional(
      object(
        {
          currency: Type.String({ minLength: 3, maxLength: 10, description: 'Code such as EUR' }),
          amount: Type.String({ minLength: 1, maxLength: 40, description: 'Decimal text: 19.90' }),
        },
        { description: 'Instead of `amount_sat`: becomes satoshi at the rate of now, rounded up' },
      ),
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
        description:
          'Seconds until it expires; default one hour, an open deposit address never does',
      }),
    ),
    tolerance: Type.Optional(Tolerance),
    confirmations: Type.Optional(
      Type.Partial(object(Levels), {
        additionalProperties: false,
        description: 'Depths of the levels; default 1, 3, 6. The ledger credits at full_confirmed',
      }),
    ),
    description: Type.Optional(Type.String({ description: 'What it is for; the payer sees it' })),
    metadata: Type.Optional(Metadata),
  },
  {
    examples: [
      {
        wallet: 'wal_019a0a4c2e7f7d1c9b1e2f3a4b5c6d7e',
        amount_sat: 150_000,
        external_id: 'cart-4711',
        expires_in: 900,
        metadata: { colour: 'red' },
      },
    ],
  },
)
export type OrderRequestBody = Static<typeof OrderRequest>

/** Body of `POST /v1/orders/{id}/settle`. */
export const SettleRequest = object({
  reason: Type.String({ maxLength: 500, description: 'Why; it stands in the audit trail' }),
})

const ORDER_EXAMPLE = {
  id: 'ord_019a0a4d3b2c7e4f8a9b0c1d2e3f4a5b',
  wallet: 'wal_019a0a4c2e7f7d1c9b1e2f3a4b5c6d7e',
  address: 'bcrt1q6rz28mcfaxtmd6v789l9rrlrusdprr9pz3cppk',
  bip21: 'bitcoin:bcrt1q6rz28mcfaxtmd6v789l9rrlrusdprr9pz3cppk?amount=0.0015',
  pay_url: null,
  external_id: 'cart-4711',
  customer: null,
  amount_sat: 150_000,
  price: null,
  status: 'pending',
  failure_reason: null,
  amount_verdict: 'none',
  late: false,
  received_sat: 0,
  confirmed_sat: 0,
  credited_sat: 0,
  missing_sat: 150_000,
  confirmations: { confirmed: 1, full_confirmed: 3, finalized: 6 },
  tolerance: { sat: 0 },
  description: null,
  metadata: { colour: 'red' },
  created_at: '2026-06-01T12:00:00.000Z',
  expires_at: '2026-06-01T12:15:00.000Z',
  expired_at: null,
  cancelled_at: null,
  settled: null,
}

export const OrderSchema = named(
  'Order',
  object(
    {
      id: Id('ord', 'Id of the order'),
      wallet: Id('wal', 'Where it is paid to'),
      address: Type.String({ description: 'Its own address, given to nobody else' }),
      bip21: Type.String({ description: 'What a wallet opens (BIP 21)' }),
      pay_url: nullable(
        Type.String({ description: 'Its checkout page, where the server knows its own address' }),
      ),
      external_id: nullable(Type.String()),
      customer: nullable(Type.String()),
      amount_sat: nullable(SatoshiOut('What is owed; null for an open deposit address')),
      price: nullable(
        object(
          {
            currency: Type.String(),
            amount: Type.String(),
            rate: Type.String({ description: 'Units of the currency for one bitcoin' }),
            source: Type.String({ description: 'Who said so' }),
            at: Timestamp('When the rate was true'),
          },
          { description: 'What `amount_sat` was made of' },
        ),
      ),
      status: words(ORDER_STATUSES),
      failure_reason: nullable(words(['expired', 'cancelled'])),
      amount_verdict: words(['none', 'exact', 'underpaid', 'overpaid']),
      late: Type.Boolean({ description: 'Money came after expiry or cancelling' }),
      received_sat: SatoshiOut('In mempool and best chain'),
      confirmed_sat: SatoshiOut('The part of it that reached the level confirmed'),
      credited_sat: SatoshiOut('What the ledger has booked'),
      missing_sat: SatoshiOut('What is still owed'),
      confirmations: object(Levels),
      tolerance: Tolerance,
      description: nullable(Type.String()),
      metadata: Metadata,
      created_at: Timestamp('When it was made'),
      expires_at: nullable(Timestamp('When it expires unless paid')),
      expired_at: nullable(Timestamp('When it expired')),
      cancelled_at: nullable(Timestamp('When it was cancelled')),
      settled: nullable(
        object(
          { at: Timestamp('When'), by: Type.String(), reason: Type.String() },
          { description: 'Taken as paid by a person, whatever came' },
        ),
      ),
    },
    { examples: [ORDER_EXAMPLE] },
  ),
)
export type OrderJson = Static<typeof OrderSchema>
export const OrderList = listOf(OrderSchema)

export const ExplanationSchema = named(
  'OrderExplanation',
  object({
    order: ref(OrderSchema),
    tip: object({ height: Type.Integer(), hash: Type.String() }),
    because: Type.Array(Type.String(), { description: 'What led to the status, for people' }),
    next: Type.Array(Type.String(), { description: 'What would change it' }),
    payments: Type.Array(
      object({
        payment: ref(PaymentSchema),
        counts: Type.Boolean({ description: 'Whether it counts for the order' }),
        credited_at: Type.Integer({ description: 'Confirmations at which the ledger credits it' }),
        facts: Type.Array(ref(FactSchema), { description: 'What was observed, in order' }),
      }),
    ),
  }),
)
export type ExplanationJson = Static<typeof ExplanationSchema>

/** Query of `GET /v1/orders`. */
export const OrderQuery = object({
  limit: Limit,
  after: after('^ord_[\\w-]{1,160}$'),
  wallet: Type.Optional(Id('wal', 'Of this wallet')),
  status: Type.Optional(words(ORDER_STATUSES)),
  customer: Type.Optional(Word(255, 'Of this customer')),
  external_id: Type.Optional(Word(255, 'The one with this id of yours')),
  address: Type.Optional(Word(120, 'The one with this address')),
  created_from: Type.Optional(TimestampIn('Made at or after')),
  created_until: Type.Optional(TimestampIn('Made before')),
  metadata: Type.Optional(
    Type.String({
      maxLength: 560,
      pattern: '^[^:\\u0000]{1,40}:[^\\u0000]*$',
      description: 'a pair that it has, such as `colour:red`',
    }),
  ),
})
export type OrderQueryText = Static<typeof OrderQuery>
export const OrderPath = object({ order: Id('ord', 'Id of the order') })
