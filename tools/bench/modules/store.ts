import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openStore } from '@kaccy/bitcoin/adapters/sql'
import { appendAudit } from '@kaccy/bitcoin/audit'
import {
  auditOf,
  eventOf,
  orderOf,
  paymentOf,
  postingOf,
  type Store,
  transactionOf,
} from '@kaccy/bitcoin/testing'
import Database from 'better-sqlite3'
import type pg from 'pg'
import { findPostgres, startPostgres } from '../../../test/counterparts/postgres.ts'
import { type Report, rateLine, rates, type Work } from '../measure.ts'

export const name = 'store'

/** Callers that wait for their own commit at the same time. */
const CALLERS = 64
/** Matched deposits in one block, as after a busy night. */
const BLOCK = 1000
const ROUNDS = { rounds: 3, milliseconds: 1000 }

const numbers = (count: number, from = 0) => Array.from({ length: count }, (_, i) => from + i)
const commitOne = (store: Store, n: number) =>
  store.transact((tx) => tx.events.append(n, [eventOf(n)]))

/** Everything that one block of deposits writes: payments, orders, books, trail, events, one commit. */
async function commitBlock(store: Store, from: number, count: number): Promise<void> {
  const all = numbers(count, from)
  await store.transact(async (tx) => {
    const orders = await tx.deposits.lockOrders(all.map((n) => orderOf(n % BLOCK).id))
    const transactions = all.map((n) => transactionOf(n))
    await tx.deposits.spendersOf(transactions.flatMap(({ inputs }) => inputs))
    await tx.deposits.payments(all.map((n) => paymentOf(n).id))
    await tx.deposits.saveTransactions(transactions)
    await tx.deposits.savePayments(all.map((n) => paymentOf(n)))
    await tx.deposits.saveOrders(orders)
    await tx.deposits.appendFacts(
      transactions.map(({ txid }) => ({ txid, kind: 'mined' as const, at: 1 })),
    )
    await tx.ledger.post(
      1,
      all.map((n) => postingOf(n, { credit: `owed/${n % BLOCK}` })),
    )
    await tx.ledger.totals(all.map((n) => `owed/${n % BLOCK}`))
    await appendAudit(
      tx,
      1,
      all.map((n) => auditOf(n)),
    )
    await tx.events.append(
      1,
      all.map((n) => eventOf(n)),
    )
  })
}

/** The contenders on one store; every one counts commits or deposits that are on the disk. */
async function contenders(
  store: Store,
): Promise<Record<'single' | 'grouped' | 'block' | 'oneByOne', Work>> {
  await store.transact(async (tx) => {
    for (const n of numbers(BLOCK)) await tx.deposits.insertOrder(orderOf(n))
  })
  let n = 0
  let deposits = 0
  return {
    single: async () => {
      await commitOne(store, n++)
      return 1
    },
    grouped: async () => {
      await Promise.all(numbers(CALLERS).map(() => commitOne(store, n++)))
      return CALLERS
    },
    block: async () => {
      await commitBlock(store, deposits, BLOCK)
      deposits += BLOCK
      return BLOCK
    },
    oneByOne: async () => {
      await commitBlock(store, deposits++, 1)
      return 1
    },
  }
}

function report(home: string, bare: string, rate: Record<string, number>, to: Report): void {
  const value = (key: string) => rate[key] ?? 0
  const one = `${bare}, one row a commit`
  to(rateLine(`${home}: commits, one caller`, 'commits/s', value('single'), one, value('bare')))
  const many = `${bare}, ${CALLERS} callers, a row a commit`
  to(
    rateLine(
      `${home}: commits, ${CALLERS} callers`,
      'commits/s',
      value('grouped'),
      many,
      value('bareMany'),
    ),
  )
  to(
    rateLine(
      `${home}: matched deposits, ${BLOCK} a block`,
      'deposits/s',
      value('block'),
      'a commit for each deposit',
      value('oneByOne'),
    ),
  )
}

const TABLE =
  'create table bare (id integer primary key, at bigint, type text, subject text, data text)'
const INSERT = 'insert into bare (at, type, subject, data) values'

async function sqlite(to: Report): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'kaccy-bench-'))
  const database = new Database(join(folder, 'store.db'))
  const bare = new Database(join(folder, 'bare.db'))
  try {
    const store = await openStore({ dialect: 'sqlite', database, migrate: true })
    bare.pragma('journal_mode = WAL')
    bare.pragma('synchronous = FULL')
    bare.exec(TABLE)
    const insert = bare.prepare(`${INSERT} (?, ?, ?, ?)`)
    const { type, subject, data } = eventOf(1)
    const one = () => insert.run(1, type, subject, JSON.stringify(data)).changes
    const rate = await rates({ ...(await contenders(store)), bare: one, bareMany: one }, ROUNDS)
    report('SQLite', 'better-sqlite3', rate, to)
    await store.close()
  } finally {
    database.close()
    bare.close()
    await rm(folder, { recursive: true, force: true })
  }
}

async function postgres(to: Report): Promise<void> {
  const programs = await findPostgres()
  if ('missing' in programs) {
    process.stderr.write(`SKIPPED: PostgreSQL: ${programs.missing}\n`)
    return
  }
  const server = await startPostgres({ fsync: true })
  try {
    const url = await server.createDatabase()
    const pool: pg.Pool = server.pool(url, CALLERS / 2)
    const store = await openStore({ dialect: 'postgres', database: pool, migrate: true })
    await pool.query(TABLE.replace('integer primary key', 'bigint generated always as identity'))
    const { type, subject, data } = eventOf(1)
    const text = `${INSERT} ($1, $2, $3, $4)`
    const values = [1, type, subject, JSON.stringify(data)]
    const one = async () => {
      await pool.query({ name: 'bare', text, values })
      return 1
    }
    const many = async () => {
      await Promise.all(numbers(CALLERS).map(one))
      return CALLERS
    }
    const rate = await rates({ ...(await contenders(store)), bare: one, bareMany: many }, ROUNDS)
    report('PostgreSQL', 'pg', rate, to)
    await store.close()
  } finally {
    await server.stop()
  }
}

export async function run(to: Report): Promise<void> {
  await sqlite(to)
  await postgres(to)
}
