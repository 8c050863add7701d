import { AssertionError } from '../../kernel/index.ts'
import { type Doors, num } from './doors.ts'

export type CounterName = 'events' | 'audit' | 'ledger' | 'alerts' | 'addresses' | 'facts'

/**
 * Takes `count` numbers and answers the first. The row stays locked until the commit, so numbers are dense and in commit
 * order: a rollback gives them back, and nobody sees number 7 before number 6.
 */
export async function takeNumbers(
  { db }: Doors,
  name: CounterName,
  count: number,
): Promise<number> {
  const row = await db
    .updateTable('counters')
    .set((eb) => ({ value: eb('value', '+', BigInt(count)) }))
    .where('name', '=', name)
    .returning('value')
    .executeTakeFirst()
  if (!row) throw new AssertionError(`no counter ${name}`)
  return num(row.value) - count + 1
}

/** The newest number, with the row locked until the commit. */
export async function lockNumber({ db, dialect }: Doors, name: CounterName): Promise<number> {
  let query = db.selectFrom('counters').select('value').where('name', '=', name)
  if (dialect.locksRows) query = query.forUpdate()
  const row = await query.executeTakeFirst()
  if (!row) throw new AssertionError(`no counter ${name}`)
  return num(row.value)
}

/** The newest number that is committed, or taken in this transaction. */
export async function newestNumber({ db }: Doors, name: CounterName): Promise<number> {
  const row = await db
    .selectFrom('counters')
    .select('value')
    .where('name', '=', name)
    .executeTakeFirst()
  if (!row) throw new AssertionError(`no counter ${name}`)
  return num(row.value)
}
