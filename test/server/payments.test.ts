import type { WalletId } from '@kaccy/bitcoin/kernel'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { Served } from './served.ts'

let served: Served
let other: WalletId
let narrow: string
beforeAll(async () => {
  served = await Served.open()
  const { till } = served
  other = await till.register({ account: 1 })
  narrow = await served.key(['payments:read', 'orders:read'], [till.wallet])
  for (let i = 0; i < 5; i++) {
    till.now += 1_000
    const order = await till.order({ amount: 10_000 + i })
    till.pay(`payer ${i}`, [order, 10_000 + i])
    if (i === 2) await till.mine(3)
    else await till.look()
  }
  till.now += 1_000
  const foreign = await till.order({ wallet: other, amount: 77_000 })
  till.pay('stranger', [foreign, 77_000])
  await till.look()
})
afterAll(() => served.close())

const list = async (query: string, token?: string) =>
  (await served.call('GET', `/v1/payments?${query}`, token === undefined ? {} : { token })).json
const amounts = (data: readonly { readonly amount_sat: number }[]) =>
  data.map(({ amount_sat: amount }) => amount)

test('payments come newest first, each once, while new ones arrive', async () => {
  const first = await list('limit=2')
  expect(amounts(first.data)).toEqual([77_000, 10_004])
  served.till.now += 1_000
  const late = await served.till.order({ amount: 20_000 })
  served.till.pay('late payer', [late, 20_000])
  await served.till.look()
  const second = await list(`limit=2&after=${first.next}`)
  const third = await list(`limit=2&after=${second.next}`)
  expect([...amounts(second.data), ...amounts(third.data)]).toEqual([
    10_003, 10_002, 10_001, 10_000,
  ])
  expect([third.has_more, third.next]).toEqual([false, null])
  expect(amounts((await list('limit=1')).data)).toEqual([20_000])
})

test('payments are found by status, wallet, order, purpose and time', async () => {
  expect(amounts((await list('status=credited')).data)).toEqual([10_002, 10_001, 10_000])
  expect(amounts((await list(`status=mempool&wallet=${other}`)).data)).toEqual([77_000])
  expect((await list('status=gone')).data).toEqual([])
  const [paid] = (await list('status=credited&limit=1')).data
  expect(amounts((await list(`order=${paid.order}`)).data)).toEqual([10_002])
  expect((await list('purpose=unassigned')).data).toEqual([])
  const from = (await list('status=mempool')).data.at(-1).first_seen_at
  expect(amounts((await list(`seen_until=${from}&unspent=true`)).data)).toEqual([
    10_002, 10_001, 10_000,
  ])
  const one = await served.call('GET', `/v1/payments/${paid.id}`)
  expect(one.json).toEqual(paid)
  expect(one.json).toMatchObject({
    status: 'credited',
    confirmations: 3,
    booked: 'credited',
    late: false,
    gone: null,
  })
})

test('a payment that was replaced is gone, and says by what', async () => {
  const { till } = served
  till.now += 1_000
  const order = await till.order({ amount: 30_000 })
  const spend = till.pay('double', [order, 30_000])
  await till.look()
  const thief = till.devnet.spend({
    from: 'double',
    rbf: true,
    outs: [{ script: Uint8Array.of(0, 20, ...new Uint8Array(20).fill(7)), amount: 20_000 }],
  })
  till.devnet.trySend(thief.raw)
  await till.look()
  const { json } = await served.call('GET', `/v1/payments/pay_${spend.txid}_0`)
  expect(json).toMatchObject({ status: 'gone', gone: { reason: 'replaced', by: thief.txid } })
})

test('what is not there, and what belongs to others', async () => {
  const [foreign] = (await list(`wallet=${other}`)).data
  const lost = `pay_${'00'.repeat(32)}_0`
  for (const [id, token] of [
    [foreign.id, narrow],
    [lost, narrow],
    [lost, served.admin],
  ]) {
    const { status, json } = await served.call('GET', `/v1/payments/${id}`, { token })
    expect([status, json.code, json.param]).toEqual([404, 'NOT_FOUND', 'payment'])
  }
  const seen = (await list('limit=100', narrow)).data
  expect(seen.every((row: { wallet: string }) => row.wallet === served.till.wallet)).toBe(true)
  expect(seen.length).toBeGreaterThan(4)
  expect((await list(`wallet=${other}`, narrow)).data).toEqual([])
  for (const query of [
    'after=1',
    'status=paid',
    'limit=0',
    'unspent=yes',
    'colour=red',
    'seen_from=now',
  ])
    expect((await served.call('GET', `/v1/payments?${query}`)).status).toBe(400)
})

test('fees are what the node says', async () => {
  const answer = await served.call('GET', '/v1/fees')
  if (answer.status === 200) expect(answer.json.estimates.length).toBeGreaterThan(0)
  else expect([answer.status, answer.json.code]).toEqual([503, 'FEE_ESTIMATE_UNAVAILABLE'])
})

test('statistics tell how long customers waited, of what the key may see', async () => {
  const path = '/v1/statistics/confirmations?from=2026-01-01T00:00:00Z'
  const all = await served.call('GET', path)
  const mine = await served.call('GET', path, { token: narrow })
  expect(all.json.by_level.confirmed.count).toBe(3)
  expect(all.json.orders).toBe(mine.json.orders + 1)
  const no = await served.call('GET', `${path}&wallet=${other}`, { token: narrow })
  expect([no.status, no.json.code]).toEqual([404, 'WALLET_NOT_FOUND'])
  expect((await served.call('GET', '/v1/statistics/confirmations')).json.param).toBe('from')
})
