import type { BlockRef, Sat, SatPerKvB, WithdrawalId } from '../../kernel/index.ts'
import type { SpendPurpose, SpendRecord, VersionRecord } from './ports.ts'
import type { Trail } from './trail.ts'

/** How a spend changed in one commit. `before` and `after` may be alike but for the version that is current. */
export interface SpendMove {
  readonly before: SpendRecord
  readonly after: SpendRecord
  /** The version that matters: the one in the best chain, else the current one. */
  readonly version: VersionRecord
  /** All of them by number, as they are after the commit. */
  readonly versions: readonly VersionRecord[]
  /** Our clock, milliseconds since the epoch. */
  readonly at: number
  readonly tip: BlockRef
  /** Where to put what has to be told: written once, at the end of the transaction. */
  readonly trail: Trail
}

/** One output that the spend has to make, from the rows of the requests and never from the transaction. */
export interface OwedPayment {
  /** For messages: the ids of its parts. */
  readonly id: string
  /** The requests that it pays, several where one address is paid once for all of them; together they are `amount`. */
  readonly parts: readonly { readonly withdrawal: WithdrawalId; readonly amount: Sat }[]
  readonly script: Uint8Array
  readonly amount: Sat
}

/** What an automatic bump may do. */
export interface BumpLimits {
  /** When it should be mined, milliseconds since the epoch. Without it the usual pace of the engine counts. */
  readonly deadline?: number
  /** Ceilings that hold whatever the deadline. */
  readonly maxFee: Sat
  readonly maxRate: SatPerKvB
}

/**
 * The capability that a spend works for. It learns of every change in the transaction that makes it; a throw undoes the
 * change. Rows are locked in the order spends, then whatever the owner keeps.
 */
export interface SpendOwner<Tx> {
  moved(tx: Tx, move: SpendMove): Promise<void>
  /** What this version has to pay, asked before it is sent; empty for one that pays only ourselves. */
  owed(tx: Tx, version: VersionRecord): Promise<readonly OwedPayment[]>
  /** How far the engine may go by itself; undefined: no automatic bumps. */
  bumpLimits?(tx: Tx, spend: SpendRecord): Promise<BumpLimits | undefined>
}
export type SpendOwners<Tx> = Readonly<Partial<Record<SpendPurpose, SpendOwner<Tx>>>>
