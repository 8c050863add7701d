import type { ChainHeader, ChainRows } from '../../capabilities/chain/index.ts'
import { assert, blockHash, fromHex, toHex } from '../../kernel/index.ts'
import { among, insertRows } from './batch.ts'
import { HEADERS } from './columns.ts'
import { type Doors, int, num } from './doors.ts'
import type { HeaderRow } from './schema.ts'

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
    const query = db.selectFrom('headers').selectAll().orderBy('height', direction).limit(1)
    const row = await query.executeTakeFirst()
    return row && headerOf(row)
  }
  const insert = (headers: readonly ChainHeader[]) =>
    insertRows(doors, 'headers', HEADERS, headers.map(rowOf))
  return {
    tip: () => end('desc'),
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
      const columns = { key: 'text', value: 'text' } as const
      await insertRows(doors, 'memos', columns, [{ key, value }], { replaceBy: ['key'] })
    },
  }
}
