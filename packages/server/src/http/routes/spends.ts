import type { AppParts } from '../parts.ts'
import { spendJson } from '../present/psbts.ts'
import { accept, answer } from '../reply.ts'
import { type Route, route } from '../route.ts'
import { ref } from '../schemas/basics.ts'
import { SpendPath, SpendSchema } from '../schemas/psbts.ts'
import { BumpRequest } from '../schemas/withdrawals.ts'
import { spendOf } from '../seen-payouts.ts'
import { bumpOf } from './withdrawal-verbs.ts'

const tag = 'Transactions to sign'

/** Spends: what transactions to sign are versions of. */
export const spendRoutes = (parts: AppParts): readonly Route[] => [getSpend(parts), addChild(parts)]

const getSpend = ({ engine, network }: AppParts): Route =>
  route({
    method: 'GET',
    url: '/v1/spends/:spend',
    id: 'getSpend',
    tag,
    summary: 'One spend, with every transaction that could carry it out',
    scope: 'psbts:read',
    refuses: ['SPEND_NOT_FOUND'],
    schemas: { path: SpendPath, answers: { 200: ref(SpendSchema) } },
    async handle({ path, principal }) {
      const { spend, versions } = await spendOf(engine, principal, path.spend)
      return answer(200, spendJson(spend, versions, network))
    },
  })

/** One change has one child: whoever asks twice is told that the coin is taken, so nothing is paid twice. */
const addChild = ({ engine, network }: AppParts): Route =>
  route({
    method: 'POST',
    url: '/v1/spends/:spend/child',
    id: 'addChild',
    tag,
    summary: 'Pay for a transaction that is too cheap with its own change (CPFP)',
    description:
      'A spend of its own that sends the change of the current transaction back to us at a fee that makes up for both. For what cannot be bumped: a payout whose signers are slow to sign again, or whose recipient waits for this very id. It is approved and signed like the payout below it.',
    scope: 'withdrawals:write',
    once: 'around',
    requiresKey: true,
    refuses: [
      'SPEND_NOT_FOUND',
      'SPEND_NOT_OPEN',
      'SPEND_HAS_NO_CHANGE',
      'SPEND_NOT_REPLACEABLE',
      'BUMP_NOT_NEEDED',
      'WITHDRAWAL_FEE_LIMIT',
      'FEE_CEILING_EXCEEDED',
      'FEE_SOURCE_MISSING',
      'FUNDS_INSUFFICIENT',
      'COINS_TAKEN',
    ],
    schemas: { path: SpendPath, body: BumpRequest, answers: { 201: ref(SpendSchema) } },
    async handle({ path, body, principal }) {
      const { spend: parent } = await spendOf(engine, principal, path.spend)
      const { speed = { kind: 'priority', priority: 'high' } as const, ...most } = bumpOf(body)
      const made = await engine.spends.childOf(parent.id, { speed, ...most }, principal.actor)
      const { spend, version } = accept(made)
      return answer(201, spendJson(spend, [version], network))
    },
  })
