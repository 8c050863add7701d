import type { Refusal, Result, SatPerKvB, WithdrawalId } from '../../kernel/index.ts'
import type { Once, OnceRefusal } from '../idempotency/index.ts'
import type { Explanation } from './explain.ts'
import type { InputRefusal, WithdrawalInput } from './input.ts'
import type { WithdrawalFilter, WithdrawalRecord } from './ports.ts'

export interface RequestedWithdrawal {
  readonly withdrawal: WithdrawalRecord
  /** False when the external id had given this withdrawal before. */
  readonly created: boolean
}
export type RequestRefusal =
  | InputRefusal
  | OnceRefusal
  | Refusal<
      | 'WITHDRAWAL_CONFLICT'
      | 'FUNDS_INSUFFICIENT'
      | 'BALANCE_INSUFFICIENT'
      | 'WALLET_NOT_FOUND'
      | 'WALLET_RETIRED'
    >
export type VerbRefusal =
  | OnceRefusal
  | Refusal<'WITHDRAWAL_NOT_FOUND' | 'WITHDRAWAL_STATE' | 'WITHDRAWAL_REASON_MISSING'>
type Done = Promise<Result<WithdrawalRecord, VerbRefusal>>

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
  /** One person's approval of the request with this digest. The last one that is needed makes it `approved`. */
  approve(id: WithdrawalId, digest: string, actor: string, once?: Once<WithdrawalRecord>): Done
  /** Ends a request that no plan serves yet; what it holds is free again. */
  reject(id: WithdrawalId, reason: string, actor: string, once?: Once<WithdrawalRecord>): Done
  /**
   * Ends it at once as long as no signer has seen a transaction that pays it. Later it asks for a conflicting spend, and
   * the withdrawal ends when that one is buried, or is paid after all.
   */
  cancel(id: WithdrawalId, reason: string, actor: string, once?: Once<WithdrawalRecord>): Done
  /** Asks for a version that pays more, at this rate (satoshi per 1000 vbytes) or at what its speed asks for now. */
  bump(
    id: WithdrawalId,
    rate: SatPerKvB | undefined,
    actor: string,
    once?: Once<WithdrawalRecord>,
  ): Done
  get(id: WithdrawalId): Promise<WithdrawalRecord | undefined>
  byExternalId(externalId: string): Promise<WithdrawalRecord | undefined>
  /** Newest first. */
  list(filter: WithdrawalFilter): Promise<readonly WithdrawalRecord[]>
  /** Why it is what it is, what would change it next, who must act, and what could still pay it. */
  explain(id: WithdrawalId): Promise<Explanation | undefined>
}
