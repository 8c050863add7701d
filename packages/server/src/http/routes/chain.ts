import type { AppParts } from '../parts.ts'
import { chainJson, feesJson } from '../present/chain.ts'
import { accept, answer } from '../reply.ts'
import { type Resource, route } from '../route.ts'
import { ref } from '../schemas/basics.ts'
import { ChainSchema, FeesSchema } from '../schemas/chain.ts'

export const chainResource = ({ engine, network }: AppParts): Resource => ({
  routes: [
    route({
      method: 'GET',
      url: '/v1/chain',
      id: 'getChain',
      tag: 'Chain',
      summary: 'The network, and the newest block that is followed',
      scope: 'chain:read',
      schemas: { answers: { 200: ref(ChainSchema) } },
      handle: async () => answer(200, chainJson(network, await engine.tip())),
    }),
    route({
      method: 'GET',
      url: '/v1/fees',
      id: 'getFees',
      tag: 'Chain',
      summary: 'What transactions have to pay now',
      description: 'As the node says, at most ten seconds old. Without an estimate it is refused.',
      scope: 'chain:read',
      refuses: ['FEE_ESTIMATE_UNAVAILABLE', 'NODE_UNREACHABLE'],
      schemas: { answers: { 200: ref(FeesSchema) } },
      handle: async () => answer(200, feesJson(accept(await engine.fees()))),
    }),
  ],
  named: [ChainSchema, FeesSchema],
})
