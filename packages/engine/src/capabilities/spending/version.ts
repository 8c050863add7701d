import {
  type Clock,
  type Entropy,
  newId,
  type PsbtId,
  type Sat,
  type SatPerKvB,
  type SpendId,
  type Txid,
  type WalletId,
  type Weight,
} from '../../kernel/index.ts'
import type { Descriptor } from '../../protocol/descriptor/index.ts'
import { type PlannedTransaction, hashOf } from './plan.ts'
import type { VersionRecord } from './ports.ts'
import type { PreviousTransactions } from './previous.ts'
import { packPsbt } from './psbt.ts'

/** Clock and chance: what ids are made of. */
export interface Ids {
  readonly clock: Clock
  readonly entropy: Entropy
}

/** What a version is made from. */
export interface VersionInput {
  readonly spend: SpendId
  readonly wallet: WalletId
  readonly number: number
  readonly kind: VersionRecord['kind']
  readonly transaction: PlannedTransaction
  readonly fee: Sat
  readonly rate: SatPerKvB
  readonly weight: Weight
  readonly maxFee: Sat
  readonly maxRate: SatPerKvB
  readonly descriptor: Descriptor
  readonly previous: PreviousTransactions
  readonly approvalsNeeded: number
  readonly policyVersion: number
  readonly actor: string
  readonly at: number
}

/** A new version with its PSBT, its hash and, where signatures are not part of it, the id it will have on the chain. */
export function newVersion(ids: Ids, input: VersionInput): VersionRecord {
  const { descriptor, previous, actor, at, transaction, ...figures } = input
  const { psbt, txid } = packPsbt(descriptor, transaction, previous)
  return {
    ...figures,
    id: newId('psb', ids.clock, ids.entropy) as PsbtId,
    status: 'created',
    transaction,
    hash: hashOf(transaction),
    ...(txid === undefined ? {} : { txid: txid as Txid }),
    psbt,
    sends: 0,
    // Signers are asked as soon as they may be.
    nextAt: at,
    createdBy: actor,
    createdAt: at,
    updatedAt: at,
  }
}
