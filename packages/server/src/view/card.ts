import { satText, shortened } from './amount.ts'
import { meaningOfStatus, renderLadder } from './ladder.ts'
import type { OrderView, PaymentView } from './model.ts'
import type { Meaning, Paint } from './paint.ts'
import { padTo, printable } from './table.ts'

const INNER = 74
const ESCAPE = String.fromCharCode(27)
const ANSI = new RegExp(`${ESCAPE}\\[[0-9;]*m`, 'g')
const COLOUR_OR_TEXT = new RegExp(`(${ESCAPE}\\[[0-9;]*m)`)
/** Places that a text takes once the colours are gone. */
export const widthOf = (text: string): number => text.replace(ANSI, '').length

/** Cuts a coloured line to `width` places; what is cut ends in an ellipsis, and no colour runs on. */
export function clip(text: string, width: number): string {
  if (widthOf(text) <= width) return text
  let room = width - 1
  const parts = text.split(COLOUR_OR_TEXT).filter((part) => part !== '')
  const kept = parts.map((part) => {
    if (part.startsWith(ESCAPE)) return part
    const taken = part.slice(0, Math.max(0, room))
    room -= taken.length
    return taken
  })
  return `${kept.join('')}…`
}

const line = (content: string, paint: Paint): string =>
  `${paint('quiet', '│')}  ${content}${' '.repeat(Math.max(0, INNER - widthOf(content)))}  ${paint('quiet', '│')}`

/** A frame of 80 places around lines of at most 74. */
export function frame(
  title: string,
  right: string,
  content: readonly string[],
  paint: Paint,
): string[] {
  const rule = '─'.repeat(Math.max(1, INNER - widthOf(title) - widthOf(right) - 2))
  const top = `${paint('quiet', '╭─')} ${title} ${paint('quiet', rule)} ${right} ${paint('quiet', '─╮')}`
  const bottom = paint('quiet', `╰${'─'.repeat(INNER + 4)}╯`)
  return [top, ...content.map((text) => line(text, paint)), bottom]
}

const verdictMeaning: Readonly<Record<OrderView['verdict'], Meaning>> = {
  none: 'quiet',
  exact: 'good',
  underpaid: 'wait',
  overpaid: 'wait',
}

/** The order in focus: where to pay, how far it is, and the four amounts that matter. */
export function renderOrder(
  order: OrderView,
  paint: Paint,
  air: readonly string[] = [''],
): string[] {
  const amount = order.amount === undefined ? 'any amount' : satText(order.amount)
  const late = order.late ? paint('wait', 'late') : ''
  const money = (label: string, value: bigint, meaning: Meaning) =>
    `${paint('quiet', label.padEnd(10))}${paint(value === 0n ? 'quiet' : meaning, padTo(satText(value), 22, 'right'))}`
  const content = [
    ...air,
    ...renderLadder(order, paint),
    ...air,
    `${money('received', order.received, 'strong')}      ${paint('quiet', 'to pay'.padEnd(10))}${padTo(amount, 22, 'right')}`,
    `${money('credited', order.credited, 'good')}      ${money('missing', order.missing, 'wait')}`,
    `${paint('quiet', 'pay to'.padEnd(10))}${paint('name', order.address)}`,
  ]
  const verdict = order.verdict === 'none' ? 'unpaid' : order.verdict
  const right = [late, paint(verdictMeaning[order.verdict], verdict)].filter((text) => text !== '')
  const name = printable(order.externalId ?? shortened(order.id, 12, 4))
  const title = `${paint('quiet', 'order')} ${paint('strong', padTo(name, Math.min(name.length, 40)))}`
  return frame(title, right.join(' '), content, paint)
}

/** One line for each payment: which, how much, where, how deep, what the books have. */
export function renderPayments(payments: readonly PaymentView[], paint: Paint): string[] {
  if (payments.length === 0) return [paint('quiet', '   none yet')]
  return payments.map((payment) => {
    const { place, booked } = payment
    const meaning: Meaning = place === 'gone' ? 'bad' : booked === 'credited' ? 'good' : 'wait'
    const where =
      place === 'gone'
        ? (payment.reason ?? 'gone')
        : place === 'mempool'
          ? 'in the mempool'
          : `block ${payment.height}`
    const id = `${shortened(payment.txid, 8, 4)}:${payment.vout}`
    const columns = [
      paint('name', padTo(id, 15)),
      padTo(satText(payment.amount), 17, 'right'),
      ` ${padTo(where, 14)}`,
      paint(meaning, padTo(depthBar(payment), 14)),
      paint(meaning, place === 'gone' ? 'not counted' : bookedWord(booked)),
    ]
    return `   ${columns.join(' ')}`.trimEnd()
  })
}

const bookedWord = (booked: PaymentView['booked']): string =>
  booked === 'none' ? 'not booked' : booked

/** `●●○ 2 of 3`; at most six marks, then numbers say the rest. */
function depthBar({ depth, creditedAt }: PaymentView): string {
  if (depth < 0) return ''
  if (depth >= creditedAt) return `●●● ${depth > 9_999 ? '9999+' : depth} deep`
  const marks = creditedAt > 6 ? 3 : creditedAt
  const filled = Math.floor((depth * marks) / creditedAt)
  return `${'●'.repeat(filled)}${'○'.repeat(marks - filled)} ${depth} of ${creditedAt}`
}

/** Orders where none is in focus: one line each. */
export function renderOrders(orders: readonly OrderView[], paint: Paint): string[] {
  if (orders.length === 0) return [paint('quiet', '   none yet')]
  return orders.map((order) => {
    const amount = order.amount === undefined ? 'any amount' : satText(order.amount)
    const columns = [
      paint('name', padTo(printable(order.externalId ?? shortened(order.id, 10, 4)), 24)),
      padTo(amount, 20, 'right'),
      paint(meaningOfStatus(order.status), padTo(order.status, 15)),
      paint(verdictMeaning[order.verdict], order.verdict === 'none' ? '' : order.verdict),
    ]
    return `   ${columns.join('  ')}`.trimEnd()
  })
}
