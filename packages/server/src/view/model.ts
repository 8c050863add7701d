import type { AmountVerdict, OrderStatus, Thresholds } from '@kaccy/bitcoin/deposits'
import type { BlockRef, Json, Network } from '@kaccy/bitcoin/kernel'

/** An order as the screen needs it; amounts in satoshi. */
export interface OrderView {
  readonly id: string
  readonly externalId?: string
  readonly address: string
  /** Undefined: an open deposit address. */
  readonly amount?: bigint
  readonly status: OrderStatus
  readonly failureReason?: string
  readonly verdict: AmountVerdict
  readonly late: boolean
  readonly received: bigint
  readonly credited: bigint
  readonly missing: bigint
  readonly thresholds: Thresholds
}

export interface PaymentView {
  readonly txid: string
  readonly vout: number
  readonly amount: bigint
  readonly place: 'mempool' | 'block' | 'gone'
  /** Why it is gone: replaced, conflicted or evicted. */
  readonly reason?: string
  readonly height?: number
  /** Confirmations; -1 when gone. */
  readonly depth: number
  /** Depth from which it is credited. */
  readonly creditedAt: number
  readonly booked: 'none' | 'pending' | 'credited'
  readonly late: boolean
}

export interface EventView {
  readonly seq: number
  readonly at: number
  readonly type: string
  readonly subject: string
  readonly data: { readonly [key: string]: Json }
}

/** Everything that a look at the screen shows, read from the store in one go. */
export interface Snapshot {
  readonly network: Network
  readonly tip?: BlockRef
  /** The order in focus. */
  readonly order?: OrderView
  readonly payments: readonly PaymentView[]
  /** Newest last. */
  readonly events: readonly EventView[]
  readonly openAlerts: number
  /** Newest orders, where none is in focus. */
  readonly orders: readonly OrderView[]
}

/** How the node stands, in words. */
export interface NodeView {
  readonly url: string
  /** Undefined while all is well. */
  readonly trouble?: string
}

/** Where the story of the demo stands. */
export interface StepView {
  readonly number: number
  readonly total: number
  readonly id: string
  readonly title: string
  readonly text: readonly string[]
}

export interface Account {
  readonly account: string
  readonly debits: bigint
  readonly credits: bigint
}
export interface Entry {
  readonly number: number
  readonly kind: string
  readonly debit: string
  readonly credit: string
  readonly amount: bigint
}
/** The end of the demo: what the books say and what was checked. */
export interface Books {
  readonly accounts: readonly Account[]
  readonly entries: readonly Entry[]
  readonly verified: boolean
  readonly auditEntries: number
  readonly auditHead: string
  /** Satoshi between our coins and the node's. */
  readonly drift: bigint
  readonly coins: number
}
