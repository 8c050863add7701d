import type { WalletId } from '@kaccy/bitcoin/kernel'
import { HDKey } from '@scure/bip32'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { accountKey } from '../deposits/till.ts'
import { Served } from './served.ts'

/** Made here: no file holds one. */
const PRIVATE = HDKey.fromMasterSeed(new Uint8Array(32).fill(7), {
  private: 0x04358394,
  public: 0x043587cf,
}).privateExtendedKey

let served: Served
/** May see the first wallet only. */
let narrow: string
beforeAll(async () => {
  served = await Served.open()
  narrow = await served.key(['wallets:read', 'wallets:write'], [served.till.wallet])
})
afterAll(() => served.close())

const get = (path: string, token?: string) =>
  served.call('GET', `/v1/wallets${path}`, token === undefined ? {} : { token })
const post = (path: string, body?: object, more: object = {}) =>
  served.call('POST', `/v1/wallets${path}`, { ...(body ? { body } : {}), ...more })
const mine = () => served.till.wallet

test('keys are registered once, with what a wallet of others needs to know', async () => {
  const body = {
    name: 'second',
    xpub: accountKey(2),
    script_type: 'p2wpkh',
    gap_limit: 50,
    lookahead: 60,
  }
  const made = await post('', body)
  expect(made.status).toBe(201)
  expect(made.json).toMatchObject({
    name: 'second',
    network: 'regtest',
    status: 'active',
    gap_limit: 50,
  })
  expect(made.json.descriptor).toMatch(/^wpkh\(tpub.*\/<0;1>\/\*\)#\w{8}$/)
  expect(made.headers.get('location')).toBe(`/v1/wallets/${made.json.id}`)
  const again = await post('', body)
  expect([again.status, again.json.id]).toEqual([200, made.json.id])
  const other = await post('', { ...body, name: 'third' })
  expect([other.status, other.json.code]).toEqual([409, 'WALLET_KEYS_REGISTERED'])
  const byDescriptor = await post('', {
    name: 'second',
    descriptor: made.json.descriptor,
    gap_limit: 50,
    lookahead: 60,
  })
  expect([byDescriptor.status, byDescriptor.json.id]).toEqual([200, made.json.id])
})

test.each([
  [{}, 'FIELD_INVALID name'],
  [{ name: 'x' }, 'WALLET_KEYS_MISSING descriptor'],
  [
    {
      name: 'x',
      xpub: PRIVATE,
    },
    'KEY_PRIVATE',
  ],
  [
    {
      name: 'x',
      xpub: 'xpub661MyMwAqRbcFtXgS5sYJABqqG9YLmC4Q1Rdap9gSE8NqtwybGhePY2gZ29ESFjqJoCu1Rupje8YtGqsefD265TMg7usUDFdp6W1EGMcet8',
      script_type: 'p2wpkh',
      any_depth: true,
    },
    'KEY_NETWORK',
  ],
  [{ name: 'x', xpub: accountKey(9) }, 'KEY_SCRIPT_TYPE'],
  [
    { name: 'x', xpub: accountKey(9), script_type: 'p2wpkh', network: 'main' },
    'WALLET_NETWORK network',
  ],
  [
    { name: 'x', xpub: accountKey(9), script_type: 'p2wpkh', birthday: 9_999 },
    'WALLET_BIRTHDAY_ABOVE_TIP birthday',
  ],
  [
    { name: 'x', xpub: accountKey(9), script_type: 'p2wpkh', gap_limit: 0 },
    'FIELD_INVALID gap_limit',
  ],
  [{ name: '', xpub: accountKey(9), script_type: 'p2wpkh' }, 'FIELD_INVALID name'],
  [{ name: 'x', xprv: 'x' }, 'FIELD_UNKNOWN xprv'],
])('%j is refused with %s', async (body, expected) => {
  const { status, json, text } = await post('', body)
  expect(`${json.code}${json.param === undefined ? '' : ` ${json.param}`}`).toContain(expected)
  expect(status).toBe(400)
  expect(text).not.toContain(PRIVATE.slice(0, 12))
})

test('balance, coins, transactions, addresses and gaps tell one story', async () => {
  const { till } = served
  const orders = [await till.order({ amount: 40_000 }), await till.order({ amount: 50_000 })]
  const [first, second] = orders
  if (!first || !second) return
  till.pay('a', [first, 40_000])
  await till.look()
  till.now += 1_000
  till.pay('b', [second, 50_000])
  await till.mine(3)
  till.now += 1_000
  const third = await till.order({ amount: 60_000 })
  till.pay('c', [third, 60_000])
  await till.look()

  const balance = await get(`/${mine()}/balance`)
  expect(balance.json).toEqual({
    wallet: mine(),
    confirmed_sat: 90_000,
    pending_sat: 60_000,
    reserved_sat: 0,
    spendable_sat: 90_000,
    unassigned_sat: 0,
  })
  const coins = await get(`/${mine()}/coins?limit=2`)
  const rest = await get(`/${mine()}/coins?limit=2&after=${coins.json.next}`)
  const amounts = [...coins.json.data, ...rest.json.data].map((coin) => coin.amount_sat)
  expect(amounts).toEqual([60_000, 50_000, 40_000])
  expect(rest.json).toMatchObject({ has_more: false, next: null })
  const moves = await get(`/${mine()}/transactions?limit=1`)
  const older = await get(`/${mine()}/transactions?after=${moves.json.next}`)
  const nets = [...moves.json.data, ...older.json.data].map((row) => row.net_sat)
  expect(nets).toEqual([60_000, 50_000, 40_000])
  expect(moves.json.data[0]).toMatchObject({ state: 'mempool', confirmations: 0, sent_sat: 0 })

  const page = await get(`/${mine()}/addresses?limit=2`)
  expect(page.json.data.map((row: { order: string }) => row.order)).toEqual([first.id, second.id])
  const next = await get(`/${mine()}/addresses?limit=2&after=${page.json.next}`)
  expect(next.json.data.map((row: { order: string }) => row.order)).toEqual([third.id])
  const change = await get(`/${mine()}/addresses?state=watched&branch=1&limit=1`)
  expect(change.json.data[0]).toMatchObject({ branch: 1, index: 0, state: 'watched', order: null })
  const gaps = await get(`/${mine()}/gaps`)
  expect(gaps.json.branches[0]).toMatchObject({ branch: 0, level: 'ok', unused: 0, next_index: 3 })
})

test('a wallet is renamed, rescanned with progress, and retired', async () => {
  const { json: made } = await post('', {
    name: 'old',
    xpub: accountKey(3),
    script_type: 'p2wpkh',
    lookahead: 20,
  })
  const path = `/${made.id}`
  const renamed = await served.call('PATCH', `/v1/wallets${path}`, { body: { name: 'new' } })
  expect(renamed.json.name).toBe('new')
  await served.till.look()
  expect((await get(path)).json.rescan).toBe(null)
  const tip = (await served.till.engine.tip())?.height
  const asked = await post(`${path}/rescan`, { from_height: 1 })
  expect(asked.status).toBe(202)
  expect(asked.json.rescan).toEqual({ from_height: 1, next_height: 1, to_height: tip })
  await served.till.look()
  expect((await get(path)).json.rescan).toBe(null)
  const above = await post(`${path}/rescan`, { from_height: 9_999 })
  expect([above.status, above.json.code]).toEqual([400, 'WALLET_BIRTHDAY_ABOVE_TIP'])
  expect((await post(`${path}/retire`)).json.status).toBe('retired')
  expect((await post(`${path}/retire`)).json.status).toBe('retired')
  const order = await served.call('POST', '/v1/orders', { body: { wallet: made.id } })
  expect([order.status, order.json.code]).toEqual([409, 'WALLET_RETIRED'])
})

test('labels go out and in, and a label of an address stands in the book', async () => {
  const labelled = await served.call('PATCH', `/v1/wallets/${mine()}/addresses/0/0`, {
    body: { label: 'first customer' },
  })
  expect(labelled.json).toMatchObject({ branch: 0, index: 0, label: 'first customer' })
  const book = await get(`/${mine()}/labels`)
  expect(book.headers.get('content-type')).toBe('application/jsonl; charset=utf-8')
  expect(JSON.parse(book.text.trim())).toEqual({
    type: 'addr',
    ref: labelled.json.address,
    label: 'first customer',
  })
  const line = JSON.stringify({ type: 'addr', ref: labelled.json.address, label: 'renamed' })
  const taken = await post(`/${mine()}/labels`, { labels: `${line}\nnothing\n` })
  expect(taken.json).toEqual({ imported: 1, skipped: [{ line: 2, reason: expect.any(String) }] })
  const [row] = (await get(`/${mine()}/addresses?limit=1`)).json.data
  expect(row.label).toBe('renamed')
  const large = JSON.stringify({ type: 'tx', ref: 'ab'.repeat(32), label: 'x'.repeat(900) })
  const many = await post(`/${mine()}/labels`, { labels: `${large}\n`.repeat(100) })
  expect(many.status).toBe(200)
  const none = await served.call('PATCH', `/v1/wallets/${mine()}/addresses/0/2147483647`, {
    body: { label: 'x' },
  })
  expect([none.status, none.json.code]).toEqual([404, 'WALLET_ADDRESS_UNKNOWN'])
})

test('a recovery file brings a wallet back', async () => {
  const file = await get(`/${mine()}/recovery`)
  expect(file.status).toBe(200)
  const restored = await post('/restore', { recovery: file.text })
  expect([restored.status, restored.json.id]).toEqual([200, mine()])
  const bad = await post('/restore', { recovery: file.text.replace('wallet 0', 'wallet 1') })
  expect(bad.status).toBe(400)
  expect(bad.json.code).toMatch(/^WALLET_RECOVERY_/)
})

test('wallets come in pages', async () => {
  const all = (await get('?limit=100')).json.data.map(({ id }: { id: WalletId }) => id)
  expect(all.length).toBeGreaterThanOrEqual(3)
  const seen: string[] = []
  for (let next: string | null = ''; next !== null; ) {
    const page = await get(`?limit=1${next === '' ? '' : `&after=${next}`}`)
    seen.push(...page.json.data.map(({ id }: { id: WalletId }) => id))
    next = page.json.next
  }
  expect(seen).toEqual(all)
  const retired = (await get('?status=retired')).json.data
  expect(retired.map(({ name }: { name: string }) => name)).toEqual(['new'])
})

test('to a key that is limited to wallets the others do not exist', async () => {
  const { json: foreign } = await post('', {
    name: 'foreign',
    xpub: accountKey(4),
    script_type: 'p2wpkh',
    lookahead: 20,
  })
  const lost = 'wal_00000000000000000000000000000000'
  const asked = async (method: string, path: string, body?: object) => {
    const call = { token: narrow, ...(body ? { body } : {}) }
    const answer = await served.call(method, `/v1/wallets${path}`, call)
    expect([method, path, answer.status]).toEqual([method, path, 404])
    return answer.text.replaceAll(/wal_\w+|req_\w+/g, 'x')
  }
  for (const [method, rest, body] of [
    ['GET', ''],
    ['GET', '/balance'],
    ['GET', '/gaps'],
    ['GET', '/addresses'],
    ['GET', '/coins'],
    ['GET', '/transactions'],
    ['GET', '/labels'],
    ['GET', '/recovery'],
    ['PATCH', '', { name: 'mine' }],
    ['PATCH', '/addresses/0/0', { label: 'mine' }],
    ['POST', '/retire'],
    ['POST', '/rescan', { from_height: 1 }],
    ['POST', '/labels', { labels: '' }],
  ] as const)
    expect(await asked(method, `/${foreign.id}${rest}`, body)).toBe(
      await asked(method, `/${lost}${rest}`, body),
    )
  const list = await get('', narrow)
  expect(list.json.data.map(({ id }: { id: WalletId }) => id)).toEqual([mine()])
  for (const [path, body] of [
    ['', { name: 'x', xpub: accountKey(5), script_type: 'p2wpkh' }],
    ['/restore', { recovery: '{}' }],
  ] as const) {
    const no = await post(path, body, { token: narrow })
    expect([no.status, no.json.code]).toEqual([403, 'SCOPE_MISSING'])
  }
})
