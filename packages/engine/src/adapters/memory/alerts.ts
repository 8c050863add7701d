import type { AlertRecord, AlertRows } from '../../capabilities/alerts/index.ts'
import { assert } from '../../kernel/index.ts'
import type { Session } from './session.ts'
import { Counter, firstOf, SortedIndex, Table, UniqueIndex } from './table.ts'

const numberOf = (id: string): number => {
  const digits = /^alr_([1-9]\d{0,15})$/.exec(id)?.[1]
  return digits === undefined ? 0 : Number(digits)
}

export function alertTables() {
  const byKey = new UniqueIndex<AlertRecord>('alert key', (row) => row.key)
  const byNumber = new SortedIndex<AlertRecord>((row) => [numberOf(row.id)])
  return {
    byKey,
    byNumber,
    alerts: new Table<AlertRecord>('alerts', (row) => row.id, [byKey, byNumber]),
    number: new Counter(),
  }
}

export function alertRows(
  { alerts, byKey, byNumber, number }: ReturnType<typeof alertTables>,
  session: Session,
): AlertRows {
  return {
    raise: async (at, added) => {
      session.requireWriter()
      const raised: AlertRecord[] = []
      for (const alert of added) {
        if (byKey.key(alert.key) !== undefined) continue
        const row: AlertRecord = { ...alert, id: `alr_${number.next(session)}`, at }
        alerts.put(session, row)
        raised.push(row)
      }
      return raised
    },
    alert: async (id) => alerts.get(id),
    save: async (alert) => {
      assert(alerts.has(alert.id), `no alert ${alert.id} to save`)
      alerts.put(session, alert)
    },
    list: async ({ open, kind, subject, before, limit }) =>
      firstOf(
        alerts.rows(byNumber.descending(before === undefined ? undefined : [numberOf(before)])),
        limit,
        (row) =>
          (open === undefined || open === (row.acknowledged === undefined)) &&
          (kind === undefined || row.kind === kind) &&
          (subject === undefined || row.subject === subject),
      ),
  }
}
