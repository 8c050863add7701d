import { type BlockRef, type OrderId, ZERO } from '../../kernel/index.ts'
import { countedOf, creditDepth, depthOf, missingOf, type Standing } from './machine.ts'
import { leastOf, toleranceOf } from './policy.ts'
import type { OrderPrice, OrderRecord, StoredFact } from './ports.ts'
import type { DepositsTx } from './transaction.ts'

export interface PaymentExplanation {
  readonly standing: Standing
  /** -1 gone, 0 mempool, else confirmations. */
  readonly depth: number
  /** Depth from which it is credited. */
  readonly creditedAt: number
  readonly counts: boolean
  readonly facts: readonly StoredFact[]
}
/** Why an order is what it is: the facts, what follows from them, and what would change it next. */
export interface Explanation {
  readonly order: OrderRecord
  readonly tip: BlockRef
  readonly payments: readonly PaymentExplanation[]
  readonly because: readonly string[]
  readonly next: readonly string[]
}

export async function explainOrder(tx: DepositsTx, id: OrderId): Promise<Explanation | undefined> {
  const order = await tx.deposits.order(id)
  const tip = await tx.chain.tip()
  if (!order || !tip) return undefined
  const records = await tx.deposits.paymentsOfOrders([id])
  const transactions = await tx.deposits.transactions(records.map((p) => p.point.txid))
  const facts = await tx.deposits.facts(transactions.map((transaction) => transaction.txid))
  const views = new Map(transactions.map((transaction) => [transaction.txid, transaction.view]))
  const standings = records.flatMap((payment) => {
    const view = views.get(payment.point.txid)
    return view ? [{ payment, view }] : []
  })
  const counted = new Set(countedOf(standings))
  const payments = standings.map((standing) => ({
    standing,
    depth: depthOf(standing.view, tip),
    creditedAt: creditDepth(order.thresholds, standing.payment.coinbase),
    counts: counted.has(standing),
    facts: facts.filter((fact) => fact.txid === standing.payment.point.txid),
  }))
  return { order, tip, payments, because: reasons(order, payments), next: outlook(order, payments) }
}

const name = ({ standing }: PaymentExplanation): string =>
  `${standing.payment.point.txid}:${standing.payment.point.vout}`

function reasons(order: OrderRecord, payments: readonly PaymentExplanation[]): string[] {
  const lines: string[] = []
  if (order.settled)
    lines.push(`${order.settled.by} settled the order by hand: ${order.settled.reason}`)
  if (order.price) lines.push(pricing(order, order.price))
  if (order.cancelledAt !== undefined) lines.push('the order was cancelled')
  if (order.expiredAt !== undefined) lines.push('the time to pay has passed')
  if (payments.length === 0) lines.push('no payment to its address has been seen')
  for (const payment of payments) lines.push(reasonOf(payment))
  if (order.amount === undefined) lines.push('the order has no amount: every payment is credited')
  else {
    const slack = toleranceOf(order.amount, order.tolerance)
    const tolerated = slack === 0n ? '' : `, ${slack} sat more or less are tolerated`
    lines.push(
      `${order.state.received} of ${order.amount} sat came${tolerated}: ${order.state.verdict}`,
    )
  }
  return lines
}

/** `2026-05-28 20:26:40 UTC`. Cut out of ISO 8601: a formatter of the platform costs more to make than the whole explanation. */
const inUtc = (at: number): string => {
  const text = new Date(at).toISOString()
  return `${text.slice(0, 10)} ${text.slice(11, 19)} UTC`
}

const pricing = (
  { amount = ZERO }: Pick<OrderRecord, 'amount'>,
  { currency, amount: price, rate, source, at }: OrderPrice,
): string =>
  `${price} ${currency} were ${amount} sat at ${rate} ${currency} for one bitcoin, by the rate source ${source} at ${inUtc(at)}`

function reasonOf(explained: PaymentExplanation): string {
  const { standing, depth } = explained
  const { payment, view } = standing
  const what = `${payment.amount} sat by ${name(explained)}`
  const late = payment.late ? ', late' : ''
  if (view.state === 'gone') {
    const by = view.by === undefined ? '' : ` by ${view.by}`
    return `${what} do not count: the transaction was ${view.reason}${by}`
  }
  const aside = payment.purpose === 'order' ? '' : ', booked as unassigned: the order was complete'
  if (view.state === 'mempool')
    return `${what} are unconfirmed${view.missingSince === undefined ? '' : ', and the restarted node has not shown them again'}${late}${aside}`
  return `${what} are in block ${view.block.height} with ${depth} confirmations${late}${aside}`
}

function outlook(order: OrderRecord, payments: readonly PaymentExplanation[]): string[] {
  const lines: string[] = []
  const { thresholds } = order
  const missing = missingOf(order)
  if (missing > 0n && order.state.status !== 'failed')
    lines.push(
      `${missing} sat more make it paid${order.amount === undefined ? '' : ` (least ${leastOf(order.amount, order.tolerance)} sat)`}`,
    )
  for (const payment of payments) {
    if (payment.depth < 0) continue
    const levels = [
      thresholds.confirmed,
      thresholds.fullConfirmed,
      thresholds.finalized,
      payment.creditedAt,
    ]
    const ahead = levels.filter((level) => level > payment.depth)
    if (ahead.length === 0) continue
    const level = Math.min(...ahead)
    lines.push(
      `${level - payment.depth} more blocks bring ${name(payment)} to ${level} confirmations${level === payment.creditedAt ? ', where it is credited' : ''}`,
    )
  }
  if (
    order.expiresAt !== undefined &&
    order.expiredAt === undefined &&
    order.state.received === 0n &&
    order.cancelledAt === undefined
  )
    lines.push(`without a payment it expires at ${inUtc(order.expiresAt)}`)
  return lines
}
