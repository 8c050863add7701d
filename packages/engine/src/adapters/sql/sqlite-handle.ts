import type { Execute } from './connection.ts'
import type { SqliteDatabase, SqliteStatement } from './drivers.ts'
import { sqliteFault } from './faults.ts'

/** Statements kept prepared for each connection. */
const PREPARED = 500

/** Runs statements on a handle: 64-bit integers both ways, prepared once. */
export function executeOn(database: SqliteDatabase): Execute {
  const prepared = new Map<string, SqliteStatement>()
  const prepare = (text: string): SqliteStatement => {
    const known = prepared.get(text)
    if (known) return known
    const statement = database.prepare(text)
    statement.safeIntegers(true)
    if (prepared.size >= PREPARED) prepared.clear()
    prepared.set(text, statement)
    return statement
  }
  return async (text, parameters) => {
    const values = parameters.map((value) => (typeof value === 'number' ? BigInt(value) : value))
    try {
      const statement = prepare(text)
      if (statement.reader) return { rows: statement.all(values), changed: 0n }
      return { rows: [], changed: BigInt(statement.run(values).changes) }
    } catch (error) {
      throw sqliteFault(error)
    }
  }
}
