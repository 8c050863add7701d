import type { Books, EventView, OrderView, PaymentView, Snapshot } from './model.ts'

const satoshis = (amount: bigint): number => Number(amount)

/** An event as the interface to programs shows it: time as RFC 3339. */
export const eventJson = ({ seq, type, subject, at, data }: EventView) => ({
  seq,
  id: `evt_${seq}`,
  type,
  subject,
  at: new Date(at).toISOString(),
  data,
})

export const orderJson = (order: OrderView) => ({
  id: order.id,
  external_id: order.externalId ?? null,
  address: order.address,
  amount_sat: order.amount === undefined ? null : satoshis(order.amount),
  status: order.status,
  failure_reason: order.failureReason ?? null,
  amount_verdict: order.verdict,
  late: order.late,
  received_sat: satoshis(order.received),
  credited_sat: satoshis(order.credited),
  missing_sat: satoshis(order.missing),
})

export const paymentJson = (payment: PaymentView) => ({
  txid: payment.txid,
  vout: payment.vout,
  amount_sat: satoshis(payment.amount),
  place: payment.place,
  reason: payment.reason ?? null,
  height: payment.height ?? null,
  confirmations: Math.max(0, payment.depth),
  booked: payment.booked,
  late: payment.late,
})

export const snapshotJson = (snapshot: Snapshot) => ({
  network: snapshot.network,
  tip: snapshot.tip ?? null,
  order: snapshot.order ? orderJson(snapshot.order) : null,
  payments: snapshot.payments.map(paymentJson),
  open_alerts: snapshot.openAlerts,
})

export const booksJson = (books: Books) => ({
  accounts: books.accounts.map(({ account, debits, credits }) => ({
    account,
    debits_sat: satoshis(debits),
    credits_sat: satoshis(credits),
    balance_sat: satoshis(debits - credits),
  })),
  sum_sat: satoshis(books.accounts.reduce((sum, row) => sum + row.debits - row.credits, 0n)),
  entries: books.entries
    .map((entry) => ({ ...entry, amount_sat: satoshis(entry.amount) }))
    .map(({ amount: _amount, ...entry }) => entry),
  verified: books.verified,
  audit_entries: books.auditEntries,
  audit_head: books.auditHead,
  drift_sat: satoshis(books.drift),
  coins: books.coins,
})
