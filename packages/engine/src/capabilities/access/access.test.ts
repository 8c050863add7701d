import { inspect } from 'node:util'
import { sha256 } from '@noble/hashes/sha2.js'
import { expect, test } from 'vitest'
import { createMemoryStore } from '../../adapters/memory/index.ts'
import { apiKeyOf, walletIdOf, walletOf } from '../../testing/index.ts'
import { type Network, toHex } from '../../kernel/index.ts'
import { createIdempotency } from '../idempotency/index.ts'
import { type ApiKeyRecord, createAccess, type KeyInput } from './index.ts'
import { isSameHash } from './token.ts'

const ANN = 'operator:ann'
const HOME = '192.0.2.1'
const START = 1_780_000_000_000
const MINUTE = 60_000

async function setUp(network: Network = 'regtest') {
  const store = createMemoryStore()
  const time = { now: START }
  const clock = { now: () => time.now }
  const entropy = {
    bytes: (length: number) => globalThis.crypto.getRandomValues(new Uint8Array(length)),
  }
  const access = createAccess({ store, clock, entropy, network })
  await store.transact((tx) => tx.wallet.insertWallet(walletOf(1)))
  const idempotency = createIdempotency({ store, clock })
  /** A key that is made without objections, and its token. */
  const make = async (more: Partial<KeyInput> = {}, actor = ANN) => {
    // Ids of one millisecond have no order.
    time.now += 1
    const made = await access.create({ name: 'shop', scopes: ['orders:read'], ...more }, actor)
    if (!made.ok) throw new TypeError(made.error.message)
    return { key: made.value.key, token: made.value.secret.reveal(), made: made.value }
  }
  const events = () => store.read((tx) => tx.events.list({ after: 0, limit: 1000 }))
  const trail = () => store.read((tx) => tx.audit.list({ limit: 1000 }))
  const told = async () => [
    ...(await events()).map(({ type, subject }) => `${type} ${subject}`),
    ...(await trail()).map(({ actor, action, subject }) => `${actor} ${action} ${subject}`),
  ]
  const login = async (token: string, from = HOME) => {
    const answer = await access.authenticate(token, from, time.now)
    return answer.ok ? answer.value.id : answer.error.code
  }
  return { store, time, access, idempotency, make, events, trail, told, login }
}
const codeOf = (answer: { ok: boolean; error?: { code: string; param?: string } }) =>
  answer.ok ? 'ok' : [answer.error?.code, answer.error?.param].filter(Boolean).join(' ')

test('a token has its mode and 256 random bits, is shown once, and only its hash is kept', async () => {
  const { store, make, access, events, trail, login } = await setUp()
  const { key, token, made } = await make({ metadata: { team: 'shop' } })
  expect(token).toMatch(/^kc_dev_[A-Za-z0-9_-]{43}$/)
  expect(key).toEqual({
    id: expect.stringMatching(/^key_[0-9a-f]{32}$/),
    name: 'shop',
    mode: 'dev',
    scopes: ['orders:read'],
    metadata: { team: 'shop' },
    hint: token.slice(-4),
    hash: toHex(sha256(new TextEncoder().encode(token))),
    createdAt: START + 1,
    createdBy: ANN,
  })
  expect(await access.get(key.id)).toEqual(key)
  expect(await login(token)).toBe(key.id)
  const everything = [
    await store.read((tx) => tx.access.list({ limit: 9 })),
    await events(),
    await trail(),
  ]
  const secret = token.slice('kc_dev_'.length)
  for (const text of [JSON.stringify([everything, made]), inspect(made, { depth: 9 })])
    expect(text).not.toContain(secret)
  const told = JSON.stringify([await events(), await trail()])
  for (const part of [key.hash, key.hint]) expect(told).not.toContain(part)
})

test('two keys never have one token', async () => {
  const { make } = await setUp()
  const tokens = await Promise.all(Array.from({ length: 50 }, () => make()))
  expect(new Set(tokens.map(({ token }) => token)).size).toBe(50)
})

test('a key of another network is told so, whatever its secret', async () => {
  const live = await setUp('main')
  const { token } = await live.make()
  expect(token).toMatch(/^kc_live_/)
  const dev = await setUp()
  expect(await dev.login(token)).toBe('KEY_MODE')
  expect(await dev.login(token.replace('live', 'dev'))).toBe('KEY_UNKNOWN')
  expect(await live.login(token)).not.toMatch(/KEY_[A-Z]/)
  expect((await setUp('signet')).access.mode).toBe('test')
})

test('what is no token is unknown, and the answer does not repeat it', async () => {
  const { make, login, access } = await setUp()
  const { token } = await make()
  const swap = token.endsWith('A') ? 'B' : 'A'
  const wrong = [
    '',
    'kc_dev_',
    `${token} `,
    ` ${token}`,
    `${token}\n`,
    token.slice(0, -1),
    `${token}A`,
    token.slice(0, -1) + swap,
    token.toUpperCase(),
    token.replace('kc_dev', 'kc_prod'),
    `Bearer ${token}`,
    '💥'.repeat(25),
    '\0',
  ]
  for (const text of wrong) expect([text, await login(text)]).toEqual([text, 'KEY_UNKNOWN'])
  for (const text of [`${token}A`, token.replace('dev', 'live')]) {
    const answer = await access.authenticate(text, HOME, START)
    expect(JSON.stringify(answer)).not.toContain(token.slice(10, 40))
  }
})

test('a key ends at its time, and is revoked at once', async () => {
  const { make, login, access, time } = await setUp()
  await make({ scopes: ['admin'] })
  const { key, token } = await make({ expiresAt: START + MINUTE })
  time.now = START + MINUTE - 1
  expect(await login(token)).toBe(key.id)
  time.now = START + MINUTE
  expect(await login(token)).toBe('KEY_EXPIRED')
  expect(codeOf(await access.update(key.id, { expiresAt: null }, ANN))).toBe('ok')
  expect(await login(token)).toBe(key.id)
  expect(codeOf(await access.revoke(key.id, ANN))).toBe('ok')
  expect(await login(token)).toBe('KEY_REVOKED')
  expect(codeOf(await access.update(key.id, { name: 'again' }, ANN))).toBe('KEY_ALREADY_REVOKED')
})

test('a key that is limited to addresses is of no use elsewhere', async () => {
  const { make, login } = await setUp()
  const { key, token } = await make({ addresses: ['192.0.2.0/28', '2001:db8::/32'] })
  expect(await login(token, '::ffff:192.0.2.15')).toBe(key.id)
  expect(await login(token, '192.0.2.16')).toBe('KEY_ADDRESS_FORBIDDEN')
  expect(await login(token, 'unknown')).toBe('KEY_ADDRESS_FORBIDDEN')
})

test('what cannot be kept is refused by its field', async () => {
  const { access, told } = await setUp()
  const before = await told()
  const wrong: readonly (readonly [Partial<Record<keyof KeyInput, unknown>>, string])[] = [
    [{ name: '' }, 'name'],
    [{ name: ' \n ' }, 'name'],
    [{ name: 'x'.repeat(101) }, 'name'],
    [{ name: 'a\u202eb' }, 'name'],
    [{ scopes: [] }, 'scopes'],
    [{ scopes: ['orders:delete'] }, 'scopes'],
    [{ scopes: ['orders:read', '__proto__'] }, 'scopes'],
    [{ wallets: [] }, 'wallets'],
    [{ wallets: [''] }, 'wallets'],
    [{ wallets: Array.from({ length: 101 }, (_, i) => `wal_${i}`) }, 'wallets'],
    [{ addresses: [] }, 'addresses'],
    [{ addresses: ['10.0.0.1/8'] }, 'addresses'],
    [{ addresses: ['example.com'] }, 'addresses'],
    [{ expiresAt: START }, 'expires_at'],
    [{ expiresAt: START + 0.5 }, 'expires_at'],
    [{ expiresAt: START * 2 }, 'expires_at'],
    [{ expiresAt: Number.NaN }, 'expires_at'],
    [{ metadata: { '': 'x' } }, 'metadata'],
    [{ metadata: Object.fromEntries(Array.from({ length: 51 }, (_, i) => [i, ''])) }, 'metadata'],
  ]
  for (const [more, field] of wrong) {
    const input = { name: 'shop', scopes: ['orders:read'], ...more } as KeyInput
    expect([more, codeOf(await access.create(input, ANN))]).toEqual([
      more,
      `FIELD_INVALID ${field}`,
    ])
  }
  const foreign = { name: 'shop', scopes: ['orders:read'], wallets: [walletIdOf(9)] }
  expect(codeOf(await access.create(foreign, ANN))).toBe('WALLET_NOT_FOUND wallets')
  expect(await told()).toEqual(before)
})

test('scopes, wallets and addresses are kept once each, scopes in their order', async () => {
  const { make } = await setUp()
  const { key } = await make({
    name: '  shop  ',
    scopes: ['orders:write', 'wallets:read', 'orders:write'],
    wallets: [walletIdOf(1), walletIdOf(1)],
    addresses: ['::1', '::1'],
  })
  expect(key).toMatchObject({
    name: 'shop',
    scopes: ['wallets:read', 'orders:write'],
    wallets: [walletIdOf(1)],
    addresses: ['::1'],
  })
})

test('a key makes, changes and ends only what it could have made', async () => {
  const { make, access, time } = await setUp()
  const admin = (await make({ scopes: ['admin'] })).key
  const giver = (await make({ scopes: ['orders:read', 'keys:write'], wallets: [walletIdOf(1)] }))
    .key
  const actor = `api:${giver.id}`
  const small = { name: 'small', scopes: ['orders:read'], wallets: [walletIdOf(1)] }
  const child = await make(small, actor)
  expect(child.key.createdBy).toBe(actor)
  const create = async (more: Partial<KeyInput>) =>
    codeOf(await access.create({ ...small, ...more }, actor))
  expect(await create({ scopes: ['orders:write'] })).toBe('KEY_GRANT_FORBIDDEN scopes')
  expect(await create({ scopes: ['admin'] })).toBe('KEY_GRANT_FORBIDDEN scopes')
  // A wallet that is not its own and one that does not exist look the same.
  for (const number of [2, 99])
    expect(await create({ wallets: [walletIdOf(number)] })).toBe('KEY_GRANT_FORBIDDEN wallets')
  const update = async (id: string, changes: Parameters<typeof access.update>[1]) =>
    codeOf(await access.update(id, changes, actor))
  expect(await update(child.key.id, { name: 'smaller' })).toBe('ok')
  expect(await update(child.key.id, { wallets: null })).toBe('KEY_GRANT_FORBIDDEN wallets')
  expect(await update(child.key.id, { scopes: ['admin'] })).toBe('KEY_GRANT_FORBIDDEN scopes')
  expect(await update(admin.id, { scopes: ['orders:read'] })).toBe('KEY_GRANT_FORBIDDEN')
  expect(codeOf(await access.revoke(admin.id, actor))).toBe('KEY_GRANT_FORBIDDEN')
  expect(codeOf(await access.revoke(child.key.id, actor))).toBe('ok')
  // From the moment it is narrowed or revoked it gives no more than that.
  await access.update(giver.id, { scopes: ['keys:write'] }, ANN)
  expect(await create({})).toBe('KEY_GRANT_FORBIDDEN scopes')
  await access.update(giver.id, { scopes: ['orders:read'], expiresAt: time.now + 5 }, ANN)
  expect(await create({})).toBe('KEY_GRANT_FORBIDDEN expires_at')
  const brief = await make({ ...small, expiresAt: time.now + 5 }, actor)
  time.now += 5
  expect(codeOf(await access.revoke(brief.key.id, actor))).toBe('KEY_GRANT_FORBIDDEN')
  await access.revoke(giver.id, ANN)
  expect(await create({ expiresAt: time.now + 5 })).toBe('KEY_GRANT_FORBIDDEN')
  expect(codeOf(await access.create(small, 'api:key_none'))).toBe('KEY_GRANT_FORBIDDEN')
})

test('the last admin key goes only when an operator insists', async () => {
  const { make, access, time } = await setUp()
  const first = (await make({ scopes: ['admin'] })).key
  await make({ scopes: ['admin'], wallets: [walletIdOf(1)] })
  const brief = (await make({ scopes: ['admin'], expiresAt: time.now + MINUTE })).key
  const no = 'KEY_LAST_ADMIN'
  expect(codeOf(await access.revoke(first.id, ANN))).toBe(no)
  expect(codeOf(await access.update(first.id, { scopes: ['orders:read'] }, ANN))).toBe(no)
  expect(codeOf(await access.update(first.id, { wallets: [walletIdOf(1)] }, ANN))).toBe(no)
  expect(codeOf(await access.update(first.id, { expiresAt: time.now + 5 }, ANN))).toBe(no)
  expect(codeOf(await access.update(first.id, { name: 'first' }, ANN))).toBe('ok')
  const self = `api:${first.id}`
  expect(codeOf(await access.revoke(first.id, self, { force: true }))).toBe(no)
  const second = (await make({ scopes: ['admin'] })).key
  const both = await Promise.all([first, second].map(({ id }) => access.revoke(id, ANN)))
  expect(both.map(codeOf).toSorted()).toEqual([no, 'ok'])
  const left = codeOf(both[0] as never) === 'ok' ? second : first
  expect(codeOf(await access.revoke(left.id, ANN, { force: true }))).toBe('ok')
  expect(codeOf(await access.revoke(brief.id, ANN))).toBe(no)
})

test('every change is told and written down once, with what it says now', async () => {
  const { make, access, told, events, trail } = await setUp()
  const { key } = await make()
  await access.update(key.id, { name: 'shop' }, ANN)
  const limits = { wallets: [walletIdOf(1)], addresses: ['::1'], expiresAt: START + MINUTE }
  await access.update(key.id, { ...limits, metadata: { a: 'b' } }, 'operator:bob')
  await access.revoke(key.id, ANN)
  await access.revoke(key.id, 'operator:bob')
  expect(await told()).toEqual([
    `key.created ${key.id}`,
    `key.updated ${key.id}`,
    `key.revoked ${key.id}`,
    `${ANN} key.create ${key.id}`,
    `operator:bob key.update ${key.id}`,
    `${ANN} key.revoke ${key.id}`,
  ])
  const updated = {
    key: key.id,
    name: 'shop',
    mode: 'dev',
    scopes: ['orders:read'],
    wallets: [walletIdOf(1)],
    addresses: ['::1'],
    expires_at: new Date(START + MINUTE).toISOString(),
    revoked_at: null,
    changed: ['wallets', 'addresses', 'expires_at', 'metadata'],
  }
  expect((await events())[1]?.data).toEqual(updated)
  expect((await trail())[1]?.details).toEqual(updated)
  expect(codeOf(await access.update('key_none', {}, ANN))).toBe('NOT_FOUND id')
  expect(codeOf(await access.revoke('key_none', ANN))).toBe('NOT_FOUND id')
})

test('a limit that is taken away is gone, and what is not named stays', async () => {
  const { make, access } = await setUp()
  const limits = { wallets: [walletIdOf(1)], addresses: ['::1'], expiresAt: START + MINUTE }
  const { key } = await make({ ...limits, metadata: { a: 'b' } })
  const { wallets: _, addresses: __, expiresAt: ___, ...bare } = key
  const free = { wallets: null, addresses: null, expiresAt: null }
  expect(await access.update(key.id, free, ANN)).toEqual({ ok: true, value: bare })
  expect(await access.get(key.id)).toEqual(bare)
})

test('the last use is written when told, once a minute, and never by the request itself', async () => {
  const { store, make, access, login, time } = await setUp()
  const { key, token } = await make()
  let commits = 0
  const { transact } = store
  store.transact = (work) => {
    commits += 1
    return transact(work)
  }
  const last = async () => {
    const { lastUsedAt, lastUsedFrom } = (await access.get(key.id)) as ApiKeyRecord
    return [lastUsedAt, lastUsedFrom]
  }
  expect(await access.touch()).toBe(0)
  const first = time.now
  for (let i = 0; i < 5; i++) await login(token, '::ffff:192.0.2.5')
  await login(`${token.slice(0, -1)}!`)
  expect(commits).toBe(0)
  expect(await access.touch()).toBe(1)
  expect(await last()).toEqual([first, '192.0.2.5'])
  time.now = first + MINUTE - 1
  await login(token, '192.0.2.6')
  expect(await access.touch()).toBe(0)
  time.now = first + MINUTE
  await login(token, '192.0.2.7')
  expect(await access.touch()).toBe(1)
  expect(await last()).toEqual([first + MINUTE, '192.0.2.7'])
  expect(commits).toBe(2)
  time.now += MINUTE
  await login(token, 'a socket')
  await access.revoke(key.id, ANN)
  await access.touch()
  expect(await last()).toEqual([first + 2 * MINUTE, undefined])
})

test('a request that comes again finds the record, never the secret', async () => {
  const { access, idempotency, store } = await setUp()
  const request = { scope: 'key_1', key: 'abc', digest: 'a'.repeat(64) }
  const seen: ApiKeyRecord[] = []
  const once = {
    request,
    answer: (key: ApiKeyRecord) => {
      seen.push(key)
      return { status: 201, body: JSON.stringify({ id: key.id }) }
    },
  }
  const input = { name: 'shop', scopes: ['orders:read'] }
  const made = await access.create(input, ANN, once)
  if (!made.ok) throw new TypeError(made.error.message)
  expect(seen).toEqual([made.value.key])
  expect(JSON.stringify(seen)).not.toContain(made.value.secret.reveal().slice(7))
  expect(codeOf(await access.create(input, ANN, once))).toBe('IDEMPOTENCY_ANSWERED')
  const other = { ...once, request: { ...request, digest: 'b'.repeat(64) } }
  expect(codeOf(await access.create(input, ANN, other))).toBe(
    'IDEMPOTENCY_CONFLICT idempotency_key',
  )
  expect(await idempotency.find(request)).toMatchObject({
    ok: true,
    value: { status: 201, body: JSON.stringify({ id: made.value.key.id }) },
  })
  expect(await access.list({ limit: 9 })).toHaveLength(1)
  // Nothing is kept of what was refused: the same key is free for the corrected request.
  const free = { ...once, request: { ...request, key: 'def' } }
  const wide = { ...input, wallets: [walletIdOf(9)] }
  expect(codeOf(await access.create(wide, ANN, free))).toBe('WALLET_NOT_FOUND wallets')
  const corrected = { ...free, request: { ...free.request, digest: 'c'.repeat(64) } }
  expect(codeOf(await access.create(input, ANN, corrected))).toBe('ok')
  expect(await store.read((tx) => tx.events.head())).toBe(2)
})

test('a record whose hash differs is not taken, even when a store answers it', async () => {
  const { store, access, time } = await setUp()
  store.read = () => Promise.resolve([apiKeyOf(1)] as never)
  const answer = await access.authenticate(`kc_dev_${'A'.repeat(43)}`, HOME, time.now)
  expect(codeOf(answer)).toBe('KEY_UNKNOWN')
  expect(isSameHash('abc', 'abc')).toBe(true)
  for (const other of ['abd', 'bbc', 'ab', 'abcd', '']) expect(isSameHash('abc', other)).toBe(false)
})

test('keys that are used at the same moment share a read, and one that begins later sees what came before', async () => {
  const { store, make, access, login } = await setUp()
  await make({ scopes: ['admin'] })
  const made = await Promise.all([make(), make(), make()])
  const unknown = `kc_dev_${'A'.repeat(43)}`
  let reads = 0
  const { read } = store
  let revoking: Promise<unknown> = Promise.resolve()
  store.read = async (work) => {
    reads += 1
    const answer = await read(work)
    // While the first read is under way its keys are revoked: who asks afterwards must not get this answer.
    if (reads === 1) revoking = access.revoke(made[0]?.key.id ?? '', ANN)
    await revoking
    return answer
  }
  const tokens = [...made.map(({ token }) => token), unknown]
  const first = tokens.map((token) => login(token))
  await first[0]
  const later = tokens.map((token) => login(token))
  const ids = made.map(({ key }) => key.id)
  expect(await Promise.all(first)).toEqual([...ids, 'KEY_UNKNOWN'])
  expect(await Promise.all(later)).toEqual(['KEY_REVOKED', ...ids.slice(1), 'KEY_UNKNOWN'])
  expect(reads).toBe(2)
})
