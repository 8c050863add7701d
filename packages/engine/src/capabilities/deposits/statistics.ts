import type { Transactor, WalletId } from '../../kernel/index.ts'
import type { OrderRecord, OrderStatus, PaymentRecord, WalletLimit } from './ports.ts'
import type { DepositsTx } from './transaction.ts'

/** Milliseconds from the first sight of a payment to a level, over a sample. */
export interface Waiting {
  readonly count: number
  readonly medianMs: number
  readonly p90Ms: number
  readonly maxMs: number
}
export type ReachedLevel = 'confirmed' | 'full_confirmed' | 'finalized'
export interface ConfirmationStatistics {
  readonly orders: number
  readonly byLevel: Readonly<Record<ReachedLevel, Waiting | undefined>>
  /** Time to the first confirmation by fee rate, in classes of sat/vB: lower bound inclusive. */
  readonly byFeeRate: readonly { readonly fromSatPerVb: number; readonly waiting: Waiting }[]
}

export interface StatisticsSpan extends WalletLimit {
  readonly wallet?: WalletId
  /** Creation times of orders, milliseconds since the epoch: from inclusive, until exclusive. */
  readonly from: number
  readonly until: number
}

const LEVELS: readonly ReachedLevel[] = ['confirmed', 'full_confirmed', 'finalized']
/** Lower bounds of the classes, sat/vB. */
const CLASSES: readonly number[] = [0, 1, 2, 5, 10, 20, 50, 100, 200]
const PAGE = 500

/** How long customers waited, over orders made in a span of time. Costs what the span holds, not what history holds. */
export async function confirmationStatistics(
  store: Transactor<DepositsTx>,
  span: StatisticsSpan,
): Promise<ConfirmationStatistics> {
  const samples: Record<ReachedLevel, number[]> = {
    confirmed: [],
    full_confirmed: [],
    finalized: [],
  }
  const byClass = new Map<number, number[]>()
  let orders = 0
  let before: OrderRecord['id'] | undefined
  for (;;) {
    const page = await store.read(async (tx) => {
      const found = await tx.deposits.listOrders({
        ...(span.wallet === undefined ? {} : { wallet: span.wallet }),
        ...(span.wallets === undefined ? {} : { wallets: span.wallets }),
        createdFrom: span.from,
        createdUntil: span.until,
        ...(before === undefined ? {} : { before }),
        limit: PAGE,
      })
      const payments = await tx.deposits.paymentsOfOrders(found.map((order) => order.id))
      const transactions = await tx.deposits.transactions(payments.map((p) => p.point.txid))
      const rates = new Map(transactions.map(({ txid, feeRate }) => [txid, feeRate]))
      return { found, payments, rates }
    })
    orders += page.found.length
    const firstSeen = earliest(page.payments)
    for (const order of page.found) {
      const seen = firstSeen.get(order.id)
      if (!seen) continue
      for (const level of LEVELS) {
        const waited = waitedFor(order, level, seen.firstSeenAt)
        if (waited === undefined) continue
        samples[level].push(waited)
        const rate = page.rates.get(seen.point.txid)
        if (level !== 'confirmed' || rate === undefined) continue
        const lower = CLASSES.findLast((bound) => Number(rate) / 1000 >= bound) ?? 0
        const sample = byClass.get(lower)
        if (sample) sample.push(waited)
        else byClass.set(lower, [waited])
      }
    }
    before = page.found.at(-1)?.id
    if (page.found.length < PAGE) break
  }
  return {
    orders,
    byLevel: {
      confirmed: waiting(samples.confirmed),
      full_confirmed: waiting(samples.full_confirmed),
      finalized: waiting(samples.finalized),
    },
    byFeeRate: [...byClass]
      .sort(([a], [b]) => a - b)
      .flatMap(([fromSatPerVb, sample]) => {
        const found = waiting(sample)
        return found ? [{ fromSatPerVb, waiting: found }] : []
      }),
  }
}

function earliest(payments: readonly PaymentRecord[]): Map<string, PaymentRecord> {
  const first = new Map<string, PaymentRecord>()
  for (const payment of payments) {
    if (payment.order === undefined || payment.purpose !== 'order') continue
    const known = first.get(payment.order)
    if (!known || payment.firstSeenAt < known.firstSeenAt) first.set(payment.order, payment)
  }
  return first
}

function waitedFor(order: OrderRecord, level: OrderStatus, seenAt: number): number | undefined {
  const reached = order.reachedAt[level]
  return reached === undefined ? undefined : Math.max(0, reached - seenAt)
}

function waiting(sample: readonly number[]): Waiting | undefined {
  if (sample.length === 0) return undefined
  const sorted = [...sample].sort((a, b) => a - b)
  const at = (share: number) =>
    sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? 0
  return { count: sorted.length, medianMs: at(0.5), p90Ms: at(0.9), maxMs: at(1) }
}
