import type { BlockRef } from '../../kernel/index.ts'
import { outPointKey } from '../../kernel/index.ts'
import {
  coinsAccount,
  expectedAccount,
  owedAccount,
  type Posting,
  pendingAccount,
  spentAccount,
  unassignedAccount,
} from '../ledger/index.ts'
import { bookingOf, type Standing, spendingIsDeep } from './machine.ts'
import type { OrderRecord, PaymentRecord, Thresholds } from './ports.ts'

/** A payment after booking, and the ledger entries that lead there. */
export interface Booking {
  readonly payment: PaymentRecord
  readonly postings: readonly Posting[]
}

/** Whose account a payment belongs to: the customer if the platform named one, else the order, else nobody yet. */
const beneficiary = (payment: PaymentRecord, order: OrderRecord | undefined) =>
  payment.purpose === 'order' && order
    ? owedAccount(order.customer ?? order.id)
    : unassignedAccount(payment.wallet)

/**
 * Moves the books of one payment from what they say to what the view says. Entries are only ever added: what no longer
 * holds is undone by its counter entry, and the key of each entry carries a running number, so booking twice is impossible.
 */
export function book(
  standing: Standing,
  order: OrderRecord | undefined,
  thresholds: Thresholds,
  tip: BlockRef,
): Booking {
  const { payment } = standing
  const target = bookingOf(standing, thresholds, tip)
  const spent = target.state === 'credited' && spendingIsDeep(standing, thresholds, tip)
  const postings: Posting[] = []
  let posted = payment.posted
  const own = payment.purpose === 'change'
  const coins = coinsAccount(payment.wallet)
  const pending = pendingAccount(payment.wallet)
  const expected = expectedAccount(payment.purpose === 'order' && order ? order.id : payment.wallet)
  const owner = own ? spentAccount(payment.wallet) : beneficiary(payment, order)
  const post = (kind: Posting['kind'], debit: string, credit: string) => {
    posted += 1
    const block = target.state === 'credited' ? target.block : undefined
    postings.push({
      key: `${outPointKey(payment.point)}/${posted}`,
      kind,
      debit,
      credit,
      amount: payment.amount,
      wallet: payment.wallet,
      payment: payment.id,
      ...(payment.purpose === 'order' && order ? { order: order.id } : {}),
      ...(block ? { block } : {}),
    })
  }
  const was = payment.booked
  const moved =
    was.state === 'credited' && target.state === 'credited' && was.block.hash !== target.block.hash
  const same = was.state === target.state && !moved
  if (payment.spendBooked && !spent) post('unspent', coins, spentAccount(payment.wallet))
  if (!same) {
    // A credit names the block it rests on (I2): when that block is another one, the old credit is reversed first.
    if (was.state === 'credited') post(own ? 'unchange' : 'reversal', owner, coins)
    if (was.state === 'pending') post('unseen', expected, pending)
    if (target.state === 'pending') post('seen', pending, expected)
    if (target.state === 'credited') post(own ? 'change' : 'credit', coins, owner)
  }
  if (spent && !payment.spendBooked) post('spent', spentAccount(payment.wallet), coins)
  return { payment: { ...payment, booked: target, spendBooked: spent, posted }, postings }
}
