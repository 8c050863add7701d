import type { FreezeRecord, LeaseRecord } from '@kaccy/bitcoin/coins'
import type { Once } from '@kaccy/bitcoin/idempotency'
import type {
  OutPoint,
  PsbtId,
  Refusal,
  Result,
  Sat,
  SatPerKvB,
  SpendId,
  WalletId,
  WithdrawalId,
} from '@kaccy/bitcoin/kernel'
import type {
  SpendFilter,
  SpendRecord,
  VersionFilter,
  VersionRecord,
} from '@kaccy/bitcoin/spending'
import type {
  FeePayer,
  Speed,
  WithdrawalFilter,
  WithdrawalRecord,
} from '@kaccy/bitcoin/withdrawals'

/*
 * What these routes ask of the engine, in one place.
 */

type Answer<T> = Promise<Result<T, Refusal>>

export interface WithdrawalInput {
  readonly wallet: WalletId
  readonly externalId: string
  readonly address: string
  readonly amount: Sat
  readonly feePayer?: FeePayer
  readonly speed?: Speed
  readonly maxFee?: Sat
  readonly maxRate?: SatPerKvB
  readonly customer?: string
  readonly user?: string
  readonly description?: string
  readonly metadata?: Readonly<Record<string, string>>
}
export interface RequestedWithdrawal {
  readonly withdrawal: WithdrawalRecord
  /** False: the same external id with the same contents was there. */
  readonly created: boolean
}
export interface WithdrawalExplanation {
  readonly withdrawal: WithdrawalRecord
  readonly because: readonly string[]
  readonly next: readonly string[]
  readonly waitsFor: readonly string[]
}
export interface BumpInput {
  readonly speed?: Speed
  readonly maxFee?: Sat
}

export interface Payouts {
  readonly withdrawals: {
    request(
      input: WithdrawalInput,
      actor: string,
      once?: Once<RequestedWithdrawal>,
    ): Answer<RequestedWithdrawal>
    get(id: WithdrawalId): Promise<WithdrawalRecord | undefined>
    list(filter: WithdrawalFilter): Promise<readonly WithdrawalRecord[]>
    approve(
      id: WithdrawalId,
      input: { readonly digest?: string },
      actor: string,
      once?: Once<WithdrawalRecord>,
    ): Answer<WithdrawalRecord>
    reject(
      id: WithdrawalId,
      reason: string,
      actor: string,
      once?: Once<WithdrawalRecord>,
    ): Answer<WithdrawalRecord>
    cancel(
      id: WithdrawalId,
      reason: string,
      actor: string,
      once?: Once<WithdrawalRecord>,
    ): Answer<WithdrawalRecord>
    bump(
      id: WithdrawalId,
      input: BumpInput,
      actor: string,
      once?: Once<WithdrawalRecord>,
    ): Answer<WithdrawalRecord>
    explain(id: WithdrawalId): Promise<WithdrawalExplanation | undefined>
  }
  readonly psbts: {
    get(id: PsbtId): Promise<VersionRecord | undefined>
    list(filter: VersionFilter): Promise<readonly VersionRecord[]>
    offer(id: PsbtId, actor: string): Answer<VersionRecord>
    addSignatures(
      id: PsbtId,
      bytes: Uint8Array,
      actor: string,
      once?: Once<VersionRecord>,
    ): Answer<VersionRecord>
    approve(
      id: PsbtId,
      hash: string,
      actor: string,
      once?: Once<VersionRecord>,
    ): Answer<VersionRecord>
    reject(
      id: PsbtId,
      reason: string,
      actor: string,
      once?: Once<VersionRecord>,
    ): Answer<VersionRecord>
  }
  readonly spends: {
    get(id: SpendId): Promise<SpendRecord | undefined>
    list(filter: SpendFilter): Promise<readonly SpendRecord[]>
    versions(id: SpendId): Promise<readonly VersionRecord[]>
  }
  readonly coins: {
    freeze(
      wallet: WalletId,
      points: readonly OutPoint[],
      reason: string,
      actor: string,
    ): Answer<readonly FreezeRecord[]>
    unfreeze(
      wallet: WalletId,
      points: readonly OutPoint[],
      actor: string,
    ): Answer<readonly FreezeRecord[]>
    /** What is leased and what is frozen of these outpoints. */
    holds(points: readonly OutPoint[]): Promise<{
      readonly leases: readonly LeaseRecord[]
      readonly frozen: readonly FreezeRecord[]
    }>
  }
}

/** The verbs of payouts that an engine has. */
export const payoutsOf = (engine: object): Payouts => engine as Payouts
