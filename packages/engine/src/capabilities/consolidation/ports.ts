import type {
  ConsolidationId,
  Sat,
  SatPerKvB,
  SpendId,
  Txid,
  WalletId,
} from '../../kernel/index.ts'

/**
 * What the coins of one run have in common, from what tells strangers least to what tells them most: one script; change of our
 * own; payments that belong to no order; orders of one customer; anything (`linksCustomers`).
 */
export type GroupKind = 'script' | 'change' | 'unassigned' | 'customer' | 'mixed'
/** Why a run was made: somebody asked; there were too many coins; fees were low. */
export type Trigger = 'request' | 'coins' | 'fee'
/** A run as it is kept. Before its commit nothing is: `idle` and `analysing` are states of the machine alone. */
export type ConsolidationStatus =
  | 'planned'
  | 'consolidating'
  | 'completed'
  | 'cancelled'
  /** A buried transaction that is not ours spends one of its coins. */
  | 'failed'

/** One run: several coins of one wallet become one. Amounts in satoshi, as they were when it was planned. */
export interface ConsolidationRecord {
  readonly id: ConsolidationId
  readonly wallet: WalletId
  readonly status: ConsolidationStatus
  readonly trigger: Trigger
  readonly group: GroupKind
  /** How many different scripts it links. */
  readonly scripts: number
  readonly inputs: number
  /** Coins that were free in the wallet then. */
  readonly coins: number
  /** Sum of the inputs. */
  readonly amount: Sat
  readonly fee: Sat
  /** Satoshi per 1000 vbytes: what it pays, and what spending costs on an ordinary day. */
  readonly rate: SatPerKvB
  readonly longTermRate: SatPerKvB
  /** What is saved by not spending its inputs one by one on an ordinary day; below zero: it costs more than it saves. */
  readonly saving: bigint
  /** The highest rate at which it would not have cost more than it saves. */
  readonly breakEvenRate: SatPerKvB
  readonly spend: SpendId
  /** Of the version that is current, or mined. */
  readonly txid?: Txid
  readonly reachedAt: Readonly<Partial<Record<ConsolidationStatus, number>>>
  readonly createdBy: string
  readonly createdAt: number
  readonly updatedAt: number
}

export interface ConsolidationFilter {
  readonly wallet?: WalletId
  readonly wallets?: readonly WalletId[]
  readonly status?: ConsolidationStatus
  /** Exclusive, newest first (ids are time-ordered). */
  readonly before?: ConsolidationId
  readonly limit: number
}

export interface ConsolidationRows {
  /** @throws EngineError STORE_CONFLICT when the id, or a run of the same spend, exists. */
  insert(run: ConsolidationRecord): Promise<void>
  consolidation(id: ConsolidationId): Promise<ConsolidationRecord | undefined>
  bySpend(spend: SpendId): Promise<ConsolidationRecord | undefined>
  /**
   * Writes status, `txid` and times; what was planned never changes. The caller holds the lock of its spend.
   * @throws AssertionError for one that is not there.
   */
  save(run: ConsolidationRecord): Promise<void>
  /** Newest first, in the order of their ids. */
  list(filter: ConsolidationFilter): Promise<readonly ConsolidationRecord[]>
}
