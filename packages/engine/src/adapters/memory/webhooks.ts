import {
  type DeliveryRecord,
  parseDeliveryId,
  type WebhookLease,
  type WebhookRecord,
  type WebhookRows,
} from '../../capabilities/webhooks/index.ts'
import { assert } from '../../kernel/index.ts'
import type { Session } from './session.ts'
import { firstOf, SortedIndex, Table, takeWhile } from './table.ts'

interface Row {
  readonly webhook: WebhookRecord
  readonly lease: WebhookLease
}
interface Fed {
  readonly seq: number
}
const deliveryKey = (webhook: string, number: number) => `${webhook}/${number}`

export function webhookTables() {
  const byId = new SortedIndex<Row>(({ webhook }) => [webhook.id])
  const due = new SortedIndex<Row>(({ webhook: { nextAttemptAt, id } }) =>
    nextAttemptAt === undefined ? undefined : [nextAttemptAt, id],
  )
  const behind = new SortedIndex<Row>(({ webhook: { nextAttemptAt, cursor, id } }) =>
    nextAttemptAt === undefined ? undefined : [cursor, id],
  )
  const byNumber = new SortedIndex<DeliveryRecord>((row) => [row.webhook, row.number])
  const byTime = new SortedIndex<DeliveryRecord>((row) => [row.at, row.webhook, row.number])
  return {
    byId,
    due,
    behind,
    webhooks: new Table<Row>('webhooks', (row) => row.webhook.id, [byId, due, behind]),
    byNumber,
    byTime,
    deliveries: new Table<DeliveryRecord>(
      'webhook_deliveries',
      (row) => deliveryKey(row.webhook, row.number),
      [byNumber, byTime],
    ),
    fed: new Table<Fed>('fed', () => 'fed'),
  }
}
type Tables = ReturnType<typeof webhookTables>

export function webhookRows(tables: Tables, session: Session): WebhookRows {
  const { webhooks, byId } = tables
  return {
    insert: async (webhook) => webhooks.insert(session, { webhook, lease: { fence: 0, until: 0 } }),
    webhook: async (id) => webhooks.get(id)?.webhook,
    lock: async (id) => {
      session.requireWriter()
      return webhooks.get(id)?.webhook
    },
    save: async (webhook, leaseUntil) => {
      const row = webhooks.get(webhook.id)
      assert(row, `no webhook ${webhook.id} to save`)
      const until = leaseUntil ?? row.lease.until
      webhooks.put(session, { webhook, lease: { ...row.lease, until } })
    },
    list: async ({ status, createdBy, before, limit }) =>
      firstOf(
        webhooks.rows(byId.descending(before === undefined ? undefined : [before])),
        limit,
        ({ webhook }) =>
          webhook.status !== 'removed' &&
          (status === undefined || webhook.status === status) &&
          (createdBy === undefined || webhook.createdBy === createdBy),
      ).map(({ webhook }) => webhook),
    interests: async (after, limit) =>
      firstOf(
        webhooks.rows(byId.ascending(after === undefined ? undefined : [after])),
        limit,
        ({ webhook }) => webhook.status === 'active',
      ).map(({ webhook: { id, eventTypes, grant } }) => ({ id, eventTypes, grant })),
    ...feedDoors(tables, session),
    ...leaseDoors(tables, session),
    ...logDoors(tables, session),
  }
}

const feedDoors = (
  { webhooks, fed }: Tables,
  session: Session,
): Pick<WebhookRows, 'fed' | 'saveFed' | 'mark'> => ({
  fed: async () => fed.get('fed')?.seq ?? 0,
  saveFed: async (seq) => fed.put(session, { seq: Math.max(seq, fed.get('fed')?.seq ?? 0) }),
  mark: async (at, marks) => {
    session.requireWriter()
    for (const { id, first, last } of marks) {
      const row = webhooks.get(id)
      if (row?.webhook.status !== 'active') continue
      const { nextAttemptAt, cursor } = row.webhook
      if (nextAttemptAt !== undefined || cursor >= last) continue
      const webhook = { ...row.webhook, nextAttemptAt: at, cursor: Math.max(cursor, first - 1) }
      webhooks.put(session, { ...row, webhook })
    }
  },
})

const leaseDoors = (
  { webhooks, due, behind }: Tables,
  session: Session,
): Pick<WebhookRows, 'due' | 'nextDue' | 'claim' | 'lockLeased' | 'slowest'> => ({
  due: async (at, limit) =>
    firstOf(
      takeWhile(
        webhooks.rows(due.ascending()),
        ({ webhook }) => (webhook.nextAttemptAt ?? 0) <= at,
      ),
      limit,
      ({ lease }) => lease.until <= at,
    ).map(({ webhook }) => webhook.id),
  nextDue: async (at) =>
    firstOf(webhooks.rows(due.ascending()), 1, ({ lease }) => lease.until <= at)[0]?.webhook
      .nextAttemptAt,
  claim: async (id, at, until) => {
    session.requireWriter()
    const row = webhooks.get(id)
    if (row?.webhook.status !== 'active' || row.lease.until > at) return undefined
    if (row.webhook.nextAttemptAt === undefined || row.webhook.nextAttemptAt > at) return undefined
    const claimed = { ...row, lease: { fence: row.lease.fence + 1, until } }
    webhooks.put(session, claimed)
    return claimed
  },
  lockLeased: async (id, fence) => {
    session.requireWriter()
    const row = webhooks.get(id)
    return row?.lease.fence === fence ? row.webhook : undefined
  },
  slowest: async () => {
    const [row] = firstOf(webhooks.rows(behind.ascending()), 1)
    return row && { id: row.webhook.id, cursor: row.webhook.cursor }
  },
})

type LogDoors = 'log' | 'delivery' | 'deliveries' | 'forgetUpTo' | 'forgetBefore'

const logDoors = (
  { deliveries, byNumber, byTime }: Tables,
  session: Session,
): Pick<WebhookRows, LogDoors> => {
  const forget = (rows: Iterable<DeliveryRecord>) => {
    const keys = [...rows].map((row) => deliveryKey(row.webhook, row.number))
    for (const key of keys) deliveries.remove(session, key)
    return keys.length
  }
  return {
    log: async (delivery) => deliveries.insert(session, delivery),
    delivery: async (id) => {
      const place = parseDeliveryId(id)
      return place && deliveries.get(deliveryKey(place.webhook, place.number))
    },
    deliveries: async ({ webhook, before, limit }) =>
      firstOf(
        takeWhile(
          deliveries.rows(byNumber.descending([webhook, before ?? Number.MAX_SAFE_INTEGER])),
          (row) => row.webhook === webhook,
        ),
        limit,
      ),
    forgetUpTo: async (webhook, number) => {
      session.requireWriter()
      const from = deliveries.rows(byNumber.ascending([webhook, 0]))
      forget(takeWhile(from, (row) => row.webhook === webhook && row.number <= number))
    },
    forgetBefore: async (at, limit) => {
      session.requireWriter()
      const old = takeWhile(deliveries.rows(byTime.ascending()), (row) => row.at < at)
      return forget(firstOf(old, limit))
    },
  }
}
