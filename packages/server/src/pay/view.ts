import { createHash } from 'node:crypto'
import type { Engine } from '@kaccy/bitcoin'
import {
  type Explanation,
  missingOf,
  type OrderRecord,
  type PaymentExplanation,
} from '@kaccy/bitcoin/deposits'
import { type Network, type OrderId, type Sat, sat, ZERO } from '@kaccy/bitcoin/kernel'
import { formatPaymentUri } from '@kaccy/bitcoin/protocol/uri'
import { isPayable, type Phase, phaseOf } from './phase.ts'

/** One payment as its payer may see it: nothing that is not on the chain for everybody. Amounts in satoshi. */
export interface PayPayment {
  readonly txid: string
  readonly amount: Sat
  readonly place: 'mempool' | 'block' | 'gone'
  /** Why it is gone: replaced, conflicted or evicted. */
  readonly reason?: 'replaced' | 'conflicted' | 'evicted'
  /** Confirmations; 0 in the mempool, -1 when gone. */
  readonly confirmations: number
  readonly late: boolean
  /** Came after the order was complete: it pays nothing. */
  readonly extra: boolean
}

/** What is asked in a currency, and how it was turned into bitcoin. */
export interface PayPrice {
  readonly currency: string
  /** Decimal. */
  readonly amount: string
  /** Units of the currency for one bitcoin, decimal. */
  readonly rate: string
}

/** An order as its payer may see it: no wallet, customer, metadata, external id, and no other order. Amounts in satoshi. */
export interface PayView {
  readonly id: string
  readonly network: Network
  readonly address: string
  /** Undefined: any amount. */
  readonly amount?: Sat
  readonly price?: PayPrice
  readonly description?: string
  readonly phase: Phase
  readonly status: OrderRecord['state']['status']
  readonly verdict: OrderRecord['state']['verdict']
  readonly late: boolean
  readonly received: Sat
  readonly missing: Sat
  readonly excess: Sat
  /** Of the payments that cover the order, at most `required`. */
  readonly confirmations: number
  /** From here on it counts as paid. */
  readonly required: number
  /** The newest, oldest first. */
  readonly payments: readonly PayPayment[]
  /** How many older ones are not shown. */
  readonly earlier: number
  /** Whether money is still welcome. */
  readonly payable: boolean
  /** BIP 21, with what is still due. */
  readonly uri: string
  /** Milliseconds since the epoch, by the server's clock. */
  readonly expiresAt?: number
  readonly createdAt: number
  readonly now: number
  /** Nothing more will happen. */
  readonly final: boolean
}

/** The part of the engine that the page needs. */
export type PayEngine = Pick<Engine, 'network' | 'tip' | 'events'> & {
  readonly orders: Pick<Engine['orders'], 'get' | 'explain'>
}

const ORDER_ID = /^ord_[0-9a-f]{32}$/
/** An open address can have any number of payments; the newest say how it stands. */
const SHOWN = 20
/** The order of a link, or nothing: what cannot be an id never reaches the store. */
export const parseOrderId = (text: string): OrderId | undefined =>
  ORDER_ID.test(text) ? (text as OrderId) : undefined

/** The order as its payer sees it now; undefined for an unknown one. @param now milliseconds */
export async function readPay(
  engine: PayEngine,
  id: OrderId,
  now: number,
): Promise<PayView | undefined> {
  const explained = await engine.orders.explain(id)
  const order = explained?.order ?? (await engine.orders.get(id))
  return order ? payViewOf(engine.network, order, explained?.payments ?? [], now) : undefined
}

/** Pure: what a payer sees of a record and its payments. */
export function payViewOf(
  network: Network,
  order: OrderRecord,
  payments: Explanation['payments'],
  now: number,
): PayView {
  const { amount, state } = order
  const required = order.thresholds.fullConfirmed
  const confirmations = confirmationsOf(order, payments)
  const phase = phaseOf(order, confirmations, now)
  const missing = missingOf(order)
  const due = missing > 0n ? missing : amount
  const excess = amount !== undefined && state.verdict === 'overpaid' ? state.received - amount : 0n
  const { price } = order
  return {
    id: order.id,
    network,
    address: order.address,
    ...(amount === undefined ? {} : { amount }),
    ...(price
      ? { price: { currency: price.currency, amount: price.amount, rate: price.rate } }
      : {}),
    ...(order.description === undefined ? {} : { description: order.description }),
    phase,
    status: state.status,
    verdict: state.verdict,
    late: state.late,
    received: state.received,
    missing,
    excess: excess > 0n ? sat(excess) : ZERO,
    confirmations,
    required,
    payments: [...payments].sort(bySight).slice(-SHOWN).map(paymentOf),
    earlier: Math.max(0, payments.length - SHOWN),
    payable: isPayable(phase, amount === undefined),
    uri: formatPaymentUri({
      address: order.address,
      ...(due === undefined ? {} : { amount: due }),
    }),
    ...(order.expiresAt === undefined ? {} : { expiresAt: order.expiresAt }),
    createdAt: order.createdAt,
    now,
    final: state.status === 'finalized' && amount !== undefined,
  }
}

const bySight = (a: PaymentExplanation, b: PaymentExplanation): number =>
  a.standing.payment.firstSeenAt - b.standing.payment.firstSeenAt

const paymentOf = ({ standing, depth }: PaymentExplanation): PayPayment => {
  const { payment, view } = standing
  return {
    txid: payment.point.txid,
    amount: payment.amount,
    place: view.state === 'mined' ? 'block' : view.state,
    ...(view.state === 'gone' ? { reason: view.reason } : {}),
    confirmations: depth,
    late: payment.late,
    extra: payment.purpose !== 'order',
  }
}

/** How deep the deepest payments lie that together cover the order; of an open address, the newest one. */
function confirmationsOf(order: OrderRecord, payments: readonly PaymentExplanation[]): number {
  const required = order.thresholds.fullConfirmed
  const { status, verdict } = order.state
  if (status === 'full_confirmed' || status === 'finalized') {
    if (verdict !== 'underpaid') return required
  }
  const counted = payments.filter(({ counts }) => counts).sort((a, b) => b.depth - a.depth)
  let covered = 0n
  for (const { depth, standing } of counted) {
    covered += standing.payment.amount
    if (order.amount !== undefined && covered >= order.amount) return Math.min(depth, required)
  }
  return Math.min(Math.max(counted.at(-1)?.depth ?? 0, 0), required)
}

/** The view as JSON: what the page's script polls and the embedding shop is told. */
export function payJson(view: PayView) {
  const { expiresAt, now } = view
  return { ...lasting(view), revision: revisionOf(view), ...timesOf(expiresAt, now) }
}
export type PayJson = ReturnType<typeof payJson>

const timesOf = (expiresAt: number | undefined, now: number) => ({
  expires_at: expiresAt === undefined ? null : new Date(expiresAt).toISOString(),
  expires_in_ms: expiresAt === undefined ? null : Math.max(0, expiresAt - now),
  server_time: new Date(now).toISOString(),
})

const lasting = (view: PayView) => ({
  order: view.id,
  network: view.network,
  phase: view.phase,
  status: view.status,
  amount_verdict: view.verdict,
  late: view.late,
  address: view.address,
  payment_uri: view.payable ? view.uri : null,
  amount_sat: view.amount === undefined ? null : Number(view.amount),
  price: view.price ?? null,
  received_sat: Number(view.received),
  missing_sat: Number(view.missing),
  excess_sat: Number(view.excess),
  confirmations: view.confirmations,
  confirmations_required: view.required,
  payments: view.payments.map((payment) => ({
    txid: payment.txid,
    amount_sat: Number(payment.amount),
    place: payment.place,
    reason: payment.reason ?? null,
    confirmations: Math.min(payment.confirmations, view.required),
    late: payment.late,
    extra: payment.extra,
  })),
  final: view.final,
})

/** Changes when something that is shown changes, and never by time alone. */
export const revisionOf = (view: PayView): string =>
  createHash('sha256')
    .update(JSON.stringify(lasting(view)))
    .digest('base64url')
    .slice(0, 16)
