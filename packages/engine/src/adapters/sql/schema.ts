import type { ConsolidationSchema } from './schema-consolidation.ts'
import type { PolicySchema } from './schema-policy.ts'
import type { PayoutSchema } from './schema-payouts.ts'

/**
 * The tables as rows. Integers (amounts in satoshi, times in milliseconds since the epoch, heights, counters, 0/1 for
 * no/yes) are 64 bits and arrive as bigint from both databases; hashes and scripts are bytes.
 */
export type Kind = 'text' | 'int' | 'bytes'

export interface HeaderRow {
  height: bigint
  hash: Uint8Array
  prev: Uint8Array
  time: bigint
}
export interface MemoRow {
  key: string
  value: string
}
export interface WalletRow {
  id: string
  name: string
  network: string
  descriptor: string
  descriptor_hash: Uint8Array
  status: string
  gap_limit: bigint
  lookahead: bigint
  birthday: bigint
  rescan_next: bigint | null
  rescan_from: bigint | null
  rescan_to: bigint | null
  created_at: bigint
}
export interface KeychainRow {
  wallet: string
  branch: bigint
  next_index: bigint
  watched_to: bigint
  last_used: bigint
  reach: bigint
}
export interface AddressRow {
  wallet: string
  branch: bigint
  idx: bigint
  number: bigint
  script: Uint8Array
  address: string
  state: string
  shown: bigint
  order_id: string | null
  label: string | null
  revealed_at: bigint | null
  first_used_at: bigint | null
}
/** The part of an address that changes after it was derived, with its place. */
export type AddressUseRow = Omit<AddressRow, 'number' | 'script' | 'address'>
export interface LabelRow {
  wallet: string
  type: string
  ref: string
  json: string
}
export interface OrderRow {
  id: string
  wallet: string
  branch: bigint
  idx: bigint
  address: string
  script: Uint8Array
  external_id: string | null
  customer: string | null
  amount: bigint | null
  price_currency: string | null
  price_amount: string | null
  price_rate: string | null
  price_source: string | null
  price_at: bigint | null
  tolerance_kind: string
  tolerance: bigint
  confirmed_depth: bigint
  full_confirmed_depth: bigint
  finalized_depth: bigint
  description: string | null
  metadata: string
  created_at: bigint
  expires_at: bigint | null
  expired_at: bigint | null
  cancelled_at: bigint | null
  settled_at: bigint | null
  settled_by: string | null
  settled_reason: string | null
  reached_at: string
  due_at: bigint | null
  status: string
  failure_reason: string | null
  verdict: string
  late: bigint
  received: bigint
  confirmed: bigint
  credited: bigint
}
/** The part of an order that the chain and time change, with its id. */
export type OrderProgressRow = Pick<
  OrderRow,
  | 'id'
  | 'expired_at'
  | 'cancelled_at'
  | 'settled_at'
  | 'settled_by'
  | 'settled_reason'
  | 'reached_at'
  | 'due_at'
  | 'status'
  | 'failure_reason'
  | 'verdict'
  | 'late'
  | 'received'
  | 'confirmed'
  | 'credited'
>
export interface OrderMetadataRow {
  key: string
  value: string
  order_id: string
}
export interface TransactionRow {
  txid: Uint8Array
  coinbase: bigint
  inputs: Uint8Array
  vsize: bigint
  fee_rate: bigint | null
  first_seen_at: bigint
  state: string
  missing_since: bigint | null
  block_height: bigint | null
  block_hash: Uint8Array | null
  gone_reason: string | null
  gone_by: Uint8Array | null
}
export interface TransactionInputRow {
  prev_txid: Uint8Array
  prev_vout: bigint
  spender: Uint8Array
}
export interface WalletTransactionRow {
  wallet: string
  txid: Uint8Array
  first_seen_at: bigint
}
export interface PaymentRow {
  txid: Uint8Array
  vout: bigint
  wallet: string
  branch: bigint
  idx: bigint
  address: string
  script: Uint8Array
  amount: bigint
  coinbase: bigint
  order_id: string | null
  purpose: string
  first_seen_at: bigint
  late: bigint
  booked: string
  booked_height: bigint | null
  booked_hash: Uint8Array | null
  posted: bigint
  spender: Uint8Array | null
  spend_booked: bigint
  due_height: bigint | null
}
/** With what is derived from the view of its transaction. */
export interface StoredPaymentRow extends PaymentRow {
  in_view: bigint
}
export interface FactRow {
  number: bigint
  txid: Uint8Array
  kind: string
  at: bigint
  block_height: bigint | null
  block_hash: Uint8Array | null
  by_txid: Uint8Array | null
}
export interface EntryRow {
  number: bigint
  at: bigint
  key: string
  kind: string
  debit: string
  credit: string
  amount: bigint
  wallet: string
  payment_txid: Uint8Array | null
  payment_vout: bigint | null
  order_id: string | null
  block_height: bigint | null
  block_hash: Uint8Array | null
}
export interface AccountRow {
  account: string
  debits: bigint
  credits: bigint
}
export interface EventRow {
  seq: bigint
  at: bigint
  type: string
  subject: string
  data: string
  origin: string | null
}
export interface CursorRow {
  subscriber: string
  seq: bigint
}
export interface AuditRow {
  number: bigint
  at: bigint
  actor: string
  area: string
  action: string
  subject: string
  details: string
  previous: Uint8Array
  hash: Uint8Array
}
export interface AlertRow {
  number: bigint
  at: bigint
  key: string
  kind: string
  severity: string
  subject: string
  message: string
  data: string
  acknowledged_at: bigint | null
  acknowledged_by: string | null
  acknowledged_note: string | null
}
export interface ApiKeyRow {
  id: string
  name: string
  mode: string
  scopes: string
  wallets: string | null
  addresses: string | null
  metadata: string
  hint: string
  hash: Uint8Array
  created_at: bigint
  created_by: string
  expires_at: bigint | null
  revoked_at: bigint | null
  last_used_at: bigint | null
  last_used_from: string | null
  admin_until: bigint | null
}
export interface RequestAnswerRow {
  scope: string
  key: string
  digest: Uint8Array
  status: bigint
  body: string
  at: bigint
}
export interface WebhookRow {
  id: string
  url: string
  event_types: string
  description: string | null
  metadata: string
  status: string
  paused_reason: string | null
  paused_at: bigint | null
  visible: string
  created_by: string
  created_at: bigint
  updated_at: bigint
  secrets: string
  cursor: bigint
  last_delivered: bigint
  last_delivered_at: bigint | null
  attempts: bigint
  failing_since: bigint | null
  last_error: string | null
  next_attempt_at: bigint | null
  deliveries: bigint
  fence: bigint
  leased_until: bigint
}
export interface WebhookDeliveryRow {
  webhook: string
  number: bigint
  seq: bigint
  type: string
  attempt: bigint
  at: bigint
  duration_ms: bigint
  outcome: string
  url: string
  body: string
  body_hash: Uint8Array
  status: bigint | null
  answer: string | null
  error: string | null
}
/** Dense numbers come from here: one row each, locked by whoever raises it until the commit. */
export interface CounterRow {
  name: string
  value: bigint
}

export interface Schema extends PayoutSchema, PolicySchema, ConsolidationSchema {
  headers: HeaderRow
  memos: MemoRow
  wallets: WalletRow
  keychains: KeychainRow
  addresses: AddressRow
  labels: LabelRow
  orders: OrderRow
  order_metadata: OrderMetadataRow
  transactions: TransactionRow
  transaction_inputs: TransactionInputRow
  wallet_transactions: WalletTransactionRow
  payments: StoredPaymentRow
  facts: FactRow
  entries: EntryRow
  accounts: AccountRow
  events: EventRow
  cursors: CursorRow
  audit: AuditRow
  alerts: AlertRow
  counters: CounterRow
  api_keys: ApiKeyRow
  request_answers: RequestAnswerRow
  webhooks: WebhookRow
  webhook_deliveries: WebhookDeliveryRow
}
export type TableName = keyof Schema & string

/** Columns of the tables that are written many rows at a time, in a fixed order, with their kinds. */
export type Columns<Row> = Readonly<Record<keyof Row & string, Kind>>
