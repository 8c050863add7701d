import type { PaymentRecord } from '../../capabilities/deposits/index.ts'
import {
  AssertionError,
  blockHash,
  fromHex,
  type OrderId,
  type PaymentId,
  paymentId,
  sat,
  toHex,
  txid,
  type WalletId,
} from '../../kernel/index.ts'
import { flag, int, maybeInt, num, ownBytes, present } from './doors.ts'
import type { PaymentRow } from './schema.ts'

/** The outpoint in a payment's id. @throws AssertionError when it is none. */
export function pointOfPayment(id: PaymentId): readonly [Uint8Array, bigint] {
  const match = /^pay_([0-9a-f]{64})_(\d{1,10})$/.exec(id)
  if (!match) throw new AssertionError(`not a payment id: ${id.slice(0, 80)}`)
  return [fromHex(match[1] ?? ''), BigInt(match[2] ?? '')]
}

export const paymentRow = (payment: PaymentRecord): PaymentRow => ({
  txid: fromHex(payment.point.txid),
  vout: int(payment.point.vout),
  wallet: payment.wallet,
  branch: int(payment.branch),
  idx: int(payment.index),
  address: payment.address,
  script: payment.script,
  amount: payment.amount,
  coinbase: flag(payment.coinbase),
  order_id: payment.order ?? null,
  purpose: payment.purpose,
  first_seen_at: int(payment.firstSeenAt),
  late: flag(payment.late),
  booked: payment.booked.state,
  booked_height: payment.booked.state === 'credited' ? int(payment.booked.block.height) : null,
  booked_hash: payment.booked.state === 'credited' ? fromHex(payment.booked.block.hash) : null,
  posted: int(payment.posted),
  spender: payment.spender === undefined ? null : fromHex(payment.spender),
  spend_booked: flag(payment.spendBooked),
  due_height: maybeInt(payment.dueHeight),
})

function bookedOf(row: PaymentRow): PaymentRecord['booked'] {
  if (row.booked === 'none' || row.booked === 'pending') return { state: row.booked }
  if (row.booked !== 'credited' || row.booked_height === null || row.booked_hash === null)
    throw new AssertionError(`payment row booked as ${row.booked}`)
  const block = { height: num(row.booked_height), hash: blockHash(toHex(row.booked_hash)) }
  return { state: 'credited', block }
}

export function paymentRecord(row: PaymentRow): PaymentRecord {
  const point = { txid: txid(toHex(row.txid)), vout: num(row.vout) }
  return {
    id: paymentId(point),
    point,
    wallet: row.wallet as WalletId,
    branch: num(row.branch),
    index: num(row.idx),
    address: row.address,
    script: ownBytes(row.script),
    amount: sat(row.amount),
    coinbase: row.coinbase !== 0n,
    ...present('order', row.order_id as OrderId | null),
    purpose: row.purpose as PaymentRecord['purpose'],
    firstSeenAt: num(row.first_seen_at),
    late: row.late !== 0n,
    booked: bookedOf(row),
    posted: num(row.posted),
    ...present('spender', row.spender === null ? null : txid(toHex(row.spender))),
    spendBooked: row.spend_booked !== 0n,
    ...present('dueHeight', row.due_height === null ? null : num(row.due_height)),
  }
}
