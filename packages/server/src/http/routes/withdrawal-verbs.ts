import { sat } from '@kaccy/bitcoin/kernel'
import type { WithdrawalRecord } from '@kaccy/bitcoin/withdrawals'
import type { AppParts } from '../parts.ts'
import { withdrawalJson } from '../present/withdrawals.ts'
import { accept, answer } from '../reply.ts'
import { type Answer, type Route, route } from '../route.ts'
import { ref } from '../schemas/basics.ts'
import {
  ApproveRequest,
  BumpRequest,
  type BumpRequestBody,
  Reason,
  WithdrawalPath,
  WithdrawalSchema,
} from '../schemas/withdrawals.ts'
import { withdrawalOf } from '../seen-payouts.ts'
import { speedOf } from '../speed.ts'

const tag = 'Withdrawals'
const shown = (withdrawal: WithdrawalRecord): Answer => answer(200, withdrawalJson(withdrawal))
/** What is done when a conflicting transaction is buried is taken on, not done. */
const takenOn = (withdrawal: WithdrawalRecord): Answer =>
  answer(withdrawal.status === 'cancelled' ? 200 : 202, withdrawalJson(withdrawal))

/** What people decide about a withdrawal. */
export const withdrawalVerbs = (parts: AppParts): readonly Route[] => [
  approveWithdrawal(parts),
  rejectWithdrawal(parts),
  cancelWithdrawal(parts),
  bumpWithdrawal(parts),
]

const approveWithdrawal = ({ engine }: AppParts): Route =>
  route({
    method: 'POST',
    url: '/v1/withdrawals/:withdrawal/approve',
    id: 'approveWithdrawal',
    tag,
    summary: 'Approve a request',
    description:
      'Bound to the `digest` of the request. Who asked for it never approves it, and nobody twice; it goes on when enough people have.',
    scope: 'withdrawals:approve',
    once: 'inside',
    refuses: [
      'WITHDRAWAL_NOT_FOUND',
      'WITHDRAWAL_STATE',
      'APPROVAL_NOT_NEEDED',
      'APPROVER_IS_INITIATOR',
      'APPROVER_REPEATED',
      'APPROVAL_DIGEST_MISMATCH',
      'APPROVER_NOT_ALLOWED',
    ],
    schemas: {
      path: WithdrawalPath,
      body: ApproveRequest,
      answers: { 200: ref(WithdrawalSchema) },
    },
    async handle({ path, body, principal, once }) {
      const { id } = await withdrawalOf(engine, principal, path.withdrawal)
      const { actor } = principal
      return shown(accept(await engine.withdrawals.approve(id, body, actor, once(shown))))
    },
  })

const rejectWithdrawal = ({ engine }: AppParts): Route =>
  route({
    method: 'POST',
    url: '/v1/withdrawals/:withdrawal/reject',
    id: 'rejectWithdrawal',
    tag,
    summary: 'Turn a request down',
    description: 'Its amount is free again. Only before coins were chosen for it.',
    scope: 'withdrawals:approve',
    once: 'inside',
    refuses: ['WITHDRAWAL_NOT_FOUND', 'WITHDRAWAL_STATE', 'WITHDRAWAL_REASON_MISSING'],
    schemas: { path: WithdrawalPath, body: Reason, answers: { 200: ref(WithdrawalSchema) } },
    async handle({ path, body, principal, once }) {
      const { id } = await withdrawalOf(engine, principal, path.withdrawal)
      const { actor } = principal
      return shown(accept(await engine.withdrawals.reject(id, body.reason, actor, once(shown))))
    },
  })

const cancelWithdrawal = ({ engine }: AppParts): Route =>
  route({
    method: 'POST',
    url: '/v1/withdrawals/:withdrawal/cancel',
    id: 'cancelWithdrawal',
    tag,
    summary: 'Take a withdrawal back',
    description:
      'Before anybody was asked to sign, it ends at once (200). After that only a conflicting transaction undoes it: one is made, and the withdrawal stays as it is until that one is buried (202) or the payout is mined first.',
    scope: 'withdrawals:write',
    once: 'inside',
    refuses: [
      'WITHDRAWAL_NOT_FOUND',
      'WITHDRAWAL_STATE',
      'WITHDRAWAL_REASON_MISSING',
      'SPEND_NOT_OPEN',
      'SPEND_NOT_REPLACEABLE',
      'SPEND_HAS_CHILDREN',
      'FEE_SOURCE_MISSING',
    ],
    schemas: {
      path: WithdrawalPath,
      body: Reason,
      answers: { 200: ref(WithdrawalSchema), 202: ref(WithdrawalSchema) },
    },
    async handle({ path, body, principal, once }) {
      const { id } = await withdrawalOf(engine, principal, path.withdrawal)
      const { actor } = principal
      return takenOn(accept(await engine.withdrawals.cancel(id, body.reason, actor, once(takenOn))))
    },
  })

export function bumpOf(body: BumpRequestBody) {
  const speed = speedOf(body)
  return {
    ...(speed === undefined ? {} : { speed }),
    ...(body.max_fee_sat === undefined ? {} : { maxFee: sat(BigInt(body.max_fee_sat)) }),
  }
}

function bumpWithdrawal({ engine }: AppParts): Route {
  const accepted = (withdrawal: WithdrawalRecord): Answer => answer(202, withdrawalJson(withdrawal))
  return route({
    method: 'POST',
    url: '/v1/withdrawals/:withdrawal/bump',
    id: 'bumpWithdrawal',
    tag,
    summary: 'Pay a higher fee for what is on its way',
    description:
      'Another version of its transaction, with every payout of it kept; it conflicts with all earlier ones, so at most one is ever mined.',
    scope: 'withdrawals:write',
    once: 'inside',
    requiresKey: true,
    keepsForEver: true,
    refuses: [
      'WITHDRAWAL_NOT_FOUND',
      'WITHDRAWAL_STATE',
      'WITHDRAWAL_FEE_LIMIT',
      'SPEND_NOT_OPEN',
      'SPEND_NOT_REPLACEABLE',
      'SPEND_HAS_CHILDREN',
      'FEE_SOURCE_MISSING',
      'BUMP_NOT_NEEDED',
      'FUNDS_INSUFFICIENT',
    ],
    schemas: { path: WithdrawalPath, body: BumpRequest, answers: { 202: ref(WithdrawalSchema) } },
    async handle({ path, body, principal, once }) {
      const { id } = await withdrawalOf(engine, principal, path.withdrawal)
      const { actor } = principal
      return accepted(
        accept(await engine.withdrawals.bump(id, bumpOf(body), actor, once(accepted))),
      )
    },
  })
}
