import type { OrderFilter, OrderRecord } from '../../capabilities/deposits/index.ts'
import { type Doors, int } from './doors.ts'
import { orderRecord } from './order-rows.ts'
import type { OrderRow } from './schema.ts'

/** Ids within which all orders of the asked time lie: lower inclusive, upper exclusive. */
interface Bounds {
  readonly from?: string
  readonly below?: string
}

/** The id of the first order made at `time` or later. Ids follow creation times, so ids bound times. */
async function firstFrom({ db }: Doors, time: number): Promise<string | undefined> {
  const query = db.selectFrom('orders').select('id').where('created_at', '>=', int(time))
  return (await query.orderBy('created_at').orderBy('id').limit(1).executeTakeFirst())?.id
}

/** Undefined: no order was made in that time. */
async function boundsOf(doors: Doors, filter: OrderFilter): Promise<Bounds | undefined> {
  const { createdFrom, createdUntil, before } = filter
  const from = createdFrom === undefined ? undefined : await firstFrom(doors, createdFrom)
  if (createdFrom !== undefined && from === undefined) return undefined
  const until = createdUntil === undefined ? undefined : await firstFrom(doors, createdUntil)
  const uppers = [until, before].filter((id) => id !== undefined).sort()
  return {
    ...(from === undefined ? {} : { from }),
    ...(uppers[0] === undefined ? {} : { below: uppers[0] }),
  }
}

/** Newest first. Each wallet is a run of an index of its own; runs are merged, so none is read further than the page. */
export async function listOrders(
  doors: Doors,
  filter: OrderFilter,
): Promise<readonly OrderRecord[]> {
  const bounds = await boundsOf(doors, filter)
  if (!bounds || filter.limit <= 0) return []
  const rows: OrderRow[] = []
  for (const wallet of walletsOf(filter))
    rows.push(...(await run(doors, filter, bounds, wallet).execute()))
  return rows
    .sort((a, b) => (a.id < b.id ? 1 : -1))
    .slice(0, filter.limit)
    .map(orderRecord)
}

/** The wallets asked for, each once; `undefined` stands for all of them. */
export function walletsOf({
  wallet,
  wallets,
}: Pick<OrderFilter, 'wallet' | 'wallets'>): readonly (string | undefined)[] {
  if (wallets === undefined) return [wallet]
  const asked = new Set<string>(wallets)
  if (wallet === undefined) return [...asked]
  return asked.has(wallet) ? [wallet] : []
}

function run({ db }: Doors, filter: OrderFilter, bounds: Bounds, wallet: string | undefined) {
  const { status, customer, externalId, address, metadata, limit } = filter
  let query = db.selectFrom('orders').selectAll('orders')
  if (wallet !== undefined) query = query.where('orders.wallet', '=', wallet)
  if (status !== undefined) query = query.where('status', '=', status)
  if (customer !== undefined) query = query.where('customer', '=', customer)
  if (externalId !== undefined) query = query.where('external_id', '=', externalId)
  if (address !== undefined) query = query.where('address', '=', address)
  if (metadata === undefined) {
    if (bounds.from !== undefined) query = query.where('orders.id', '>=', bounds.from)
    if (bounds.below !== undefined) query = query.where('orders.id', '<', bounds.below)
    return query.orderBy('orders.id', 'desc').limit(limit)
  }
  // Led by the pair, in the order of its index: the page costs the orders that have it, not the orders there are.
  let paired = query
    .innerJoin('order_metadata as pair', 'pair.order_id', 'orders.id')
    .where('pair.key', '=', metadata.key)
    .where('pair.value', '=', metadata.value)
  if (bounds.from !== undefined) paired = paired.where('pair.order_id', '>=', bounds.from)
  if (bounds.below !== undefined) paired = paired.where('pair.order_id', '<', bounds.below)
  return paired.orderBy('pair.order_id', 'desc').limit(limit)
}
