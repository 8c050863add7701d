import { type Static, Type } from 'typebox'
import { Block, PaymentId } from './payments.ts'
import {
  AFTER_NUMBER,
  after,
  Id,
  Limit,
  listOf,
  named,
  nullable,
  object,
  SatoshiOut,
  SatoshiSum,
  Timestamp,
  TimestampIn,
  Word,
  words,
} from './basics.ts'

export const AccountSchema = named(
  'Account',
  object({
    account: Type.String({ description: 'A path: `coins/<wallet>`, `owed/<customer>`, …' }),
    debits_sat: SatoshiSum('Sum of all debits'),
    credits_sat: SatoshiSum('Sum of all credits'),
    balance_sat: SatoshiSum('debits_sat less credits_sat'),
  }),
)
export type AccountJson = Static<typeof AccountSchema>
export const AccountList = listOf(AccountSchema)
export const AccountQuery = object({
  limit: Limit,
  after: Type.Optional(Word(400, 'The `next` of the page before')),
  prefix: Type.Optional(Word(400, 'Accounts that begin so: `owed/`')),
})

export const EntrySchema = named(
  'LedgerEntry',
  object(
    {
      number: Type.Integer({ description: 'Dense, from 1' }),
      at: Timestamp('When it was booked'),
      kind: words([
        'seen',
        'unseen',
        'credit',
        'reversal',
        'spent',
        'unspent',
        'change',
        'unchange',
        'hold',
        'release',
        'capture',
        'uncapture',
        'fee',
        'unfee',
      ]),
      debit: Type.String({ description: 'The account that gets it' }),
      credit: Type.String({ description: 'The account that it comes from' }),
      amount_sat: SatoshiOut('What is moved'),
      wallet: Id('wal', 'Whose coins they are'),
      payment: nullable(Type.String()),
      order: nullable(Type.String()),
      block: nullable(Block),
      key: Type.String({ description: 'Unique for ever: a fact is booked only once' }),
    },
    { description: 'One movement between two accounts; nothing is ever edited' },
  ),
)
export type EntryJson = Static<typeof EntrySchema>
export const EntryList = listOf(EntrySchema)
export const EntryQuery = object({
  limit: Limit,
  after: after(AFTER_NUMBER),
  account: Type.Optional(Word(400, 'Of this account, on either side')),
  wallet: Type.Optional(Id('wal', 'Of this wallet')),
  order: Type.Optional(Id('ord', 'Of this order')),
  payment: Type.Optional(PaymentId),
})

export const BooksVerdictSchema = named(
  'BooksVerdict',
  object({
    ok: Type.Boolean(),
    accounts: Type.Integer({ description: 'How many were counted again' }),
    differences: Type.Array(
      object({
        kind: words(['total_differs', 'below_zero', 'unbalanced']),
        account: nullable(Type.String()),
        message: Type.String({ description: 'To the satoshi, for people' }),
      }),
    ),
  }),
)
export type BooksVerdictJson = Static<typeof BooksVerdictSchema>

export const ReconciliationSchema = named(
  'Reconciliation',
  object(
    {
      ok: Type.Boolean({ description: 'Nothing drifts' }),
      wallet: Id('wal', 'Of this wallet'),
      height: Type.Integer({ description: 'At this block' }),
      coins: Type.Integer({ description: 'How many coins were compared' }),
      ours_sat: SatoshiOut('Sum of our unspent coins'),
      node_sat: SatoshiOut('Sum of the same coins as the node has them'),
      booked_sat: SatoshiSum('What the ledger says of coins deep enough to count'),
      bookable_sat: SatoshiSum('The same sum taken from the coins'),
      searched: Type.Boolean({
        description: 'Whether the node was also asked for coins that we do not know',
      }),
      drifts: Type.Array(
        object({
          txid: Type.String(),
          vout: Type.Integer(),
          ours_sat: SatoshiOut('Ours'),
          node_sat: SatoshiOut("The node's"),
        }),
      ),
    },
    { description: 'Our coins held against the node, and the ledger against the coins' },
  ),
)
export type ReconciliationJson = Static<typeof ReconciliationSchema>

const Waiting = object({
  count: Type.Integer(),
  median_ms: Type.Integer(),
  p90_ms: Type.Integer(),
  max_ms: Type.Integer(),
})
export const StatisticsSchema = named(
  'ConfirmationStatistics',
  object(
    {
      orders: Type.Integer({ description: 'Orders made in the span' }),
      by_level: object({
        confirmed: nullable(Waiting),
        full_confirmed: nullable(Waiting),
        finalized: nullable(Waiting),
      }),
      by_fee_rate: Type.Array(
        object({
          from_sat_kvb: Type.Integer({ description: 'Fee rates from here, up to the next class' }),
          confirmed: Waiting,
        }),
      ),
    },
    { description: 'Milliseconds from the first sight of a payment to each level' },
  ),
)
export type StatisticsJson = Static<typeof StatisticsSchema>
export const StatisticsQuery = object({
  wallet: Type.Optional(Id('wal', 'Of this wallet')),
  from: TimestampIn('Orders made at or after'),
  until: Type.Optional(TimestampIn('Orders made before; default: now')),
})
