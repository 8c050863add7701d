import { afterAll, beforeAll, expect, test } from 'vitest'
import { Served } from './served.ts'

let served: Served
beforeAll(async () => {
  served = await Served.open()
})
afterAll(() => served.close())

const create = (body: object, more: object = {}) =>
  served.call('POST', '/v1/keys', { body, ...more })
const codeOf = ({ status, json }: { status: number; json: { code: string; param?: string } }) =>
  `${status} ${json.code}${json.param === undefined ? '' : ` ${json.param}`}`

test('a key is made, shows its token once, opens what it says, is changed and revoked', async () => {
  const made = await create({
    name: 'shop',
    scopes: ['orders:read', 'chain:read'],
    expires_at: '2030-01-01T00:00:00Z',
    metadata: { team: 'web' },
  })
  expect(made.status).toBe(201)
  expect(made.headers.get('location')).toBe(`/v1/keys/${made.json.id}`)
  const { token, ...key } = made.json
  expect(token).toMatch(/^kc_dev_/)
  expect(key).toMatchObject({
    hint: token.slice(-4),
    mode: 'dev',
    expires_at: '2030-01-01T00:00:00.000Z',
  })
  const got = await served.call('GET', `/v1/keys/${key.id}`)
  expect(got.json).toEqual(key)
  expect(got.text).not.toContain(token)

  expect((await served.call('GET', '/v1/chain', { token })).status).toBe(200)
  expect((await served.call('GET', '/v1/self', { token })).json).toMatchObject({
    actor: `api:${key.id}`,
    key: key.id,
    scopes: ['orders:read', 'chain:read'],
    wallets: null,
    network: 'regtest',
  })
  const change = (body: object) => served.call('PATCH', `/v1/keys/${key.id}`, { body })
  expect((await change({ scopes: ['orders:read'], expires_at: null })).json).toMatchObject({
    scopes: ['orders:read'],
    expires_at: null,
  })
  expect(codeOf(await served.call('GET', '/v1/chain', { token }))).toBe('403 SCOPE_MISSING')
  const revoke = () => served.call('POST', `/v1/keys/${key.id}/revoke`)
  const revoked = await revoke()
  expect(revoked.json.revoked_at).not.toBe(null)
  expect((await revoke()).json).toEqual(revoked.json)
  expect(codeOf(await served.call('GET', '/v1/self', { token }))).toBe('401 KEY_REVOKED')
  expect(codeOf(await change({ name: 'again' }))).toBe('409 KEY_ALREADY_REVOKED')
})

test('the same request again makes no second key, and cannot show the token again', async () => {
  const headers = { 'idempotency-key': 'k1' }
  const body = { name: 'once', scopes: ['chain:read'] }
  const first = await create(body, { headers })
  const again = await create(body, { headers })
  expect([again.status, again.json]).toEqual([201, { ...first.json, token: null }])
  const kept = await served.till.store.read((tx) =>
    tx.idempotency.answers([{ scope: again.json.created_by.replace('api:', ''), key: 'k1' }]),
  )
  expect(JSON.stringify(kept)).not.toContain(first.json.token)
})

test.each([
  [{ name: 'x' }, '400 FIELD_INVALID scopes'],
  [{ name: 'x', scopes: [] }, '400 FIELD_INVALID scopes'],
  [{ name: 'x', scopes: ['orders:all'] }, '400 FIELD_INVALID scopes[0]'],
  [{ name: '', scopes: ['admin'] }, '400 FIELD_INVALID name'],
  [{ name: 'x', scopes: ['admin'], addresses: ['300.1.1.1'] }, '400 FIELD_INVALID addresses'],
  [{ name: 'x', scopes: ['admin'], addresses: [] }, '400 FIELD_INVALID addresses'],
  [
    { name: 'x', scopes: ['admin'], expires_at: '2020-01-01T00:00:00Z' },
    '400 FIELD_INVALID expires_at',
  ],
  [
    { name: 'x', scopes: ['admin'], expires_at: 'tomorrow at about noon' },
    '400 FIELD_INVALID expires_at',
  ],
  [
    { name: 'x', scopes: ['admin'], wallets: ['wal_00000000000000000000000000000000'] },
    '404 WALLET_NOT_FOUND wallets',
  ],
  [{ name: 'x', scopes: ['admin'], hash: 'x' }, '400 FIELD_UNKNOWN hash'],
])('%j is refused with %s', async (body, expected) => {
  expect(codeOf(await create(body))).toContain(expected.replace(/ wallets$/, ''))
})

test('a key gives only what it has, and sees only what reaches no further than itself', async () => {
  const { till } = served
  const other = await till.register({ account: 1 })
  const token = await served.key(['keys:read', 'keys:write', 'orders:read'], [till.wallet])
  const wide = await create({ name: 'wide', scopes: ['orders:read'] }, { token })
  expect(codeOf(wide)).toBe('403 KEY_GRANT_FORBIDDEN wallets')
  const more = await create({ name: 'more', scopes: ['admin'], wallets: [till.wallet] }, { token })
  expect(codeOf(more)).toBe('403 KEY_GRANT_FORBIDDEN scopes')
  const mine = await create(
    { name: 'mine', scopes: ['orders:read'], wallets: [till.wallet] },
    { token },
  )
  expect(mine.status).toBe(201)
  const theirs = await create({ name: 'theirs', scopes: ['orders:read'], wallets: [other] })
  for (const [method, rest, body] of [
    ['GET', ''],
    ['PATCH', '', { name: 'taken' }],
    ['POST', '/revoke'],
  ] as const) {
    const call = { token, ...(body ? { body } : {}) }
    const answer = await served.call(method, `/v1/keys/${theirs.json.id}${rest}`, call)
    expect(codeOf(answer)).toBe('404 NOT_FOUND id')
  }
  const list = await served.call('GET', '/v1/keys?limit=100', { token })
  const names = list.json.data.map(({ name }: { name: string }) => name)
  expect(names).toContain('mine')
  expect(names).not.toContain('theirs')
  expect(names).not.toContain('once')
})

test('the last key that may do everything cannot be taken away', async () => {
  const { json: self } = await served.call('GET', '/v1/self')
  expect(codeOf(await served.call('POST', `/v1/keys/${self.key}/revoke`))).toContain(
    '409 KEY_LAST_ADMIN',
  )
})

test('keys come newest first, in pages', async () => {
  const all = (await served.call('GET', '/v1/keys?limit=100')).json.data
  const ids = all.map(({ id }: { id: string }) => id)
  expect(ids).toEqual([...ids].sort().reverse())
  const seen: string[] = []
  for (let query: string | undefined = 'limit=2'; query !== undefined; ) {
    const { json } = await served.call('GET', `/v1/keys?${query}`)
    seen.push(...json.data.map(({ id }: { id: string }) => id))
    query = json.has_more ? `limit=2&after=${json.next}` : undefined
  }
  expect(seen).toEqual(ids)
})
