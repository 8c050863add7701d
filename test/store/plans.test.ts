import type { Store } from '@kaccy/bitcoin/testing'
import { openStore } from '@kaccy/bitcoin/adapters/sql'
import {
  alertOf,
  auditOf,
  eventOf,
  orderOf,
  paymentOf,
  postingOf,
  transactionOf,
} from '@kaccy/bitcoin/testing'
import { appendAudit } from '@kaccy/bitcoin/audit'
import Database from 'better-sqlite3'
import { afterAll, expect, test } from 'vitest'
import { postgresForTests } from './homes.ts'
import { postgresStatements, recordingSqlite, sqliteStatements } from './recorded.ts'

const server = await postgresForTests()
afterAll(() => server?.stop())

const plain = (text: string) => text.replace(/\s+/g, ' ').replaceAll('"', '')
/** Reads that walk through a whole table on purpose, each with its reason. */
const WALKS: readonly (readonly [RegExp, string])[] = [
  [/^insert into counters/, 'the rows of a migration'],
  [/^insert into wallet_transactions .* from payments p join/, 'a migration, once'],
  [/^select \* from wallets order by/, 'there are few wallets'],
  [/^select \* from keychains order by/, 'two for each wallet'],
  [/sum\(amount\)/, 'a recount counts everything: nightly'],
  [
    /^select (\w+\.)?\* from \w+ order by [\w., ]+( asc| desc)? limit \?$/,
    'an index in order, and it stops',
  ],
  [/from transactions where state = 'mempool'$/, 'the index holds nothing but these rows'],
  [/from payments where spender is null order by txid, vout limit/, 'the same'],
  [/from alerts where acknowledged_at is (not )?null order by number desc limit/, 'the same'],
  [/from webhooks where status <> 'removed' order by id desc limit/, 'the same'],
  [/from webhooks where next_attempt_at is not null order by cursor, id limit/, 'the same'],
  [/from spends where status in \('open', 'mined'\) order by id limit/, 'the same'],
  [/^select distinct wallet from withdrawals where plan_at is not null/, 'the same'],
  [/^select \* from addresses where branch = \?/, 'over all wallets: for people, rarely'],
  [/^select \* from \(select \*, 1 as is_free from addresses .* limit \?\) as free/, 'few rows'],
]
/** Sorting what was found: only where that is bounded by the question. */
const SORTS: readonly (readonly [RegExp, string])[] = [
  [/^select \* from wallets order by/, 'there are few wallets'],
  [/^insert into wallet_transactions .* from payments p join/, 'a migration, once'],
  [/coalesce\(purpose, ''\) = \? and coalesce\(booked/, 'the change that is under way now'],
  [/^select \* from payments where order_id = \? order by txid, vout/, 'the payments of one order'],
  [/^select \* from addresses where branch = \?/, 'over all wallets: for people, rarely'],
]
const allowed = (list: typeof WALKS, text: string) => list.some(([pattern]) => pattern.test(text))

test('SQLite finds every row by an index, and in its order', async () => {
  const { statements, database } = await sqliteStatements()
  expect(statements.length).toBeGreaterThan(90)
  const faults = statements.flatMap(({ text, values }) => {
    const plan = database.prepare(`explain query plan ${text}`).all(values) as { detail: string }[]
    const details = plan.map(({ detail }) => detail)
    const walks = details.some((detail) =>
      /^SCAN (?!json_each|fresh|run\b|transactions USING COVERING INDEX transactions_mempool)/.test(
        detail,
      ),
    )
    const sorts = details.some((detail) => /TEMP B-TREE/.test(detail))
    const query = plain(text)
    const fault = (walks && !allowed(WALKS, query)) || (sorts && !allowed(SORTS, query))
    return fault ? [`${query} => ${details.join(' | ')}`] : []
  })
  expect(faults).toEqual([])
})

test('lists for the outside use the index that is in their order', async () => {
  const { statements, database } = await sqliteStatements()
  const planOf = (pattern: RegExp) => {
    const found = statements.filter(({ text }) => pattern.test(plain(text)))
    expect(found.length).toBeGreaterThan(0)
    return found.map(({ text, values }) => {
      const plan = database.prepare(`explain query plan ${text}`).all(values) as {
        detail: string
      }[]
      return plan.map(({ detail }) => detail).join(' | ')
    })
  }
  const expectIndex = (pattern: RegExp, index: RegExp) => {
    for (const plan of planOf(pattern)) expect(plan).toMatch(index)
  }
  expectIndex(/payments\.\* from payments where order_id = \?/, /payments_order_seen/)
  expectIndex(
    /payments\.wallet = \? and purpose|purpose = \?.*payments\.wallet = \?/,
    /payments_(wallet_seen|coins) \(wallet=\? AND purpose=\? AND booked=\?/,
  )
  expectIndex(/spender is null and .*payments\.wallet = \?/, /payments_coins/)
  expectIndex(/due_height > \?/, /payments_due/)
  expectIndex(/payments\.txid in \(select txid from transactions/, /transactions_mempool/)
  expectIndex(/spender is not null and spend_booked = 0/, /payments_leaving/)
  expectIndex(/from wallet_transactions/, /wallet_transactions_seen \(wallet=\?/)
  expectIndex(/where orders\.wallet = \? and status = \?/, /orders_wallet_status/)
  expectIndex(/from orders .*pair\.key = \?/, /order_metadata_value \(key=\? AND value=\?/)
})

test.skipIf(!server)('PostgreSQL finds every row by an index', async () => {
  if (!server) return
  const { statements, pool } = await postgresStatements(server)
  expect(statements.length).toBeGreaterThan(90)
  const client = await pool.connect()
  // Tables are empty here: what is asked is whether there is an index that could be used.
  await client.query('set search_path to kaccy; set enable_seqscan to off')
  const faults: string[] = []
  for (const { text, values } of statements) {
    const { rows } = await client.query(`explain ${text}`, [...values])
    const plan = rows.map((row) => row['QUERY PLAN']).join('\n')
    if (plan.includes('Seq Scan') && !allowed(WALKS, plain(text)))
      faults.push(`${plain(text)} =>\n${plan}`)
  }
  client.release()
  expect(faults).toEqual([])
})

/** What one block does to the store, with `count` payments to as many orders. */
async function block(store: Store, count: number) {
  const numbers = Array.from({ length: count }, (_, i) => i)
  for (const n of numbers) await store.transact((tx) => tx.deposits.insertOrder(orderOf(n)))
  return () =>
    store.transact(async (tx) => {
      const orders = numbers.map((n) => orderOf(n))
      const transactions = numbers.map((n) => transactionOf(n))
      const payments = numbers.map((n) => paymentOf(n))
      await tx.deposits.ordersByScripts(orders.map(({ script }) => script))
      await tx.deposits.spendersOf(transactions.flatMap(({ inputs }) => inputs))
      await tx.deposits.transactions(transactions.map(({ txid }) => txid))
      await tx.deposits.payments(payments.map(({ id }) => id))
      await tx.deposits.lockOrders(orders.map(({ id }) => id))
      await tx.deposits.paymentsOfOrders(orders.map(({ id }) => id))
      await tx.deposits.saveTransactions(transactions)
      await tx.deposits.savePayments(payments)
      await tx.deposits.saveOrders(orders)
      await tx.deposits.appendFacts(
        transactions.map(({ txid }) => ({ txid, kind: 'seen' as const, at: 1 })),
      )
      await tx.ledger.post(
        1,
        numbers.map((n) => postingOf(n, { credit: `owed/${n}` })),
      )
      await tx.ledger.totals(numbers.map((n) => `owed/${n}`))
      await appendAudit(
        tx,
        1,
        numbers.map((n) => auditOf(n)),
      )
      await tx.alerts.raise(
        1,
        numbers.map((n) => alertOf(n)),
      )
      await tx.events.append(
        1,
        numbers.map((n) => eventOf(n)),
      )
    })
}

test('a block with 1,000 payments costs as many statements as one with 2', async () => {
  const costs: number[] = []
  for (const count of [2, 1000]) {
    let statements = 0
    const database = recordingSqlite(new Database(':memory:'), () => {
      statements += 1
    })
    const store = await openStore({ dialect: 'sqlite', database, migrate: true })
    const commit = await block(store, count)
    statements = 0
    await commit()
    costs.push(statements)
  }
  expect(costs[1]).toBe(costs[0])
  expect(costs[1]).toBeLessThan(40)
})
