import type {
  BlockRef,
  OutPoint,
  PsbtId,
  Sat,
  SatPerKvB,
  SpendId,
  Txid,
  Weight,
  WalletId,
  WithdrawalId,
} from '../../kernel/index.ts'

/** What a spend is for. `child`: it pays for a parent of ours that is too cheap (CPFP). */
export type SpendPurpose = 'payout' | 'consolidation' | 'child'

/**
 * `open`: any of its versions may be mined some day. `mined`: one of them is in the best chain. `settled`: that one is buried.
 * `dropped`: nobody was ever asked to sign any version; its coins are free. `lost`: a buried transaction that is none of ours
 * spends one of its anchor's rivals, so no version can be mined any more.
 */
export type SpendStatus = 'open' | 'mined' | 'settled' | 'dropped' | 'lost'

/** One intention to move coins of one wallet, with all transactions that could carry it out. */
export interface SpendRecord {
  readonly id: SpendId
  readonly wallet: WalletId
  readonly purpose: SpendPurpose
  /** The spend whose change a child spends. */
  readonly parent?: SpendId
  readonly status: SpendStatus
  /** The coin that every version spends: consensus lets at most one of them be mined (I4). */
  readonly anchor: OutPoint
  /** From the wallet's funds row, when it was planned. */
  readonly fence: number
  /** How many versions there are. */
  readonly versions: number
  /** The version that is being signed and sent now. */
  readonly current: PsbtId
  /** The version in the best chain; kept when settled. */
  readonly mined?: { readonly psbt: PsbtId; readonly txid: Txid; readonly block: BlockRef }
  /** Somebody asked for its cancellation: the current version pays only ourselves. */
  readonly cancelling: boolean
  /** When the next automatic bump is considered, milliseconds since the epoch. */
  readonly bumpAt?: number
  readonly createdBy: string
  readonly createdAt: number
  readonly updatedAt: number
}

/** Session of a transaction as the seed names it, and what the chain adds. */
export type VersionStatus =
  | 'created'
  | 'partially_signed'
  | 'signed'
  | 'finalized'
  | 'broadcast'
  | 'rejected'
  | 'replaced'
  | 'evicted'
  | 'confirmed'

export interface PlannedInput extends OutPoint {
  readonly amount: Sat
  readonly script: Uint8Array
  readonly branch: number
  readonly index: number
  readonly sequence: number
}
export interface PlannedOutput {
  readonly script: Uint8Array
  readonly amount: Sat
  /** Whom it pays: requests (several, where one address is paid once for all of them), or ourselves. */
  readonly role: Readonly<
    | { kind: 'payment'; withdrawals: readonly WithdrawalId[] }
    | { kind: 'change'; branch: number; index: number }
  >
}

/** What the last answer of a node to the bytes was; `unknown` frees nothing. */
export interface SendRecord {
  readonly answer: 'accepted' | 'already_known' | 'refused' | 'unknown'
  /** The node's own words, for a refusal or an unknown outcome. */
  readonly reason?: string
  readonly at: number
}

/** One transaction of a spend: planned, signed elsewhere, sent, followed. */
export interface VersionRecord {
  readonly id: PsbtId
  readonly spend: SpendId
  readonly wallet: WalletId
  /** From 1. */
  readonly number: number
  readonly kind: 'payment' | 'bump' | 'cancel'
  readonly status: VersionStatus
  readonly transaction: {
    readonly version: number
    readonly lockTime: number
    readonly inputs: readonly PlannedInput[]
    readonly outputs: readonly PlannedOutput[]
  }
  readonly fee: Sat
  readonly rate: SatPerKvB
  /** Worst case, with all signatures. */
  readonly weight: Weight
  /** Above these nothing is signed or sent: satoshi, and satoshi per 1000 vbytes. */
  readonly maxFee: Sat
  readonly maxRate: SatPerKvB
  /** Id of the unsigned transaction, hex: what people approve and receipts name. Equal to `txid` for segwit. */
  readonly hash: string
  /** Known before signing unless an input is legacy; then from the final bytes on. */
  readonly txid?: Txid
  /** Ours, with every verified signature so far (BIP 174). */
  readonly psbt: Uint8Array
  /** People who must approve `hash` before anybody is asked to sign, and the policy that says so. */
  readonly approvalsNeeded: number
  readonly policyVersion: number
  /** When it was first shown to anybody who can sign. From then on only a conflicting spend undoes it. */
  readonly exposedAt?: number
  readonly rejected?: { readonly by: string; readonly reason: string; readonly at: number }
  /** Final bytes, stored before they are sent (I5). */
  readonly raw?: Uint8Array
  readonly finalWeight?: Weight
  readonly sends: number
  readonly lastSend?: SendRecord
  /** When signers are asked, or the bytes are sent, next. Absent: never again by itself. */
  readonly nextAt?: number
  /** Claimed by a process until then; whoever comes later takes over. */
  readonly claimedUntil?: number
  readonly createdBy: string
  readonly createdAt: number
  readonly updatedAt: number
}

export interface SpendFilter {
  readonly wallet?: WalletId
  readonly wallets?: readonly WalletId[]
  readonly purpose?: SpendPurpose
  readonly status?: SpendStatus
  /** Exclusive, newest first (ids are time-ordered). */
  readonly before?: SpendId
  readonly limit: number
}
export interface VersionFilter {
  readonly wallet?: WalletId
  readonly wallets?: readonly WalletId[]
  readonly status?: VersionStatus
  readonly before?: PsbtId
  readonly limit: number
}

/** Rows of the spending capability. `save…` throws an AssertionError for what is not there. */
export interface SpendingRows {
  /** @throws EngineError STORE_CONFLICT when the id exists. */
  insertSpend(spend: SpendRecord): Promise<void>
  spend(id: SpendId): Promise<SpendRecord | undefined>
  /** Locked in id order. */
  lockSpends(ids: readonly SpendId[]): Promise<readonly SpendRecord[]>
  saveSpend(spend: SpendRecord): Promise<void>
  listSpends(filter: SpendFilter): Promise<readonly SpendRecord[]>
  /** Spends that are open or mined: what every look at the chain goes through. By id, `after` exclusive. */
  liveSpends(after: SpendId | undefined, limit: number): Promise<readonly SpendRecord[]>
  /** Settled spends whose block is above `height`: what a deep reorganisation reopens. By id. */
  settledAbove(height: number): Promise<readonly SpendRecord[]>
  /** Open spends with `bumpAt <= now`, soonest first. */
  dueBumps(now: number, limit: number): Promise<readonly SpendRecord[]>

  /** @throws EngineError STORE_CONFLICT when the id, or the number within its spend, exists. */
  insertVersion(version: VersionRecord): Promise<void>
  version(id: PsbtId): Promise<VersionRecord | undefined>
  saveVersion(version: VersionRecord): Promise<void>
  /** Of these spends, by (spend, number). */
  versionsOf(spends: readonly SpendId[]): Promise<readonly VersionRecord[]>
  /** The newest one with it: a plan that was dropped may be made again, byte for byte. */
  versionByTxid(txid: Txid): Promise<VersionRecord | undefined>
  listVersions(filter: VersionFilter): Promise<readonly VersionRecord[]>
  /** Versions in one of these states with `nextAt <= now` that no process has claimed beyond `now`; soonest first. */
  dueVersions(
    statuses: readonly VersionStatus[],
    now: number,
    limit: number,
  ): Promise<readonly VersionRecord[]>
}
