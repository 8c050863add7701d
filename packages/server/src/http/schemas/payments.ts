import { type Static, Type } from 'typebox'
import {
  after,
  Id,
  Limit,
  listOf,
  named,
  nullable,
  object,
  SatoshiOut,
  Timestamp,
  TimestampIn,
  words,
} from './basics.ts'

export const PAYMENT_STATUSES = ['mempool', 'mined', 'credited', 'gone'] as const
export const PURPOSES = ['order', 'unassigned', 'change'] as const

export const Block = object({ height: Type.Integer(), hash: Type.String() })
export const PaymentId = Type.String({
  pattern: '^pay_[0-9a-f]{64}_\\d{1,10}$',
  description: '`pay_<txid>_<vout>`: the same output has the same id for ever',
  examples: [`pay_${'4a'.repeat(32)}_1`],
})

export const PaymentSchema = named(
  'Payment',
  object(
    {
      id: PaymentId,
      wallet: Id('wal', 'Whose address it is'),
      order: nullable(Id('ord', 'The order whose address it is')),
      purpose: words(
        PURPOSES,
        'For whom it is booked: its order, nobody yet, or ourselves as change of our own spending',
      ),
      txid: Type.String(),
      vout: Type.Integer(),
      address: Type.String(),
      amount_sat: SatoshiOut('What it pays'),
      status: words(
        PAYMENT_STATUSES,
        'mempool: unconfirmed; mined: in a block, not yet credited; credited: the ledger has it; gone: replaced, conflicted or evicted',
      ),
      confirmations: Type.Integer({ description: '0 in the mempool, and when it is gone' }),
      block: nullable(Block),
      gone: nullable(
        object(
          {
            reason: words(['replaced', 'conflicted', 'evicted']),
            by: nullable(Type.String({ description: 'The transaction that took its place' })),
          },
          { description: 'Why it does not count any more' },
        ),
      ),
      booked: words(['none', 'pending', 'credited'], 'What the ledger has of it'),
      late: Type.Boolean({ description: 'Came after its order expired or was cancelled' }),
      coinbase: Type.Boolean(),
      spent_by: nullable(Type.String({ description: 'The transaction that spends it' })),
      first_seen_at: Timestamp('When it was first seen'),
    },
    {
      description: 'One output that pays one of our addresses',
      examples: [
        {
          id: `pay_${'4a'.repeat(32)}_1`,
          wallet: 'wal_019a0a4c2e7f7d1c9b1e2f3a4b5c6d7e',
          order: 'ord_019a0a4d3b2c7e4f8a9b0c1d2e3f4a5b',
          purpose: 'order',
          txid: '4a'.repeat(32),
          vout: 1,
          address: 'bcrt1q6rz28mcfaxtmd6v789l9rrlrusdprr9pz3cppk',
          amount_sat: 150_000,
          status: 'mempool',
          confirmations: 0,
          block: null,
          gone: null,
          booked: 'pending',
          late: false,
          coinbase: false,
          spent_by: null,
          first_seen_at: '2026-06-01T12:01:30.000Z',
        },
      ],
    },
  ),
)
export type PaymentJson = Static<typeof PaymentSchema>
export const PaymentList = listOf(PaymentSchema)

export const FactSchema = named(
  'Fact',
  object(
    {
      kind: words(['seen', 'mined', 'unmined', 'replaced', 'conflicted', 'evicted', 'missing']),
      at: Timestamp('When it was observed'),
      txid: Type.String(),
      block: nullable(Block),
      by: nullable(Type.String({ description: 'The transaction that took its place' })),
    },
    { description: 'An observation as it was made; never edited' },
  ),
)
export type FactJson = Static<typeof FactSchema>

/** A place in a list that is ordered by time and id: `<milliseconds>.<id>`. */
export const PAYMENT_CURSOR = '^\\d{1,15}\\.pay_[0-9a-f]{64}_\\d{1,10}$'

/** Query of `GET /v1/payments`. */
export const PaymentQuery = object({
  limit: Limit,
  after: after(PAYMENT_CURSOR),
  wallet: Type.Optional(Id('wal', 'To this wallet')),
  order: Type.Optional(Id('ord', 'To the address of this order')),
  status: Type.Optional(words(PAYMENT_STATUSES)),
  purpose: Type.Optional(words(PURPOSES)),
  unspent: Type.Optional(Type.Boolean({ description: 'Only coins that we still have' })),
  seen_from: Type.Optional(TimestampIn('First seen at or after')),
  seen_until: Type.Optional(TimestampIn('First seen before')),
})
export type PaymentQueryText = Static<typeof PaymentQuery>
export const PaymentPath = object({ payment: PaymentId })
