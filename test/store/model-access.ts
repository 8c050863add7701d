import type { ApiKeyRecord } from '@kaccy/bitcoin/access'
import type { StoreTx } from '@kaccy/bitcoin/testing'
import { apiKeyOf, digest, keptOf, walletIdOf } from '@kaccy/bitcoin/testing'

interface Numbers {
  readonly a: number
  readonly b: number
  readonly c: number
}

/** A key whose every part is decided by small numbers; the same number may come back with another hash. */
const keyOf = ({ a, b, c }: Numbers): ApiKeyRecord =>
  apiKeyOf(a, {
    scopes: b > 2 ? ['admin'] : ['orders:read'],
    ...(b === 5 ? { wallets: [walletIdOf(c)] } : {}),
    ...(c > 2 ? { expiresAt: 100 + c } : {}),
    ...(c === 5 ? { addresses: ['::1'], revokedAt: b } : {}),
    ...(c === 1 ? { hash: digest(b, 3) } : {}),
  })
const keptBy = ({ a, b, c }: Numbers) =>
  keptOf(a, { scope: `key_${c % 2}`, at: b, status: 200 + c })
const sorted = <T>(rows: readonly T[], keyOf: (row: T) => string): readonly T[] =>
  rows.toSorted((a, b) => (keyOf(a) < keyOf(b) ? -1 : 1))

/** Calls on API keys and kept answers. */
export const ACCESS: Record<string, (tx: StoreTx, numbers: Numbers) => Promise<unknown>> = {
  addKey: ({ access }, numbers) => access.insert(keyOf(numbers)),
  saveKey: async ({ access }, numbers) => {
    const key = keyOf(numbers)
    if (await access.key(key.id)) await access.save({ ...key, lastUsedAt: 1 })
  },
  useKeys: ({ access }, { a, b, c }) =>
    access.touch([
      { id: apiKeyOf(a).id, at: b, ...(c > 2 ? { from: `::${c}` } : {}) },
      { id: apiKeyOf(b).id, at: c },
    ]),
  keys: async ({ access }, { a, b, c }) => [
    await access.key(apiKeyOf(a).id),
    sorted(await access.byHashes([digest(b, 3), digest(a, 3)]), ({ id }) => id),
    await access.list({ limit: c + 1, ...(a > 2 ? { before: apiKeyOf(b).id } : {}) }),
    await access.adminUntil(99 + c, apiKeyOf(a).id),
  ],
  keep: ({ idempotency }, numbers) =>
    idempotency.insert([keptBy(numbers), keptBy({ ...numbers, a: numbers.a + 1 })]),
  kept: async ({ idempotency }, { a, b }) =>
    sorted(
      await idempotency.answers(
        [a, b, a + 1].flatMap((n) => [0, 1].map((c) => keptBy({ a: n, b: 0, c }))),
      ),
      ({ scope, key }) => `${scope} ${key}`,
    ),
  prune: ({ idempotency }, { a, b }) => idempotency.prune(a, b + 1),
}
