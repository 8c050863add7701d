import type { Migration } from './migration.ts'

/** What lists for the outside need: prices of orders, and for each list an index in its order. */
export const queries: Migration = {
  version: 4,
  name: 'lists and prices',
  statements: ({ text, int, bytes, table }) => [
    `alter table orders add column price_currency ${text}`,
    `alter table orders add column price_amount ${text}`,
    `alter table orders add column price_rate ${text}`,
    `alter table orders add column price_source ${text}`,
    `alter table orders add column price_at ${int}`,
    'create index orders_wallet_status on orders (wallet, status, id)',
    // Lists of payments merge one run of an index for each purpose and state of the books: each run stands in its order.
    'create index payments_seen on payments (purpose, booked, first_seen_at, txid, vout)',
    'create index payments_wallet_seen on payments (wallet, purpose, booked, first_seen_at, txid, vout)',
    `create index payments_coins on payments (wallet, purpose, booked, first_seen_at, txid, vout)
      where spender is null`,
    'create index payments_leaving on payments (wallet, txid, vout) where spender is not null and spend_booked = 0',
    `create index payments_order_seen on payments (order_id, first_seen_at, txid, vout)
      where order_id is not null`,
    'drop index payments_order',
    table('wallet_transactions', [
      `wallet ${text} not null`,
      `txid ${bytes} not null`,
      `first_seen_at ${int} not null`,
      'primary key (wallet, txid)',
    ]),
    'create index wallet_transactions_seen on wallet_transactions (wallet, first_seen_at, txid)',
    `insert into wallet_transactions (wallet, txid, first_seen_at)
      select distinct p.wallet, t.txid, t.first_seen_at
      from payments p join transactions t on t.txid = p.txid`,
    // Spends that vanished before this step have no mark in the payments: the inputs of transactions still name them.
    `insert into wallet_transactions (wallet, txid, first_seen_at)
      select distinct p.wallet, t.txid, t.first_seen_at
      from payments p
        join transaction_inputs i on i.prev_txid = p.txid and i.prev_vout = p.vout
        join transactions t on t.txid = i.spender
      where true
      on conflict do nothing`,
  ],
}
