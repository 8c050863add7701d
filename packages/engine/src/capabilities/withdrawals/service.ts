import type { Once } from '../idempotency/index.ts'
import type { Result, WithdrawalId } from '../../kernel/index.ts'
import type { PolicyDoors } from './doors.ts'
import { type Explanation, explainWithdrawal } from './explain.ts'
import type { WithdrawalInput } from './input.ts'
import type { WithdrawalFilter, WithdrawalRecord } from './ports.ts'
import {
  type RequestDeps,
  type RequestedWithdrawal,
  type RequestRefusal,
  requestWithdrawal,
} from './request.ts'
import {
  approveWithdrawal,
  type BumpInput,
  type BumpRefusal,
  bumpWithdrawal,
  type CancelRefusal,
  cancelWithdrawal,
  rejectWithdrawal,
  type VerbDeps,
  type VerbRefusal,
} from './verbs.ts'

export interface WithdrawalsDeps extends RequestDeps, VerbDeps {
  readonly policy: PolicyDoors
}
type Done<R> = Promise<Result<WithdrawalRecord, R>>

/** Payouts as the platform deals with them. What chain and signers do to them comes through the owner of a spend. */
export interface Withdrawals {
  /**
   * Records a request, with its verdict, its reservation and its hold, in one commit. The same external id and contents
   * give the same withdrawal for ever. A request that the policy denies is recorded as `rejected` and holds nothing.
   * @param actor as in the audit trail: `operator:<name>`, `api:<key id>`
   */
  request(
    input: WithdrawalInput,
    actor: string,
    once?: Once<RequestedWithdrawal>,
  ): Promise<Result<RequestedWithdrawal, RequestRefusal>>
  /**
   * One person's approval. The last one that is needed makes the request `approved`.
   * @param input the digest that the person saw: another one is refused
   */
  approve(
    id: WithdrawalId,
    input: { readonly digest?: string },
    actor: string,
    once?: Once<WithdrawalRecord>,
  ): Done<VerbRefusal>
  /** Ends a request that no plan serves yet; what it holds is free again. */
  reject(
    id: WithdrawalId,
    reason: string,
    actor: string,
    once?: Once<WithdrawalRecord>,
  ): Done<VerbRefusal>
  /**
   * Ends it at once as long as no signer has seen a transaction that pays it. Later it asks for a conflicting spend, and
   * the withdrawal ends when that one is buried, or is paid after all.
   */
  cancel(
    id: WithdrawalId,
    reason: string,
    actor: string,
    once?: Once<WithdrawalRecord>,
  ): Done<CancelRefusal>
  /** Asks for a version of its transaction that pays more, with every payment kept. */
  bump(
    id: WithdrawalId,
    input: BumpInput,
    actor: string,
    once?: Once<WithdrawalRecord>,
  ): Done<BumpRefusal>
  get(id: WithdrawalId): Promise<WithdrawalRecord | undefined>
  byExternalId(externalId: string): Promise<WithdrawalRecord | undefined>
  /** Newest first. */
  list(filter: WithdrawalFilter): Promise<readonly WithdrawalRecord[]>
  /** Why it is what it is, what would change it next, who must act, and what could still pay it. */
  explain(id: WithdrawalId): Promise<Result<Explanation, VerbRefusal>>
}

export function createWithdrawals(deps: WithdrawalsDeps): Withdrawals {
  const { store } = deps
  return {
    request: (input, actor, once) => requestWithdrawal(deps, input, actor, once),
    approve: (id, { digest }, actor, once) => approveWithdrawal(deps, id, digest, actor, once),
    reject: (id, reason, actor, once) => rejectWithdrawal(deps, id, reason, actor, once),
    cancel: (id, reason, actor, once) => cancelWithdrawal(deps, id, reason, actor, once),
    bump: (id, input, actor, once) => bumpWithdrawal(deps, id, input, actor, once),
    get: (id) => store.read((tx) => tx.withdrawals.withdrawal(id)),
    byExternalId: (externalId) => store.read((tx) => tx.withdrawals.byExternalId(externalId)),
    list: (filter) => store.read((tx) => tx.withdrawals.list(filter)),
    explain: (id) => store.read((tx) => explainWithdrawal(deps, tx, id)),
  }
}
