import type { ChainHeader, ChainRows } from '../../capabilities/chain/index.ts'
import { assert, blockHash, fromHex, toHex } from '../../kernel/index.ts'
import { among, insertRows, rowsOf } from './batch.ts'
import { HEADERS } from './columns.ts'
import { type Doors, int, num } from './doors.ts'
import type { HeaderRow } from './schema.ts'

/** The row that stands for the cursor among the locks; its value says nothing. */
const CURSOR = 'cursor'

const rowOf = (header: ChainHeader): HeaderRow => ({
  height: int(header.height),
  hash: fromHex(header.hash),
  prev: fromHex(header.prev),
  time: int(header.time),
})
const headerOf = (row: HeaderRow): ChainHeader => ({
  height: num(row.height),
  hash: blockHash(toHex(row.hash)),
  prev: blockHash(toHex(row.prev)),
  time: num(row.time),
})

/** @throws AssertionError unless each header extends the one before it. */
function requireLinks(headers: readonly (ChainHeader | undefined)[]): void {
  let lower: ChainHeader | undefined
  for (const header of headers) {
    if (!header) continue
    assert(
      !lower || (header.height === lower.height + 1 && header.prev === lower.hash),
      `header ${header.height} does not extend header ${lower?.height}`,
    )
    lower = header
  }
}

export function chainRows(doors: Doors): ChainRows {
  const { db, dialect, session } = doors
  const end = async (direction: 'asc' | 'desc') => {
    const query = () => db.selectFrom('headers').selectAll().orderBy('height', direction).limit(1)
    const [row] = await rowsOf(doors, `${direction} header`, query, [1])
    return row && headerOf(row)
  }
  const insert = (headers: readonly ChainHeader[]) =>
    insertRows(doors, 'headers', HEADERS, headers.map(rowOf))
  const takeCursor = async () => {
    const query = db.selectFrom('memos').select('key').where('key', '=', CURSOR).forUpdate()
    return (await query.executeTakeFirst()) !== undefined
  }
  const memoColumns = { key: 'text', value: 'text' } as const
  return {
    tip: () => end('desc'),
    async lockCursor() {
      session.requireWriter()
      if (dialect.locksRows && !(await takeCursor())) {
        // The first transaction ever makes the row; whoever makes it at the same moment waits here.
        await insertRows(doors, 'memos', memoColumns, [{ key: CURSOR, value: '' }], 'keep')
        assert(await takeCursor(), 'the row of the cursor is missing')
      }
      // A statement of its own, so that it sees what the one who had the lock before has committed.
      return end('desc')
    },
    base: () => end('asc'),
    async headerAt(height) {
      const query = db.selectFrom('headers').selectAll().where('height', '=', int(height))
      const row = await query.executeTakeFirst()
      return row && headerOf(row)
    },
    async headersAt(heights) {
      if (heights.length === 0) return []
      const rows = await db
        .selectFrom('headers')
        .selectAll()
        .where(among(dialect, 'height', 'int', heights.map(int)))
        .execute()
      return rows.map(headerOf)
    },
    async append(headers) {
      session.requireWriter()
      if (headers.length === 0) return
      requireLinks([await end('desc'), ...headers])
      await insert(headers)
    },
    async truncateTo(height) {
      session.requireWriter()
      await db.deleteFrom('headers').where('height', '>', int(height)).execute()
    },
    async prepend(headers) {
      session.requireWriter()
      if (headers.length === 0) return
      requireLinks([...headers, await end('asc')])
      await insert(headers)
    },
    async memo(key) {
      const query = db.selectFrom('memos').select('value').where('key', '=', key)
      return (await query.executeTakeFirst())?.value
    },
    async saveMemo(key, value) {
      session.requireWriter()
      await insertRows(doors, 'memos', memoColumns, [{ key, value }], { replaceBy: ['key'] })
    },
  }
}
