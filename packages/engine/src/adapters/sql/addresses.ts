import { sql } from 'kysely'
import type { AddressRecord, WalletRows } from '../../capabilities/wallet/index.ts'
import { assert, type OrderId, type WalletId } from '../../kernel/index.ts'
import { among, chunksOf, insertRows, lastOfEach, updateRows } from './batch.ts'
import { ADDRESS_USE, ADDRESSES } from './columns.ts'
import { takeNumbers } from './counters.ts'
import { type Doors, flag, int, maybeInt, num, ownBytes, present } from './doors.ts'
import type { AddressRow } from './schema.ts'

/** Word for word the condition of the index `addresses_state`, so that both planners recognise it. */
const NOT_WATCHED = sql<boolean>`state <> 'watched'`

const rowOf = (record: AddressRecord, number: bigint): AddressRow => ({
  wallet: record.wallet,
  branch: int(record.branch),
  idx: int(record.index),
  number,
  script: record.script,
  address: record.address,
  state: record.state,
  shown: flag(record.shown),
  order_id: record.order ?? null,
  label: record.label ?? null,
  revealed_at: maybeInt(record.revealedAt),
  first_used_at: maybeInt(record.firstUsedAt),
})
const recordOf = (row: AddressRow): AddressRecord => ({
  wallet: row.wallet as WalletId,
  branch: num(row.branch),
  index: num(row.idx),
  script: ownBytes(row.script),
  address: row.address,
  state: row.state as AddressRecord['state'],
  shown: row.shown !== 0n,
  ...present('order', row.order_id as OrderId | null),
  ...present('label', row.label),
  ...present('revealedAt', row.revealed_at === null ? null : num(row.revealed_at)),
  ...present('firstUsedAt', row.first_used_at === null ? null : num(row.first_used_at)),
})

const PLACE = ['wallet', 'branch', 'idx'] as const
const placeOf = ({ wallet, branch, index }: AddressRecord) => `${wallet}/${branch}/${index}`

export const addressDoors = (doors: Doors) => ({ ...writeDoors(doors), ...readDoors(doors) })

function writeDoors(doors: Doors) {
  const { db, session } = doors
  const all = () => db.selectFrom('addresses').selectAll()
  return {
    async insertAddresses(records) {
      session.requireWriter()
      if (records.length === 0) return
      const first = await takeNumbers(doors, 'addresses', records.length)
      const rows = records.map((record, i) => rowOf(record, int(first + i)))
      await insertRows(doors, 'addresses', ADDRESSES, rows)
    },
    async saveAddresses(records) {
      session.requireWriter()
      const rows = lastOfEach(records, placeOf).map((record) => rowOf(record, 0n))
      const changed = await updateRows(doors, 'addresses', ADDRESS_USE, PLACE, rows)
      assert(changed === BigInt(rows.length), `no address ${records.map(placeOf)[0]} to save`)
    },
    async nextAddresses(wallet, branch, index, count) {
      session.requireWriter()
      const here = (isFree: 0 | 1) =>
        all()
          .select(sql<bigint | string>`${sql.lit(isFree)}`.as('is_free'))
          .where('wallet', '=', wallet)
          .where('branch', '=', int(branch))
      const free = here(1).where('state', '=', 'free').where(NOT_WATCHED).orderBy('idx')
      const next = here(0)
        .where('idx', '>=', int(index))
        .where('idx', '<', int(index + count))
      const rows = await db
        .selectFrom(free.limit(count).as('free'))
        .selectAll()
        .unionAll(next)
        .execute()
      const records = (isFree: bigint) =>
        rows
          .filter((row) => BigInt(row.is_free) === isFree)
          .map(recordOf)
          .sort((a, b) => a.index - b.index)
      return { free: records(1n), next: records(0n) }
    },
  } satisfies Partial<WalletRows>
}

function readDoors({ db, dialect }: Doors) {
  const all = () => db.selectFrom('addresses').selectAll()
  return {
    async address(wallet, branch, index) {
      const row = await all()
        .where('wallet', '=', wallet)
        .where('branch', '=', int(branch))
        .where('idx', '=', int(index))
        .executeTakeFirst()
      return row && recordOf(row)
    },
    async addressesByScripts(scripts) {
      const found: AddressRow[] = []
      for (const chunk of chunksOf(scripts))
        found.push(
          ...(await all()
            .where(among(dialect, 'script', 'bytes', chunk))
            .execute()),
        )
      return found.sort((a, b) => num(a.number - b.number)).map(recordOf)
    },
    async listAddresses({ wallet, branch, state, after, limit }) {
      let query = all()
      if (wallet !== undefined) query = query.where('wallet', '=', wallet)
      if (branch !== undefined) query = query.where('branch', '=', int(branch))
      if (state !== undefined) query = query.where('state', '=', state)
      if (state !== undefined && state !== 'watched') query = query.where(NOT_WATCHED)
      if (after)
        query = query.where(({ eb, refTuple, tuple }) =>
          eb(
            refTuple('wallet', 'branch', 'idx'),
            '>',
            tuple(after.wallet as string, int(after.branch), int(after.index)),
          ),
        )
      const ordered = query.orderBy('wallet').orderBy('branch').orderBy('idx').limit(limit)
      return (await ordered.execute()).map(recordOf)
    },
    async scripts(after, limit) {
      const rows = await db
        .selectFrom('addresses')
        .select(['number', 'script'])
        .where('number', '>', after === undefined ? 0n : BigInt(after))
        .orderBy('number')
        .limit(limit)
        .execute()
      const last = rows.at(-1)
      const scripts = rows.map((row) => ownBytes(row.script))
      return last ? { scripts, next: last.number.toString() } : { scripts }
    },
  } satisfies Partial<WalletRows>
}
