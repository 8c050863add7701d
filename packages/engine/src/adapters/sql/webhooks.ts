import { sql } from 'kysely'
import type { WebhookMark, WebhookRows } from '../../capabilities/webhooks/index.ts'
import { parseDeliveryId } from '../../capabilities/webhooks/index.ts'
import { assert } from '../../kernel/index.ts'
import { among, insertRows } from './batch.ts'
import { WEBHOOK_DELIVERIES, WEBHOOKS } from './columns.ts'
import { type Doors, int, num } from './doors.ts'
import { deliveryOf, deliveryRow, interestOf, webhookOf, webhookRow } from './webhook-rows.ts'

/** How far events have been looked at for everybody; a row among the cursors of subscribers. */
const FED = '@webhooks'

export function webhookRows(doors: Doors): WebhookRows {
  const { db, session } = doors
  const all = () => db.selectFrom('webhooks').selectAll()
  return {
    async insert(webhook) {
      session.requireWriter()
      const row = { ...webhookRow(webhook), fence: 0n, leased_until: 0n }
      await insertRows(doors, 'webhooks', WEBHOOKS, [row])
    },
    async webhook(id) {
      const row = await all().where('id', '=', id).executeTakeFirst()
      return row && webhookOf(row)
    },
    async lock(id) {
      session.requireWriter()
      const row = await locked(doors, id)
      return row && webhookOf(row)
    },
    async save(webhook, leaseUntil) {
      session.requireWriter()
      const { id, ...values } = webhookRow(webhook)
      const lease = leaseUntil === undefined ? {} : { leased_until: int(leaseUntil) }
      const query = db
        .updateTable('webhooks')
        .set({ ...values, ...lease })
        .where('id', '=', id)
      const { numUpdatedRows } = await query.executeTakeFirst()
      assert(numUpdatedRows === 1n, `no webhook ${id} to save`)
    },
    async list({ status, createdBy, before, limit }) {
      let query = all()
      if (status !== undefined) query = query.where('status', '=', status)
      // Word for word the condition of the index `webhooks_alive`.
      else query = query.where(sql<boolean>`status <> 'removed'`)
      if (createdBy !== undefined) query = query.where('created_by', '=', createdBy)
      if (before !== undefined) query = query.where('id', '<', before)
      const rows = await query.orderBy('id', 'desc').limit(limit).execute()
      return rows.filter((row) => row.status !== 'removed').map(webhookOf)
    },
    async interests(after = '', limit) {
      const query = db.selectFrom('webhooks').select(['id', 'event_types', 'visible'])
      const active = query.where('status', '=', 'active').where('id', '>', after)
      return (await active.orderBy('id').limit(limit).execute()).map(interestOf)
    },
    ...feedDoors(doors),
    ...leaseDoors(doors),
    ...logDoors(doors),
  }
}

/** One row, and nobody else writes it until the commit. */
const locked = ({ db, dialect }: Doors, id: string) => {
  const query = db.selectFrom('webhooks').selectAll().where('id', '=', id)
  return (dialect.locksRows ? query.forUpdate() : query).executeTakeFirst()
}

function feedDoors(doors: Doors): Pick<WebhookRows, 'fed' | 'saveFed' | 'mark'> {
  const { db, session } = doors
  return {
    async fed() {
      const query = db.selectFrom('cursors').select('seq').where('subscriber', '=', FED)
      const row = await query.executeTakeFirst()
      return row ? num(row.seq) : 0
    },
    async saveFed(seq) {
      session.requireWriter()
      await sql`insert into cursors (subscriber, seq) values (${FED}, ${int(seq)})
        on conflict (subscriber) do update set seq =
          case when cursors.seq < excluded.seq then excluded.seq else cursors.seq end`.execute(db)
    },
    async mark(at, marks) {
      session.requireWriter()
      if (marks.length > 0) await mark(doors, at, marks)
    },
  }
}

async function mark({ db, dialect }: Doors, at: number, marks: readonly WebhookMark[]) {
  if (dialect.locksRows) {
    const ids = marks.map(({ id }) => id)
    // In one order for everybody, so that two who mark the same ones do not wait for each other.
    const query = db
      .selectFrom('webhooks')
      .select('id')
      .where(among(dialect, 'id', 'text', ids))
    await query.orderBy('id').forUpdate().execute()
  }
  const given = dialect.select(
    [
      ['id', 'text'],
      ['first', 'int'],
      ['last', 'int'],
    ],
    marks.map(({ id, first, last }) => [id, int(first), int(last)]),
  )
  await sql`update webhooks set next_attempt_at = ${int(at)},
      cursor = case when webhooks.cursor < fresh.first - 1 then fresh.first - 1 else webhooks.cursor end
    from (${given}) as fresh
    where webhooks.id = fresh.id and webhooks.status = 'active'
      and webhooks.next_attempt_at is null and webhooks.cursor < fresh.last`.execute(db)
}

function leaseDoors(
  doors: Doors,
): Pick<WebhookRows, 'due' | 'nextDue' | 'claim' | 'lockLeased' | 'slowest'> {
  const { db, session } = doors
  /** Word for word the condition of the index `webhooks_due`. */
  const waiting = () => db.selectFrom('webhooks').where('next_attempt_at', 'is not', null)
  const free = (at: number) => waiting().where('leased_until', '<=', int(at))
  return {
    async due(at, limit) {
      const query = free(at).select('id').where('next_attempt_at', '<=', int(at))
      const rows = await query.orderBy('next_attempt_at').orderBy('id').limit(limit).execute()
      return rows.map(({ id }) => id)
    },
    async nextDue(at) {
      const query = free(at).select('next_attempt_at')
      const row = await query.orderBy('next_attempt_at').orderBy('id').limit(1).executeTakeFirst()
      return row?.next_attempt_at == null ? undefined : num(row.next_attempt_at)
    },
    async claim(id, at, until) {
      session.requireWriter()
      const row = await locked(doors, id)
      if (row?.status !== 'active' || num(row.leased_until) > at) return undefined
      if (row.next_attempt_at === null || num(row.next_attempt_at) > at) return undefined
      const fence = row.fence + 1n
      const query = db.updateTable('webhooks').set({ fence, leased_until: int(until) })
      await query.where('id', '=', id).execute()
      return { webhook: webhookOf(row), lease: { fence: num(fence), until } }
    },
    async lockLeased(id, fence) {
      session.requireWriter()
      const row = await locked(doors, id)
      return row?.fence === int(fence) ? webhookOf(row) : undefined
    },
    async slowest() {
      const query = waiting().select(['id', 'cursor'])
      const row = await query.orderBy('cursor').orderBy('id').limit(1).executeTakeFirst()
      return row && { id: row.id, cursor: num(row.cursor) }
    },
  }
}

type LogDoors = 'log' | 'delivery' | 'deliveries' | 'forgetUpTo' | 'forgetBefore'

function logDoors(doors: Doors): Pick<WebhookRows, LogDoors> {
  const { db, session } = doors
  const all = () => db.selectFrom('webhook_deliveries').selectAll()
  return {
    async log(delivery) {
      session.requireWriter()
      await insertRows(doors, 'webhook_deliveries', WEBHOOK_DELIVERIES, [deliveryRow(delivery)])
    },
    async delivery(id) {
      const place = parseDeliveryId(id)
      if (!place) return undefined
      const query = all().where('webhook', '=', place.webhook)
      const row = await query.where('number', '=', int(place.number)).executeTakeFirst()
      return row && deliveryOf(row)
    },
    async deliveries({ webhook, before, limit }) {
      let query = all().where('webhook', '=', webhook)
      if (before !== undefined) query = query.where('number', '<', int(before))
      return (await query.orderBy('number', 'desc').limit(limit).execute()).map(deliveryOf)
    },
    async forgetUpTo(webhook, number) {
      session.requireWriter()
      const query = db.deleteFrom('webhook_deliveries').where('webhook', '=', webhook)
      await query.where('number', '<=', int(number)).execute()
    },
    async forgetBefore(at, limit) {
      session.requireWriter()
      const { numAffectedRows } = await sql`delete from webhook_deliveries
        where (webhook, number) in (select webhook, number from webhook_deliveries
          where at < ${int(at)} order by at, webhook, number limit ${int(limit)})`.execute(db)
      return num(numAffectedRows ?? 0n)
    },
  }
}
