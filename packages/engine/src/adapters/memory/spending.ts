import type {
  SpendingRows,
  SpendRecord,
  VersionRecord,
  VersionStatus,
} from '../../capabilities/spending/index.ts'
import { assert } from '../../kernel/index.ts'
import type { Session } from './session.ts'
import { firstOf, GroupIndex, SortedIndex, Table, takeWhile, UniqueIndex } from './table.ts'

const isLive = ({ status }: SpendRecord): boolean => status === 'open' || status === 'mined'

export function spendingTables() {
  const byId = new SortedIndex<SpendRecord>(({ id }) => [id])
  const live = new SortedIndex<SpendRecord>((row) => (isLive(row) ? [row.id] : undefined))
  const settled = new SortedIndex<SpendRecord>(({ id, status, mined }) =>
    status === 'settled' && mined ? [mined.block.height, id] : undefined,
  )
  const bumps = new SortedIndex<SpendRecord>(({ id, status, bumpAt }) =>
    status === 'open' && bumpAt !== undefined ? [bumpAt, id] : undefined,
  )
  const byNumber = new UniqueIndex<VersionRecord>('number', (row) => `${row.spend}/${row.number}`)
  const bySpend = new SortedIndex<VersionRecord>(({ spend, number }) => [spend, number])
  const byTxid = new GroupIndex<VersionRecord>(({ txid }) => (txid === undefined ? [] : [txid]))
  const versionsById = new SortedIndex<VersionRecord>(({ id }) => [id])
  const due = new SortedIndex<VersionRecord>(({ status, nextAt, id }) =>
    nextAt === undefined ? undefined : [status, nextAt, id],
  )
  return {
    byId,
    live,
    settled,
    bumps,
    spends: new Table<SpendRecord>('spends', ({ id }) => id, [byId, live, settled, bumps]),
    bySpend,
    byTxid,
    versionsById,
    due,
    versions: new Table<VersionRecord>('spend_versions', ({ id }) => id, [
      byNumber,
      bySpend,
      byTxid,
      versionsById,
      due,
    ]),
  }
}
type Tables = ReturnType<typeof spendingTables>

export const spendingRows = (tables: Tables, session: Session): SpendingRows => ({
  ...spendDoors(tables, session),
  ...versionDoors(tables, session),
})

const inIdOrder = <Row extends { readonly id: string }>(rows: Iterable<Row>): Row[] =>
  [...rows].sort((a, b) => (a.id < b.id ? -1 : 1))
const above = (id: string | undefined) => (id === undefined ? undefined : [id])

/** Whether a row is of the wallets that a filter names. */
const isOf = (
  { wallet }: SpendRecord | VersionRecord,
  filter: { readonly wallet?: string; readonly wallets?: readonly string[] },
): boolean =>
  (filter.wallet === undefined || wallet === filter.wallet) &&
  (filter.wallets === undefined || filter.wallets.includes(wallet))

function spendDoors({ spends, byId, live, settled, bumps }: Tables, session: Session) {
  return {
    insertSpend: async (spend) => spends.insert(session, spend),
    spend: async (id) => spends.get(id),
    lockSpends: async (ids) => {
      session.requireWriter()
      return inIdOrder(spends.rows(new Set(ids)))
    },
    saveSpend: async (spend) => {
      assert(spends.has(spend.id), `no spend ${spend.id} to save`)
      spends.put(session, spend)
    },
    listSpends: async (filter) =>
      firstOf(
        spends.rows(byId.descending(above(filter.before))),
        filter.limit,
        (row) =>
          isOf(row, filter) &&
          (filter.purpose === undefined || row.purpose === filter.purpose) &&
          (filter.status === undefined || row.status === filter.status),
      ),
    liveSpends: async (after, limit) => firstOf(spends.rows(live.ascending(above(after))), limit),
    settledAbove: async (height) => inIdOrder(spends.rows(settled.ascending([height + 1]))),
    dueBumps: async (now, limit) =>
      firstOf(
        takeWhile(spends.rows(bumps.ascending()), (row) => (row.bumpAt ?? 0) <= now),
        limit,
      ),
  } satisfies Partial<SpendingRows>
}

function versionDoors(tables: Tables, session: Session) {
  const { versions, versionsById, bySpend, byTxid, due } = tables
  const dueOf = (status: VersionStatus, now: number) =>
    [
      ...takeWhile(
        versions.rows(due.ascending([status])),
        (row) => row.status === status && (row.nextAt ?? 0) <= now,
      ),
    ].filter(({ claimedUntil }) => claimedUntil === undefined || claimedUntil <= now)
  return {
    insertVersion: async (version) => versions.insert(session, version),
    version: async (id) => versions.get(id),
    saveVersion: async (version) => {
      assert(versions.has(version.id), `no version ${version.id} to save`)
      versions.put(session, version)
    },
    versionsOf: async (spends) =>
      [...new Set(spends)]
        .sort()
        .flatMap((spend) => [
          ...takeWhile(versions.rows(bySpend.ascending([spend])), (row) => row.spend === spend),
        ]),
    versionByTxid: async (txid) => inIdOrder(versions.rows(byTxid.keys(txid))).at(-1),
    listVersions: async (filter) =>
      firstOf(
        versions.rows(versionsById.descending(above(filter.before))),
        filter.limit,
        (row) => isOf(row, filter) && (filter.status === undefined || row.status === filter.status),
      ),
    dueVersions: async (statuses, now, limit) => {
      const all = [...new Set(statuses)].flatMap((status) => dueOf(status, now))
      const soonest = all.sort(
        (a, b) => (a.nextAt ?? 0) - (b.nextAt ?? 0) || (a.id < b.id ? -1 : 1),
      )
      return soonest.slice(0, Math.max(0, limit))
    },
  } satisfies Partial<SpendingRows>
}
