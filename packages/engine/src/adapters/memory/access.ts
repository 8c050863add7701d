import {
  type AccessRows,
  type ApiKeyRecord,
  adminUntilOf,
} from '../../capabilities/access/index.ts'
import { assert } from '../../kernel/index.ts'
import type { Session } from './session.ts'
import { firstOf, SortedIndex, Table, UniqueIndex } from './table.ts'

export function accessTables() {
  const byHash = new UniqueIndex<ApiKeyRecord>('hash', (row) => row.hash)
  const byId = new SortedIndex<ApiKeyRecord>((row) => [row.id])
  const byAdminUntil = new SortedIndex<ApiKeyRecord>((row) => {
    const until = adminUntilOf(row)
    return until === undefined ? undefined : [until, row.id]
  })
  return {
    byHash,
    byId,
    byAdminUntil,
    keys: new Table<ApiKeyRecord>('api_keys', (row) => row.id, [byHash, byId, byAdminUntil]),
  }
}

export function accessRows(
  { keys, byHash, byId, byAdminUntil }: ReturnType<typeof accessTables>,
  session: Session,
): AccessRows {
  return {
    insert: async (key) => keys.insert(session, key),
    key: async (id) => keys.get(id),
    byHashes: async (hashes) => [
      ...keys.rows(new Set(hashes.flatMap((hash) => byHash.key(hash) ?? []))),
    ],
    save: async (key) => {
      const stored = keys.get(key.id)
      assert(stored, `no key ${key.id} to save`)
      const { lastUsedAt: _, lastUsedFrom: __, ...decided } = key
      keys.put(session, { ...decided, ...lastUseOf(stored) })
    },
    list: async ({ before, limit }) =>
      firstOf(keys.rows(byId.descending(before === undefined ? undefined : [before])), limit),
    adminUntil: async (at, except) => {
      for (const row of keys.rows(byAdminUntil.descending())) {
        const until = adminUntilOf(row) ?? 0
        if (until <= at) return undefined
        if (row.id !== except) return until
      }
      return undefined
    },
    touch: async (uses) => {
      session.requireWriter()
      for (const { id, at, from } of uses) {
        const stored = keys.get(id)
        if (!stored || at <= (stored.lastUsedAt ?? -1)) continue
        const { lastUsedFrom: _, ...rest } = stored
        const place = from === undefined ? {} : { lastUsedFrom: from }
        keys.put(session, { ...rest, lastUsedAt: at, ...place })
      }
    },
  }
}

const lastUseOf = ({ lastUsedAt, lastUsedFrom }: ApiKeyRecord) => ({
  ...(lastUsedAt === undefined ? {} : { lastUsedAt }),
  ...(lastUsedFrom === undefined ? {} : { lastUsedFrom }),
})
