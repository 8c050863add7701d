import { sql } from 'kysely'
import type { WithdrawalFilter, WithdrawalRecord } from '../../capabilities/withdrawals/index.ts'
import { type Doors, int } from './doors.ts'
import { walletsOf } from './order-list.ts'
import { newestOf } from './runs.ts'
import type { WithdrawalRow } from './schema-payouts.ts'
import { withdrawalOf } from './withdrawal-rows.ts'

/** Ids within which all withdrawals of the asked time lie: lower inclusive, upper exclusive. */
interface Bounds {
  readonly from?: string
  readonly below?: string
}

/** The id of the first withdrawal made at `time` or later. Ids follow creation times, so ids bound times. */
async function firstFrom({ db }: Doors, time: number): Promise<string | undefined> {
  const query = db.selectFrom('withdrawals').select('id').where('created_at', '>=', int(time))
  return (await query.orderBy('created_at').orderBy('id').limit(1).executeTakeFirst())?.id
}

/** Undefined: none was made in that time. */
async function boundsOf(doors: Doors, filter: WithdrawalFilter): Promise<Bounds | undefined> {
  const { createdFrom, createdUntil, before } = filter
  const from = createdFrom === undefined ? undefined : await firstFrom(doors, createdFrom)
  if (createdFrom !== undefined && from === undefined) return undefined
  const until = createdUntil === undefined ? undefined : await firstFrom(doors, createdUntil)
  const [below] = [until, before].filter((id) => id !== undefined).sort()
  return { ...(from === undefined ? {} : { from }), ...(below === undefined ? {} : { below }) }
}

/** Newest first. Each wallet is a run of an index of its own; runs are merged, so none is read further than the page. */
export async function listWithdrawals(
  doors: Doors,
  filter: WithdrawalFilter,
): Promise<readonly WithdrawalRecord[]> {
  if (filter.limit <= 0) return []
  const bounds = await boundsOf(doors, filter)
  if (!bounds) return []
  const rows: WithdrawalRow[] = []
  for (const wallet of walletsOf(filter)) rows.push(...(await run(doors, filter, bounds, wallet)))
  return newestOf(rows, filter.limit).map(withdrawalOf)
}

type Column = 'wallet' | 'status' | 'customer' | 'user_id' | 'external_id' | 'address'

/** What leads to the rows, the narrowest first: its index is in the order of the list. The others are looked at row by row. */
const LEADING: readonly Column[] = ['external_id', 'address', 'user_id', 'customer']

/** Keeps a column out of the planner's sight, so that it takes the index that was chosen here. */
const hidden = (column: Column) => sql<string>`coalesce(${sql.ref(`withdrawals.${column}`)}, '')`

async function run(
  { db }: Doors,
  { status, customer, user, externalId, address, metadata, limit }: WithdrawalFilter,
  { from, below }: Bounds,
  wallet: string | undefined,
): Promise<readonly WithdrawalRow[]> {
  const asked: Readonly<Record<Column, string | undefined>> = {
    wallet,
    status,
    customer,
    user_id: user,
    external_id: externalId,
    address,
  }
  const leader = LEADING.find((column) => asked[column] !== undefined)
  // Wallet and status have an index of both.
  const leads = (column: Column) =>
    metadata === undefined &&
    (leader === undefined ? column === 'wallet' || column === 'status' : column === leader)
  let query = db.selectFrom('withdrawals').selectAll('withdrawals')
  for (const [column, value] of Object.entries(asked) as [Column, string | undefined][])
    if (value !== undefined)
      query = leads(column)
        ? query.where(`withdrawals.${column}`, '=', value)
        : query.where(hidden(column), '=', value)
  if (metadata === undefined) {
    if (from !== undefined) query = query.where('withdrawals.id', '>=', from)
    if (below !== undefined) query = query.where('withdrawals.id', '<', below)
    return query.orderBy('withdrawals.id', 'desc').limit(limit).execute()
  }
  let paired = query
    .innerJoin('withdrawal_metadata as pair', 'pair.withdrawal_id', 'withdrawals.id')
    .where('pair.key', '=', metadata.key)
    .where('pair.value', '=', metadata.value)
  if (from !== undefined) paired = paired.where('pair.withdrawal_id', '>=', from)
  if (below !== undefined) paired = paired.where('pair.withdrawal_id', '<', below)
  return paired.orderBy('pair.withdrawal_id', 'desc').limit(limit).execute()
}
