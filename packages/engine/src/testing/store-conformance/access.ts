import type { ApiKeyRecord } from '../../capabilities/access/index.ts'
import type { Store } from '../../runtime/store.ts'
import { type Chapter, fails, same } from './check.ts'
import { apiKeyOf, digest, keptOf, walletIdOf } from './samples.ts'

const insert = (store: Store, ...keys: readonly ApiKeyRecord[]) =>
  store.transact(async (tx) => {
    for (const key of keys) await tx.access.insert(key)
  })

/** API keys, and answers that are kept for requests that come again. */
export const ACCESS: Chapter = {
  'a key comes back as it went in, by its id and by its hash': async ({ store }) => {
    const plain = apiKeyOf(1)
    const full = apiKeyOf(2, {
      wallets: [walletIdOf(1), walletIdOf(2)],
      addresses: ['192.0.2.0/24', '2001:db8::1'],
      metadata: { team: 'a "quoted" 🟧 text', ['__proto__']: 'x' },
      expiresAt: 1_900_000_000_000,
      revokedAt: 1_800_000_000_000,
      lastUsedAt: 1_750_000_000_000,
      lastUsedFrom: '192.0.2.7',
    })
    await insert(store, plain, full)
    await store.read(async (tx) => {
      for (const key of [plain, full]) {
        same(await tx.access.key(key.id), key, 'by id')
        same(await tx.access.byHashes([key.hash, digest(9, 9)]), [key], 'by hash')
      }
      same(await tx.access.key('key_none'), undefined, 'an unknown id')
      same(await tx.access.byHashes([digest(9, 9)]), [], 'an unknown hash')
      same(await tx.access.byHashes([]), [], 'no hash')
      const both = [plain.hash, full.hash, plain.hash]
      same((await tx.access.byHashes(both)).length, 2, 'each once')
    })
  },

  'two keys never have one id or one hash': async ({ store }) => {
    await insert(store, apiKeyOf(1))
    const { id, hash } = apiKeyOf(1)
    await fails(() => insert(store, apiKeyOf(2, { id })), 'STORE_CONFLICT', 'the id again')
    await fails(() => insert(store, apiKeyOf(2, { hash })), 'STORE_CONFLICT', 'the hash again')
    same((await store.read((tx) => tx.access.list({ limit: 9 }))).length, 1, 'neither is stored')
  },

  'what people change is saved, and the last use stays': async ({ store }) => {
    await insert(store, apiKeyOf(1, { wallets: [walletIdOf(1)] }))
    const used = { lastUsedAt: 50, lastUsedFrom: '::1' }
    await store.transact((tx) => tx.access.touch([{ id: apiKeyOf(1).id, at: 50, from: '::1' }]))
    const next = apiKeyOf(1, { name: 'Other', scopes: ['admin'], revokedAt: 7 })
    await store.transact((tx) => tx.access.save({ ...next, lastUsedAt: 3 }))
    same(await store.read((tx) => tx.access.key(next.id)), { ...next, ...used }, 'both')
    const unknown = () => store.transact((tx) => tx.access.save(apiKeyOf(2)))
    await fails(unknown, 'assertion', 'an unknown key')
  },

  'a last use only moves forward': async ({ store }) => {
    const [first, second, third] = [apiKeyOf(1), apiKeyOf(2), apiKeyOf(3)]
    await insert(store, first, second, third)
    const touch = (...uses: { id: string; at: number; from?: string }[]) =>
      store.transact((tx) => tx.access.touch(uses))
    await touch({ id: first.id, at: 100, from: '192.0.2.1' }, { id: second.id, at: 100 })
    await touch({ id: first.id, at: 90, from: '192.0.2.9' }, { id: 'key_none', at: 100 })
    await touch({ id: second.id, at: 200, from: '::2' }, { id: second.id, at: 150, from: '::1' })
    await touch()
    await store.read(async (tx) => {
      const seen = { lastUsedAt: 100, lastUsedFrom: '192.0.2.1' }
      same(await tx.access.key(first.id), { ...first, ...seen }, 'an older one')
      const newest = { lastUsedAt: 200, lastUsedFrom: '::2' }
      same(await tx.access.key(second.id), { ...second, ...newest }, 'the newest of several')
      same(await tx.access.key(third.id), third, 'one that nobody used')
    })
    await touch({ id: first.id, at: 101 })
    same((await store.read((tx) => tx.access.key(first.id)))?.lastUsedFrom, undefined, 'from where')
  },

  'keys are listed in pages, newest first': async ({ store }) => {
    const keys = [1, 2, 3, 4, 5].map((number) => apiKeyOf(number))
    await insert(store, ...keys)
    await store.read(async (tx) => {
      const ids = async (page: { before?: string; limit: number }) =>
        (await tx.access.list(page)).map(({ id }) => id)
      same(await ids({ limit: 2 }), [keys[4]?.id, keys[3]?.id], 'first page')
      const before = keys[3]?.id ?? ''
      same(await ids({ before, limit: 9 }), [keys[2]?.id, keys[1]?.id, keys[0]?.id], 'the rest')
    })
  },

  'the most lasting of the other admin keys is known': async ({ store }) => {
    const until = (at: number, except: string) =>
      store.read((tx) => tx.access.adminUntil(at, except))
    const admin = (number: number, more: Partial<ApiKeyRecord> = {}) =>
      apiKeyOf(number, { scopes: ['admin'], ...more })
    await insert(
      store,
      apiKeyOf(1),
      admin(2, { wallets: [walletIdOf(1)] }),
      admin(3, { revokedAt: 5 }),
      admin(4, { expiresAt: 100 }),
    )
    same(await until(50, 'key_none'), 100, 'one that expires')
    same(await until(100, 'key_none'), undefined, 'expired by then')
    same(await until(50, admin(4).id), undefined, 'beside itself')
    await insert(store, admin(5), admin(6))
    same(await until(50, 'key_none'), Number.POSITIVE_INFINITY, 'for ever')
    same(await until(50, admin(6).id), Number.POSITIVE_INFINITY, 'another for ever')
    await store.transact((tx) => tx.access.save(admin(5, { revokedAt: 9 })))
    same(await until(50, admin(6).id), 100, 'after it was revoked')
  },

  'answers are found by their names, all at once': async ({ store }) => {
    const kept = [1, 2, 3].map((number) => keptOf(number))
    await store.transact((tx) => tx.idempotency.insert(kept))
    await store.transact((tx) => tx.idempotency.insert([]))
    await store.read(async (tx) => {
      const found = async (...names: { scope: string; key: string }[]) =>
        (await tx.idempotency.answers(names)).toSorted((a, b) => (a.key < b.key ? -1 : 1))
      same(await found(...kept), kept, 'each')
      same(await found(keptOf(2), keptOf(9), keptOf(2)), [keptOf(2)], 'one of them')
      same(await found({ ...keptOf(2), scope: 'other' }), [], 'another scope')
      same(await found({ ...keptOf(2), scope: keptOf(3).scope }), [], 'of two names half each')
      same(await found(), [], 'no name')
    })
  },

  'a name has one answer': async ({ store }) => {
    await store.transact((tx) => tx.idempotency.insert([keptOf(1)]))
    const again = { ...keptOf(1), digest: digest(5), body: 'other' }
    const both = () => store.transact((tx) => tx.idempotency.insert([keptOf(2), again]))
    await fails(both, 'STORE_CONFLICT', 'the name again')
    const stored = await store.read((tx) => tx.idempotency.answers([keptOf(1), keptOf(2)]))
    same(stored, [keptOf(1)], 'the first one, alone')
    const elsewhere = { ...again, scope: 'other' }
    await store.transact((tx) => tx.idempotency.insert([elsewhere]))
    same(await store.read((tx) => tx.idempotency.answers([elsewhere])), [elsewhere], 'of another')
  },

  'old answers are removed in steps, oldest first': async ({ store }) => {
    const kept = [5, 3, 1, 2, 4].map((number) => keptOf(number, { at: number * 10 }))
    await store.transact((tx) => tx.idempotency.insert(kept))
    const prune = (before: number, limit: number) =>
      store.transact((tx) => tx.idempotency.prune(before, limit))
    const left = async () =>
      (await store.read((tx) => tx.idempotency.answers(kept))).map(({ at }) => at).sort()
    same(await prune(10, 9), 0, 'nothing is older than the oldest')
    same(await prune(40, 2), 2, 'a step')
    same(await left(), [30, 40, 50], 'the oldest are gone')
    same(await prune(40, 2), 1, 'the last step')
    same(await left(), [40, 50], 'what is not old')
  },

  'readers change neither keys nor answers': async ({ store }) => {
    await insert(store, apiKeyOf(1))
    const reads = (work: Parameters<Store['read']>[0]) => () => store.read(work)
    await fails(
      reads((tx) => tx.access.insert(apiKeyOf(2))),
      'assertion',
      'insert',
    )
    await fails(
      reads((tx) => tx.access.save(apiKeyOf(1))),
      'assertion',
      'save',
    )
    await fails(
      reads((tx) => tx.access.touch([])),
      'assertion',
      'touch',
    )
    await fails(
      reads((tx) => tx.idempotency.insert([])),
      'assertion',
      'answers',
    )
    await fails(
      reads((tx) => tx.idempotency.prune(1, 1)),
      'assertion',
      'prune',
    )
  },
}
