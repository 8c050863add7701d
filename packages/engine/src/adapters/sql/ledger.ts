import { type Kysely, type SelectQueryBuilder, sql } from 'kysely'
import type {
  Account,
  AccountTotals,
  EntryFilter,
  EntryKind,
  LedgerEntry,
  LedgerRows,
  Posting,
} from '../../capabilities/ledger/index.ts'
import {
  AssertionError,
  blockHash,
  EngineError,
  fromHex,
  type OrderId,
  paymentId,
  sat,
  toHex,
  txid,
  type WalletId,
} from '../../kernel/index.ts'
import { among, chunksOf, insertRows } from './batch.ts'
import { ACCOUNTS, ENTRIES } from './columns.ts'
import { takeNumbers } from './counters.ts'
import { type Doors, int, maybeInt, num, present } from './doors.ts'
import { pointOfPayment } from './payment-rows.ts'
import type { AccountRow, EntryRow, Schema } from './schema.ts'

/** Stands above every text that begins with a prefix. */
const TOP = '\u{10FFFF}'

function rowOf(entry: LedgerEntry): EntryRow {
  const [hash, vout] = entry.payment === undefined ? [null, null] : pointOfPayment(entry.payment)
  return {
    number: int(entry.number),
    at: int(entry.at),
    key: entry.key,
    kind: entry.kind,
    debit: entry.debit,
    credit: entry.credit,
    amount: entry.amount,
    wallet: entry.wallet,
    payment_txid: hash,
    payment_vout: vout,
    order_id: entry.order ?? null,
    block_height: maybeInt(entry.block?.height),
    block_hash: entry.block ? fromHex(entry.block.hash) : null,
  }
}
function entryOf(row: EntryRow): LedgerEntry {
  const { payment_txid: hash, payment_vout: vout, block_height: height, block_hash: block } = row
  return {
    key: row.key,
    kind: row.kind as EntryKind,
    debit: row.debit,
    credit: row.credit,
    amount: sat(row.amount),
    wallet: row.wallet as WalletId,
    ...(hash === null || vout === null
      ? {}
      : { payment: paymentId({ txid: txid(toHex(hash)), vout: num(vout) }) }),
    ...present('order', row.order_id as OrderId | null),
    ...(height === null || block === null
      ? {}
      : { block: { height: num(height), hash: blockHash(toHex(block)) } }),
    number: num(row.number),
    at: num(row.at),
  }
}

/** What the postings add to each account, in the order in which its rows are locked. */
function movementsOf(postings: readonly Posting[]): AccountRow[] {
  const sums = new Map<Account, AccountRow>()
  const add = (account: Account, debits: bigint, credits: bigint) => {
    const sum = sums.get(account)
    if (!sum) sums.set(account, { account, debits, credits })
    else {
      sum.debits += debits
      sum.credits += credits
    }
  }
  for (const { debit, credit, amount } of postings) {
    add(debit, amount, 0n)
    add(credit, 0n, amount)
  }
  return [...sums.values()].sort((a, b) => (a.account < b.account ? -1 : 1))
}

export function ledgerRows(doors: Doors): LedgerRows {
  const { db, dialect, session } = doors
  return {
    async post(at, postings) {
      session.requireWriter()
      if (postings.length === 0) return []
      const first = await takeNumbers(doors, 'ledger', postings.length)
      const entries = postings.map((posting, i) => ({ ...posting, number: first + i, at }))
      try {
        await insertRows(doors, 'entries', ENTRIES, entries.map(rowOf))
      } catch (error) {
        if (!(error instanceof EngineError) || error.code !== 'STORE_CONFLICT') throw error
        throw new AssertionError('a posting with one of these keys is booked already', {
          cause: error,
        })
      }
      const movements = movementsOf(postings)
      await insertRows(doors, 'accounts', ACCOUNTS, movements, { addTo: ['account'] })
      return entries
    },
    async totals(accounts) {
      const found = new Map<Account, AccountTotals>()
      for (const chunk of chunksOf([...new Set(accounts)])) {
        const query = db.selectFrom('accounts').selectAll()
        const rows = await query.where(among(dialect, 'account', 'text', chunk)).execute()
        for (const row of rows) found.set(row.account, row)
      }
      return accounts.map((account) => found.get(account) ?? { account, debits: 0n, credits: 0n })
    },
    async accounts(prefix, after, limit) {
      let query = db.selectFrom('accounts').selectAll()
      if (prefix !== '')
        query = query.where('account', '>=', prefix).where('account', '<', prefix + TOP)
      if (after !== undefined) query = query.where('account', '>', after)
      return query.orderBy('account').limit(limit).execute()
    },
    recount: (prefix) => recount(db, prefix),
    entries: (filter) => listEntries(db, filter),
  }
}

async function recount(db: Kysely<Schema>, prefix: string): Promise<readonly AccountTotals[]> {
  const side = (column: 'debit' | 'credit') => {
    // PostgreSQL adds 64-bit integers to a decimal, SQLite to an integer: the cast makes both 64 bits.
    const total = sql<bigint>`cast(sum(amount) as bigint)`.as('total')
    const all = db.selectFrom('entries').select([`${column} as account`, total])
    const some =
      prefix === '' ? all : all.where(column, '>=', prefix).where(column, '<', prefix + TOP)
    return some.groupBy(column).execute()
  }
  const sums = new Map<Account, { account: Account; debits: bigint; credits: bigint }>()
  const sumOf = (account: Account) => {
    const sum = sums.get(account) ?? { account, debits: 0n, credits: 0n }
    sums.set(account, sum)
    return sum
  }
  for (const { account, total } of await side('debit')) sumOf(account).debits = total
  for (const { account, total } of await side('credit')) sumOf(account).credits = total
  return [...sums.values()].sort((a, b) => (a.account < b.account ? -1 : 1))
}

type EntryQuery = SelectQueryBuilder<Schema, 'entries', EntryRow>

async function listEntries(
  db: Kysely<Schema>,
  { account, order, payment, wallet, after = 0, limit }: EntryFilter,
): Promise<readonly LedgerEntry[]> {
  const page = (query: EntryQuery): EntryQuery => {
    let page = query.where('number', '>', int(after)).orderBy('number').limit(limit)
    if (order !== undefined) page = page.where('order_id', '=', order)
    if (wallet !== undefined) page = page.where('wallet', '=', wallet)
    if (payment !== undefined) {
      const [hash, vout] = pointOfPayment(payment)
      page = page.where('payment_txid', '=', hash).where('payment_vout', '=', vout)
    }
    return page
  }
  const all = () => db.selectFrom('entries').selectAll()
  if (account === undefined) return (await page(all()).execute()).map(entryOf)
  // A page of each side by its own index, then one page of both: an `or` would read the whole table.
  const debits = await page(all().where('debit', '=', account)).execute()
  const credits = await page(all().where('credit', '=', account)).execute()
  const rows = new Map([...debits, ...credits].map((row) => [row.number, row]))
  return [...rows.values()]
    .sort((a, b) => num(a.number - b.number))
    .slice(0, limit)
    .map(entryOf)
}
