import type { EngineEvent, EventRows } from '../../capabilities/events/index.ts'
import { insertRows } from './batch.ts'
import { EVENTS } from './columns.ts'
import { newestNumber, takeNumbers } from './counters.ts'
import { type Doors, int, num, present } from './doors.ts'
import type { EventRow } from './schema.ts'

const eventOf = (row: EventRow): EngineEvent => ({
  type: row.type,
  subject: row.subject,
  data: JSON.parse(row.data),
  seq: num(row.seq),
  id: `evt_${row.seq}`,
  at: num(row.at),
  ...present('origin', row.origin === null ? null : JSON.parse(row.origin)),
})

export function eventRows(doors: Doors): EventRows {
  const { db, session } = doors
  const after = (seq: number, limit: number) =>
    db.selectFrom('events').selectAll().where('seq', '>', int(seq)).orderBy('seq').limit(limit)
  return {
    async append(at, added) {
      session.requireWriter()
      if (added.length === 0) return []
      const first = await takeNumbers(doors, 'events', added.length)
      const rows = added.map(({ type, subject, data, origin }, i) => ({
        seq: int(first + i),
        at: int(at),
        type,
        subject,
        data: JSON.stringify(data),
        origin: origin === undefined ? null : JSON.stringify(origin),
      }))
      await insertRows(doors, 'events', EVENTS, rows)
      return added.map(({ type, subject, data, origin }, i) => {
        const seq = first + i
        return { type, subject, data, seq, id: `evt_${seq}`, at, ...present('origin', origin) }
      })
    },
    async list(filter) {
      const page = () => {
        const query = after(filter.after, filter.limit)
        return filter.subject === undefined ? query : query.where('subject', '=', filter.subject)
      }
      const { types } = filter
      if (types === undefined) return (await page().execute()).map(eventOf)
      // A page of each type by its index: one filter over all types would walk through everything in between.
      const found: EventRow[] = []
      for (const type of new Set(types))
        found.push(...(await page().where('type', '=', type).execute()))
      return found
        .sort((a, b) => num(a.seq - b.seq))
        .slice(0, filter.limit)
        .map(eventOf)
    },
    head: () => newestNumber(doors, 'events'),
    async cursor(subscriber) {
      const query = db.selectFrom('cursors').select('seq').where('subscriber', '=', subscriber)
      const row = await query.executeTakeFirst()
      return row ? num(row.seq) : 0
    },
    async saveCursor(subscriber, seq) {
      session.requireWriter()
      const columns = { subscriber: 'text', seq: 'int' } as const
      const rows = [{ subscriber, seq: int(seq) }]
      await insertRows(doors, 'cursors', columns, rows, { replaceBy: ['subscriber'] })
    },
  }
}
