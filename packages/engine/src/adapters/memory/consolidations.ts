import type {
  ConsolidationFilter,
  ConsolidationRecord,
  ConsolidationRows,
} from '../../capabilities/consolidation/index.ts'
import { assert } from '../../kernel/index.ts'
import type { Session } from './session.ts'
import { firstOf, SortedIndex, Table, UniqueIndex } from './table.ts'

export function consolidationTables() {
  const byId = new SortedIndex<ConsolidationRecord>(({ id }) => [id])
  const bySpend = new UniqueIndex<ConsolidationRecord>('spend', ({ spend }) => spend)
  return {
    byId,
    bySpend,
    runs: new Table<ConsolidationRecord>('consolidations', ({ id }) => id, [byId, bySpend]),
  }
}

const matches =
  ({ wallet, wallets, status }: ConsolidationFilter) =>
  (row: ConsolidationRecord): boolean =>
    (wallet === undefined || row.wallet === wallet) &&
    (wallets === undefined || wallets.includes(row.wallet)) &&
    (status === undefined || row.status === status)

export function consolidationRows(
  { runs, byId, bySpend }: ReturnType<typeof consolidationTables>,
  session: Session,
): ConsolidationRows {
  return {
    insert: async (run) => runs.insert(session, run),
    consolidation: async (id) => runs.get(id),
    bySpend: async (spend) => runs.get(bySpend.key(spend) ?? ''),
    save: async (run) => {
      const stored = runs.get(run.id)
      assert(stored, 'a consolidation to save is not there')
      const { txid: _, ...planned } = stored
      runs.put(session, {
        ...planned,
        status: run.status,
        ...(run.txid === undefined ? {} : { txid: run.txid }),
        reachedAt: run.reachedAt,
        updatedAt: run.updatedAt,
      })
    },
    list: async (filter) =>
      firstOf(
        runs.rows(byId.descending(filter.before === undefined ? undefined : [filter.before])),
        filter.limit,
        matches(filter),
      ),
  }
}
