import { satText, shortened } from './amount.ts'
import type { EventView } from './model.ts'
import type { Meaning, Paint } from './paint.ts'
import { padTo, printable } from './table.ts'

const BAD = /reorged|reversed|failed|expired|evicted|replaced|alert\.raised|gap_warning|unmatched/
const GOOD = /credited|full_confirmed|finalized/
const WAIT = /underpaid|overpaid|late/

export const meaningOfEvent = (type: string): Meaning | undefined => {
  if (BAD.test(type)) return 'bad'
  if (GOOD.test(type)) return 'good'
  return WAIT.test(type) ? 'wait' : undefined
}

const money = (value: unknown): string =>
  typeof value === 'number' ? satText(value) : 'an open amount'

/** What an event says, in a few words. */
export function noteOf({ type, data, subject }: EventView): string {
  switch (type) {
    case 'order.created':
      return `${money(data['amount_sat'])} to ${shortened(String(data['address']), 10, 6)}`
    case 'order.payment_seen':
    case 'order.payment_replaced':
    case 'order.payment_evicted':
    case 'order.reorged':
    case 'payment.credited':
    case 'payment.reversed':
    case 'payment.unmatched':
    case 'order.late_payment':
      return `${money(data['amount_sat'])} by ${shortened(String(data['txid']), 8, 4)}`
    case 'order.underpaid':
      return `${money(data['missing_sat'])} still missing`
    case 'alert.raised':
      return `${data['severity']}: ${data['message']}`
    case 'wallet.registered':
      return String(data['name'] ?? subject)
    default:
      return type.startsWith('order.') && typeof data['received_sat'] === 'number'
        ? `${money(data['received_sat'])} received, ${money(data['credited_sat'])} credited`
        : subject
  }
}

export function renderEvents(events: readonly EventView[], width: number, paint: Paint): string[] {
  if (events.length === 0) return [paint('quiet', '   none yet')]
  return events.map((event) => {
    const number = `#${event.seq}`.padStart(6)
    const type = padTo(event.type, 24)
    const meaning = meaningOfEvent(event.type)
    const note = printable(noteOf(event))
    const room = Math.max(8, width - 36)
    const cut = note.length > room ? `${note.slice(0, room - 1)}…` : note
    return ` ${paint('quiet', number)} ${meaning ? paint(meaning, type) : type} ${paint('quiet', cut)}`
  })
}
