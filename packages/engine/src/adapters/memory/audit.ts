import type { AuditEntry, AuditFilter, AuditRows } from '../../capabilities/audit/index.ts'
import { assert } from '../../kernel/index.ts'
import type { Session } from './session.ts'
import { firstOf, SortedIndex, Table } from './table.ts'

export function auditTables() {
  const byNumber = new SortedIndex<AuditEntry>((row) => [row.number])
  return {
    byNumber,
    trail: new Table<AuditEntry>('audit', (row) => String(row.number), [byNumber]),
  }
}

const matches =
  ({ actor, subject, action, from, until, after = 0, before }: AuditFilter) =>
  (row: AuditEntry): boolean =>
    row.number > after &&
    (before === undefined || row.number < before) &&
    (actor === undefined || row.actor === actor) &&
    (subject === undefined || row.subject === subject) &&
    (action === undefined ||
      (action.endsWith('.') ? row.action.startsWith(action) : row.action === action)) &&
    (from === undefined || row.at >= from) &&
    (until === undefined || row.at < until)

export function auditRows(
  { byNumber, trail }: ReturnType<typeof auditTables>,
  session: Session,
): AuditRows {
  const head = () => [...firstOf(trail.rows(byNumber.descending()), 1)][0]
  return {
    lockHead: async () => {
      session.requireWriter()
      return head()
    },
    insert: async (entries) => {
      for (const entry of entries) {
        const newest = head()
        assert(
          entry.number === (newest?.number ?? 0) + 1 && entry.at >= (newest?.at ?? 0),
          `audit entry ${entry.number} does not follow the newest`,
        )
        trail.insert(session, entry)
      }
    },
    list: async (filter) => {
      const keys =
        filter.newestFirst === true
          ? byNumber.descending(filter.before === undefined ? undefined : [filter.before])
          : byNumber.ascending([filter.after ?? 0])
      return firstOf(trail.rows(keys), filter.limit, matches(filter))
    },
  }
}
