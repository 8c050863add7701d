import type {
  BlockRef,
  OrderId,
  OutPoint,
  PaymentId,
  Sat,
  SatPerKvB,
  Txid,
  WalletId,
} from '../../kernel/index.ts'

/** Depths at which an order reaches its levels; the ledger credits at `fullConfirmed`. */
export interface Thresholds {
  readonly confirmed: number
  readonly fullConfirmed: number
  readonly finalized: number
}
/** What still counts as exact: absolute satoshis, or parts per million of the amount. */
export type Tolerance = Readonly<{ kind: 'absolute'; sat: Sat } | { kind: 'relative'; ppm: number }>

export type OrderStatus =
  | 'pending'
  | 'unconfirmed'
  | 'confirmed'
  | 'full_confirmed'
  | 'finalized'
  | 'failed'
export type AmountVerdict = 'none' | 'exact' | 'underpaid' | 'overpaid'

/** What the facts say of an order now. Recomputed from the facts; kept for queries and to see what changed. */
export interface OrderState {
  readonly status: OrderStatus
  readonly failureReason?: 'expired' | 'cancelled'
  readonly verdict: AmountVerdict
  readonly late: boolean
  /** Sum of payments in mempool and best chain that count for this order. */
  readonly received: Sat
  /** The part of it at depth >= thresholds.confirmed. */
  readonly confirmed: Sat
  /** Net that the ledger has booked for it. */
  readonly credited: Sat
}

/** A price in a currency, and the rate that made satoshi of it. Decimal texts: money is never a double. */
export interface OrderPrice {
  /** `EUR`: three to ten capital letters and digits. */
  readonly currency: string
  /** As it was asked for: `19.90`. */
  readonly amount: string
  /** Units of the currency for one bitcoin: `57000.00`. */
  readonly rate: string
  /** Name of the rate source. */
  readonly source: string
  /** When the rate was true, milliseconds since the epoch. */
  readonly at: number
}

export interface OrderRecord {
  readonly id: OrderId
  readonly wallet: WalletId
  readonly branch: number
  readonly index: number
  readonly address: string
  readonly script: Uint8Array
  /** The platform's own id; unique when present: the same one gives the same order. */
  readonly externalId?: string
  readonly customer?: string
  /** Undefined: an open deposit address. */
  readonly amount?: Sat
  /** What `amount` was derived from, when it was asked for in a currency. Written once. */
  readonly price?: OrderPrice
  readonly tolerance: Tolerance
  readonly thresholds: Thresholds
  readonly description?: string
  readonly metadata: Readonly<Record<string, string>>
  readonly createdAt: number
  readonly expiresAt?: number
  /** Facts, written once: when the engine, in step with the chain, saw the time pass; when somebody cancelled or settled it. */
  readonly expiredAt?: number
  readonly cancelledAt?: number
  readonly settled?: { readonly at: number; readonly by: string; readonly reason: string }
  /** When each status was reached last, for statistics and `explain`. */
  readonly reachedAt: Readonly<Partial<Record<OrderStatus, number>>>
  readonly state: OrderState
}

/** Where the canonical view has a transaction now. */
export type TxView = Readonly<
  | { state: 'mempool' /** the node restarted and has not shown it since */; missingSince?: number }
  | { state: 'mined'; block: BlockRef }
  | {
      state: 'gone'
      reason: 'replaced' | 'conflicted' | 'evicted'
      by?: Txid
      /** Conflicted: the block that made it impossible, for as long as that block stands. */
      block?: BlockRef
    }
>

/** A transaction that pays us or spends from us. */
export interface TxRecord {
  readonly txid: Txid
  readonly coinbase: boolean
  readonly inputs: readonly OutPoint[]
  readonly vsize: number
  readonly feeRate?: SatPerKvB
  readonly firstSeenAt: number
  readonly view: TxView
}

/** An observation as it was made; never edited. */
export interface TxFact {
  readonly txid: Txid
  readonly kind: 'seen' | 'mined' | 'unmined' | 'replaced' | 'conflicted' | 'evicted' | 'missing'
  readonly at: number
  readonly block?: BlockRef
  readonly by?: Txid
}
export interface StoredFact extends TxFact {
  readonly number: number
}

/** One output that pays a watched script. */
export interface PaymentRecord {
  readonly id: PaymentId
  readonly point: OutPoint
  readonly wallet: WalletId
  readonly branch: number
  readonly index: number
  readonly address: string
  readonly script: Uint8Array
  readonly amount: Sat
  readonly coinbase: boolean
  /** The order whose address it is. */
  readonly order?: OrderId
  /** For whom it is booked, decided when it was first seen: its order, nobody, or ourselves (change of our own spending). */
  readonly purpose: 'order' | 'unassigned' | 'change'
  readonly firstSeenAt: number
  /** Came after expiry or cancelling. */
  readonly late: boolean
  /** What the ledger has: nothing, a `seen` entry, or a live `credit` (with the block it rests on, I2). */
  readonly booked: Readonly<
    { state: 'none' } | { state: 'pending' } | { state: 'credited'; block: BlockRef }
  >
  /** How often each kind has been posted: makes posting keys unique. */
  readonly posted: number
  /** The transaction of the canonical view that spends it. */
  readonly spender?: Txid
  readonly spendBooked: boolean
  /** Tip height at which something changes next by depth alone; undefined: nothing more will. */
  readonly dueHeight?: number
}

/** Any of these wallets, and of no other: what a caller that is limited to some may see. Empty: nothing. */
export interface WalletLimit {
  readonly wallets?: readonly WalletId[]
}
export interface OrderFilter extends WalletLimit {
  readonly wallet?: WalletId
  readonly status?: OrderStatus
  readonly customer?: string
  readonly externalId?: string
  readonly address?: string
  /** Key and value that must both be in the metadata. */
  readonly metadata?: { readonly key: string; readonly value: string }
  /** Milliseconds since the epoch: from inclusive, until exclusive. */
  readonly createdFrom?: number
  readonly createdUntil?: number
  /** Exclusive, in id order (ids are time-ordered), newest first. */
  readonly before?: OrderId
  readonly limit: number
}
export interface PaymentFilter {
  readonly wallet?: WalletId
  readonly order?: OrderId
  readonly purpose?: PaymentRecord['purpose']
  readonly unspentOnly?: boolean
  /** Exclusive, in (id) order ascending. */
  readonly after?: PaymentId
  readonly limit: number
}

/** Where a payment is now: one of four, so that a list by status shows each payment once. */
export type PaymentStatus =
  /** Unconfirmed. */
  | 'mempool'
  /** In a block, not deep enough to be credited. */
  | 'mined'
  /** In a block, and the ledger has it. */
  | 'credited'
  /** Replaced, conflicted or evicted. */
  | 'gone'

/** The place of a payment in the lists that show the newest first. */
export interface PaymentCursor {
  readonly firstSeenAt: number
  readonly id: PaymentId
}
export interface NewestPaymentsFilter extends WalletLimit {
  readonly wallet?: WalletId
  readonly order?: OrderId
  readonly purposes?: readonly PaymentRecord['purpose'][]
  /** Any of these; undefined: all. */
  readonly statuses?: readonly PaymentStatus[]
  /** Only those that no transaction of the present view spends. Has an index within a wallet. */
  readonly unspent?: boolean
  /** Milliseconds since the epoch: from inclusive, until exclusive. */
  readonly seenFrom?: number
  readonly seenUntil?: number
  /** Exclusive. */
  readonly before?: PaymentCursor
  readonly limit: number
}
/** The place of a transaction in the list of its wallet. */
export interface TransactionCursor {
  readonly firstSeenAt: number
  readonly txid: Txid
}
export interface WalletTransactionsFilter {
  readonly wallet: WalletId
  /** Exclusive. */
  readonly before?: TransactionCursor
  readonly limit: number
}

/** Rows of the deposits capability. Lists come back in the order of their key unless said otherwise. */
export interface DepositRows {
  /**
   * Inserts one order or several. Ids follow creation times: of two orders the one that was created later has the larger id.
   * @throws EngineError STORE_CONFLICT when an id, external id or script exists.
   */
  insertOrder(...orders: readonly OrderRecord[]): Promise<void>
  order(id: OrderId): Promise<OrderRecord | undefined>
  orderByExternalId(externalId: string): Promise<OrderRecord | undefined>
  ordersByExternalIds(externalIds: readonly string[]): Promise<readonly OrderRecord[]>
  /** Orders with these ids, locked in id order. */
  lockOrders(ids: readonly OrderId[]): Promise<readonly OrderRecord[]>
  ordersByScripts(scripts: readonly Uint8Array[]): Promise<readonly OrderRecord[]>
  saveOrders(orders: readonly OrderRecord[]): Promise<void>
  /** Newest first, in the order of their ids. */
  listOrders(filter: OrderFilter): Promise<readonly OrderRecord[]>
  /** Orders whose `expiresAt <= now`, not yet expired, cancelled or settled; oldest expiry first. */
  dueOrders(now: number, limit: number): Promise<readonly OrderRecord[]>

  transactions(txids: readonly Txid[]): Promise<readonly TxRecord[]>
  /** Inserts or replaces by txid. */
  saveTransactions(transactions: readonly TxRecord[]): Promise<void>
  /** Stored transactions that spend any of these outpoints. */
  spendersOf(points: readonly OutPoint[]): Promise<readonly TxRecord[]>
  /** Stored transactions whose view is mined at `height` or above. */
  minedFrom(height: number): Promise<readonly TxRecord[]>
  /** Stored transactions whose view is mempool. */
  unconfirmed(): Promise<readonly TxRecord[]>

  /** Inserts or replaces by id. */
  savePayments(payments: readonly PaymentRecord[]): Promise<void>
  payments(ids: readonly PaymentId[]): Promise<readonly PaymentRecord[]>
  paymentsOfTransactions(txids: readonly Txid[]): Promise<readonly PaymentRecord[]>
  paymentsOfOrders(orders: readonly OrderId[]): Promise<readonly PaymentRecord[]>
  /** Payments with `dueHeight <= height`. */
  duePayments(height: number): Promise<readonly PaymentRecord[]>
  listPayments(filter: PaymentFilter): Promise<readonly PaymentRecord[]>
  /**
   * Newest first: by (first seen, id) descending. A status speaks of stored transactions: without one there is none. Change
   * below the credit depth is found by the height at which it is due.
   */
  newestPayments(filter: NewestPaymentsFilter): Promise<readonly PaymentRecord[]>
  /** Credited payments of a wallet that a transaction spends whose spending is not booked yet; by id. */
  leavingPayments(wallet: WalletId): Promise<readonly PaymentRecord[]>
  /** Stored transactions that pay this wallet or were ever seen to spend from it, newest first: by (first seen, txid). */
  walletTransactions(filter: WalletTransactionsFilter): Promise<readonly TxRecord[]>

  appendFacts(facts: readonly TxFact[]): Promise<void>
  facts(txids: readonly Txid[]): Promise<readonly StoredFact[]>
  /** Facts with a larger number, ascending. Numbers are dense and in commit order: none is skipped. */
  factsAfter(number: number, limit: number): Promise<readonly StoredFact[]>
  /** The newest number; 0 when there is none. */
  newestFact(): Promise<number>
}

/** What one bitcoin costs. */
export interface Rate {
  /** Units of the currency for one bitcoin, a decimal text above zero: `57000.00`. */
  readonly rate: string
  /** When it was true, milliseconds since the epoch. Undefined: now, as long as the source gives it. */
  readonly at?: number
  /** After this it must not be used, milliseconds since the epoch. */
  readonly validUntil?: number
}
/** Where prices in a currency become satoshi. Asked before the transaction that makes an order, never inside it. */
export interface RateSource {
  /** Kept with every order it priced. */
  readonly name: string
  /** Undefined for a currency that it does not have. What it throws counts as no rate now: RATE_UNAVAILABLE. */
  rate(currency: string): Promise<Rate | undefined>
}
