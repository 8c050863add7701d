import type {
  OutPoint,
  Sat,
  SatPerKvB,
  SpendId,
  Txid,
  WalletId,
  WithdrawalId,
} from '../../kernel/index.ts'

export type WithdrawalStatus =
  | 'requested'
  | 'approved'
  | 'rejected'
  | 'batched'
  | 'signing'
  | 'sending'
  | 'mined'
  | 'settled'
  | 'cancelled'
  | 'failed'

/** How soon it should be mined: a named priority, a rate in satoshi per 1000 vbytes, or a moment in milliseconds. */
export type Speed = Readonly<
  | { kind: 'priority'; priority: 'low' | 'normal' | 'high' }
  | { kind: 'rate'; rate: SatPerKvB }
  | { kind: 'deadline'; at: number }
>
/**
 * Who bears the fee. `platform`: the house. `customer`: the customer's account, beyond the amount and up to `maxFee`.
 * `recipient`: it is taken out of the amount.
 */
export type FeePayer = 'platform' | 'customer' | 'recipient'

/** What the policy said when the request was recorded; never judged again. */
export interface KeptVerdict {
  readonly decision: 'allow' | 'hold' | 'deny'
  /** 0 to 100. */
  readonly score: number
  readonly reasons: readonly { readonly code: string; readonly message: string }[]
  readonly policyVersion: number
  /** People who must approve the request. */
  readonly approvalsNeeded: number
  /** People who must approve the exact transaction before it is signed. */
  readonly transactionApprovals: number
}

export interface WithdrawalRecord {
  readonly id: WithdrawalId
  readonly wallet: WalletId
  /** The client's own id; unique for ever: the same one and the same body give the same withdrawal. */
  readonly externalId: string
  /** SHA-256, hex, of the request in canonical form: what people approve. */
  readonly digest: string
  readonly address: string
  readonly script: Uint8Array
  readonly amount: Sat
  readonly feePayer: FeePayer
  readonly speed: Speed
  /** Ceilings of the request: share of the fee in satoshi, and satoshi per 1000 vbytes. */
  readonly maxFee: Sat
  readonly maxRate: SatPerKvB
  /** Whose account is debited; absent: the platform's own means. */
  readonly customer?: string
  /** Who withdraws, for limits by person. */
  readonly user?: string
  readonly description?: string
  readonly metadata: Readonly<Record<string, string>>
  /** `api:<key id>` or `operator:<name>`. Never approves it. */
  readonly initiator: string
  readonly verdict: KeptVerdict
  /** What its wallet's funds hold for it until a plan has given it coins: amount and allowance for the fee. */
  readonly reserved: Sat
  readonly status: WithdrawalStatus
  readonly reachedAt: Readonly<Partial<Record<WithdrawalStatus, number>>>
  readonly ended?: { readonly by: string; readonly reason: string; readonly at: number }
  /** Asked for after it was shown to signers: done when a conflicting spend is buried. */
  readonly cancelAsked?: { readonly by: string; readonly reason: string; readonly at: number }
  readonly spend?: SpendId
  /** The output that pays it in the version that is current, or mined. */
  readonly output?: OutPoint
  readonly txid?: Txid
  /** What the recipient gets, and its share of the fee, in the version that is current or mined. */
  readonly paid?: Sat
  readonly feeShare?: Sat
  /** How many postings it made: makes their keys unique. */
  readonly posted: number
  /** When a plan looks at it next, milliseconds since the epoch; only while approved. */
  readonly planAt?: number
  /** Why the last plan could not serve it. */
  readonly waitsFor?: string
  readonly createdAt: number
  readonly updatedAt: number
}

export interface WithdrawalFilter {
  readonly wallet?: WalletId
  readonly wallets?: readonly WalletId[]
  readonly status?: WithdrawalStatus
  readonly customer?: string
  readonly user?: string
  readonly externalId?: string
  readonly address?: string
  readonly metadata?: { readonly key: string; readonly value: string }
  /** Milliseconds since the epoch: from inclusive, until exclusive. */
  readonly createdFrom?: number
  readonly createdUntil?: number
  /** Exclusive, newest first (ids are time-ordered). */
  readonly before?: WithdrawalId
  readonly limit: number
}

export interface WithdrawalRows {
  /** @throws EngineError STORE_CONFLICT when id or external id exists. */
  insert(withdrawal: WithdrawalRecord): Promise<void>
  withdrawal(id: WithdrawalId): Promise<WithdrawalRecord | undefined>
  byExternalId(externalId: string): Promise<WithdrawalRecord | undefined>
  /** Locked in id order. */
  lock(ids: readonly WithdrawalId[]): Promise<readonly WithdrawalRecord[]>
  /**
   * Writes what the engine does about them (`reserved` and below). What was asked for, and the verdict on it, never changes.
   * @throws AssertionError for one that is not there, or whose digest is not the stored one.
   */
  save(withdrawals: readonly WithdrawalRecord[]): Promise<void>
  /** Newest first, in the order of their ids. */
  list(filter: WithdrawalFilter): Promise<readonly WithdrawalRecord[]>
  /** Approved ones of a wallet with `planAt <= now`, oldest first. */
  plannable(wallet: WalletId, now: number, limit: number): Promise<readonly WithdrawalRecord[]>
  /** Wallets that have such ones, by id. */
  plannableWallets(now: number): Promise<readonly WalletId[]>
  /** Those that one of these spends pays, in id order. */
  ofSpends(spends: readonly SpendId[]): Promise<readonly WithdrawalRecord[]>
}
