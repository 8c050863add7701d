import type { EngineEvent, EventRows } from '../../capabilities/events/index.ts'
import type { Session } from './session.ts'
import { Counter, firstOf, GroupIndex, SortedIndex, Table } from './table.ts'

interface Cursor {
  readonly subscriber: string
  readonly seq: number
}

export function eventTables() {
  const bySeq = new SortedIndex<EngineEvent>((row) => [row.seq])
  const bySubject = new GroupIndex<EngineEvent>((row) => [row.subject])
  return {
    bySeq,
    bySubject,
    events: new Table<EngineEvent>('events', (row) => String(row.seq), [bySeq, bySubject]),
    cursors: new Table<Cursor>('cursors', (row) => row.subscriber),
    seq: new Counter(),
  }
}

export function eventRows(
  { bySeq, bySubject, events, cursors, seq }: ReturnType<typeof eventTables>,
  session: Session,
): EventRows {
  return {
    append: async (at, added) => {
      session.requireWriter()
      return added.map((event) => {
        const number = seq.next(session)
        const row: EngineEvent = { ...event, seq: number, id: `evt_${number}`, at }
        events.put(session, row)
        return row
      })
    },
    list: async ({ after, limit, subject, types }) =>
      firstOf(
        events.rows(
          subject === undefined
            ? bySeq.ascending([after])
            : [...bySubject.keys(subject)]
                .filter((key) => Number(key) > after)
                .sort((a, b) => Number(a) - Number(b)),
        ),
        limit,
        (row) => types === undefined || types.includes(row.type),
      ),
    head: async () => seq.value,
    cursor: async (subscriber) => cursors.get(subscriber)?.seq ?? 0,
    saveCursor: async (subscriber, at) => cursors.put(session, { subscriber, seq: at }),
  }
}
