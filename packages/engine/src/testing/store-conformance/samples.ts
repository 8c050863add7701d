import type { ApiKeyRecord } from '../../capabilities/access/index.ts'
import type { NewAlert } from '../../capabilities/alerts/index.ts'
import { type AuditEntry, link, type NewAuditEntry } from '../../capabilities/audit/index.ts'
import type { ChainHeader } from '../../capabilities/chain/index.ts'
import type { OrderRecord, PaymentRecord, TxRecord } from '../../capabilities/deposits/index.ts'
import type { NewEvent } from '../../capabilities/events/index.ts'
import type { AnswerRecord } from '../../capabilities/idempotency/index.ts'
import type { Posting } from '../../capabilities/ledger/index.ts'
import type {
  AddressRecord,
  KeychainRecord,
  WalletRecord,
} from '../../capabilities/wallet/index.ts'
import type { DeliveryRecord, WebhookRecord } from '../../capabilities/webhooks/index.ts'
import {
  blockHash,
  type OrderId,
  type OutPoint,
  paymentId,
  Secret,
  sat,
  satPerKvB,
  txid,
  type WalletId,
} from '../../kernel/index.ts'

/** 64 hex digits that differ for different numbers and are not in their order. */
export function digest(number: number, salt = 0): string {
  let state = (Math.imul(number + 1, 0x9e3779b1) ^ Math.imul(salt + 7, 0x85ebca6b)) >>> 0
  let text = ''
  for (let i = 0; i < 7; i++) {
    state = (Math.imul(state ^ (state >>> 15), 0x2c1b3c6d) + i) >>> 0
    text += state.toString(16).padStart(8, '0')
  }
  return text + number.toString(16).padStart(8, '0')
}

export const walletIdOf = (number: number) => `wal_${number}` as WalletId
export const orderIdOf = (number: number) => `ord_${String(number).padStart(6, '0')}` as OrderId
export const txidOf = (number: number) => txid(digest(number, 1))
export const scriptOf = (number: number): Uint8Array =>
  Uint8Array.from([
    0,
    20,
    ...(digest(number, 2)
      .slice(24)
      .match(/../g)
      ?.map((pair) => Number.parseInt(pair, 16)) ?? []),
  ])
export const pointOf = (number: number, vout = 0): OutPoint => ({ txid: txidOf(number), vout })

/** A header whose block extends the sample header below it; another `fork` gives another chain. */
export const headerOf = (height: number, fork = 0): ChainHeader => ({
  height,
  hash: blockHash(digest(height, 100 + fork)),
  prev: blockHash(digest(height - 1, 100 + fork)),
  time: 1_600_000_000 + height * 600,
})
export const blockOf = (height: number, fork = 0) => ({
  height,
  hash: headerOf(height, fork).hash,
})

export const walletOf = (number: number, more: Partial<WalletRecord> = {}): WalletRecord => ({
  id: walletIdOf(number),
  name: `Shop ${number} ☕`,
  network: 'regtest',
  descriptor: `wpkh(key${number}/<0;1>/*)#checksum`,
  status: 'active',
  gapLimit: 20,
  lookahead: 100,
  birthday: 100 + number,
  createdAt: 1_700_000_000_000 + number,
  ...more,
})
export const keychainOf = (
  wallet: number,
  branch = 0,
  more: Partial<KeychainRecord> = {},
): KeychainRecord => ({
  wallet: walletIdOf(wallet),
  branch,
  nextIndex: 0,
  watchedTo: 0,
  lastUsed: -1,
  reach: -1,
  ...more,
})
export const addressOf = (
  wallet: number,
  index: number,
  more: Partial<AddressRecord> = {},
): AddressRecord => ({
  wallet: walletIdOf(wallet),
  branch: 0,
  index,
  script: scriptOf(wallet * 100_000 + index),
  address: `bcrt1q${wallet}x${index}`,
  state: 'watched',
  shown: false,
  ...more,
})

export const orderOf = (number: number, more: Partial<OrderRecord> = {}): OrderRecord => ({
  id: orderIdOf(number),
  wallet: walletIdOf(1),
  branch: 0,
  index: number,
  address: `bcrt1q1x${number}`,
  script: scriptOf(100_000 + number),
  tolerance: { kind: 'absolute', sat: sat(0n) },
  thresholds: { confirmed: 1, fullConfirmed: 3, finalized: 6 },
  metadata: {},
  createdAt: 1_700_000_000_000 + number,
  reachedAt: { pending: 1_700_000_000_000 + number },
  state: {
    status: 'pending',
    verdict: 'none',
    late: false,
    received: sat(0n),
    confirmed: sat(0n),
    credited: sat(0n),
  },
  ...more,
})
export const transactionOf = (number: number, more: Partial<TxRecord> = {}): TxRecord => ({
  txid: txidOf(number),
  coinbase: false,
  inputs: [pointOf(number + 500, 0), pointOf(number + 500, 4_294_967_295)],
  vsize: 141,
  feeRate: satPerKvB(1234n),
  firstSeenAt: 1_700_000_000_000 + number,
  view: { state: 'mempool' },
  ...more,
})
export const paymentOf = (
  transaction: number,
  vout = 0,
  more: Partial<PaymentRecord> = {},
): PaymentRecord => {
  const point = pointOf(transaction, vout)
  return {
    id: paymentId(point),
    point,
    wallet: walletIdOf(1),
    branch: 0,
    index: transaction,
    address: `bcrt1q1x${transaction}`,
    script: scriptOf(100_000 + transaction),
    amount: sat(50_000n + BigInt(vout)),
    coinbase: false,
    purpose: 'order',
    firstSeenAt: 1_700_000_000_000 + transaction,
    late: false,
    booked: { state: 'none' },
    posted: 0,
    spendBooked: false,
    ...more,
  }
}

export const postingOf = (number: number, more: Partial<Posting> = {}): Posting => ({
  key: `credit/${number}`,
  kind: 'credit',
  debit: 'coins/wal_1',
  credit: `owed/cus_${number % 3}`,
  amount: sat(1000n + BigInt(number)),
  wallet: walletIdOf(1),
  ...more,
})
export const eventOf = (number: number, more: Partial<NewEvent> = {}): NewEvent => ({
  type: number % 2 === 0 ? 'order.payment_seen' : 'wallet.registered',
  subject: `ord_${number % 5}`,
  data: { number, text: 'a "quoted" 🟧 text', list: [1, null, true] },
  ...more,
})
export const alertOf = (number: number, more: Partial<NewAlert> = {}): NewAlert => ({
  key: `late/${number}`,
  kind: number % 2 === 0 ? 'late_payment' : 'drift',
  severity: 'warning',
  subject: `ord_${number % 3}`,
  message: 'came after expiry',
  data: { amount_sat: 5 },
  ...more,
})
export const auditOf = (number: number, more: Partial<NewAuditEntry> = {}): NewAuditEntry => ({
  actor: number % 2 === 0 ? 'engine' : 'operator:ann',
  action: number % 3 === 0 ? 'order.create' : 'deposit.credit',
  subject: `ord_${number % 4}`,
  details: { number },
  ...more,
})
export const apiKeyOf = (number: number, more: Partial<ApiKeyRecord> = {}): ApiKeyRecord => ({
  id: `key_${String(number).padStart(6, '0')}`,
  name: `Shop ${number} ☕`,
  mode: 'dev',
  scopes: ['orders:read', 'orders:write'],
  metadata: {},
  hint: String(number).padStart(4, '0'),
  hash: digest(number, 3),
  createdAt: 1_700_000_000_000 + number,
  createdBy: 'operator:ann',
  ...more,
})
export const keptOf = (number: number, more: Partial<AnswerRecord> = {}): AnswerRecord => ({
  scope: `key_${number % 2}`,
  key: `request ${number} ☕`,
  digest: digest(number, 4),
  status: 201,
  body: `{"number":${number},"text":"a 'quoted' text"}`,
  at: 1_700_000_000_000 + number,
  ...more,
})
/** Linked entries of a trail that is empty so far. */
export const trailOf = (count: number, at = 1_700_000_000_000) => {
  const entries: AuditEntry[] = []
  for (let i = 0; i < count; i++) entries.push(...link(entries.at(-1), at + i * 1000, [auditOf(i)]))
  return entries
}

export const webhookOf = (number: number, more: Partial<WebhookRecord> = {}): WebhookRecord => ({
  id: `whk_${number}`,
  url: `https://shop${number}.example/hook`,
  eventTypes: ['order.*', 'chain.reorg'],
  metadata: {},
  status: 'active',
  grant: { scopes: ['events:read', 'orders:read'], wallets: [walletIdOf(number)] },
  createdBy: 'operator:ann',
  createdAt: 1_700_000_000_000 + number,
  updatedAt: 1_700_000_000_000 + number,
  secrets: [
    { secret: new Secret(`whsec_new${number}`), createdAt: 7 },
    { secret: new Secret(`whsec_old${number}`), createdAt: 5, expiresAt: 99 },
  ],
  cursor: 0,
  lastDelivered: 0,
  attempts: 0,
  deliveries: 0,
  ...more,
})
export const deliveryOf = (webhook: number, number: number): DeliveryRecord => ({
  id: `dlv_${webhook}_${number}`,
  webhook: `whk_${webhook}`,
  number,
  seq: number * 2,
  type: 'order.created',
  attempt: 1,
  at: 1_700_000_000_000 + number,
  durationMs: 12,
  url: `https://shop${webhook}.example/hook`,
  body: '{"seq":1,"text":"a \\"quoted\\" 🟧 text"}',
  bodyHash: digest(number),
  ...(number % 2 === 0
    ? { outcome: 'delivered', status: 200, answer: 'thanks ☕' }
    : { outcome: 'failed', error: 'no answer within 10 s' }),
})
