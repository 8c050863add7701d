import type { Refusal, Txid } from '../../kernel/index.ts'
import type { Descriptor } from '../../protocol/descriptor/index.ts'
import type { Transaction } from '../../protocol/transaction/index.ts'
import type { RevealRefusal } from '../wallet/index.ts'
import type { Draft } from './draft.ts'
import type { SpendRecord, VersionRecord } from './ports.ts'

/** What is committed: a draft, and who asked for it under which policy. */
export interface CommitRequest {
  readonly draft: Draft
  readonly descriptor: Descriptor
  /** Transactions that made the coins (`previousOf`): asked of the node before the transaction of the store. */
  readonly previous: ReadonlyMap<Txid, Transaction>
  readonly actor: string
  /** Milliseconds since the epoch. */
  readonly at: number
  /** People who must approve the exact transaction before it is signed, and the policy that says so. */
  readonly approvalsNeeded: number
  readonly policyVersion: number
  /** When the first automatic bump is considered. */
  readonly bumpAt?: number
}

export interface CommittedSpend {
  readonly spend: SpendRecord
  readonly version: VersionRecord
}
export type CommitRefusal = Refusal<'COINS_TAKEN'> | RevealRefusal
