import { satText } from '../view/amount.ts'
import { renderOrder, renderPayments } from '../view/card.ts'
import { meaningOfStatus } from '../view/ladder.ts'
import type { OrderView, PaymentView } from '../view/model.ts'
import type { Column } from '../view/table.ts'
import type { ExplanationJson, OrderJson, PaymentJson } from './client/answers.ts'
import type { Context } from './context.ts'

type Explained = ExplanationJson['payments'][number]

/** The order as programs get it: the API's own object; `payment_uri` is its `bip21` under the name of old. */
export const orderObject = (order: OrderJson) => ({ ...order, payment_uri: order.bip21 })

/** The API's payment, with where it is in one word. */
export const paymentObject = (payment: PaymentJson) => ({
  ...payment,
  place: placeOf(payment),
  reason: payment.gone?.reason ?? null,
  height: payment.block?.height ?? null,
})

const placeOf = ({ gone, block }: PaymentJson): PaymentView['place'] => {
  if (gone !== null) return 'gone'
  return block === null ? 'mempool' : 'block'
}

function viewOf(order: OrderJson): OrderView {
  const { confirmations: levels } = order
  return {
    id: order.id,
    ...(order.external_id === null ? {} : { externalId: order.external_id }),
    address: order.address,
    ...(order.amount_sat === null ? {} : { amount: BigInt(order.amount_sat) }),
    status: order.status,
    ...(order.failure_reason === null ? {} : { failureReason: order.failure_reason }),
    verdict: order.amount_verdict,
    late: order.late,
    received: BigInt(order.received_sat),
    credited: BigInt(order.credited_sat),
    missing: BigInt(order.missing_sat),
    thresholds: {
      confirmed: levels.confirmed,
      fullConfirmed: levels.full_confirmed,
      finalized: levels.finalized,
    },
  }
}

const paymentView = ({ payment, credited_at: creditedAt }: Explained): PaymentView => ({
  txid: payment.txid,
  vout: payment.vout,
  amount: BigInt(payment.amount_sat),
  place: placeOf(payment),
  ...(payment.gone === null ? {} : { reason: payment.gone.reason }),
  ...(payment.block === null ? {} : { height: payment.block.height }),
  depth: payment.gone === null ? payment.confirmations : -1,
  creditedAt,
  booked: payment.booked,
  late: payment.late,
})

/** One order, for people or for programs. */
export function showOrder(context: Context, order: OrderJson): void {
  if (context.json) {
    context.object(orderObject(order))
    return
  }
  const fact = (name: string, value: string) =>
    context.line(`  ${context.paint('quiet', name.padEnd(8))} ${value}`)
  for (const line of renderOrder(viewOf(order), context.paint)) context.line(line)
  context.line()
  fact('order', order.id)
  fact('link', order.bip21)
  if (order.pay_url !== null) fact('page', order.pay_url)
  if (order.price !== null)
    fact('price', `${order.price.amount} ${order.price.currency} at ${order.price.rate}`)
  if (order.expires_at !== null) fact('expires', order.expires_at)
}

export function showPayments(context: Context, payments: readonly Explained[]): void {
  const { paint } = context
  context.line()
  context.line(paint('quiet', ' payments'))
  const byTime = payments.map(paymentView)
  for (const line of renderPayments(byTime, paint)) context.line(line)
}

export const ORDER_COLUMNS: readonly Column<OrderJson>[] = [
  { title: 'order', cell: (row) => row.id },
  { title: 'external id', cell: (row) => row.external_id ?? '' },
  {
    title: 'amount',
    align: 'right',
    cell: (row) => (row.amount_sat === null ? 'any' : satText(row.amount_sat)),
  },
  { title: 'received', align: 'right', cell: (row) => satText(row.received_sat) },
  { title: 'status', cell: (row) => row.status, meaning: (row) => meaningOfStatus(row.status) },
  { title: 'verdict', cell: (row) => row.amount_verdict },
]

/** Why an order is what it is. */
export function showExplanation(context: Context, explained: ExplanationJson): void {
  const { order, tip, because, next, payments } = explained
  if (context.json) {
    const facts = payments.flatMap((payment) => payment.facts)
    context.object({ ...explained, order: orderObject(order), facts })
    return
  }
  const { paint } = context
  const heading = (text: string) => {
    context.line()
    context.line(paint('quiet', text))
  }
  const status = paint(meaningOfStatus(order.status), order.status)
  context.line(`${order.id} is ${status}, ${order.amount_verdict}, at block ${tip.height}`)
  heading('because')
  for (const line of because) context.line(`  ${line}`)
  heading('what would change it')
  for (const line of next.length > 0 ? next : ['nothing but a reorganisation'])
    context.line(`  ${line}`)
  heading('observed')
  for (const { at, kind, txid, block } of payments.flatMap(({ facts }) => facts)) {
    const where = block === null ? '' : ` in block ${block.height}`
    context.line(`  ${at}  ${kind.padEnd(10)} ${txid}${where}`)
  }
}
