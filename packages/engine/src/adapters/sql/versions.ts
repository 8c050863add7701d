import { sql } from 'kysely'
import type {
  SpendingRows,
  VersionFilter,
  VersionRecord,
} from '../../capabilities/spending/index.ts'
import { assert, fromHex } from '../../kernel/index.ts'
import { among, chunksOf, insertRows, updateRows } from './batch.ts'
import { SPEND_VERSIONS } from './columns-payouts.ts'
import { type Doors, int, num } from './doors.ts'
import { walletsOf } from './order-list.ts'
import { newestOf, unionOf } from './runs.ts'
import type { SpendVersionRow } from './schema-payouts.ts'
import { versionOf, versionRow } from './version-rows.ts'

/** Word for word the condition of the index `spend_versions_due`. */
const WAITING = sql<boolean>`next_at is not null`

const byNumber = (a: SpendVersionRow, b: SpendVersionRow): number =>
  a.spend === b.spend ? num(a.number - b.number) : a.spend < b.spend ? -1 : 1

export function versionDoors(doors: Doors) {
  const { db, dialect, session } = doors
  const all = () => db.selectFrom('spend_versions').selectAll()
  return {
    async insertVersion(version) {
      session.requireWriter()
      await insertRows(doors, 'spend_versions', SPEND_VERSIONS, [versionRow(version)])
    },
    async version(id) {
      const row = await all().where('id', '=', id).executeTakeFirst()
      return row && versionOf(row)
    },
    async saveVersion(version) {
      session.requireWriter()
      const rows = [versionRow(version)]
      const changed = await updateRows(doors, 'spend_versions', SPEND_VERSIONS, ['id'], rows)
      assert(changed === 1n, `no version ${version.id} to save`)
    },
    async versionsOf(spends) {
      const found: SpendVersionRow[] = []
      for (const chunk of chunksOf([...new Set(spends)]))
        found.push(
          ...(await all()
            .where(among(dialect, 'spend', 'text', chunk))
            .execute()),
        )
      return found.sort(byNumber).map(versionOf)
    },
    async versionByTxid(txid) {
      const query = all().where('txid', '=', fromHex(txid)).orderBy('id', 'desc').limit(1)
      const row = await query.executeTakeFirst()
      return row && versionOf(row)
    },
    listVersions: (filter) => listVersions(doors, filter),
    async dueVersions(statuses, now, limit) {
      if (limit <= 0) return []
      const runs = [...new Set(statuses)].map((status) =>
        all()
          .where('status', '=', status)
          .where(WAITING)
          .where('next_at', '<=', int(now))
          .where(({ or, eb }) =>
            or([eb('claimed_until', 'is', null), eb('claimed_until', '<=', int(now))]),
          )
          .orderBy('next_at')
          .orderBy('id')
          .limit(limit),
      )
      const due = (await unionOf(doors, runs)).map(versionOf).sort(soonest)
      return due.slice(0, limit)
    },
  } satisfies Partial<SpendingRows>
}

const soonest = (a: VersionRecord, b: VersionRecord): number =>
  (a.nextAt ?? 0) - (b.nextAt ?? 0) || (a.id < b.id ? -1 : 1)

/** Newest first: a run for each wallet, merged. */
async function listVersions(
  doors: Doors,
  filter: VersionFilter,
): Promise<readonly VersionRecord[]> {
  const { status, before, limit } = filter
  if (limit <= 0) return []
  const runs = walletsOf(filter).map((wallet) => {
    let query = doors.db.selectFrom('spend_versions').selectAll()
    if (wallet !== undefined) query = query.where('wallet', '=', wallet)
    if (status !== undefined) query = query.where('status', '=', status)
    if (before !== undefined) query = query.where('id', '<', before)
    return query.orderBy('id', 'desc').limit(limit)
  })
  const rows: SpendVersionRow[] = []
  for (const run of runs) rows.push(...(await run.execute()))
  return newestOf(rows, limit).map(versionOf)
}
