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

export interface OrderFilter {
  readonly wallet?: WalletId
  readonly status?: OrderStatus
  readonly customer?: string
  readonly address?: string
  /** Key and value that must both be in the metadata. */
  readonly metadata?: { readonly key: string; readonly value: string }
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

/** Rows of the deposits capability. Lists come back in the order of their key unless said otherwise. */
export interface DepositRows {
  /** Inserts one order or several. @throws EngineError STORE_CONFLICT when an id, external id or script exists. */
  insertOrder(...orders: readonly OrderRecord[]): Promise<void>
  order(id: OrderId): Promise<OrderRecord | undefined>
  orderByExternalId(externalId: string): Promise<OrderRecord | undefined>
  ordersByExternalIds(externalIds: readonly string[]): Promise<readonly OrderRecord[]>
  /** Orders with these ids, locked in id order. */
  lockOrders(ids: readonly OrderId[]): Promise<readonly OrderRecord[]>
  ordersByScripts(scripts: readonly Uint8Array[]): Promise<readonly OrderRecord[]>
  saveOrders(orders: readonly OrderRecord[]): Promise<void>
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

  appendFacts(facts: readonly TxFact[]): Promise<void>
  facts(txids: readonly Txid[]): Promise<readonly StoredFact[]>
  /** Facts with a larger number, ascending. Numbers are dense and in commit order: none is skipped. */
  factsAfter(number: number, limit: number): Promise<readonly StoredFact[]>
  /** The newest number; 0 when there is none. */
  newestFact(): Promise<number>
}
