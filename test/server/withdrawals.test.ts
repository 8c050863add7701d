import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { Paying, THEIRS } from './paying.ts'

let paying: Paying
beforeAll(async () => {
  paying = await Paying.open()
  await paying.fund(5_000_000)
  await paying.fund(3_000_000)
  await paying.fund(90_000_000)
  await paying.fund(60_000_000)
  await paying.fund(70_000_000)
}, 60_000)
afterAll(() => paying.close())

const codeOf = ({ status, json }: { status: number; json: { code?: string } }) => [
  status,
  json?.code,
]

describe('a request', () => {
  it('is made once for an external id, for ever', async () => {
    const body = { user: 'ann', metadata: { invoice: '17' }, description: 'rent' }
    const made = await paying.request('once', body)
    expect(made.status).toBe(201)
    expect(made.headers.get('location')).toBe(`/v1/withdrawals/${made.json.id}`)
    expect(made.json).toMatchObject({
      wallet: paying.wallet,
      external_id: 'once',
      address: THEIRS,
      amount_sat: 50_000,
      fee_payer: 'platform',
      priority: 'high',
      fee_rate_sat_kvb: null,
      deadline: null,
      user: 'ann',
      status: 'approved',
      verdict: { decision: 'allow', approvals_needed: 0 },
      metadata: { invoice: '17' },
    })
    const again = await paying.request('once', body)
    expect([again.status, again.json.id]).toEqual([200, made.json.id])
    expect(codeOf(await paying.request('once', { ...body, amount_sat: 50_001 }))).toEqual([
      409,
      'WITHDRAWAL_CONFLICT',
    ])
    const ended = await paying.call('POST', `/v1/withdrawals/${made.json.id}/cancel`, {
      reason: 'a try',
    })
    expect([ended.status, ended.json.status, ended.json.reserved_sat]).toEqual([
      200,
      'cancelled',
      0,
    ])
    const late = await paying.request('once', body)
    expect([late.status, late.json.status]).toEqual([200, 'cancelled'])
  })

  it.each([
    ['an amount with an exponent', '"amount_sat":1e8', 'FIELD_INVALID', 'amount_sat'],
    ['an amount with a fraction', '"amount_sat":1.5', 'FIELD_INVALID', 'amount_sat'],
    ['an amount below zero', '"amount_sat":-1', 'FIELD_INVALID', 'amount_sat'],
    ['an amount of nothing', '"amount_sat":0', 'FIELD_INVALID', 'amount_sat'],
    ['an amount as text', '"amount_sat":"50000"', 'FIELD_INVALID', 'amount_sat'],
    ['more than there is', '"amount_sat":2100000000000001', 'FIELD_INVALID', 'amount_sat'],
    ['dust', '"amount_sat":100', 'WITHDRAWAL_AMOUNT_DUST', undefined],
    ['more than the wallet has', '"amount_sat":99000000000', 'FUNDS_INSUFFICIENT', undefined],
    ['a field nobody knows', '"amount_sat":1000,"hurry":true', 'FIELD_UNKNOWN', 'hurry'],
    ['a poisoned field', '"amount_sat":1000,"__proto__":{}', 'FIELD_UNKNOWN', '__proto__'],
    [
      'two speeds',
      '"amount_sat":1000,"priority":"low","fee_rate_sat_kvb":2000',
      'FIELD_INVALID',
      'fee_rate_sat_kvb',
    ],
    [
      'a rate as text',
      '"amount_sat":1000,"fee_rate_sat_kvb":"2"',
      'FIELD_INVALID',
      'fee_rate_sat_kvb',
    ],
    [
      'a deadline without zone',
      '"amount_sat":1000,"deadline":"2030-01-01T00:00:00"',
      'FIELD_INVALID',
      'deadline',
    ],
    ['no such payer', '"amount_sat":1000,"fee_payer":"nobody"', 'FIELD_INVALID', 'fee_payer'],
  ])('with %s is refused by its field', async (_, fields, code, param) => {
    const raw = `{"wallet":"${paying.wallet}","address":"${THEIRS}","external_id":"no-${code}",${fields}}`
    const answer = await paying.call('POST', '/v1/withdrawals', undefined, { raw })
    expect([answer.status >= 400 && answer.status < 500, answer.json.code]).toEqual([true, code])
    if (param !== undefined) expect(answer.json.param).toBe(param)
    const found = await paying.call('GET', `/v1/withdrawals?external_id=no-${code}`)
    expect(found.json.data).toEqual([])
  })

  it.each([
    ['of another network', 'bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4', 'ADDRESS_NETWORK'],
    ['with a wrong checksum', `${THEIRS.slice(0, -1)}q`, 'ADDRESS_CHECKSUM'],
    ['that is none', 'my friend', 'ADDRESS_INVALID'],
  ])('to an address %s is refused', async (_, address, code) => {
    expect(codeOf(await paying.request(`to-${code}`, { address }))).toEqual([400, code])
  })
})

describe('a payout', () => {
  it('is planned, signed elsewhere, sent, mined and settled', async () => {
    const { id, psbt, spend } = await paying.planned('whole', { metadata: { story: 'whole' } })
    const path = `/v1/psbts/${psbt}`
    const peeked = await paying.call('GET', `${path}?peek=true`)
    expect(peeked.json).toMatchObject({
      id: psbt,
      spend,
      status: 'created',
      is_current: true,
      psbt: null,
      exposed_at: null,
      approvals: { have: 0, need: 0, complete: true },
    })
    const paid = peeked.json.outputs.find((output: { role: string }) => output.role === 'payment')
    expect(paid).toEqual({
      address: THEIRS,
      amount_sat: 50_000,
      role: 'payment',
      withdrawals: [id],
    })
    const watcher = { token: await paying.served.key(['psbts:read']) }
    const watched = await paying.call('GET', path, undefined, watcher)
    expect([watched.json.psbt, watched.json.exposed_at]).toEqual([null, null])
    const bytes = { headers: { accept: 'application/octet-stream' } }
    expect(codeOf(await paying.call('GET', path, undefined, { ...watcher, ...bytes }))).toEqual([
      403,
      'SCOPE_MISSING',
    ])
    const taken = await paying.call('GET', path)
    expect(taken.json.exposed_at).toEqual(expect.any(String))
    const file = await paying.served.call('GET', path, bytes)
    expect(file.headers.get('content-type')).toBe('application/octet-stream')
    expect(file.text.startsWith('psbt')).toBe(true)
    const foreign = Buffer.from(taken.json.psbt, 'base64')
    const unsigned = await paying.call('POST', `${path}/signatures`, { psbt: taken.json.psbt })
    expect([unsigned.status, unsigned.json.added]).toEqual([200, 0])
    for (const wrong of [foreign.subarray(0, 30).toString('base64'), 'no base64!', 'AAAA'])
      expect((await paying.call('POST', `${path}/signatures`, { psbt: wrong })).status).toBe(400)
    const signed = await fetch(`${paying.served.url}${path}/signatures`, {
      method: 'POST',
      headers: {
        authorization: `Bearer ${paying.served.admin}`,
        'content-type': 'application/octet-stream',
      },
      body: Buffer.from(paying.sign(taken.json.psbt)),
    })
    expect(await signed.json()).toMatchObject({ status: 'finalized', added: 1 })
    await paying.engine.payouts.send()
    const sent = await paying.call('GET', `/v1/withdrawals/${id}`)
    expect(sent.json).toMatchObject({ status: 'sending', paid_sat: 50_000 })
    await paying.served.till.mine(1)
    const mined = await paying.call('GET', `/v1/withdrawals?metadata=story:whole`)
    expect(mined.json.data).toMatchObject([{ id, status: 'mined' }])
    await paying.served.till.mine(5)
    const explained = await paying.call('GET', `/v1/withdrawals/${id}/explain`)
    expect(explained.json.withdrawal.status).toBe('settled')
    expect(explained.json.because.length).toBeGreaterThan(2)
    expect(explained.json.versions).toMatchObject([{ id: psbt, status: 'confirmed' }])
    const days = await paying.call('GET', '/v1/analytics/days')
    expect(days.json.data[0]).toMatchObject({ wallet: paying.wallet, settled: 1 })
  })

  it('is bumped by a version that conflicts, and cancelled by another one', async () => {
    const { id, psbt, spend } = await paying.planned('bumped', { max_fee_rate_sat_kvb: 100_000 })
    const first = (await paying.call('GET', `/v1/psbts/${psbt}`)).json.psbt
    await paying.call('POST', `/v1/psbts/${psbt}/signatures`, {
      psbt: Buffer.from(paying.sign(first)).toString('base64'),
    })
    await paying.engine.payouts.send()
    const bumped = await paying.call('POST', `/v1/withdrawals/${id}/bump`, {
      fee_rate_sat_kvb: 10_000,
    })
    expect(bumped.status).toBe(202)
    const second = (await paying.call('GET', `/v1/spends/${spend}`)).json
    expect(second.versions).toMatchObject([
      { id: psbt, number: 1 },
      { id: second.current, number: 2, kind: 'bump' },
    ])
    expect(second.versions[1].fee_sat).toBeGreaterThan(second.versions[0].fee_sat)
    const stale = await paying.call('GET', `/v1/psbts/${psbt}`, undefined, {
      headers: { accept: 'application/octet-stream' },
    })
    expect(stale.status).toBe(409)
    const cancelled = await paying.call('POST', `/v1/withdrawals/${id}/cancel`, {
      reason: 'wrong person',
    })
    expect([cancelled.status, cancelled.json.cancel_asked.reason]).toEqual([202, 'wrong person'])
    const third = (await paying.call('GET', `/v1/spends/${spend}`)).json
    expect([third.cancelling, third.versions.at(-1).kind]).toEqual([true, 'cancel'])
    const undo = (await paying.call('GET', `/v1/psbts/${third.current}`)).json.psbt
    await paying.call('POST', `/v1/psbts/${third.current}/signatures`, {
      psbt: Buffer.from(paying.sign(undo)).toString('base64'),
    })
    await paying.engine.payouts.send()
    await paying.served.till.mine(6)
    const ended = (await paying.call('GET', `/v1/withdrawals/${id}`)).json
    expect([ended.status, ended.ended.reason]).toEqual(['cancelled', 'wrong person'])
  })
})

describe('what waits for people', () => {
  it('is approved by others than who asked for it, bound to its digest', async () => {
    const asker = await paying.served.key(['withdrawals:write', 'withdrawals:approve'])
    const made = await paying.call(
      'POST',
      '/v1/withdrawals',
      {
        wallet: paying.wallet,
        address: THEIRS,
        amount_sat: 20_000_000,
        external_id: 'large',
      },
      { token: asker },
    )
    expect([made.status, made.json.status, made.json.verdict.decision]).toEqual([
      201,
      'requested',
      'hold',
    ])
    const path = `/v1/withdrawals/${made.json.id}`
    const { digest } = made.json
    const own = await paying.call('POST', `${path}/approve`, { digest }, { token: asker })
    expect(codeOf(own)).toEqual([403, 'APPROVER_IS_INITIATOR'])
    const ann = { token: await paying.served.key(['withdrawals:approve']) }
    const other = { digest: 'ab'.repeat(32) }
    expect(codeOf(await paying.call('POST', `${path}/approve`, other, ann))).toEqual([
      409,
      'APPROVAL_DIGEST_MISMATCH',
    ])
    const yes = await paying.call('POST', `${path}/approve`, { digest }, ann)
    expect([yes.status, yes.json.status]).toEqual([200, 'approved'])
    const explained = (await paying.call('GET', `${path}/explain`)).json
    expect(explained.approvals).toHaveLength(1)
    const no = await paying.call('POST', `${path}/reject`, { reason: 'too much' })
    expect([no.status, no.json.status]).toEqual([200, 'rejected'])
  })

  it('is denied above the limits, which tell what is left', async () => {
    const denied = await paying.request('denied', { amount_sat: 1_000_000_001 })
    expect(denied.json.code ?? denied.json.status).toMatch(/FUNDS_INSUFFICIENT|rejected/)
    const limits = (await paying.call('GET', '/v1/limits?user=ann')).json.data
    const single = limits.find(({ name }: { name: string }) => name === 'single')
    expect(single).toMatchObject({ amount_sat: 1_000_000_000, used_sat: null, over: 'deny' })
    expect(limits.map(({ per }: { per: string }) => per)).toContain('user')
  })
})

it('coins are frozen for a reason, shown so, and let go', async () => {
  const path = `/v1/wallets/${paying.wallet}/coins`
  const [coin] = (await paying.call('GET', path)).json.data
  expect([coin.frozen, coin.held_by]).toEqual([null, null])
  const frozen = await paying.call('POST', `${path}/freeze`, {
    coins: [coin.id],
    reason: 'sanctions check',
  })
  expect(frozen.json.coins).toMatchObject([{ id: coin.id, reason: 'sanctions check' }])
  const shown = (await paying.call('GET', path)).json.data
  expect(shown.find(({ id }: { id: string }) => id === coin.id).frozen.reason).toBe(
    'sanctions check',
  )
  const letGo = await paying.call('POST', `${path}/unfreeze`, { coins: [coin.id] })
  expect(letGo.json.coins).toHaveLength(1)
  const unknown = { coins: [`pay_${'0'.repeat(64)}_0`], reason: 'x' }
  expect(codeOf(await paying.call('POST', `${path}/freeze`, unknown))).toEqual([
    404,
    'COIN_UNKNOWN',
  ])
})

describe('a policy', () => {
  it('is proposed, tested, replayed and enabled; one that fails its tests is not', async () => {
    const current = (await paying.call('GET', '/v1/policies/current')).json
    const { document } = current
    const proposed = await paying.call('POST', '/v1/policies', {
      document: { ...document, name: 'Stricter', otherwise: 'hold' },
    })
    expect([proposed.status, proposed.json.status, proposed.json.version]).toEqual([
      201,
      'draft',
      1,
    ])
    expect(codeOf(await paying.call('POST', '/v1/policies/1/enable'))).toEqual([
      409,
      'POLICY_NOT_TESTED',
    ])
    const tested = await paying.call('POST', '/v1/policies/1/test')
    expect(tested.json).toMatchObject({ ok: true, failures: [] })
    const replayed = await paying.call('POST', '/v1/policies/1/replay', {
      from: '2020-01-01T00:00:00Z',
      until: '2040-01-01T00:00:00Z',
    })
    expect(replayed.json).toMatchObject({ version: 1, different: 0 })
    expect(replayed.json.requests).toBeGreaterThan(2)
    const enabled = await paying.call('POST', '/v1/policies/1/enable')
    expect([enabled.status, enabled.json.status]).toEqual([200, 'enabled'])
    expect((await paying.call('GET', '/v1/policies')).json.data).toHaveLength(1)
    const broken = await paying.call('POST', '/v1/policies', {
      document: { ...document, rules: [], otherwise: 'allow' },
    })
    const failed = await paying.call('POST', `/v1/policies/${broken.json.version}/test`)
    expect(failed.json.ok).toBe(false)
    expect(codeOf(await paying.call('POST', '/v1/policies', { document: { rules: 1 } }))).toEqual([
      400,
      'POLICY_INVALID',
    ])
  })

  it('is nothing for a key that is limited to wallets', async () => {
    const token = await paying.served.key(['policies:read'], [paying.wallet])
    const only = { token }
    expect(codeOf(await paying.call('GET', '/v1/policies', undefined, only))).toEqual([
      403,
      'SCOPE_MISSING',
    ])
    const path = `/v1/limits?wallet=${paying.wallet}&user=ann`
    const { data } = (await paying.call('GET', path, undefined, only)).json
    expect(data.every(({ per }: { per: string }) => per === 'wallet')).toBe(true)
  })
})

it('bytes are taken only where files are', async () => {
  const { status, json } = await paying.served.call('POST', '/v1/withdrawals', {
    raw: 'x',
    headers: { 'content-type': 'application/octet-stream', 'idempotency-key': 'bytes' },
  })
  expect([status, json.code]).toEqual([415, 'MEDIA_TYPE_UNSUPPORTED'])
})

it('needs an Idempotency-Key, whose answer outlives every pruning', async () => {
  const body = {
    wallet: paying.wallet,
    address: THEIRS,
    amount_sat: 40_000,
    external_id: 'kept',
    priority: 'low',
  }
  const bare = await paying.served.call('POST', '/v1/withdrawals', { body })
  expect(codeOf(bare)).toEqual([400, 'IDEMPOTENCY_KEY_MISSING'])
  const keyed = { headers: { 'idempotency-key': 'for-ever' }, body }
  const made = await paying.served.call('POST', '/v1/withdrawals', keyed)
  expect(made.status).toBe(201)
  paying.served.till.now += 50 * 365 * 24 * 3_600_000
  await paying.engine.idempotency.prune()
  const again = await paying.served.call('POST', '/v1/withdrawals', keyed)
  expect([again.status, again.text, again.headers.get('idempotent-replayed')]).toEqual([
    201,
    made.text,
    'true',
  ])
})
