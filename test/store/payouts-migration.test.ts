import { MIGRATIONS, openStore, type SqlStoreOptions } from '@kaccy/bitcoin/adapters/sql'
import {
  pointOf,
  spendOf,
  transactionOf,
  txidOf,
  versionOf,
  walletIdOf,
  withdrawalOf,
} from '@kaccy/bitcoin/testing'
import Database from 'better-sqlite3'
import { afterAll, expect, test } from 'vitest'
import { postgresForTests } from './homes.ts'

const server = await postgresForTests()
afterAll(() => server?.stop())

type Words = Parameters<(typeof MIGRATIONS)[number]['statements']>[0]
const before = MIGRATIONS.slice(
  0,
  MIGRATIONS.findIndex(({ name }) => name === 'payouts'),
)
const SQLITE: Words = {
  text: 'text',
  int: 'integer',
  bytes: 'blob',
  table: (name, columns) => `create table ${name} (${columns.join(', ')}) strict`,
}
const POSTGRES: Words = {
  text: 'text collate "C"',
  int: 'bigint',
  bytes: 'bytea',
  table: (name, columns) => `create table ${name} (${columns.join(', ')})`,
}

/** The statements that lead to a database as it was before payouts, with every kind of change in it. */
function history(words: Words, bytes: (hex: string) => string): readonly string[] {
  const hash = (number: number) => bytes(txidOf(number))
  const transaction = (number: number, state: string, missing = 'null') =>
    `insert into transactions (txid, coinbase, inputs, vsize, first_seen_at, state, missing_since, block_height, block_hash)
      values (${hash(number)}, 0, ${bytes('')}, 141, 5, '${state}', ${missing},
        ${state === 'mined' ? 7 : 'null'}, ${state === 'mined' ? hash(7) : 'null'})`
  const payment = (number: number, purpose: string, booked: string, spender = 'null') =>
    `insert into payments (txid, vout, wallet, branch, idx, address, script, amount, coinbase, purpose,
        first_seen_at, late, booked, booked_height, booked_hash, posted, spender, spend_booked)
      values (${hash(number)}, 0, 'wal_1', 1, ${number}, 'x', ${bytes('00')}, ${10 ** number}, 0, '${purpose}',
        5, 0, '${booked}', ${booked === 'credited' ? 7 : 'null'},
        ${booked === 'credited' ? hash(7) : 'null'}, 0, ${spender}, 0)`
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
    ...[transaction(0, 'mempool'), payment(0, 'change', 'none')],
    ...[transaction(1, 'mempool', '5'), payment(1, 'change', 'none')],
    ...[transaction(2, 'mined'), payment(2, 'change', 'none')],
    ...[transaction(3, 'gone'), payment(3, 'change', 'none')],
    ...[transaction(4, 'mined'), payment(4, 'change', 'credited')],
    ...[transaction(5, 'mempool'), payment(5, 'order', 'pending')],
    ...[transaction(6, 'mempool'), payment(6, 'change', 'none', hash(9))],
  ]
}

async function expectMigrated(options: SqlStoreOptions): Promise<void> {
  const store = await openStore({ ...options, migrate: true })
  const wallet = walletIdOf(1)
  const change = () => store.read((tx) => tx.coins.ownChange(wallet))
  expect(await change()).toBe(101n)
  const free = await store.read((tx) => tx.coins.freeCoins({ wallet, ownChange: true, limit: 9 }))
  expect(free.map(({ index }) => index).sort()).toEqual([0, 2, 4])
  const back = transactionOf(1, { view: { state: 'mempool' } })
  await store.transact((tx) => tx.deposits.saveTransactions([back]))
  expect(await change()).toBe(111n)
  await store.transact(async (tx) => {
    await tx.spending.insertSpend(spendOf(1))
    await tx.spending.insertVersion(versionOf(1))
    await tx.withdrawals.insert(withdrawalOf(1))
  })
  expect(await store.read((tx) => tx.coins.leases([pointOf(0)]))).toEqual([])
}

test('SQLite: a database from before payouts knows which change is under way', async () => {
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
