import type { DepositRows, OrderRecord } from '../../capabilities/deposits/index.ts'
import { assert, equalBytes } from '../../kernel/index.ts'
import { among, chunksOf, insertRows, lastOfEach, rowsOf, updateRows } from './batch.ts'
import { ORDER_METADATA, ORDER_PROGRESS, ORDERS } from './columns.ts'
import { type Doors, int } from './doors.ts'
import { listOrders } from './order-list.ts'
import { orderRecord, orderRow } from './order-rows.ts'
import type { OrderMetadataRow, OrderRow } from './schema.ts'

/** The pairs of an order as rows, so that a filter on one of them finds its index. */
const pairsOf = (order: OrderRecord): OrderMetadataRow[] =>
  Object.entries(order.metadata).map(([key, value]) => ({ key, value, order_id: order.id }))

const FIXED = (Object.keys(ORDERS) as (keyof OrderRow)[]).filter(
  (name) => !(name in ORDER_PROGRESS),
)
/** Whether nothing differs but what the chain and time change: then few columns and indexes have to be written. */
const isProgress = (before: OrderRow | undefined, after: OrderRow): boolean =>
  before !== undefined &&
  FIXED.every((name) => {
    const [a, b] = [before[name], after[name]]
    return a instanceof Uint8Array && b instanceof Uint8Array ? equalBytes(a, b) : a === b
  })

export function orderDoors(doors: Doors) {
  const { db, dialect, session } = doors
  const all = () => db.selectFrom('orders').selectAll()
  const oneWhere = async (column: 'id' | 'external_id', value: string) => {
    const query = () => all().where(column, '=', value)
    const [row] = await rowsOf(doors, `order by ${column}`, query, [value])
    return row && orderRecord(row)
  }
  const held = new Map<string, OrderRow>()
  return {
    async insertOrder(...orders) {
      session.requireWriter()
      await insertRows(doors, 'orders', ORDERS, orders.map(orderRow))
      await insertRows(doors, 'order_metadata', ORDER_METADATA, orders.flatMap(pairsOf))
    },
    order: (id) => oneWhere('id', id),
    orderByExternalId: (externalId) => oneWhere('external_id', externalId),
    async ordersByExternalIds(externalIds) {
      const found: OrderRow[] = []
      for (const chunk of chunksOf([...new Set(externalIds)]))
        found.push(
          ...(await all()
            .where(among(dialect, 'external_id', 'text', chunk))
            .execute()),
        )
      return found.map(orderRecord).sort((a, b) => (a.id < b.id ? -1 : 1))
    },
    async lockOrders(ids) {
      session.requireWriter()
      const found: OrderRow[] = []
      // Locked in order of id, chunk after chunk: two transactions with common orders wait, they do not deadlock.
      for (const chunk of chunksOf([...new Set<string>(ids)].sort())) {
        const query = all()
          .where(among(dialect, 'id', 'text', chunk))
          .orderBy('id')
        found.push(...(await (dialect.locksRows ? query.forUpdate() : query).execute()))
      }
      for (const row of found) held.set(row.id, row)
      return found.map(orderRecord)
    },
    async ordersByScripts(scripts) {
      const found: OrderRow[] = []
      for (const chunk of chunksOf(scripts))
        found.push(
          ...(await all()
            .where(among(dialect, 'script', 'bytes', chunk))
            .execute()),
        )
      return found.map(orderRecord).sort((a, b) => (a.id < b.id ? -1 : 1))
    },
    saveOrders: (orders) => saveOrders(doors, held, orders),
    listOrders: (filter) => listOrders(doors, filter),
    async dueOrders(now, limit) {
      const rows = await all()
        .where('due_at', '<=', int(now))
        .orderBy('due_at')
        .orderBy('id')
        .limit(limit)
        .execute()
      return rows.map(orderRecord)
    },
  } satisfies Partial<DepositRows>
}

/** @param held rows that this transaction has locked and not written since: nobody can have changed them */
async function saveOrders(
  doors: Doors,
  held: Map<string, OrderRow>,
  orders: readonly OrderRecord[],
): Promise<void> {
  doors.session.requireWriter()
  const progressed: OrderRow[] = []
  const edited: OrderRecord[] = []
  for (const order of lastOfEach(orders, ({ id }) => id)) {
    const row = orderRow(order)
    if (isProgress(held.get(row.id), row)) progressed.push(row)
    else edited.push(order)
    held.delete(row.id)
  }
  const changed = await updateRows(doors, 'orders', ORDER_PROGRESS, ['id'], progressed)
  assert(changed === BigInt(progressed.length), 'a locked order is gone')
  await saveMetadata(doors, edited)
  await insertRows(doors, 'orders', ORDERS, edited.map(orderRow), { replaceBy: ['id'] })
}

/** Rewrites the pairs of those orders whose metadata changed. @throws AssertionError when an order does not exist. */
async function saveMetadata(doors: Doors, orders: readonly OrderRecord[]): Promise<void> {
  const { db, dialect } = doors
  const stored = new Map<string, string>()
  for (const chunk of chunksOf(orders)) {
    const rows = await db
      .selectFrom('orders')
      .select(['id', 'metadata'])
      .where(
        among(
          dialect,
          'id',
          'text',
          chunk.map(({ id }) => id),
        ),
      )
      .execute()
    for (const { id, metadata } of rows) stored.set(id, metadata)
  }
  for (const { id } of orders) assert(stored.has(id), `no order ${id} to save`)
  const changed = orders.filter(({ id, metadata }) => stored.get(id) !== JSON.stringify(metadata))
  for (const chunk of chunksOf(changed)) {
    await db
      .deleteFrom('order_metadata')
      .where(
        among(
          dialect,
          'order_id',
          'text',
          chunk.map(({ id }) => id),
        ),
      )
      .execute()
    await insertRows(doors, 'order_metadata', ORDER_METADATA, chunk.flatMap(pairsOf))
  }
}
