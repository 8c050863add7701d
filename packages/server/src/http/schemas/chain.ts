import { type Static, Type } from 'typebox'
import { named, nullable, object, Timestamp, words } from './basics.ts'

export const ChainSchema = named(
  'Chain',
  object(
    {
      network: words(['main', 'test', 'testnet4', 'signet', 'regtest']),
      tip: nullable(
        object({
          height: Type.Integer(),
          hash: Type.String(),
          time: Type.Integer({ description: 'Seconds since the epoch, as the miner wrote it' }),
        }),
      ),
    },
    {
      examples: [
        { network: 'regtest', tip: { height: 101, hash: '0f'.repeat(32), time: 1_780_000_000 } },
      ],
    },
  ),
)
export type ChainJson = Static<typeof ChainSchema>

const Rate = (description: string) => Type.Integer({ description })
const Floor = object({
  rate_sat_kvb: Rate('Satoshi for 1000 vbytes; 1 sat/vB is 1000'),
  source: Type.String(),
})
export const FeesSchema = named(
  'Fees',
  object(
    {
      estimates: Type.Array(
        object({
          target: Type.Integer({ description: 'Blocks within which it should be mined' }),
          blocks: Type.Integer({ description: 'Blocks that the estimate really speaks of' }),
          mode: words(['economical', 'conservative']),
          fee_rate_sat_kvb: Rate('Satoshi for 1000 vbytes; 1 sat/vB is 1000'),
          source: Type.String(),
        }),
      ),
      mempool_minimum: nullable(Floor),
      relay_minimum: nullable(Floor),
      at: Timestamp('When the node said so'),
    },
    { description: 'What transactions have to pay, as the node says; nothing is invented' },
  ),
)
export type FeesJson = Static<typeof FeesSchema>
