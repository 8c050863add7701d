import type { DepositRows, OrderFilter, OrderRecord } from '../../capabilities/deposits/index.ts'
import { assert, toHex } from '../../kernel/index.ts'
import type { Session } from './session.ts'
import { firstOf, SortedIndex, Table, UniqueIndex } from './table.ts'

const isDue = (row: OrderRecord): boolean =>
  row.expiresAt !== undefined &&
  row.expiredAt === undefined &&
  row.cancelledAt === undefined &&
  row.settled === undefined

export function orderTables() {
  const byExternalId = new UniqueIndex<OrderRecord>('external id', (row) => row.externalId)
  const byScript = new UniqueIndex<OrderRecord>('script', (row) => toHex(row.script))
  const byId = new SortedIndex<OrderRecord>((row) => [row.id])
  const byExpiry = new SortedIndex<OrderRecord>((row) =>
    isDue(row) ? [row.expiresAt ?? 0, row.id] : undefined,
  )
  const indexes = [byExternalId, byScript, byId, byExpiry]
  return {
    byExternalId,
    byScript,
    byId,
    byExpiry,
    orders: new Table<OrderRecord>('orders', (row) => row.id, indexes),
  }
}

const matches =
  (filter: OrderFilter) =>
  (row: OrderRecord): boolean =>
    (filter.wallet === undefined || row.wallet === filter.wallet) &&
    (filter.wallets === undefined || filter.wallets.includes(row.wallet)) &&
    (filter.externalId === undefined || row.externalId === filter.externalId) &&
    (filter.status === undefined || row.state.status === filter.status) &&
    (filter.customer === undefined || row.customer === filter.customer) &&
    (filter.address === undefined || row.address === filter.address) &&
    (filter.metadata === undefined ||
      (Object.hasOwn(row.metadata, filter.metadata.key) &&
        row.metadata[filter.metadata.key] === filter.metadata.value)) &&
    (filter.createdFrom === undefined || row.createdAt >= filter.createdFrom) &&
    (filter.createdUntil === undefined || row.createdAt < filter.createdUntil)

export function orderDoors(
  { orders, byExternalId, byScript, byId, byExpiry }: ReturnType<typeof orderTables>,
  session: Session,
) {
  const inIdOrder = (keys: Iterable<string>) =>
    [...orders.rows([...new Set(keys)])].sort((a, b) => (a.id < b.id ? -1 : 1))
  return {
    insertOrder: async (...added) => {
      for (const order of added) orders.insert(session, order)
    },
    order: async (id) => orders.get(id),
    orderByExternalId: async (externalId) => orders.get(byExternalId.key(externalId) ?? ''),
    ordersByExternalIds: async (ids) => inIdOrder(ids.flatMap((id) => byExternalId.key(id) ?? [])),
    lockOrders: async (ids) => {
      session.requireWriter()
      return inIdOrder(ids)
    },
    ordersByScripts: async (scripts) =>
      inIdOrder(scripts.flatMap((script) => byScript.key(toHex(script)) ?? [])),
    saveOrders: async (rows) => {
      for (const row of rows) assert(orders.has(row.id), `no order ${row.id} to save`)
      for (const row of rows) orders.put(session, row)
    },
    listOrders: async (filter) =>
      firstOf(
        orders.rows(byId.descending(filter.before === undefined ? undefined : [filter.before])),
        filter.limit,
        matches(filter),
      ),
    dueOrders: async (now, limit) => {
      const due: OrderRecord[] = []
      for (const row of orders.rows(byExpiry.ascending())) {
        if (due.length >= limit || (row.expiresAt ?? 0) > now) break
        due.push(row)
      }
      return due
    },
  } satisfies Partial<DepositRows>
}
