import { type Static, Type } from 'typebox'
import { Id, listOf, named, nullable, object, Timestamp } from './basics.ts'
import { PaymentId, PaymentSchema } from './payments.ts'

const Frozen = object({
  reason: Type.String(),
  by: Type.String({ description: 'Actor, as in the audit trail' }),
  at: Timestamp('When'),
})

export const CoinSchema = named(
  'Coin',
  object(
    {
      ...PaymentSchema.properties,
      frozen: nullable({ ...Frozen, description: 'People keep it out of every payout' }),
      held_by: nullable(Id('spd', 'The spend that it is leased to')),
    },
    { description: 'An unspent payment, and what keeps it from being spent' },
  ),
)
export type CoinJson = Static<typeof CoinSchema>
export const CoinList = listOf(CoinSchema)

const Coins = Type.Array(PaymentId, {
  minItems: 1,
  maxItems: 100,
  description: 'Coins by the ids of their payments',
})
/** Body of `POST /v1/wallets/{id}/coins/freeze`. */
export const FreezeRequest = object(
  {
    coins: Coins,
    reason: Type.String({
      minLength: 1,
      maxLength: 500,
      description: 'Why; it stands in the audit trail',
    }),
  },
  { examples: [{ coins: [`pay_${'4a'.repeat(32)}_1`], reason: 'sanctions check' }] },
)
/** Body of `POST /v1/wallets/{id}/coins/unfreeze`. */
export const UnfreezeRequest = object(
  { coins: Coins },
  { examples: [{ coins: [`pay_${'4a'.repeat(32)}_1`] }] },
)
export const FrozenSchema = named(
  'FrozenCoins',
  object({
    wallet: Id('wal', 'Of this wallet'),
    coins: Type.Array(object({ id: PaymentId, ...Frozen.properties })),
  }),
)
export type FrozenJson = Static<typeof FrozenSchema>
