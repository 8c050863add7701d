import type { OutPoint, PaymentId, Sat, SpendId, WalletId } from '../../kernel/index.ts'

/** One coin of ours that nothing of the present view spends. */
export interface Coin {
  readonly point: OutPoint
  readonly wallet: WalletId
  readonly branch: number
  readonly index: number
  readonly script: Uint8Array
  readonly address: string
  readonly amount: Sat
  readonly coinbase: boolean
  /** `credited`: deep enough for the ledger. `own_change`: change of a transaction of ours that is not that deep yet. */
  readonly kind: 'credited' | 'own_change'
  /** Height of its block; absent while it is unconfirmed. */
  readonly height?: number
  readonly firstSeenAt: number
}

/** A coin that one spend holds. It dies with a buried spend of the coin, or with a spend that nobody was ever asked to sign. */
export interface LeaseRecord {
  readonly point: OutPoint
  readonly wallet: WalletId
  readonly amount: Sat
  readonly spend: SpendId
  /** The fence of the spend that took it: a stale planner's is smaller. */
  readonly fence: number
  readonly at: number
}

/** A coin that people keep out of every selection. */
export interface FreezeRecord {
  readonly point: OutPoint
  readonly wallet: WalletId
  readonly amount: Sat
  readonly reason: string
  readonly by: string
  readonly at: number
}

/** What requests of one wallet hold before a plan has given them coins. One row a wallet: its lock orders all of them. */
export interface FundsRecord {
  readonly wallet: WalletId
  /** Promised to requests that no plan serves yet, with their allowance for fees. */
  readonly queued: Sat
  /** Grows with every plan; a lease carries it. */
  readonly fence: number
}

export interface FreeCoinsFilter {
  readonly wallet: WalletId
  /** Also change of our own that is not credited yet. */
  readonly ownChange: boolean
  /** Exclusive, by payment id. */
  readonly after?: PaymentId
  readonly limit: number
}

/** Rows of the coins capability. `lock…` holds the row until the transaction ends, also against other processes. */
export interface CoinRows {
  /** Makes the row when there is none. Taken before wallets and keychains, spends and withdrawals of the same wallet. */
  lockFunds(wallet: WalletId): Promise<FundsRecord>
  funds(wallet: WalletId): Promise<FundsRecord>
  /** @throws AssertionError when nobody ever locked them. */
  saveFunds(funds: FundsRecord): Promise<void>

  /** Unspent coins without lease and freeze; credited ones, and our own change where asked. In payment id order. */
  freeCoins(filter: FreeCoinsFilter): Promise<readonly Coin[]>
  /** Those of these outpoints that are unspent coins (leased and frozen ones as well), in the order asked. */
  coins(points: readonly OutPoint[]): Promise<readonly (Coin | undefined)[]>
  /** Sum of the wallet's credited unspent coins that are leased or frozen. Costs as many rows as there are of those. */
  encumbered(wallet: WalletId): Promise<Sat>
  /** Sum of the wallet's own change that is unspent, not credited yet, and neither leased nor frozen. */
  ownChange(wallet: WalletId): Promise<Sat>

  /** Live leases of these outpoints; as of every spend, by (txid, output number). */
  leases(points: readonly OutPoint[]): Promise<readonly LeaseRecord[]>
  leasesOf(spend: SpendId): Promise<readonly LeaseRecord[]>
  /** @throws EngineError STORE_CONFLICT when one of the coins has a lease. */
  lease(leases: readonly LeaseRecord[]): Promise<void>
  /** Ends leases of this spend: those of `points`, or all of them without it. A lease of another spend is never touched. */
  release(spend: SpendId, points?: readonly OutPoint[]): Promise<void>

  frozen(points: readonly OutPoint[]): Promise<readonly FreezeRecord[]>
  /** By (txid, output number); `after` is an outpoint key, exclusive. */
  listFrozen(
    wallet: WalletId,
    after: string | undefined,
    limit: number,
  ): Promise<readonly FreezeRecord[]>
  /** Inserts or replaces by outpoint. */
  freeze(records: readonly FreezeRecord[]): Promise<void>
  unfreeze(points: readonly OutPoint[]): Promise<void>
}
