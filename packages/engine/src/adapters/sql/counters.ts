import { AssertionError, assert } from '../../kernel/index.ts'
import { type Doors, num } from './doors.ts'
import type { Session } from './session.ts'

export type CounterName = 'events' | 'audit' | 'ledger' | 'alerts' | 'addresses' | 'facts'

/** Transactions that hold every counter. */
const complete = new WeakSet<Session>()

/**
 * Locks every counter in order of name, unless the transaction has them. Whoever takes one of them usually takes others
 * soon, each in an order of its own; so two transactions that need the same two never wait for each other.
 * `addresses` comes first by name and may be taken alone: new scripts are stored long before anything is told.
 */
async function lockAll({ db, session }: Doors): Promise<void> {
  if (complete.has(session)) return
  await db.selectFrom('counters').select('name').orderBy('name').forUpdate().execute()
  complete.add(session)
}

/**
 * Takes `count` numbers and answers the first. The row stays locked until the commit, so numbers are dense and in commit
 * order: a rollback gives them back, and nobody sees number 7 before number 6.
 */
export async function takeNumbers(doors: Doors, name: CounterName, count: number): Promise<number> {
  const { db, dialect } = doors
  if (dialect.locksRows && name !== 'addresses') await lockAll(doors)
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
export async function lockNumber(doors: Doors, name: CounterName): Promise<number> {
  assert(name !== 'addresses', 'it is locked by taking numbers of it')
  if (doors.dialect.locksRows) await lockAll(doors)
  return newestNumber(doors, name)
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
