import { expect, test } from 'vitest'
import { Paying } from './paying.ts'

test('a payout gets a child over HTTP: once, within the ceilings, for keys of its wallet', async () => {
  const paying = await Paying.open()
  await paying.fund(2_000_000)
  const { id, spend, psbt } = await paying.planned('cheap', { max_fee_rate_sat_kvb: 100_000 })
  const path = `/v1/spends/${spend}/child`
  const body = { fee_rate_sat_kvb: 10_000 }
  const early = await paying.call('POST', path, body)
  expect([early.status, early.json.code]).toEqual([409, 'SPEND_HAS_NO_CHANGE'])
  const given = (await paying.call('GET', `/v1/psbts/${psbt}`)).json.psbt
  await paying.call('POST', `/v1/psbts/${psbt}/signatures`, {
    psbt: Buffer.from(paying.sign(given)).toString('base64'),
  })
  await paying.engine.payouts.send()
  const burning = await paying.call('POST', path, { ...body, max_fee_sat: 10_000_001 })
  expect([burning.status, burning.json.code]).toEqual([400, 'WITHDRAWAL_FEE_LIMIT'])
  const bumped = await paying.call('POST', `/v1/withdrawals/${id}/bump`, {
    ...body,
    max_fee_sat: 10_000_001,
  })
  expect([bumped.status, bumped.json.code]).toEqual([400, 'WITHDRAWAL_FEE_LIMIT'])
  const headers = { 'idempotency-key': 'child-1' }
  const made = await paying.call('POST', path, body, { headers })
  expect([made.status, made.json.purpose, made.json.parent]).toEqual([201, 'child', spend])
  const again = await paying.call('POST', path, body, { headers })
  expect([again.status, again.json.id]).toEqual([201, made.json.id])
  const other = await paying.call('POST', path, body)
  expect([other.status, other.json.code]).toEqual([409, 'COINS_TAKEN'])
  await paying.close()
})
