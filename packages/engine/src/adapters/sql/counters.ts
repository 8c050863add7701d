import { AssertionError, assert } from '../../kernel/index.ts'
import { type Doors, num } from './doors.ts'
import type { Session } from './session.ts'

export type CounterName = 'events' | 'audit' | 'ledger' | 'alerts' | 'addresses' | 'facts'

type Values = Map<string, number>
/** Transactions that hold every counter, with the values: nobody else can change them until the commit. */
const held = new WeakMap<Session, Values>()

/**
 * Locks every counter in order of name, unless the transaction has them. Whoever takes one of them usually takes others
 * soon, each in an order of its own; so two transactions that need the same two never wait for each other.
 * `addresses` comes first by name and may be taken alone: new scripts are stored long before anything is told.
 */
async function lockAll({ db, session }: Doors): Promise<Values> {
  const known = held.get(session)
  if (known) return known
  const query = db.selectFrom('counters').select(['name', 'value']).orderBy('name').forUpdate()
  const values = new Map((await query.execute()).map(({ name, value }) => [name, num(value)]))
  held.set(session, values)
  return values
}

/**
 * Takes `count` numbers and answers the first. The row stays locked until the commit, so numbers are dense and in commit
 * order: a rollback gives them back, and nobody sees number 7 before number 6.
 */
export async function takeNumbers(doors: Doors, name: CounterName, count: number): Promise<number> {
  const { db, dialect, session } = doors
  if (dialect.locksRows && name !== 'addresses') await lockAll(doors)
  const row = await db
    .updateTable('counters')
    .set((eb) => ({ value: eb('value', '+', BigInt(count)) }))
    .where('name', '=', name)
    .returning('value')
    .executeTakeFirst()
  if (!row) throw new AssertionError(`no counter ${name}`)
  const newest = num(row.value)
  held.get(session)?.set(name, newest)
  return newest - count + 1
}

/** The newest number, with the row locked until the commit. */
export async function lockNumber(doors: Doors, name: CounterName): Promise<number> {
  assert(name !== 'addresses', 'it is locked by taking numbers of it')
  if (!doors.dialect.locksRows) return newestNumber(doors, name)
  const value = (await lockAll(doors)).get(name)
  assert(value !== undefined, `no counter ${name}`)
  return value
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
