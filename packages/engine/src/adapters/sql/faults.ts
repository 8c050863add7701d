import { AssertionError, EngineError } from '../../kernel/index.ts'

/** The code that a driver or the operating system put on an error. */
export function codeOf(error: unknown): string {
  const code = typeof error === 'object' && error !== null && 'code' in error ? error.code : ''
  return typeof code === 'string' ? code : ''
}
const messageOf = (error: unknown): string =>
  error instanceof Error ? error.message : String(error)

export const unavailable = (
  error: unknown,
  details: Readonly<Record<string, string | boolean>> = {},
): EngineError<'STORE_UNAVAILABLE'> =>
  new EngineError('STORE_UNAVAILABLE', `the database did not do its work: ${messageOf(error)}`, {
    details: { driver_code: codeOf(error), ...details },
    cause: error,
  })

const conflict = (error: unknown, key: string): EngineError<'STORE_CONFLICT'> =>
  new EngineError('STORE_CONFLICT', 'a row with the same unique key exists', {
    details: { key },
    cause: error,
  })

const SQLITE_BUG = /^SQLITE_(ERROR|MISMATCH|RANGE|MISUSE|CONSTRAINT|TOOBIG|AUTH)/

/** What an error of better-sqlite3 means for a caller of the store. */
export function sqliteFault(error: unknown): Error {
  const code = codeOf(error)
  if (code === 'SQLITE_CONSTRAINT_UNIQUE' || code === 'SQLITE_CONSTRAINT_PRIMARYKEY')
    return conflict(error, messageOf(error).replace(/^.*failed: /, ''))
  if (SQLITE_BUG.test(code) || error instanceof RangeError)
    return new AssertionError(`SQLite refused a statement: ${messageOf(error)}`, { cause: error })
  return unavailable(error)
}

/** Another writer at this moment: waiting helps. */
export const isSqliteBusy = (error: unknown): boolean => /^SQLITE_(BUSY|LOCKED)/.test(codeOf(error))

/** An SQLSTATE says that the server understood and answered; without one the connection is of no use any more. */
export const isAnswered = (error: unknown): boolean => {
  const code = codeOf(error)
  return /^[0-9A-Z]{5}$/.test(code) && !/^(08|57P)/.test(code)
}
/** Two transactions stood in each other's way and the server ended this one: running it again helps. */
export const isSerialisation = (error: unknown): boolean => /^(40001|40P01)$/.test(codeOf(error))

/** What an error of pg means for a caller of the store. */
export function postgresFault(error: unknown): Error {
  const code = codeOf(error)
  if (!isAnswered(error)) return unavailable(error)
  if (code === '23505') {
    const key = typeof error === 'object' && error !== null && 'constraint' in error
    return conflict(error, key ? String(error.constraint) : '')
  }
  if (code === '22021' || code === '22P05')
    return new EngineError('FIELD_INVALID', 'a text holds a character that cannot be stored', {
      cause: error,
    })
  // Classes of mistakes in what we sent; everything else is the state of the server.
  if (/^(2[0-9]|42|44|0A)/.test(code))
    return new AssertionError(`PostgreSQL refused a statement: ${messageOf(error)}`, {
      cause: error,
    })
  return unavailable(error)
}
