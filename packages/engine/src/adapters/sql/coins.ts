import { type RawBuilder, sql } from 'kysely'
import type { Coin, CoinRows, FreeCoinsFilter } from '../../capabilities/coins/index.ts'
import {
  assert,
  type OutPoint,
  outPointKey,
  type Sat,
  sat,
  type WalletId,
} from '../../kernel/index.ts'
import { amongPoints, chunksOf, insertRows, lastOfEach, updateRows } from './batch.ts'
import {
  byPoint,
  type CoinRow,
  coinOf,
  freezeOf,
  freezeRow,
  fundsOf,
  fundsRow,
  leaseOf,
  leaseRow,
  pointOfKey,
  pointRows,
} from './coin-rows.ts'
import { COIN_FREEZES, COIN_LEASES, WALLET_FUNDS } from './columns-payouts.ts'
import type { Doors } from './doors.ts'
import { pointOfPayment } from './payment-rows.ts'
import type { FreezeRow, LeaseRow } from './schema-payouts.ts'

/** Word for word the condition of the index `payments_spendable`. */
const CREDITED = sql<boolean>`spender is null and booked = 'credited'`
/** Word for word the condition of the index `payments_own_change`; the purpose is hidden, as it has indexes of its own. */
const OWN_CHANGE = sql<boolean>`in_view = 1 and coalesce(purpose, '') = 'change' and booked <> 'credited' and spender is null`
/** Asked for each coin, never joined: a join may walk through the leases of all wallets for one page of coins. */
const NOT_LEASED = sql<boolean>`(select 1 from coin_leases l where l.txid = payments.txid and l.vout = payments.vout) is null`
const NOT_FROZEN = sql<boolean>`(select 1 from coin_freezes f where f.txid = payments.txid and f.vout = payments.vout) is null`
const FREE = sql<boolean>`${NOT_LEASED} and ${NOT_FROZEN}`
/** Credit names its block; of change that is not credited the transaction has it. */
const HEIGHT = sql<bigint | null>`coalesce(booked_height, (select block_height from transactions t
  where t.txid = payments.txid and t.state = 'mined'))`.as('height')
/** PostgreSQL adds 64-bit integers to a decimal, SQLite to an integer: the cast makes both 64 bits. */
const TOTAL = sql<bigint>`cast(coalesce(sum(payments.amount), 0) as bigint)`.as('total')

const COLUMNS = [
  'payments.txid',
  'payments.vout',
  'payments.wallet',
  'payments.branch',
  'payments.idx',
  'payments.script',
  'payments.address',
  'payments.amount',
  'payments.coinbase',
  'payments.booked',
  'payments.first_seen_at',
] as const

export const coinRows = (doors: Doors): CoinRows => ({
  ...fundsDoors(doors),
  ...spendableDoors(doors),
  ...leaseDoors(doors),
  ...freezeDoors(doors),
})

function fundsDoors(doors: Doors) {
  const { db, dialect, session } = doors
  const stored = async (wallet: WalletId, lock: boolean) => {
    const query = db.selectFrom('wallet_funds').selectAll().where('wallet', '=', wallet)
    const row = await (lock && dialect.locksRows ? query.forUpdate() : query).executeTakeFirst()
    return row && fundsOf(row)
  }
  const none = (wallet: WalletId) => ({ wallet, queued: sat(0n), fence: 0 })
  return {
    async lockFunds(wallet) {
      session.requireWriter()
      const found = await stored(wallet, true)
      if (found) return found
      // The first transaction of a wallet makes the row; whoever makes it at the same moment waits here.
      await insertRows(doors, 'wallet_funds', WALLET_FUNDS, [fundsRow(none(wallet))], 'keep')
      // A statement of its own, so that it sees what the one who made the row has committed.
      const made = await stored(wallet, true)
      assert(made, `no funds of ${wallet} after they were made`)
      return made
    },
    funds: async (wallet) => (await stored(wallet, false)) ?? none(wallet),
    async saveFunds(funds) {
      session.requireWriter()
      const rows = [fundsRow(funds)]
      const changed = await updateRows(doors, 'wallet_funds', WALLET_FUNDS, ['wallet'], rows)
      assert(changed === 1n, `funds of ${funds.wallet} are saved without being locked`)
    },
  } satisfies Partial<CoinRows>
}

function spendableDoors(doors: Doors) {
  const { db, dialect } = doors
  const sum = async (wallet: WalletId, condition: RawBuilder<boolean>) => {
    const query = db.selectFrom('payments').select(TOTAL).where('payments.wallet', '=', wallet)
    return (await query.where(condition).executeTakeFirstOrThrow()).total
  }
  return {
    freeCoins: (filter) => freeCoins(doors, filter),
    async coins(points) {
      const found = new Map<string, Coin>()
      for (const chunk of chunksOf(pointRows(points))) {
        const rows = await db
          .selectFrom('payments')
          .select([...COLUMNS, HEIGHT])
          .where(amongPoints(dialect, ['txid', 'vout'], chunk))
          .where(sql<boolean>`((${CREDITED}) or (${OWN_CHANGE}))`)
          .execute()
        for (const coin of rows.map(coinOf)) found.set(outPointKey(coin.point), coin)
      }
      return points.map((point) => found.get(outPointKey(point)))
    },
    encumbered: (wallet) => encumbered(doors, wallet),
    async ownChange(wallet) {
      return sat(await sum(wallet, sql<boolean>`${OWN_CHANGE} and ${FREE}`))
    },
  } satisfies Partial<CoinRows>
}

/** A page of credited coins and one of our own change, each by its own index, then one page of both. */
async function freeCoins(
  { db }: Doors,
  { wallet, ownChange, after, limit }: FreeCoinsFilter,
): Promise<readonly Coin[]> {
  if (limit <= 0) return []
  const run = (condition: RawBuilder<boolean>) => {
    let query = db
      .selectFrom('payments')
      .select([...COLUMNS, HEIGHT])
      .where('payments.wallet', '=', wallet)
      .where(condition)
      .where(FREE)
    if (after !== undefined) {
      const [hash, vout] = pointOfPayment(after)
      query = query.where(({ eb, refTuple, tuple }) =>
        eb(refTuple('payments.txid', 'payments.vout'), '>', tuple(hash, vout)),
      )
    }
    return query.orderBy('payments.txid').orderBy('payments.vout').limit(limit)
  }
  const rows: CoinRow[] = await run(CREDITED).execute()
  if (ownChange) rows.push(...(await run(OWN_CHANGE).execute()))
  return rows.map(coinOf).sort(byPoint).slice(0, limit)
}

/** Led by the leases and by the freezes: coins that are neither cost nothing. A coin that is both counts once. */
async function encumbered({ db }: Doors, wallet: WalletId): Promise<Sat> {
  const held = async (table: 'coin_leases' | 'coin_freezes', condition: RawBuilder<boolean>) => {
    const query = sql<{ total: bigint }>`select ${TOTAL} from ${sql.table(table)} as held
      join payments on payments.txid = held.txid and payments.vout = held.vout
      where held.wallet = ${wallet} and ${condition}`
    const [row] = (await query.execute(db)).rows
    return row?.total ?? 0n
  }
  const leased = await held('coin_leases', CREDITED)
  const frozen = await held('coin_freezes', sql<boolean>`${CREDITED} and ${NOT_LEASED}`)
  return sat(leased + frozen)
}

function leaseDoors(doors: Doors) {
  const { db, dialect, session } = doors
  const all = () => db.selectFrom('coin_leases').selectAll()
  return {
    async leases(points) {
      const found: LeaseRow[] = []
      for (const chunk of chunksOf(pointRows(points)))
        found.push(
          ...(await all()
            .where(amongPoints(dialect, ['txid', 'vout'], chunk))
            .execute()),
        )
      return found.map(leaseOf).sort(byPoint)
    },
    async leasesOf(spend) {
      const rows = all().where('spend', '=', spend).orderBy('txid').orderBy('vout')
      return (await rows.execute()).map(leaseOf)
    },
    async lease(leases) {
      session.requireWriter()
      // In one order for everybody, so that two who want the same coins do not wait for each other.
      const rows = leases.toSorted(byPoint).map(leaseRow)
      await insertRows(doors, 'coin_leases', COIN_LEASES, rows)
    },
    async release(spend, points) {
      session.requireWriter()
      const held = () => db.deleteFrom('coin_leases').where('spend', '=', spend)
      if (points === undefined) await held().execute()
      else
        for (const chunk of chunksOf(pointRows(points)))
          await held()
            .where(amongPoints(dialect, ['txid', 'vout'], chunk))
            .execute()
    },
  } satisfies Partial<CoinRows>
}

function freezeDoors(doors: Doors) {
  const { db, dialect, session } = doors
  const all = () => db.selectFrom('coin_freezes').selectAll()
  return {
    async frozen(points) {
      const found: FreezeRow[] = []
      for (const chunk of chunksOf(pointRows(points)))
        found.push(
          ...(await all()
            .where(amongPoints(dialect, ['txid', 'vout'], chunk))
            .execute()),
        )
      return found.map(freezeOf).sort(byPoint)
    },
    async listFrozen(wallet, after, limit) {
      let query = all().where('wallet', '=', wallet)
      if (after !== undefined) {
        const [hash, vout] = pointOfKey(after)
        query = query.where(({ eb, refTuple, tuple }) =>
          eb(refTuple('txid', 'vout'), '>', tuple(hash, vout)),
        )
      }
      const rows = query.orderBy('txid').orderBy('vout').limit(limit)
      return (await rows.execute()).map(freezeOf)
    },
    async freeze(records) {
      session.requireWriter()
      const last = lastOfEach(records, ({ point }) => outPointKey(point)).toSorted(byPoint)
      const key = { replaceBy: ['txid', 'vout'] }
      await insertRows(doors, 'coin_freezes', COIN_FREEZES, last.map(freezeRow), key)
    },
    async unfreeze(points: readonly OutPoint[]) {
      session.requireWriter()
      for (const chunk of chunksOf(pointRows(points)))
        await db
          .deleteFrom('coin_freezes')
          .where(amongPoints(dialect, ['txid', 'vout'], chunk))
          .execute()
    },
  } satisfies Partial<CoinRows>
}
