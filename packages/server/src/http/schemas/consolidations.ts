import { type Static, Type } from 'typebox'
import {
  after,
  Id,
  Limit,
  listOf,
  named,
  nullable,
  object,
  ref,
  SatoshiOut,
  SatoshiSum,
  Timestamp,
  words,
} from './basics.ts'
import { FeeRate } from './withdrawals.ts'

export const CONSOLIDATION_STATUSES = [
  'planned',
  'consolidating',
  'completed',
  'cancelled',
  'failed',
] as const
export const GROUPS = ['script', 'change', 'unassigned', 'customer', 'mixed'] as const
export const TRIGGERS = ['request', 'coins', 'fee'] as const

/** Body of `POST /v1/consolidations`. */
export const ConsolidationRequest = object(
  {
    wallet: Id('wal', 'Whose coins are put together'),
    dry_run: Type.Optional(
      Type.Boolean({ description: 'Only say what it would do, cost and save; default: false' }),
    ),
    fee_rate_sat_kvb: Type.Optional(FeeRate('Exactly this rate; default: that of low priority')),
    max_inputs: Type.Optional(
      Type.Integer({ minimum: 2, maximum: 5_000, description: 'At most so many coins' }),
    ),
  },
  { examples: [{ wallet: 'wal_0197f0b1a2c37d4e8f90123456789abc', dry_run: true }] },
)
export type ConsolidationRequestBody = Static<typeof ConsolidationRequest>

const Figures = {
  wallet: Id('wal', 'Whose coins are put together'),
  group: words(
    GROUPS,
    'What the coins have in common: one script, change of our own, payments that belong to no order, orders of one customer; mixed where the operator lets customers be linked',
  ),
  scripts: Type.Integer({ description: 'How many different scripts are seen to belong together' }),
  inputs: Type.Integer({ description: 'How many coins become one' }),
  coins: Type.Integer({ description: 'How many free coins the wallet has, or had' }),
  amount_sat: SatoshiOut('Sum of the inputs'),
  fee_sat: SatoshiOut('What it costs now'),
  fee_rate_sat_kvb: Type.Integer({ description: 'Satoshi for 1000 vbytes; 1 sat/vB is 1000' }),
  long_term_fee_rate_sat_kvb: Type.Integer({
    description: 'What spending costs on an ordinary day',
  }),
  saving_sat: SatoshiSum(
    'What spending the coins one by one on an ordinary day costs, less what spending the one coin costs then, less the fee now; below zero: it is not worth it',
  ),
  break_even_fee_rate_sat_kvb: Type.Integer({
    description: 'The highest rate at which nothing is lost',
  }),
}

export const ConsolidationPreviewSchema = named(
  'ConsolidationPreview',
  object(
    {
      dry_run: Type.Boolean({ description: 'Always true: nothing was written' }),
      ...Figures,
      output_sat: SatoshiOut('The one coin that it would make'),
      fee_later_sat: SatoshiOut('Spending the coins one by one on an ordinary day'),
      fee_after_sat: SatoshiOut('Spending the one coin then'),
      fee_source: Type.String({ description: 'Where the rate comes from' }),
      weight: Type.Integer({ description: 'Weight units with all signatures, worst case' }),
    },
    { description: 'What a run would do now' },
  ),
)
export type ConsolidationPreviewJson = Static<typeof ConsolidationPreviewSchema>

export const ConsolidationSchema = named(
  'Consolidation',
  object(
    {
      id: Id('cns', 'Id of the run'),
      status: words(
        CONSOLIDATION_STATUSES,
        'consolidating: a node has its transaction; completed: it is in a block, and a reorganisation can take it back',
      ),
      trigger: words(TRIGGERS, 'Somebody asked, there were too many coins, or fees were low'),
      ...Figures,
      spend: Id('spd', 'The spend that carries it out'),
      txid: nullable(Type.String({ description: 'Of the current version, or the mined one' })),
      created_by: Type.String({ description: 'Actor, as in the audit trail' }),
      created_at: Timestamp('When it was planned'),
      completed_at: nullable(Timestamp('When it was last seen in a block')),
      updated_at: Timestamp('When it changed last'),
    },
    { description: 'Several coins of a wallet become one; the figures are those of its plan' },
  ),
)
export type ConsolidationJson = Static<typeof ConsolidationSchema>
export const ConsolidationList = listOf(ConsolidationSchema)
export const ConsolidationQuery = object({
  limit: Limit,
  after: after('^cns_[\\w-]{1,160}$'),
  wallet: Type.Optional(Id('wal', 'Of this wallet')),
  status: Type.Optional(words(CONSOLIDATION_STATUSES)),
})
export const ConsolidationPath = object({
  consolidation: Id('cns', 'Id of the run'),
})
/** Of a dry run, or of the run that was made. */
export const ConsolidationAnswers = {
  200: ref(ConsolidationPreviewSchema),
  201: ref(ConsolidationSchema),
}
