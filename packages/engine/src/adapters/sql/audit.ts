import type { AuditEntry, AuditFilter, AuditRows } from '../../capabilities/audit/index.ts'
import { assert, fromHex, toHex } from '../../kernel/index.ts'
import { insertRows } from './batch.ts'
import { AUDIT } from './columns.ts'
import { lockNumber, takeNumbers } from './counters.ts'
import { type Doors, int, num } from './doors.ts'
import type { AuditRow } from './schema.ts'
import type { Session } from './session.ts'

/** The part before the first dot, by which an export of one area finds its index. */
const areaOf = (action: string): string => action.split('.', 1)[0] ?? ''

const rowOf = (entry: AuditEntry): AuditRow => ({
  number: int(entry.number),
  at: int(entry.at),
  actor: entry.actor,
  area: areaOf(entry.action),
  action: entry.action,
  subject: entry.subject,
  details: JSON.stringify(entry.details),
  previous: fromHex(entry.previous),
  hash: fromHex(entry.hash),
})
const entryOf = (row: AuditRow): AuditEntry => ({
  actor: row.actor,
  action: row.action,
  subject: row.subject,
  details: JSON.parse(row.details),
  number: num(row.number),
  at: num(row.at),
  previous: toHex(row.previous),
  hash: toHex(row.hash),
})

/** The newest entry of transactions that hold the trail: read once, although both doors need it. */
const heads = new WeakMap<Session, AuditEntry>()

async function lockedHead(doors: Doors): Promise<AuditEntry | undefined> {
  const number = await lockNumber(doors, 'audit')
  const known = heads.get(doors.session)
  if (number === 0 || known?.number === number) return known
  const head = await entryAt(doors, number)
  assert(head, `audit entry ${number} is missing`)
  heads.set(doors.session, head)
  return head
}

async function entryAt({ db }: Doors, number: number): Promise<AuditEntry | undefined> {
  const query = db.selectFrom('audit').selectAll().where('number', '=', int(number))
  const row = await query.executeTakeFirst()
  return row && entryOf(row)
}

export function auditRows(doors: Doors): AuditRows {
  const { session } = doors
  return {
    async lockHead() {
      session.requireWriter()
      const head = await lockedHead(doors)
      return head && { ...head, details: JSON.parse(JSON.stringify(head.details)) }
    },
    async insert(entries) {
      session.requireWriter()
      let newest = await lockedHead(doors)
      for (const entry of entries) {
        const follows = entry.number === (newest?.number ?? 0) + 1 && entry.at >= (newest?.at ?? 0)
        assert(follows, `audit entry ${entry.number} does not follow the newest`)
        newest = entry
      }
      if (entries.length === 0) return
      await takeNumbers(doors, 'audit', entries.length)
      await insertRows(doors, 'audit', AUDIT, entries.map(rowOf))
    },
    list: (filter) => listAudit(doors, filter),
  }
}

/** Number of the first entry at `time` or later. The trail's time never runs backwards, so numbers bound times. */
const firstFrom = async ({ db }: Doors, time: number): Promise<number> => {
  const query = db.selectFrom('audit').select('number').where('at', '>=', int(time))
  const row = await query.orderBy('at').orderBy('number').limit(1).executeTakeFirst()
  return row ? num(row.number) : Number.MAX_SAFE_INTEGER
}

async function listAudit(doors: Doors, filter: AuditFilter): Promise<readonly AuditEntry[]> {
  const { actor, subject, action, from, until, after = 0, before, newestFirst, limit } = filter
  const low = from === undefined ? 0 : await firstFrom(doors, from)
  let query = doors.db
    .selectFrom('audit')
    .selectAll()
    .where('number', '>', int(Math.max(after, low - 1)))
  if (until !== undefined) query = query.where('number', '<', int(await firstFrom(doors, until)))
  if (before !== undefined) query = query.where('number', '<', int(before))
  if (actor !== undefined) query = query.where('actor', '=', actor)
  if (subject !== undefined) query = query.where('subject', '=', subject)
  if (action?.endsWith('.')) {
    query = query.where('area', '=', areaOf(action))
    // `deposit.credit.` asks for less than its area.
    if (action.indexOf('.') !== action.length - 1)
      query = query.where('action', '>=', action).where('action', '<', `${action}\u{10FFFF}`)
  } else if (action !== undefined) query = query.where('action', '=', action)
  return (
    await query
      .orderBy('number', newestFirst === true ? 'desc' : 'asc')
      .limit(limit)
      .execute()
  ).map(entryOf)
}
