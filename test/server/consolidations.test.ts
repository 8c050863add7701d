import { afterAll, beforeAll, expect, it } from 'vitest'
import { Paying } from './paying.ts'

let paying: Paying
beforeAll(async () => {
  paying = await Paying.open()
}, 60_000)
afterAll(() => paying.close())

const make = (more: object = {}, call: object = {}) =>
  paying.call('POST', '/v1/consolidations', { wallet: paying.wallet, ...more }, call)
const codeOf = ({ status, json }: { status: number; json: { code?: string } }) => [
  status,
  json?.code,
]

it('says what it would do, does it once, and shows what became of it', async () => {
  expect(codeOf(await make())).toEqual([409, 'CONSOLIDATION_NOT_NEEDED'])
  const { till } = paying.served
  const order = await till.order({})
  for (let i = 0; i < 10; i++) paying.devnet.pay(order.address, 20_000n + BigInt(i))
  await till.mine(3)
  const seen = await make({ dry_run: true })
  expect(seen.status).toBe(200)
  const { fee_sat: fee, fee_later_sat: later, fee_after_sat: after } = seen.json
  expect(seen.json).toMatchObject({
    dry_run: true,
    wallet: paying.wallet,
    group: 'script',
    scripts: 1,
    inputs: 10,
    coins: 10,
    amount_sat: 200_045,
    output_sat: 200_045 - fee,
    saving_sat: later - after - fee,
  })
  expect((await paying.call('GET', '/v1/consolidations')).json.data).toEqual([])

  const dear = await make({ dry_run: true, fee_rate_sat_kvb: 10_001 })
  expect(codeOf(dear)).toEqual([409, 'CONSOLIDATION_RATE_TOO_HIGH'])

  const headers = { headers: { 'idempotency-key': 'the-same' } }
  const made = await make({}, headers)
  expect(made.status).toBe(201)
  expect(made.headers.get('location')).toBe(`/v1/consolidations/${made.json.id}`)
  expect(made.json).toMatchObject({ status: 'planned', trigger: 'request', fee_sat: fee })
  const again = await make({}, headers)
  expect([again.status, again.json]).toEqual([201, made.json])
  expect(codeOf(await make({ max_inputs: 10 }, headers))).toEqual([409, 'IDEMPOTENCY_CONFLICT'])
  expect(codeOf(await make())).toEqual([409, 'CONSOLIDATION_UNDER_WAY'])

  const one = await paying.call('GET', `/v1/consolidations/${made.json.id}`)
  expect(one.json).toEqual(made.json)
  const list = await paying.call('GET', `/v1/consolidations?wallet=${paying.wallet}&status=planned`)
  expect(list.json.data).toEqual([made.json])
  const spend = await paying.call('GET', `/v1/spends/${made.json.spend}`)
  expect(spend.json).toMatchObject({ purpose: 'consolidation', status: 'open' })

  const ended = await paying.call('POST', `/v1/consolidations/${made.json.id}/cancel`)
  expect([ended.status, ended.json.status]).toEqual([200, 'cancelled'])
  expect((await make({ fee_rate_sat_kvb: 1_000 })).json).toMatchObject({ fee_rate_sat_kvb: 1_000 })
})

it.each([
  ['no wallet', { wallet: undefined }, 'FIELD_INVALID'],
  ['a rate of nothing', { fee_rate_sat_kvb: 0 }, 'FIELD_INVALID'],
  ['a rate as text', { fee_rate_sat_kvb: '1000' }, 'FIELD_INVALID'],
  ['one input', { max_inputs: 1 }, 'FIELD_INVALID'],
  ['a field nobody knows', { hurry: true }, 'FIELD_UNKNOWN'],
])('refuses %s', async (_, more, code) => {
  const { status, json } = await make(more)
  expect([status, json.code]).toEqual([400, code])
})

it('asks for a key that makes it once, and for the scope', async () => {
  const body = { wallet: paying.wallet }
  const without = await paying.served.call('POST', '/v1/consolidations', { body })
  expect(codeOf(without)).toEqual([400, 'IDEMPOTENCY_KEY_MISSING'])
  const reader = await paying.served.key(['withdrawals:read'])
  expect(codeOf(await make({ dry_run: true }, { token: reader }))).toEqual([403, 'SCOPE_MISSING'])
})
