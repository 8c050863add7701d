import type { OrderRecord } from '@kaccy/bitcoin/deposits'

/** What the payer has to know and do, in one word. */
export type Phase =
  | 'waiting'
  | 'underpaid'
  | 'seen'
  | 'confirming'
  | 'paid'
  | 'expired'
  | 'expired_underpaid'
  | 'late'
  | 'cancelled'

/**
 * Which one an order is in. An order whose time is over counts as expired from that moment, also while the engine has not
 * booked it yet: what is sent now would be late.
 * @param confirmations of the payments that cover it
 */
export function phaseOf(order: OrderRecord, confirmations: number, now: number): Phase {
  const { status, failureReason, verdict, received } = order.state
  const isOver =
    order.expiredAt !== undefined || (order.expiresAt !== undefined && now > order.expiresAt)
  if (order.settled) return 'paid'
  if (status === 'failed') {
    if (received > 0n) return 'late'
    return failureReason === 'cancelled' ? 'cancelled' : 'expired'
  }
  if (status === 'pending') return isOver ? 'expired' : 'waiting'
  if (verdict === 'underpaid') return isOver ? 'expired_underpaid' : 'underpaid'
  if (status === 'full_confirmed' || status === 'finalized') return 'paid'
  return confirmations > 0 ? 'confirming' : 'seen'
}

/** Where money is still welcome. An open address takes more whatever has come. */
export const isPayable = (phase: Phase, isOpen: boolean): boolean =>
  phase === 'waiting' ||
  phase === 'underpaid' ||
  (isOpen && (phase === 'seen' || phase === 'confirming' || phase === 'paid'))
