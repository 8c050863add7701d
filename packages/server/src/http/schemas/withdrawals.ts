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
import { PsbtSchema } from './psbts.ts'

export const WITHDRAWAL_STATUSES = [
  'requested',
  'approved',
  'rejected',
  'batched',
  'signing',
  'sending',
  'mined',
  'settled',
  'cancelled',
  'failed',
] as const
export const FEE_PAYERS = ['platform', 'customer', 'recipient'] as const
export const PRIORITIES = ['low', 'normal', 'high'] as const

/** Satoshi for 1000 vbytes, up to what would burn a whole bitcoin on a small transaction. */
export const FeeRate = (description: string, least = 1) =>
  Type.Integer({
    minimum: least,
    maximum: 100_000_000,
    description: `${description}, satoshi for 1000 vbytes; 1 sat/vB is 1000`,
  })
const Text = (most: number, description: string) =>
  Type.String({ minLength: 1, maxLength: most, description })
export const Reason = object({
  reason: Type.String({
    minLength: 1,
    maxLength: 500,
    description: 'Why; it stands in the audit trail',
  }),
})

/** How soon it should be mined: at most one of them. */
export const SpeedFields = {
  priority: Type.Optional(words(PRIORITIES, 'How soon it should be mined; default: normal')),
  fee_rate_sat_kvb: Type.Optional(FeeRate('Instead of a priority: exactly this rate')),
  deadline: Type.Optional(
    TimestampIn('Instead of a priority: mined by then, as cheaply as that allows'),
  ),
}

/** Body of `POST /v1/withdrawals`. */
export const WithdrawalRequest = object(
  {
    wallet: Id('wal', 'Whose coins pay it'),
    address: Text(120, 'Who gets it: an address of the network of this server'),
    amount_sat: Satoshi('What is paid', 1),
    external_id: Text(255, 'Your own id: the same one gives the same withdrawal, for ever'),
    fee_payer: Type.Optional(
      words(
        FEE_PAYERS,
        'platform: the house bears the fee (default); customer: it is debited beyond the amount; recipient: it is taken out of the amount',
      ),
    ),
    ...SpeedFields,
    max_fee_sat: Type.Optional(Satoshi('The most that its share of the fee may be', 1)),
    max_fee_rate_sat_kvb: Type.Optional(
      FeeRate('The highest rate that it may be sent or bumped with'),
    ),
    customer: Type.Optional(
      Text(255, "Your id of whose account is debited; without it: the platform's own means"),
    ),
    user: Type.Optional(Text(255, 'Your id of who withdraws: limits and risk are counted by it')),
    description: Type.Optional(Type.String({ description: 'What it is for' })),
    metadata: Type.Optional(Metadata),
  },
  {
    examples: [
      {
        wallet: 'wal_019a0a4c2e7f7d1c9b1e2f3a4b5c6d7e',
        address: 'bcrt1qqv9pzxqlyckngw6zf9g9whn9d3eh4qvg0z9lm9',
        amount_sat: 150_000,
        external_id: 'payout-4711',
        user: 'ann',
        priority: 'normal',
        metadata: { invoice: '17' },
      },
    ],
  },
)
export type WithdrawalRequestBody = Static<typeof WithdrawalRequest>

/** Body of `POST /v1/withdrawals/{id}/approve`. */
export const ApproveRequest = object(
  {
    digest: Type.Optional(
      Type.String({
        pattern: '^[0-9a-f]{64}$',
        description: 'The `digest` that you saw; another one is refused',
      }),
    ),
  },
  { examples: [{}] },
)
/** Body of `POST /v1/withdrawals/{id}/bump`. */
export const BumpRequest = object(
  {
    ...SpeedFields,
    max_fee_sat: Type.Optional(
      Satoshi('The most that the fee of the whole transaction may become', 1),
    ),
  },
  { examples: [{ fee_rate_sat_kvb: 12_000 }] },
)
export type BumpRequestBody = Static<typeof BumpRequest>

const Ended = nullable(
  object({
    by: Type.String({ description: 'Actor, as in the audit trail' }),
    reason: Type.String(),
    at: Timestamp('When'),
  }),
)
const EXAMPLE = {
  id: 'wdr_019a0a4d3b2c7e4f8a9b0c1d2e3f4a5b',
  wallet: 'wal_019a0a4c2e7f7d1c9b1e2f3a4b5c6d7e',
  external_id: 'payout-4711',
  digest: '5e'.repeat(32),
  address: 'bcrt1qqv9pzxqlyckngw6zf9g9whn9d3eh4qvg0z9lm9',
  amount_sat: 150_000,
  fee_payer: 'platform',
  priority: 'normal',
  fee_rate_sat_kvb: null,
  deadline: null,
  max_fee_sat: 20_000,
  max_fee_rate_sat_kvb: 100_000,
  customer: null,
  user: 'ann',
  description: null,
  metadata: { invoice: '17' },
  initiator: 'api:key_019a0a4b1d6e7c0b8a8d1e2f3a4b5c6d',
  status: 'sending',
  verdict: {
    decision: 'allow',
    score: 10,
    reasons: [{ code: 'risk/new_destination', message: 'nothing was ever paid to this address' }],
    policy_version: 1,
    approvals_needed: 0,
    transaction_approvals: 0,
  },
  reserved_sat: 0,
  ended: null,
  cancel_asked: null,
  spend: 'spd_019a0a4d3b2c7e4f8a9b0c1d2e3f4a5c',
  txid: '8f'.repeat(32),
  vout: 0,
  paid_sat: 150_000,
  fee_share_sat: 423,
  waits_for: null,
  reached: { requested: '2026-06-01T12:00:00.000Z', approved: '2026-06-01T12:00:00.000Z' },
  created_at: '2026-06-01T12:00:00.000Z',
  updated_at: '2026-06-01T12:00:02.000Z',
}

export const WithdrawalSchema = named(
  'Withdrawal',
  object(
    {
      id: Id('wdr', 'Id of the withdrawal'),
      wallet: Id('wal', 'Whose coins pay it'),
      external_id: Type.String({ description: 'Your own id' }),
      digest: Type.String({ description: 'SHA-256 of what was asked for: what people approve' }),
      address: Type.String({ description: 'Who gets it' }),
      amount_sat: SatoshiOut('What was asked for'),
      fee_payer: words(FEE_PAYERS),
      priority: nullable(words(PRIORITIES)),
      fee_rate_sat_kvb: nullable(Type.Integer()),
      deadline: nullable(Timestamp('Mined by then')),
      max_fee_sat: SatoshiOut('The most that its share of the fee may be'),
      max_fee_rate_sat_kvb: Type.Integer({ description: 'The highest rate it may be sent with' }),
      customer: nullable(Type.String()),
      user: nullable(Type.String()),
      description: nullable(Type.String()),
      metadata: Metadata,
      initiator: Type.String({ description: 'Who asked for it; never approves it' }),
      status: words(WITHDRAWAL_STATUSES),
      verdict: object(
        {
          decision: words(['allow', 'hold', 'deny']),
          score: Type.Integer({ description: 'Risk, 0 to 100' }),
          reasons: Type.Array(object({ code: Type.String(), message: Type.String() })),
          policy_version: Type.Integer(),
          approvals_needed: Type.Integer({ description: 'People who must approve the request' }),
          transaction_approvals: Type.Integer({
            description: 'People who must approve the exact transaction before it is signed',
          }),
        },
        { description: 'What the policy said when it was requested; never judged again' },
      ),
      reserved_sat: SatoshiOut('What is held for it until coins are chosen'),
      ended: Ended,
      cancel_asked: Ended,
      spend: nullable(Id('spd', 'The spend that pays it')),
      txid: nullable(Type.String({ description: 'The transaction that is current, or mined' })),
      vout: nullable(Type.Integer()),
      paid_sat: nullable(SatoshiOut('What the recipient gets by that transaction')),
      fee_share_sat: nullable(SatoshiOut('Its share of the fee of that transaction')),
      waits_for: nullable(Type.String({ description: 'Why the last plan could not serve it' })),
      reached: Type.Record(Type.String(), Type.String(), {
        description: 'When it reached each status, RFC 3339',
      }),
      created_at: Timestamp('When it was requested'),
      updated_at: Timestamp('When it changed last'),
    },
    { examples: [EXAMPLE] },
  ),
)
export type WithdrawalJson = Static<typeof WithdrawalSchema>
export const WithdrawalList = listOf(WithdrawalSchema)

export const WithdrawalExplanationSchema = named(
  'WithdrawalExplanation',
  object({
    withdrawal: ref(WithdrawalSchema),
    because: Type.Array(Type.String(), { description: 'What led to the status, for people' }),
    next: Type.Array(Type.String(), { description: 'What would change it' }),
    waits_for: Type.Array(Type.String(), {
      description: 'Who must act for it to go on; empty when it goes on by itself',
    }),
    approvals: Type.Array(object({ by: Type.String(), at: Timestamp('When') }), {
      description: 'Who approved the request',
    }),
    versions: Type.Array(ref(PsbtSchema), {
      description: 'Every transaction that could pay it; consensus lets at most one be mined',
    }),
  }),
)
export type WithdrawalExplanationJson = Static<typeof WithdrawalExplanationSchema>

/** Query of `GET /v1/withdrawals`. */
export const WithdrawalQuery = object({
  limit: Limit,
  after: after('^wdr_[\\w-]{1,160}$'),
  wallet: Type.Optional(Id('wal', 'Of this wallet')),
  status: Type.Optional(words(WITHDRAWAL_STATUSES)),
  customer: Type.Optional(Word(255, 'Of this customer')),
  user: Type.Optional(Word(255, 'Of this user')),
  external_id: Type.Optional(Word(255, 'The one with this id of yours')),
  address: Type.Optional(Word(120, 'To this address')),
  created_from: Type.Optional(TimestampIn('Requested at or after')),
  created_until: Type.Optional(TimestampIn('Requested before')),
  metadata: Type.Optional(
    Type.String({
      maxLength: 560,
      pattern: '^[^:\\u0000]{1,40}:[^\\u0000]*$',
      description: 'a pair that it has, such as `invoice:17`',
    }),
  ),
})
export type WithdrawalQueryText = Static<typeof WithdrawalQuery>
export const WithdrawalPath = object({ withdrawal: Id('wdr', 'Id of the withdrawal') })
