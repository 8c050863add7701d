import type { AlertRecord, AlertRows, NewAlert } from '../../capabilities/alerts/index.ts'
import { assert } from '../../kernel/index.ts'
import { among, chunksOf, insertRows } from './batch.ts'
import { ALERTS } from './columns.ts'
import { lockNumber, takeNumbers } from './counters.ts'
import { type Doors, int, maybeInt, num } from './doors.ts'
import type { AlertRow } from './schema.ts'

const numberOf = (id: string): bigint => {
  const digits = /^alr_([1-9]\d{0,15})$/.exec(id)?.[1]
  return digits === undefined ? 0n : BigInt(digits)
}
const rowOf = (alert: AlertRecord): AlertRow => ({
  number: numberOf(alert.id),
  at: int(alert.at),
  key: alert.key,
  kind: alert.kind,
  severity: alert.severity,
  subject: alert.subject,
  message: alert.message,
  data: JSON.stringify(alert.data),
  acknowledged_at: maybeInt(alert.acknowledged?.at),
  acknowledged_by: alert.acknowledged?.by ?? null,
  acknowledged_note: alert.acknowledged?.note ?? null,
})
function recordOf(row: AlertRow): AlertRecord {
  const { acknowledged_at: at, acknowledged_by: by, acknowledged_note: note } = row
  return {
    key: row.key,
    kind: row.kind as AlertRecord['kind'],
    severity: row.severity as AlertRecord['severity'],
    subject: row.subject,
    message: row.message,
    data: JSON.parse(row.data),
    id: `alr_${row.number}`,
    at: num(row.at),
    ...(at === null ? {} : { acknowledged: { at: num(at), by: by ?? '', note: note ?? '' } }),
  }
}

export function alertRows(doors: Doors): AlertRows {
  const { db, session } = doors
  const all = () => db.selectFrom('alerts').selectAll()
  return {
    async raise(at, alerts) {
      session.requireWriter()
      // Without the lock first: a fact that is told again, as most are, must not wait for other writers.
      if ((await unknownKeys(doors, alerts)).length === 0) return []
      await lockNumber(doors, 'alerts')
      const fresh = await unknownKeys(doors, alerts)
      if (fresh.length === 0) return []
      const first = await takeNumbers(doors, 'alerts', fresh.length)
      const records = fresh.map((alert, i) => ({ ...alert, id: `alr_${first + i}`, at }))
      await insertRows(doors, 'alerts', ALERTS, records.map(rowOf))
      return records
    },
    async alert(id) {
      const row = await all().where('number', '=', numberOf(id)).executeTakeFirst()
      return row && recordOf(row)
    },
    async save(alert) {
      session.requireWriter()
      const { number, ...values } = rowOf(alert)
      const query = db.updateTable('alerts').set(values).where('number', '=', number)
      const { numUpdatedRows } = await query.executeTakeFirst()
      assert(numUpdatedRows === 1n, `no alert ${alert.id} to save`)
    },
    async list({ open, kind, subject, before, limit }) {
      let query = all()
      // Word for word the condition of the index `alerts_open`.
      if (open === true) query = query.where('acknowledged_at', 'is', null)
      if (open === false) query = query.where('acknowledged_at', 'is not', null)
      if (kind !== undefined) query = query.where('kind', '=', kind)
      if (subject !== undefined) query = query.where('subject', '=', subject)
      if (before !== undefined) query = query.where('number', '<', numberOf(before))
      return (await query.orderBy('number', 'desc').limit(limit).execute()).map(recordOf)
    },
  }
}

/** The first alert of each key that is not stored. */
async function unknownKeys(
  { db, dialect }: Doors,
  alerts: readonly NewAlert[],
): Promise<readonly NewAlert[]> {
  const fresh = new Map<string, NewAlert>()
  for (const alert of alerts) if (!fresh.has(alert.key)) fresh.set(alert.key, alert)
  for (const chunk of chunksOf([...fresh.keys()])) {
    const query = db.selectFrom('alerts').select('key')
    for (const { key } of await query.where(among(dialect, 'key', 'text', chunk)).execute())
      fresh.delete(key)
  }
  return [...fresh.values()]
}
