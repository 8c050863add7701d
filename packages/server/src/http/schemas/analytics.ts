import { type Static, Type } from 'typebox'
import { after, Id, Limit, listOf, named, nullable, object, SatoshiSum, Word } from './basics.ts'

const Day = (description: string) =>
  Type.String({ pattern: '^\\d{4}-\\d{2}-\\d{2}$', description, examples: ['2026-05-31'] })

export const PayoutDaySchema = named(
  'PayoutDay',
  object(
    {
      day: Day('UTC: everything counts on the day on which it was requested'),
      wallet: Id('wal', 'Of this wallet'),
      customer: nullable(Type.String({ description: 'null: without a customer' })),
      requested: Type.Integer(),
      requested_sat: SatoshiSum('Volume that was asked for'),
      settled: Type.Integer(),
      settled_sat: SatoshiSum('Volume that is paid for good'),
      reversed: Type.Integer({ description: 'Rejected, cancelled or failed' }),
      reversed_sat: SatoshiSum('Volume of these'),
      fees_sat: SatoshiSum('Network fees, as far as they are known'),
      confirmed: Type.Integer({ description: 'How many have a first confirmation' }),
      mean_confirm_ms: nullable(
        Type.Integer({ description: 'From the request to the first confirmation, on average' }),
      ),
    },
    { description: 'Payouts of one day, wallet and customer' },
  ),
)
export type PayoutDayJson = Static<typeof PayoutDaySchema>
export const PayoutDayList = listOf(PayoutDaySchema)
export const PayoutDayQuery = object({
  limit: Limit,
  after: after('^[\\w-]{1,400}$'),
  wallet: Type.Optional(Id('wal', 'Of this wallet')),
  customer: Type.Optional(Word(255, 'Of this customer')),
  from: Type.Optional(Day('First day, included')),
  until: Type.Optional(Day('Last day, included')),
})
