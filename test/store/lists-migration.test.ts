import { MIGRATIONS, openStore, type SqlStoreOptions } from '@kaccy/bitcoin/adapters/sql'
import {
  orderOf,
  paymentOf,
  pointOf,
  transactionOf,
  txidOf,
  walletIdOf,
} from '@kaccy/bitcoin/testing'
import Database from 'better-sqlite3'
import { afterAll, expect, test } from 'vitest'
import { postgresForTests } from './homes.ts'

const server = await postgresForTests()
afterAll(() => server?.stop())

type Words = Parameters<(typeof MIGRATIONS)[number]['statements']>[0]
const NAME = 'lists and prices'
const before = MIGRATIONS.slice(
  0,
  MIGRATIONS.findIndex(({ name }) => name === NAME),
)
const SQLITE: Words = {
  text: 'text',
  int: 'integer',
  bytes: 'blob',
  table: (name, columns) => `create table ${name} (${columns.join(', ')}) strict, without rowid`,
}
const POSTGRES: Words = {
  text: 'text collate "C"',
  int: 'bigint',
  bytes: 'bytea',
  table: (name, columns) => `create table ${name} (${columns.join(', ')})`,
}

/** The statements that lead to a database as it was before the lists, with rows in it. */
function history(words: Words, bytes: (hex: string) => string): readonly string[] {
  const hash = (number: number) => bytes(txidOf(number))
  const transaction = (number: number, at: number) =>
    `insert into transactions (txid, coinbase, inputs, vsize, first_seen_at, state)
      values (${hash(number)}, 0, ${bytes('')}, 141, ${at}, 'mempool')`
  const payment = (number: number, wallet: string) =>
    `insert into payments (txid, vout, wallet, branch, idx, address, script, amount, coinbase,
        purpose, first_seen_at, late, booked, posted, spend_booked)
      values (${hash(number)}, 0, '${wallet}', 0, 0, 'x', ${bytes('00')}, 700, 0, 'order', 5, 0, 'pending', 1, 0)`
  const spend = (point: number, spender: number) =>
    `insert into transaction_inputs (prev_txid, prev_vout, spender)
      values (${hash(point)}, 0, ${hash(spender)})`
  const order = `insert into orders (id, wallet, branch, idx, address, script, tolerance_kind, tolerance,
      confirmed_depth, full_confirmed_depth, finalized_depth, metadata, created_at, reached_at,
      status, verdict, late, received, confirmed, credited)
    values ('ord_1', 'wal_1', 0, 0, 'x', ${bytes('00')}, 'absolute', 0, 1, 3, 6, '{}', 1, '{}', 'pending', 'none', 0, 0, 0, 0)`
  return [
    words.table('schema_migrations', [
      `version ${words.int} primary key`,
      `name ${words.text} not null`,
      `applied_at ${words.int} not null`,
    ]),
    ...before.flatMap(({ version, name, statements }) => [
      ...statements(words),
      `insert into schema_migrations (version, name, applied_at) values (${version}, '${name}', 1)`,
    ]),
    transaction(1, 100),
    transaction(2, 300),
    transaction(3, 200),
    transaction(4, 400),
    payment(1, 'wal_1'),
    payment(3, 'wal_2'),
    // A spend that is gone from its payment; two inputs of one wallet; one that touches nobody.
    spend(1, 2),
    spend(3, 2),
    spend(9, 4),
    order,
  ]
}

async function expectMigrated(options: SqlStoreOptions): Promise<void> {
  const store = await openStore({ ...options, migrate: true })
  const of = (number: number) =>
    store.read(async (tx) =>
      (await tx.deposits.walletTransactions({ wallet: walletIdOf(number), limit: 9 })).map(
        ({ txid }) => txid,
      ),
    )
  expect(await of(1)).toEqual([txidOf(2), txidOf(1)])
  expect(await of(2)).toEqual([txidOf(2), txidOf(3)])
  const [old] = await store.read((tx) => tx.deposits.listOrders({ limit: 9 }))
  expect(old).not.toHaveProperty('price')
  expect(
    await store.read((tx) => tx.deposits.newestPayments({ limit: 9, statuses: ['mempool'] })),
  ).toHaveLength(2)
  await store.transact(async (tx) => {
    await tx.deposits.insertOrder(orderOf(2))
    await tx.deposits.saveTransactions([transactionOf(5, { inputs: [pointOf(1)] })])
    await tx.deposits.savePayments([paymentOf(1, 0, { spender: txidOf(5) })])
  })
  expect(await of(1)).toContain(txidOf(5))
}

test('SQLite: a database from before gets its lists, with what happened before', async () => {
  const database = new Database(':memory:')
  for (const statement of history(SQLITE, (hex) => `x'${hex}'`)) database.exec(statement)
  await expectMigrated({ dialect: 'sqlite', database })
})

test.skipIf(!server)('PostgreSQL: the same', async () => {
  if (!server) return
  const pool = server.pool(await server.createDatabase(), 4)
  const statements = history(POSTGRES, (hex) => `'\\x${hex}'::bytea`)
  await pool.query(['create schema kaccy', 'set search_path to kaccy', ...statements].join(';\n'))
  await expectMigrated({ dialect: 'postgres', database: pool })
})
