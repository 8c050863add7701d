import { hashOf } from '@kaccy/bitcoin/audit'
import type { WalletId } from '@kaccy/bitcoin/kernel'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { Served } from './served.ts'

let served: Served
let other: WalletId
beforeAll(async () => {
  served = await Served.open()
  const { till } = served
  other = await till.register({ account: 1 })
  for (let i = 0; i < 3; i++) {
    const order = await till.order({ amount: 10_000, description: '=HYPERLINK("x")' })
    till.pay(`payer ${i}`, [order, 10_000])
    const theirs = await till.order({ wallet: other, amount: 20_000 })
    till.pay(`stranger ${i}`, [theirs, 20_000])
  }
  await till.mine(3)
})
afterAll(() => served.close())

const get = async (path: string, token?: string) =>
  served.call('GET', `/v1${path}`, token === undefined ? {} : { token })

/** All rows of a list, page by page. */
async function every(path: string): Promise<readonly Record<string, unknown>[]> {
  const rows: Record<string, unknown>[] = []
  for (let query: string | undefined = 'limit=4'; query !== undefined; ) {
    const { json } = await get(`${path}${path.includes('?') ? '&' : '?'}${query}`)
    rows.push(...json.data)
    query = json.has_more ? `limit=4&after=${encodeURIComponent(json.next)}` : undefined
  }
  return rows
}

test('accounts and entries come in pages, and add up', async () => {
  const accounts = await every('/ledger/accounts')
  expect(accounts.reduce((sum, row) => sum + Number(row['balance_sat']), 0)).toBe(0)
  const coins = await get(`/ledger/accounts?prefix=coins/${served.till.wallet}`)
  expect(coins.json.data).toMatchObject([
    { debits_sat: 30_000, credits_sat: 0, balance_sat: 30_000 },
  ])
  const entries = await every('/ledger/entries')
  expect(entries.map(({ number }) => number)).toEqual(entries.map((_, i) => i + 1))
  const credits = (await every(`/ledger/entries?wallet=${other}`)).filter(
    ({ kind }) => kind === 'credit',
  )
  expect(credits.map((row) => row['amount_sat'])).toEqual([20_000, 20_000, 20_000])
  const [credit] = credits
  expect(await every(`/ledger/entries?payment=${credit?.['payment']}`)).toContainEqual(credit)
  expect(
    await every(`/ledger/entries?order=${credit?.['order']}&account=${credit?.['debit']}`),
  ).toContainEqual(credit)
  expect((await get('/ledger/verify')).json).toMatchObject({ ok: true, differences: [] })
})

test('coins are held against the node', async () => {
  const { status, json } = await served.call('POST', `/v1/wallets/${other}/reconcile`)
  expect(status).toBe(200)
  expect(json).toMatchObject({ ok: true, coins: 3, ours_sat: 60_000, node_sat: 60_000, drifts: [] })
  served.till.devnet.mine(1)
  const moved = await served.call('POST', `/v1/wallets/${other}/reconcile`)
  expect([moved.status, moved.json.code]).toEqual([503, 'CHAIN_MOVED'])
  await served.till.look()
})

test('the trail is read in both directions, filtered, and hashes as it says', async () => {
  const newest = await every('/audit')
  const oldest = await every('/audit?order=oldest')
  // Reading is no deed: nothing was added in between.
  expect(oldest).toEqual([...newest].reverse())
  expect(oldest.map(({ number }) => number)).toEqual(oldest.map((_, i) => i + 1))
  for (const row of oldest) {
    const { at: _, at_ms: at, hash, ...entry } = row
    expect(hashOf({ ...entry, at } as unknown as Parameters<typeof hashOf>[0])).toBe(hash)
  }
  expect(await every('/audit?action=order.create')).toHaveLength(6)
  expect((await every('/audit?action=wallet.')).length).toBeGreaterThanOrEqual(2)
  expect(await every(`/audit?subject=${other}&actor=operator:test`)).toHaveLength(1)
  expect(await every('/audit?until=2020-01-01T00:00:00Z')).toEqual([])
})

test('the trail is verified against itself and against an anchor', async () => {
  const { json: head } = await get('/audit/head')
  expect((await get('/audit/verify')).json).toEqual({
    ok: true,
    entries: head.number,
    head,
    broken: null,
  })
  expect((await get(`/audit/verify?anchor=${head.number}:${head.hash}`)).json.ok).toBe(true)
  const { json: cut } = await get(`/audit/verify?anchor=${head.number + 1}:${head.hash}`)
  expect(cut).toMatchObject({ ok: false, entries: null, broken: { number: head.number + 1 } })
  expect((await get('/audit/verify?anchor=1')).json.param).toBe('anchor')
})

test('the trail goes out as lines that verify, and as a table that runs nothing', async () => {
  const lines = await get('/audit/export')
  expect(lines.headers.get('content-type')).toBe('application/jsonl; charset=utf-8')
  expect(lines.headers.get('content-disposition')).toContain('audit.jsonl')
  const entries = lines.text
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line))
  for (const { hash, ...entry } of entries) expect(hashOf(entry)).toBe(hash)
  expect(entries).toHaveLength((await get('/audit/head')).json.number)
  const table = await get('/audit/export?format=csv&action=order.create')
  expect(table.headers.get('content-type')).toContain('text/csv')
  expect(table.text.trim().split('\r\n')).toHaveLength(7)
  for (const cell of table.text.split(/,|\r\n/)) expect(cell).not.toMatch(/^"?[=+@]/)
})

test('alerts are listed, read and acknowledged once', async () => {
  await served.till.engine.raise(
    ['a', 'b', 'c', 'd'].map((key, i) => ({
      key,
      kind: 'drift',
      severity: 'warning',
      subject: `thing ${key}`,
      message: `alert ${key}`,
      data: i % 2 === 0 ? { wallet: other } : {},
    })),
  )
  const first = await get('/alerts?kind=drift&limit=3')
  const second = await get(`/alerts?kind=drift&limit=3&after=${first.json.next}`)
  const messages = [...first.json.data, ...second.json.data].map(({ message }) => message)
  expect(messages).toEqual(['alert d', 'alert c', 'alert b', 'alert a'])
  expect([second.json.has_more, second.json.next]).toEqual([false, null])
  const { id } = second.json.data[0]
  const ack = (note: string) =>
    served.call('POST', `/v1/alerts/${id}/acknowledge`, { body: { note } })
  const seen = await ack('looked at it')
  expect(seen.json.acknowledged).toMatchObject({
    note: 'looked at it',
    by: expect.stringMatching(/^api:key_/),
  })
  expect((await ack('later')).json).toEqual(seen.json)
  expect((await get(`/alerts/${id}`)).json).toEqual(seen.json)
  expect((await get('/alerts?open=true&kind=drift')).json.data).toHaveLength(3)
  expect((await get('/alerts?subject=thing%20a')).json.data).toHaveLength(1)
  const token = await served.key(['alerts:read', 'alerts:write'], [served.till.wallet])
  expect((await get('/alerts?kind=drift&limit=1', token)).json.data).toEqual([])
  const theirs = await served.key(['alerts:read'], [other])
  expect((await get('/alerts?kind=drift&limit=100', theirs)).json.data).toHaveLength(2)
  for (const path of [`/alerts/${id}`, '/alerts/alr_999'])
    expect((await get(path, token)).status).toBe(404)
  const no = await served.call('POST', `/v1/alerts/${id}/acknowledge`, { token, body: {} })
  expect([no.status, no.json.code]).toEqual([404, 'NOT_FOUND'])
})

test('a key that is limited to wallets reads no books of all', async () => {
  const token = await served.key(['audit:read'], [served.till.wallet])
  for (const path of [
    '/audit',
    '/audit/export',
    '/audit/head',
    '/audit/verify',
    '/ledger/accounts',
    '/ledger/entries',
    '/ledger/verify',
  ]) {
    const { status, json } = await get(path, token)
    expect([path, status, json.code]).toEqual([path, 403, 'SCOPE_MISSING'])
  }
  expect((await get(`/ledger/entries?wallet=${other}`, token)).status).toBe(404)
  const own = await get(`/ledger/entries?wallet=${served.till.wallet}`, token)
  expect(own.json.data.length).toBeGreaterThan(0)
  const foreign = await served.call('POST', `/v1/wallets/${other}/reconcile`, { token })
  expect(foreign.status).toBe(404)
})

test.each(['/v1/audit/verify', '/v1/ledger/verify'])(
  '%s reads everything, and so for one caller at a time',
  async (path) => {
    const ask = () =>
      served.app.inject({
        url: path,
        headers: { host: 'localhost', authorization: `Bearer ${served.admin}` },
      })
    const answers = await Promise.all([ask(), ask()])
    expect(answers.map(({ statusCode }) => statusCode).sort()).toEqual([200, 429])
    const refused = answers.find(({ statusCode }) => statusCode === 429)
    expect(refused?.headers['retry-after']).toBeDefined()
    expect((await ask()).statusCode).toBe(200)
  },
)
