import type { ConsolidationRecord } from '@kaccy/bitcoin/consolidation'
import { type ConsolidationId, satPerKvB, type WalletId } from '@kaccy/bitcoin/kernel'
import type { AppParts } from '../parts.ts'
import { consolidationJson, consolidationPreviewJson } from '../present/consolidations.ts'
import { accept, answer, page } from '../reply.ts'
import { type Answer, type Resource, type Route, route } from '../route.ts'
import { limitOf, ref } from '../schemas/basics.ts'
import {
  ConsolidationAnswers,
  ConsolidationList,
  ConsolidationPath,
  ConsolidationPreviewSchema,
  ConsolidationQuery,
  ConsolidationRequest,
  ConsolidationSchema,
} from '../schemas/consolidations.ts'
import { seenWallet } from '../seen.ts'
import { consolidationOf } from '../seen-payouts.ts'

const tag = 'Consolidations'

export const consolidationResource = (parts: AppParts): Resource => ({
  routes: [
    makeConsolidation(parts),
    getConsolidation(parts),
    listConsolidations(parts),
    cancelConsolidation(parts),
  ],
  named: [ConsolidationSchema, ConsolidationPreviewSchema],
})

function makeConsolidation({ engine }: AppParts): Route {
  const made = (run: ConsolidationRecord): Answer =>
    answer(201, consolidationJson(run), { location: `/v1/consolidations/${run.id}` })
  return route({
    method: 'POST',
    url: '/v1/consolidations',
    id: 'makeConsolidation',
    tag,
    summary: 'Put small coins together, or say what that would do',
    description:
      'With `dry_run` the answer has status 200 and nothing is written. Without it coins, transaction and the run are one commit; signers and nodes then go on with it as with a payout. Never while requests wait to be paid. `Idempotency-Key` is required, and the answer of a run is never forgotten.',
    scope: 'withdrawals:write',
    once: 'inside',
    requiresKey: true,
    keepsForEver: true,
    refuses: [
      'WALLET_NOT_FOUND',
      'WALLET_NOT_RANGED',
      'CONSOLIDATION_NOT_NEEDED',
      'CONSOLIDATION_WITHDRAWALS_WAIT',
      'CONSOLIDATION_UNDER_WAY',
      'CONSOLIDATION_RATE_TOO_HIGH',
      'CONSOLIDATION_DISTURBED',
      'FEE_SOURCE_MISSING',
      'FEE_BELOW_MINIMUM',
      'FUNDS_INSUFFICIENT',
      'COINS_TAKEN',
      'PREVIOUS_MISSING',
    ],
    schemas: { body: ConsolidationRequest, answers: ConsolidationAnswers },
    async handle({ body, principal, once }) {
      const wallet = seenWallet(principal, body.wallet)
      const { fee_rate_sat_kvb: rate, max_inputs: maxInputs } = body
      const wish = {
        ...(rate === undefined ? {} : { rate: satPerKvB(BigInt(rate)) }),
        ...(maxInputs === undefined ? {} : { maxInputs }),
      }
      if (body.dry_run === true) {
        const seen = await engine.consolidation.preview(wallet, wish)
        return answer(200, consolidationPreviewJson(accept(seen)))
      }
      const run = await engine.consolidation.request(wallet, wish, principal.actor, once(made))
      return made(accept(run))
    },
  })
}

const getConsolidation = ({ engine }: AppParts): Route =>
  route({
    method: 'GET',
    url: '/v1/consolidations/:consolidation',
    id: 'getConsolidation',
    tag,
    summary: 'One run',
    scope: 'withdrawals:read',
    refuses: ['CONSOLIDATION_NOT_FOUND'],
    schemas: { path: ConsolidationPath, answers: { 200: ref(ConsolidationSchema) } },
    async handle({ path, principal }) {
      const run = await consolidationOf(engine, principal, path.consolidation)
      return answer(200, consolidationJson(run))
    },
  })

const listConsolidations = ({ engine }: AppParts): Route =>
  route({
    method: 'GET',
    url: '/v1/consolidations',
    id: 'listConsolidations',
    tag,
    summary: 'Runs, newest first',
    scope: 'withdrawals:read',
    schemas: { query: ConsolidationQuery, answers: { 200: ConsolidationList } },
    async handle({ query, principal: { wallets } }) {
      const rows = await engine.consolidation.list({
        ...(wallets === undefined ? {} : { wallets }),
        ...(query.wallet === undefined ? {} : { wallet: query.wallet as WalletId }),
        ...(query.status === undefined ? {} : { status: query.status }),
        ...(query.after === undefined ? {} : { before: query.after as ConsolidationId }),
        limit: limitOf(query) + 1,
      })
      return answer(
        200,
        page(rows, limitOf(query), consolidationJson, ({ id }) => id),
      )
    },
  })

const cancelConsolidation = ({ engine }: AppParts): Route =>
  route({
    method: 'POST',
    url: '/v1/consolidations/:consolidation/cancel',
    id: 'cancelConsolidation',
    tag,
    summary: 'Give a run up while nobody could sign it yet',
    description: 'Its coins are free at once. Once signers have seen it, it pays ourselves anyway.',
    scope: 'withdrawals:write',
    once: 'around',
    refuses: ['CONSOLIDATION_NOT_FOUND', 'CONSOLIDATION_STATE'],
    schemas: { path: ConsolidationPath, answers: { 200: ref(ConsolidationSchema) } },
    async handle({ path, principal }) {
      const { id } = await consolidationOf(engine, principal, path.consolidation)
      const cancelled = await engine.consolidation.cancel(id, principal.actor)
      return answer(200, consolidationJson(accept(cancelled)))
    },
  })
