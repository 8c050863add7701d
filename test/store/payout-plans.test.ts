import { openStore } from '@kaccy/bitcoin/adapters/sql'
import { paymentId } from '@kaccy/bitcoin/kernel'
import {
  blockOf,
  consolidationIdOf,
  consolidationOf,
  freezeOf,
  leaseOf,
  paymentOf,
  pointOf,
  psbtIdOf,
  type Store,
  type StoreTx,
  spendIdOf,
  spendOf,
  transactionOf,
  txidOf,
  versionOf,
  walletIdOf,
  withdrawalIdOf,
  withdrawalOf,
} from '@kaccy/bitcoin/testing'
import { afterAll, expect, test } from 'vitest'
import { postgresForTests, postgresHome } from './homes.ts'
import { recordingPool, type Statement, sqliteStatements } from './recorded.ts'

const server = await postgresForTests()
afterAll(() => server?.stop())

const plain = (text: string) => text.replace(/\s+/g, ' ').replaceAll('"', '')
const wallet = walletIdOf(1)

test('SQLite asks for payouts by the index that holds what is under way', async () => {
  const { statements, database } = await sqliteStatements()
  const expectIndex = (pattern: RegExp, index: RegExp) => {
    const found = statements.filter(({ text }) => pattern.test(plain(text)))
    expect(found.length, String(pattern)).toBeGreaterThan(0)
    for (const { text, values } of found) {
      const plan = database.prepare(`explain query plan ${text}`).all(values) as {
        detail: string
      }[]
      expect(plan.map(({ detail }) => detail).join(' | '), plain(text)).toMatch(index)
    }
  }
  const spendable = /^select (payments\.txid|cast).* from payments where payments\.wallet = \?/
  expectIndex(
    new RegExp(`${spendable.source} and spender is null and booked`),
    /payments_spendable \(wallet=\? AND booked=\?/,
  )
  expectIndex(
    new RegExp(`${spendable.source} and in_view = 1`),
    /payments_own_change \(wallet=\? AND in_view=\?/,
  )
  expectIndex(/from coin_leases as held join payments/, /coin_leases_wallet.*payments_1 \(txid=/)
  expectIndex(/from coin_freezes as held join/, /coin_freezes_wallet.*payments_1 \(txid=/)
  expectIndex(/^update payments set in_view = fresh/, /payments USING INDEX \w+_1 \(txid=\?\)/)
  expectIndex(/from coin_leases where spend = \?/, /coin_leases_spend/)
  expectIndex(/from coin_freezes where wallet = \?/, /coin_freezes_wallet/)
  expectIndex(/from spends where status in/, /spends_live/)
  expectIndex(/from spends where status = 'settled'/, /spends_settled \(mined_height>\?\)/)
  expectIndex(/from spends where bump_at/, /spends_bump/)
  expectIndex(/from spends where wallet = \? order/, /spends_wallet \(wallet=\?/)
  expectIndex(/from spends where wallet = \? and purpose/, /spends_wallet_runs/)
  expectIndex(/from spends where purpose = \? and status/, /spends_runs/)
  expectIndex(/from spend_versions where txid = \?/, /spend_versions_txid/)
  expectIndex(/from spend_versions where wallet = \? and status/, /versions_wallet_status/)
  expectIndex(/from spend_versions where status = \? and next_at/, /versions_due \(status=\? AND/)
  expectIndex(/select id from withdrawals where wallet = \? and plan_at/, /withdrawals_plannable/)
  expectIndex(/select distinct wallet from withdrawals/, /withdrawals_plannable/)
  expectIndex(
    /from withdrawals where withdrawals\.wallet = \? and withdrawals\.status/,
    /wallet_status/,
  )
  expectIndex(/from consolidations where spend = \?/, /consolidations_spend/)
  expectIndex(/from consolidations where wallet = \? order/, /consolidations_wallet \(wallet=\?/)
  expectIndex(/from consolidations where wallet = \? and status/, /consolidations_wallet_status/)
  expectIndex(/from consolidations where status = \?/, /consolidations_status/)
  expectIndex(/withdrawals\.customer = \?/, /withdrawals_customer/)
  expectIndex(/and withdrawals\.user_id = \?/, /withdrawals_user/)
  expectIndex(
    /from withdrawals .*pair\.key = \?/,
    /withdrawal_metadata_value \(key=\? AND value=\?/,
  )
})

/** What is under way in a wallet, and what a plan, a page and the loops ask of it. */
async function underWay({ deposits, coins, spending, withdrawals, consolidations }: StoreTx) {
  const live = Array.from({ length: 10 }, (_, i) => i)
  await deposits.saveTransactions(live.map((n) => transactionOf(n)))
  await deposits.savePayments(live.map((n) => paymentOf(n, 0, { purpose: 'change', branch: 1 })))
  await coins.lease(live.slice(0, 3).map((n) => leaseOf(pointOf(n), n)))
  await coins.freeze([freezeOf(pointOf(4))])
  for (const n of live) {
    await spending.insertSpend(spendOf(n, { bumpAt: n, status: n > 5 ? 'mined' : 'open' }))
    await spending.insertVersion(versionOf(n, { nextAt: n, txid: txidOf(n) }))
    const more = { customer: `cus_${n}`, user: `usr_${n}`, metadata: { n: `${n}` } }
    const withdrawal = withdrawalOf(n, { ...more, status: 'approved', planAt: n })
    await withdrawals.insert({ ...withdrawal, spend: spendIdOf(n) })
    await consolidations.insert(consolidationOf(n))
  }
}
async function ask({ coins, spending, withdrawals, consolidations }: StoreTx) {
  const limit = 100
  const after = paymentId(pointOf(3))
  await coins.freeCoins({ wallet, ownChange: true, limit })
  await coins.freeCoins({ wallet, ownChange: true, after, limit })
  await coins.coins([pointOf(1), pointOf(2)])
  await coins.encumbered(wallet)
  await coins.ownChange(wallet)
  await coins.leases([pointOf(1)])
  await coins.leasesOf(spendIdOf(1))
  await coins.frozen([pointOf(1)])
  await coins.listFrozen(wallet, undefined, limit)
  for (const of of [{}, { wallet }]) {
    await spending.listSpends({ ...of, limit })
    await spending.listSpends({ ...of, purpose: 'child', limit })
    await spending.listSpends({ ...of, status: 'open', limit })
    await spending.listSpends({ ...of, purpose: 'payout', status: 'lost', limit })
    await spending.listVersions({ ...of, limit })
    await spending.listVersions({ ...of, status: 'created', limit })
    await withdrawals.list({ ...of, limit })
    await withdrawals.list({ ...of, status: 'approved', before: withdrawalIdOf(9), limit })
    await withdrawals.list({ ...of, customer: 'cus_1', status: 'approved', limit })
    await withdrawals.list({ ...of, user: 'usr_1', limit })
    await withdrawals.list({ ...of, address: 'bcrt1qto1', limit })
    await withdrawals.list({ ...of, metadata: { key: 'n', value: '1' }, limit })
    await withdrawals.list({ ...of, createdFrom: 5, limit })
    await consolidations.list({ ...of, limit })
    await consolidations.list({ ...of, status: 'planned', before: consolidationIdOf(9), limit })
  }
  await spending.liveSpends(undefined, limit)
  await spending.liveSpends(spendIdOf(3), limit)
  await spending.settledAbove(100_000)
  await spending.dueBumps(100, limit)
  await spending.versionsOf([spendIdOf(1)])
  await spending.versionByTxid(txidOf(1))
  await spending.dueVersions(['created', 'finalized', 'broadcast'], 100, limit)
  await withdrawals.byExternalId('payout 1 ☕')
  await withdrawals.plannable(wallet, 100, limit)
  await withdrawals.plannableWallets(100)
  await withdrawals.ofSpends([spendIdOf(1)])
  await consolidations.bySpend(spendIdOf(1))
}

const HISTORY = 5_000
type Pool = ReturnType<NonNullable<typeof server>['pool']>

/** Many copies of one row, with these columns made anew for number `n`. */
async function multiply(
  pool: Pool,
  table: string,
  where: string,
  anew: Readonly<Record<string, string>>,
) {
  const { rows } = await pool.query(
    `select column_name from information_schema.columns where table_schema = 'kaccy' and table_name = $1`,
    [table],
  )
  const names: string[] = rows.map((row) => row['column_name'])
  const values = names.map((name) => anew[name] ?? `one.${name}`)
  await pool.query(
    `insert into kaccy.${table} (${names.join(', ')}) select ${values.join(', ')}
      from generate_series(1, ${HISTORY}) n, (select * from kaccy.${table} where ${where} limit 1) one`,
  )
}
/** Years of payouts, change that vanished, coins that were spent, and as many that may be. */
async function grow(store: Store, pool: Pool) {
  await store.transact(async ({ deposits }) => {
    const credited = { booked: { state: 'credited', block: blockOf(7) } } as const
    await deposits.savePayments([paymentOf(900, 0, credited)])
  })
  const id = (prefix: string) => `'${prefix}_0h' || lpad(n::text, 6, '0')`
  const hash = (salt: string) => `decode(md5(n || '${salt}') || md5(n || '${salt}2'), 'hex')`
  const change = `purpose = 'change'`
  await multiply(pool, 'payments', change, { txid: hash('gone'), in_view: '0' })
  const credited = `booked = 'credited'`
  await multiply(pool, 'payments', credited, { txid: hash('spent'), spender: hash('by') })
  await multiply(pool, 'payments', `${change} and in_view = 1`, {
    txid: hash('old'),
    booked: `'credited'`,
    booked_height: 'n',
    booked_hash: hash('block'),
    spender: hash('by2'),
  })
  await multiply(pool, 'payments', `${credited} and spender is null`, { txid: hash('free') })
  await multiply(pool, 'coin_leases', 'true', {
    txid: hash('lease'),
    wallet: `'wal_2'`,
    spend: `'x'`,
  })
  await multiply(pool, 'coin_freezes', 'true', { txid: hash('freeze'), wallet: `'wal_2'` })
  const settled = { status: `'settled'`, mined_height: 'n', bump_at: 'null' }
  await multiply(pool, 'spends', 'true', { id: id('spd'), ...settled })
  await multiply(pool, 'spend_versions', 'true', {
    ...{
      id: id('psb'),
      spend: id('spd'),
      txid: hash('sent'),
      status: `'confirmed'`,
      next_at: 'null',
    },
  })
  await multiply(pool, 'withdrawals', 'true', {
    ...{ id: id('wdr'), external_id: id('ext'), spend: id('spd'), status: `'settled'` },
    ...{ plan_at: 'null', customer: `'cus_h'`, user_id: `'usr_h'`, address: `'h'` },
  })
  await multiply(pool, 'withdrawal_metadata', 'true', { withdrawal_id: id('wdr'), value: `'h'` })
  await multiply(pool, 'consolidations', 'true', {
    ...{ id: id('cns'), spend: id('spd'), status: `'completed'` },
  })
  await pool.query('analyze')
}

interface Node {
  readonly 'Node Type': string
  readonly 'Relation Name'?: string
  readonly 'Actual Rows': number
  readonly 'Actual Loops': number
  readonly 'Rows Removed by Filter'?: number
  readonly Plans?: readonly Node[]
}
/** Rows that the scans of a plan looked at. */
const rowsSeen = (node: Node): number => {
  const own = node['Actual Rows'] + (node['Rows Removed by Filter'] ?? 0)
  const scans = node['Relation Name'] !== undefined
  const inside = (node.Plans ?? []).reduce((sum, child) => sum + rowsSeen(child), 0)
  return inside + (scans ? own * node['Actual Loops'] : 0)
}

test.skipIf(!server)('PostgreSQL looks at what is under way, however much there was', async () => {
  if (!server) return
  const home = await postgresHome(server)
  const pool = server.pool(home.url, 2)
  await home.store.transact(underWay)
  await grow(home.store, pool)
  const statements = new Map<string, Statement>()
  const note = (text: string, values: readonly unknown[]) => {
    if (text.startsWith('select')) statements.set(text, { text, values })
  }
  const database = recordingPool(pool, note)
  const store = await openStore({ dialect: 'postgres', database })
  await store.read(ask)
  expect(statements.size).toBeGreaterThan(40)
  const client = await pool.connect()
  await client.query('set search_path to kaccy')
  const faults: string[] = []
  for (const { text, values } of statements.values()) {
    const { rows } = await client.query(`explain (analyze, format json) ${text}`, [...values])
    const plan: Node = rows[0]['QUERY PLAN'][0].Plan
    const seen = rowsSeen(plan)
    if (seen > 450) faults.push(`${seen} rows: ${plain(text)}\n${JSON.stringify(plan)}`)
  }
  client.release()
  expect(faults).toEqual([])
  // What was asked for is there: a query that finds nothing proves nothing.
  const free = await store.read((tx) => tx.coins.freeCoins({ wallet, ownChange: true, limit: 100 }))
  expect(free).toHaveLength(100)
  const due = await store.read((tx) => tx.spending.dueVersions(['created'], 100, 100))
  expect(due.map(({ id }) => id)).toEqual(Array.from({ length: 10 }, (_, i) => psbtIdOf(i)))
  await pool.end()
  await home.dispose?.()
})
