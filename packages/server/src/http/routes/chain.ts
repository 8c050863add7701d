import { Type } from 'typebox'
import { answer } from '../reply.ts'
import type { AppParts } from '../parts.ts'
import { type Route, route } from '../route.ts'
import { named, nullable, object, ref } from '../schemas/basics.ts'

export const ChainSchema = named(
  'Chain',
  object({
    network: Type.String({ description: 'main, test, testnet4, signet or regtest' }),
    tip: nullable(
      object({
        height: Type.Integer(),
        hash: Type.String(),
        time: Type.Integer({ description: 'Seconds since the epoch, as the miner wrote it' }),
      }),
    ),
  }),
)

export const chainRoutes = ({ engine, network }: AppParts): readonly Route[] => [
  route({
    method: 'GET',
    url: '/v1/chain',
    id: 'getChain',
    tag: 'Chain',
    summary: 'The network, and the newest block that is followed',
    scope: 'chain:read',
    schemas: { answers: { 200: ref(ChainSchema) } },
    async handle() {
      const tip = await engine.tip()
      return answer(200, {
        network,
        tip: tip ? { height: tip.height, hash: tip.hash, time: tip.time } : null,
      })
    },
  }),
]
