import {
  type Network,
  type Refusal,
  sat,
  satPerKvB,
  type WalletId,
  type WithdrawalId,
} from '@kaccy/bitcoin/kernel'
import { parseAddress } from '@kaccy/bitcoin/protocol/address'
import type {
  RequestedWithdrawal,
  WithdrawalFilter,
  WithdrawalInput,
} from '@kaccy/bitcoin/withdrawals'
import type { AppParts } from '../parts.ts'
import { withdrawalExplanationJson, withdrawalJson } from '../present/withdrawals.ts'
import type { Principal } from '../principal.ts'
import { RefusedError } from '../problem.ts'
import { accept, answer, page } from '../reply.ts'
import { type Answer, type Resource, type Route, route } from '../route.ts'
import { limitOf, ref } from '../schemas/basics.ts'
import {
  WithdrawalExplanationSchema,
  WithdrawalList,
  WithdrawalPath,
  WithdrawalQuery,
  type WithdrawalQueryText,
  WithdrawalRequest,
  type WithdrawalRequestBody,
  WithdrawalSchema,
} from '../schemas/withdrawals.ts'
import { seenWallet } from '../seen.ts'
import { withdrawalOf } from '../seen-payouts.ts'
import { speedOf } from '../speed.ts'
import { readTimeIfGiven } from '../time.ts'
import { withdrawalVerbs } from './withdrawal-verbs.ts'

const tag = 'Withdrawals'

export const withdrawalResource = (parts: AppParts): Resource => ({
  routes: [
    requestWithdrawal(parts),
    getWithdrawal(parts),
    listWithdrawals(parts),
    explainWithdrawal(parts),
    ...withdrawalVerbs(parts),
  ],
  named: [WithdrawalSchema, WithdrawalExplanationSchema],
})

function inputOf(body: WithdrawalRequestBody): WithdrawalInput {
  const speed = speedOf(body)
  return {
    wallet: body.wallet as WalletId,
    externalId: body.external_id,
    address: body.address,
    amount: sat(BigInt(body.amount_sat)),
    ...(body.fee_payer === undefined ? {} : { feePayer: body.fee_payer }),
    ...(speed === undefined ? {} : { speed }),
    ...(body.max_fee_sat === undefined ? {} : { maxFee: sat(BigInt(body.max_fee_sat)) }),
    ...(body.max_fee_rate_sat_kvb === undefined
      ? {}
      : { maxRate: satPerKvB(BigInt(body.max_fee_rate_sat_kvb)) }),
    ...(body.customer === undefined ? {} : { customer: body.customer }),
    ...(body.user === undefined ? {} : { user: body.user }),
    ...(body.description === undefined ? {} : { description: body.description }),
    ...(body.metadata === undefined ? {} : { metadata: body.metadata }),
  }
}

/** A refusal may name who has the external id; not to a key that may not see every withdrawal. */
const withoutForeign = ({ wallets }: Principal, refusal: Refusal): Refusal =>
  refusal.code === 'WITHDRAWAL_CONFLICT' && wallets !== undefined
    ? { ...refusal, details: {} }
    : refusal

function requestWithdrawal({ engine }: AppParts): Route {
  const present = ({ withdrawal, created }: RequestedWithdrawal): Answer =>
    answer(created ? 201 : 200, withdrawalJson(withdrawal), {
      location: `/v1/withdrawals/${withdrawal.id}`,
    })
  return route({
    method: 'POST',
    url: '/v1/withdrawals',
    id: 'requestWithdrawal',
    tag,
    summary: 'Request a payout',
    description:
      'Limits, risk and the reservation of its amount are one commit. The same `external_id` with the same contents gives the same withdrawal again, with status 200, for ever; with other contents it is refused. `Idempotency-Key` is required, and its answer is never forgotten.',
    scope: 'withdrawals:write',
    once: 'inside',
    requiresKey: true,
    keepsForEver: true,
    refuses: [
      'WALLET_NOT_FOUND',
      'WALLET_RETIRED',
      'WITHDRAWAL_CONFLICT',
      'WITHDRAWAL_AMOUNT_DUST',
      'WITHDRAWAL_ADDRESS_OWN',
      'WITHDRAWAL_FEE_LIMIT',
      'FUNDS_INSUFFICIENT',
      'BALANCE_INSUFFICIENT',
      'ADDRESS_INVALID',
      'ADDRESS_CHECKSUM',
      'ADDRESS_NETWORK',
      'ADDRESS_UNSPENDABLE',
    ],
    schemas: {
      body: WithdrawalRequest,
      answers: { 200: ref(WithdrawalSchema), 201: ref(WithdrawalSchema) },
    },
    async handle({ body, principal, once }) {
      seenWallet(principal, body.wallet)
      const made = await engine.withdrawals.request(inputOf(body), principal.actor, once(present))
      if (made.ok) return present(made.value)
      throw new RefusedError(withoutForeign(principal, made.error))
    },
  })
}

const getWithdrawal = ({ engine }: AppParts): Route =>
  route({
    method: 'GET',
    url: '/v1/withdrawals/:withdrawal',
    id: 'getWithdrawal',
    tag,
    summary: 'One withdrawal',
    scope: 'withdrawals:read',
    refuses: ['WITHDRAWAL_NOT_FOUND'],
    schemas: { path: WithdrawalPath, answers: { 200: ref(WithdrawalSchema) } },
    handle: async ({ path, principal }) =>
      answer(200, withdrawalJson(await withdrawalOf(engine, principal, path.withdrawal))),
  })

function filterOf(
  query: WithdrawalQueryText,
  { wallets }: Principal,
  network: Network,
): WithdrawalFilter {
  const createdFrom = readTimeIfGiven(query.created_from, 'created_from')
  const createdUntil = readTimeIfGiven(query.created_until, 'created_until')
  const colon = query.metadata?.indexOf(':') ?? -1
  return {
    ...(wallets === undefined ? {} : { wallets }),
    ...(query.wallet === undefined ? {} : { wallet: query.wallet as WalletId }),
    ...(query.status === undefined ? {} : { status: query.status }),
    ...(query.customer === undefined ? {} : { customer: query.customer }),
    ...(query.user === undefined ? {} : { user: query.user }),
    ...(query.external_id === undefined ? {} : { externalId: query.external_id }),
    ...(query.address === undefined
      ? {}
      : { address: accept(parseAddress(query.address, network)).text }),
    ...(createdFrom === undefined ? {} : { createdFrom }),
    ...(createdUntil === undefined ? {} : { createdUntil }),
    ...(query.metadata === undefined
      ? {}
      : {
          metadata: { key: query.metadata.slice(0, colon), value: query.metadata.slice(colon + 1) },
        }),
    ...(query.after === undefined ? {} : { before: query.after as WithdrawalId }),
    limit: limitOf(query) + 1,
  }
}

const listWithdrawals = ({ engine, network }: AppParts): Route =>
  route({
    method: 'GET',
    url: '/v1/withdrawals',
    id: 'listWithdrawals',
    tag,
    summary: 'Withdrawals, newest first',
    description: 'Those that are requested while you page never appear twice and push none out.',
    scope: 'withdrawals:read',
    refuses: ['ADDRESS_INVALID', 'ADDRESS_CHECKSUM', 'ADDRESS_NETWORK'],
    schemas: { query: WithdrawalQuery, answers: { 200: WithdrawalList } },
    async handle({ query, principal }) {
      const rows = await engine.withdrawals.list(filterOf(query, principal, network))
      return answer(
        200,
        page(rows, limitOf(query), withdrawalJson, ({ id }) => id),
      )
    },
  })

const explainWithdrawal = ({ engine, network }: AppParts): Route =>
  route({
    method: 'GET',
    url: '/v1/withdrawals/:withdrawal/explain',
    id: 'explainWithdrawal',
    tag,
    summary: 'Why a withdrawal is what it is, and what would change it',
    scope: 'withdrawals:read',
    refuses: ['WITHDRAWAL_NOT_FOUND'],
    schemas: { path: WithdrawalPath, answers: { 200: ref(WithdrawalExplanationSchema) } },
    async handle({ path, principal }) {
      const { id } = await withdrawalOf(engine, principal, path.withdrawal)
      const explained = accept(await engine.withdrawals.explain(id))
      return answer(200, withdrawalExplanationJson(explained, network))
    },
  })
