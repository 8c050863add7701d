import { sql } from 'kysely'
import type {
  SpendFilter,
  SpendingRows,
  SpendPurpose,
  SpendRecord,
  SpendStatus,
} from '../../capabilities/spending/index.ts'
import { assert } from '../../kernel/index.ts'
import { among, chunksOf, insertRows, updateRows } from './batch.ts'
import { SPENDS } from './columns-payouts.ts'
import { type Doors, int } from './doors.ts'
import { newestOf, unionOf } from './runs.ts'
import { walletsOf } from './order-list.ts'
import type { SpendRow } from './schema-payouts.ts'
import { spendOf, spendRow } from './spend-rows.ts'

/** Word for word the condition of the index `spends_live`. */
const LIVE = sql<boolean>`status in ('open', 'mined')`
/** Word for word the condition of the index `spends_settled`. */
const SETTLED = sql<boolean>`status = 'settled'`
/** Word for word the condition of the index `spends_bump`. */
const BUMPED = sql<boolean>`bump_at is not null and status = 'open'`

const PURPOSES: readonly SpendPurpose[] = ['payout', 'consolidation', 'child']
const STATUSES: readonly SpendStatus[] = ['open', 'mined', 'settled', 'dropped', 'lost']

export function spendDoors(doors: Doors) {
  const { db, dialect, session } = doors
  const all = () => db.selectFrom('spends').selectAll()
  return {
    async insertSpend(spend) {
      session.requireWriter()
      await insertRows(doors, 'spends', SPENDS, [spendRow(spend)])
    },
    async spend(id) {
      const row = await all().where('id', '=', id).executeTakeFirst()
      return row && spendOf(row)
    },
    async lockSpends(ids) {
      session.requireWriter()
      const found: SpendRow[] = []
      // Locked in order of id, chunk after chunk: two transactions with common spends wait, they do not deadlock.
      for (const chunk of chunksOf([...new Set<string>(ids)].sort())) {
        const query = all()
          .where(among(dialect, 'id', 'text', chunk))
          .orderBy('id')
        found.push(...(await (dialect.locksRows ? query.forUpdate() : query).execute()))
      }
      return found.map(spendOf)
    },
    async saveSpend(spend) {
      session.requireWriter()
      const changed = await updateRows(doors, 'spends', SPENDS, ['id'], [spendRow(spend)])
      assert(changed === 1n, `no spend ${spend.id} to save`)
    },
    listSpends: (filter) => listSpends(doors, filter),
    async liveSpends(after, limit) {
      let query = all().where(LIVE)
      if (after !== undefined) query = query.where('id', '>', after)
      return (await query.orderBy('id').limit(limit).execute()).map(spendOf)
    },
    async settledAbove(height) {
      const rows = await all().where(SETTLED).where('mined_height', '>', int(height)).execute()
      return rows.map(spendOf).sort((a, b) => (a.id < b.id ? -1 : 1))
    },
    async dueBumps(now, limit) {
      const due = all().where(BUMPED).where('bump_at', '<=', int(now))
      return (await due.orderBy('bump_at').orderBy('id').limit(limit).execute()).map(spendOf)
    },
  } satisfies Partial<SpendingRows>
}

/** The runs of an index that a filter needs: a single one, or one for each purpose and status. */
function pairsOf({
  purpose,
  status,
}: SpendFilter): readonly Pick<SpendFilter, 'purpose' | 'status'>[] {
  if (purpose === undefined && status === undefined) return [{}]
  return (purpose === undefined ? PURPOSES : [purpose]).flatMap((one) =>
    (status === undefined ? STATUSES : [status]).map((state) => ({ purpose: one, status: state })),
  )
}

async function listSpends(doors: Doors, filter: SpendFilter): Promise<readonly SpendRecord[]> {
  if (filter.limit <= 0) return []
  const rows: SpendRow[] = []
  for (const wallet of walletsOf(filter)) {
    const runs = pairsOf(filter).map((pair) => {
      let query = doors.db.selectFrom('spends').selectAll()
      if (wallet !== undefined) query = query.where('wallet', '=', wallet)
      if (pair.purpose !== undefined) query = query.where('purpose', '=', pair.purpose)
      if (pair.status !== undefined) query = query.where('status', '=', pair.status)
      if (filter.before !== undefined) query = query.where('id', '<', filter.before)
      return query.orderBy('id', 'desc').limit(filter.limit)
    })
    rows.push(...(await unionOf(doors, runs)))
  }
  return newestOf(rows, filter.limit).map(spendOf)
}
