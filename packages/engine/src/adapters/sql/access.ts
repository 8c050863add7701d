import { sql } from 'kysely'
import {
  type AccessRows,
  type ApiKeyRecord,
  adminUntilOf,
  type KeyUse,
} from '../../capabilities/access/index.ts'
import { assert, fromHex, toHex } from '../../kernel/index.ts'
import { among, insertRows, rowsOf } from './batch.ts'
import { API_KEYS } from './columns.ts'
import { type Doors, int, maybeInt, num, present } from './doors.ts'
import type { ApiKeyRow } from './schema.ts'

/** A key that may do everything for ever, as an integer: later than any time. */
const EVER = BigInt(Number.MAX_SAFE_INTEGER)

const listText = (list: readonly string[] | undefined): string | null =>
  list === undefined ? null : JSON.stringify(list)
const listOf = (text: string | null): never[] | null => (text === null ? null : JSON.parse(text))
const time = (value: bigint | null): number | null => (value === null ? null : num(value))

function adminUntil(key: ApiKeyRecord): bigint | null {
  const until = adminUntilOf(key)
  if (until === undefined) return null
  return Number.isFinite(until) ? int(until) : EVER
}
const rowOf = (key: ApiKeyRecord): ApiKeyRow => ({
  id: key.id,
  name: key.name,
  mode: key.mode,
  scopes: JSON.stringify(key.scopes),
  wallets: listText(key.wallets),
  addresses: listText(key.addresses),
  metadata: JSON.stringify(key.metadata),
  hint: key.hint,
  hash: fromHex(key.hash),
  created_at: int(key.createdAt),
  created_by: key.createdBy,
  expires_at: maybeInt(key.expiresAt),
  revoked_at: maybeInt(key.revokedAt),
  last_used_at: maybeInt(key.lastUsedAt),
  last_used_from: key.lastUsedFrom ?? null,
  admin_until: adminUntil(key),
})
const keyOf = (row: ApiKeyRow): ApiKeyRecord => ({
  id: row.id,
  name: row.name,
  mode: row.mode as ApiKeyRecord['mode'],
  scopes: JSON.parse(row.scopes),
  ...present('wallets', listOf(row.wallets)),
  ...present('addresses', listOf(row.addresses)),
  metadata: JSON.parse(row.metadata),
  hint: row.hint,
  hash: toHex(row.hash),
  createdAt: num(row.created_at),
  createdBy: row.created_by,
  ...present('expiresAt', time(row.expires_at)),
  ...present('revokedAt', time(row.revoked_at)),
  ...present('lastUsedAt', time(row.last_used_at)),
  ...present('lastUsedFrom', row.last_used_from),
})

export function accessRows(doors: Doors): AccessRows {
  const { db, dialect, session } = doors
  const all = () => db.selectFrom('api_keys').selectAll()
  return {
    async insert(key) {
      session.requireWriter()
      await insertRows(doors, 'api_keys', API_KEYS, [rowOf(key)])
    },
    async key(id) {
      const row = await all().where('id', '=', id).executeTakeFirst()
      return row && keyOf(row)
    },
    async byHashes(hashes) {
      const bytes = hashes.map((hash) => [fromHex(hash)])
      const query = () => all().where(among(dialect, 'hash', 'bytes', []))
      const parameters = dialect.parameters([['hash', 'bytes']], bytes)
      return (await rowsOf(doors, 'keys by hash', query, parameters)).map(keyOf)
    },
    async save(key) {
      session.requireWriter()
      const { id, last_used_at: _, last_used_from: __, ...values } = rowOf(key)
      const query = db.updateTable('api_keys').set(values).where('id', '=', id)
      const { numUpdatedRows } = await query.executeTakeFirst()
      assert(numUpdatedRows === 1n, `no key ${id} to save`)
    },
    async list({ before, limit }) {
      const query = before === undefined ? all() : all().where('id', '<', before)
      return (await query.orderBy('id', 'desc').limit(limit).execute()).map(keyOf)
    },
    async adminUntil(at, except) {
      const query = db
        .selectFrom('api_keys')
        .select(['id', 'admin_until'])
        .where('admin_until', '>', int(at))
        .orderBy('admin_until', 'desc')
        .limit(2)
      const until = (await query.execute()).find(({ id }) => id !== except)?.admin_until
      if (until === undefined || until === null) return undefined
      return until === EVER ? Number.POSITIVE_INFINITY : num(until)
    },
    async touch(uses) {
      session.requireWriter()
      if (uses.length > 0) await touch(doors, uses)
    },
  }
}

const USE = [
  ['id', 'text'],
  ['at', 'int'],
  ['place', 'text'],
] as const

/** One statement for all keys, in the order of their ids: two processes that do it at once do not block each other. */
async function touch({ db, dialect }: Doors, uses: readonly KeyUse[]) {
  const newest = new Map<string, KeyUse>()
  for (const use of uses) if (use.at > (newest.get(use.id)?.at ?? -1)) newest.set(use.id, use)
  const rows = [...newest.values()]
    .sort((a, b) => (a.id < b.id ? -1 : 1))
    .map(({ id, at, from }) => [id, int(at), from ?? null])
  await sql`update api_keys set last_used_at = fresh.at, last_used_from = fresh.place
    from (${dialect.select(USE, rows)}) as fresh
    where api_keys.id = fresh.id
      and (api_keys.last_used_at is null or api_keys.last_used_at < fresh.at)`.execute(db)
}
