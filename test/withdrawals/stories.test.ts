import { sat } from '@kaccy/bitcoin/kernel'
import { afterEach, describe, expect, test } from 'vitest'
import { ANN, BOB, CLIENT, Desk, type DeskOptions } from './desk.ts'

const open: Desk[] = []
async function desk(options: DeskOptions = {}, ...coins: readonly number[]): Promise<Desk> {
  const made = await Desk.open(options)
  open.push(made)
  if (coins.length > 0) await made.world.fund(...coins)
  return made
}
afterEach(async () => {
  for (const one of open.splice(0)) {
    await one.expectSound()
    await one.close()
  }
})

describe('a withdrawal', () => {
  test('is requested, planned, sent, mined and settled, and the books come to zero', async () => {
    const d = await desk({}, 1_000_000)
    await d.credit('cus', 300_000)
    const id = await d.ask({ amount: 200_000, customer: 'cus' })
    expect(await d.status(id)).toBe('approved')
    expect([await d.owed('cus'), await d.held(id)]).toEqual([100_000n, 200_000n])
    expect((await d.layers()).reserved).toBe(220_000n)
    await d.plan()
    const batched = await d.get(id)
    expect(batched).toMatchObject({ status: 'batched', paid: 200_000n, reserved: 0n })
    await d.expectSound()
    const txid = await d.world.send(await d.spendOf(id))
    expect((await d.get(id)).txid).toBe(txid)
    await d.world.mine(1)
    expect(await d.status(id)).toBe('mined')
    expect([await d.held(id), await d.fees()]).toEqual([200_000n, 0n])
    await d.world.mine(5)
    const settled = await d.get(id)
    expect(settled).toMatchObject({ status: 'settled', txid, paid: 200_000n })
    const fee = settled.feeShare ?? 0n
    expect(fee).toBeGreaterThan(0n)
    expect([await d.spent(), await d.fees(), await d.owed('cus')]).toEqual([0n, fee, 100_000n])
    expect(await d.layers()).toMatchObject({
      confirmed: 800_000n - fee,
      reserved: 0n,
      spendable: 800_000n - fee,
    })
    expect(d.told).toEqual([`reserve ${id}`, `settle ${id}`])
    expect(await d.events(id)).toEqual([
      'requested',
      'approved',
      'batched',
      'sending',
      'mined',
      'settled',
    ])
  })

  test('whose fee the customer bears is debited what it really was', async () => {
    const d = await desk({}, 1_000_000)
    await d.credit('cus', 120_000)
    const ask = {
      amount: 100_000,
      customer: 'cus',
      feePayer: 'customer',
      maxFee: sat(20_000n),
    } as const
    const id = await d.ask(ask)
    expect([await d.owed('cus'), await d.held(id)]).toEqual([0n, 120_000n])
    expect(await d.refused({ ...ask, amount: 1000 })).toBe('BALANCE_INSUFFICIENT amount_sat')
    await d.plan()
    await d.world.send(await d.spendOf(id))
    await d.world.mine(6)
    const { feeShare = 0n } = await d.get(id)
    expect([await d.owed('cus'), await d.house(), await d.fees(), await d.spent()]).toEqual([
      20_000n - feeShare,
      feeShare,
      feeShare,
      0n,
    ])
  })

  test('whose fee the recipients bear pays them less, and shares sum to the whole', async () => {
    const d = await desk({}, 1_000_000)
    const ids = [
      await d.ask({ amount: 100_000, feePayer: 'recipient' }),
      await d.ask({ amount: 50_001, feePayer: 'recipient' }),
      await d.ask({ amount: 70_007, feePayer: 'recipient' }),
    ]
    await d.plan()
    const records = await Promise.all(ids.map((id) => d.get(id)))
    const version = await d.world.current(await d.spendOf(ids[0] as (typeof ids)[0]))
    expect(records.reduce((sum, { feeShare = 0n }) => sum + feeShare, 0n)).toBe(version.fee)
    for (const { paid = 0n, feeShare = 0n, amount } of records) expect(paid + feeShare).toBe(amount)
    await d.world.send(version.spend)
    await d.world.mine(6)
    expect([await d.spent(), await d.fees(), await d.house()]).toEqual([
      0n,
      version.fee,
      -220_008n + version.fee,
    ])
  })

  test('is the same for the same external id for ever, and no other one', async () => {
    const d = await desk({}, 1_000_000)
    const input = d.input({
      amount: 50_000,
      speed: { kind: 'deadline', at: d.world.now + 9_000_000 },
    })
    const first = await d.withdrawals.request(input, CLIENT)
    d.world.now += 400 * 24 * 3600 * 1000
    const again = await d.withdrawals.request(input, BOB)
    expect(first.ok && again.ok && again.value).toMatchObject({ created: false })
    expect(first.ok && again.ok && again.value.withdrawal.id === first.value.withdrawal.id).toBe(
      true,
    )
    const other = await d.withdrawals.request({ ...input, amount: sat(50_001n) }, CLIENT)
    expect(other).toMatchObject({
      ok: false,
      error: { code: 'WITHDRAWAL_CONFLICT', param: 'external_id' },
    })
    expect((await d.means()).queued).toBe(70_000n)
  })

  test('needs people where the policy says so, and the initiator is none of them', async () => {
    const d = await desk(
      { policy: { holdFrom: 50_000, denyFrom: 90_000, approvals: 2 } },
      1_000_000,
      1_000_000,
    )
    const id = await d.ask({ amount: 60_000 })
    const record = await d.get(id)
    expect(record).toMatchObject({ status: 'requested', initiator: CLIENT })
    await d.plan()
    expect(await d.status(id)).toBe('requested')
    const by = async (actor: string, digest = record.digest) => {
      const given = await d.withdrawals.approve(id, { digest }, actor)
      return given.ok ? given.value.status : given.error.code
    }
    expect(await by(CLIENT)).toBe('APPROVER_IS_INITIATOR')
    expect(await by(ANN, 'cd'.repeat(32))).toBe('APPROVAL_DIGEST_MISMATCH')
    expect(await by(ANN)).toBe('requested')
    expect(await by(ANN)).toBe('APPROVER_REPEATED')
    expect((await d.withdrawals.explain(id)).ok).toBe(true)
    expect(await by(BOB)).toBe('approved')
    expect(await by('operator:cid')).toBe('WITHDRAWAL_STATE')
    await d.plan()
    expect(await d.status(id)).toBe('batched')
    const denied = await d.ask({ amount: 95_000 })
    expect(await d.get(denied)).toMatchObject({
      status: 'rejected',
      reserved: 0n,
      ended: { by: 'engine', reason: 'desk says deny' },
    })
    expect(await d.world.alerts()).toEqual(['withdrawal_held'])
    const turned = await d.ask({ amount: 55_000 })
    const done = await d.withdrawals.reject(turned, 'not today', ANN)
    expect(done.ok && done.value).toMatchObject({ status: 'rejected', ended: { by: ANN } })
    expect(d.told.filter((one) => one.startsWith('release'))).toEqual([`release ${turned}`])
  })
})

describe('its end', () => {
  test('comes at once in the queue and in a plan that nobody saw; the others are planned anew', async () => {
    const d = await desk({}, 1_000_000)
    const [a, b, c] = [await d.ask(), await d.ask(), await d.ask()]
    const cancel = async (id: typeof a) => {
      const done = await d.withdrawals.cancel(id, 'wrong address', ANN)
      return done.ok ? done.value.status : done.error.code
    }
    expect(await cancel(a)).toBe('cancelled')
    await d.plan()
    const first = await d.spendOf(b)
    expect(await d.spendOf(c)).toBe(first)
    expect(await cancel(b)).toBe('cancelled')
    expect(await d.status(c)).toBe('approved')
    expect((await d.world.spending.get(first))?.spend.status).toBe('dropped')
    await d.expectSound()
    await d.planNow()
    expect(await d.spendOf(c)).not.toBe(first)
    expect(await cancel(b)).toBe('cancelled')
    await d.world.send(await d.spendOf(c))
    await d.world.mine(6)
    expect(await cancel(c)).toBe('WITHDRAWAL_STATE')
    expect([await d.status(a), await d.status(b), await d.status(c)]).toEqual([
      'cancelled',
      'cancelled',
      'settled',
    ])
    expect(await d.spent()).toBe(0n)
    expect(await d.events(c)).toEqual([
      'requested',
      'approved',
      'batched',
      'replanned',
      'batched',
      'sending',
      'mined',
      'settled',
    ])
  })

  test('needs a buried conflicting spend once a signer saw it, and the house pays for that', async () => {
    const d = await desk({}, 1_000_000)
    await d.credit('cus', 100_000)
    const id = await d.ask({ customer: 'cus' })
    const other = await d.ask({ amount: 40_000 })
    await d.plan()
    const spend = await d.spendOf(id)
    await d.world.send(spend)
    const asked = await d.withdrawals.cancel(id, 'changed my mind', ANN)
    expect(asked.ok && asked.value).toMatchObject({ cancelAsked: { by: ANN } })
    expect(asked.ok && asked.value.status).not.toBe('cancelled')
    expect((await d.world.spending.get(spend))?.spend.cancelling).toBe(true)
    expect(await d.held(id)).toBe(100_000n)
    await d.world.send(spend)
    await d.world.mine(1)
    expect(await d.status(id)).toBe('sending')
    await d.world.mine(5)
    expect([await d.status(id), await d.status(other)]).toEqual(['cancelled', 'approved'])
    const fee = await d.fees()
    expect(fee).toBeGreaterThan(0n)
    expect([await d.owed('cus'), await d.spent()]).toEqual([100_000n, 0n])
    await d.expectSound()
    await d.planNow()
    await d.world.send(await d.spendOf(other))
    await d.world.mine(6)
    expect(await d.status(other)).toBe('settled')
    expect(await d.spent()).toBe(0n)
  })

  test('does not come when the payment is mined first', async () => {
    const d = await desk({}, 1_000_000)
    const id = await d.ask()
    await d.plan()
    const spend = await d.spendOf(id)
    await d.world.send(spend)
    await d.withdrawals.cancel(id, 'too late', ANN)
    await d.world.mine(6)
    expect(await d.get(id)).toMatchObject({ status: 'settled', cancelAsked: { by: ANN } })
    expect(await d.spent()).toBe(0n)
  })

  test('waits for a wish that could not be carried out at first', async () => {
    const d = await desk({}, 1_000_000)
    const id = await d.ask()
    await d.plan()
    const spend = await d.spendOf(id)
    await d.expose(spend)
    const { store } = d.world
    await store.transact(async (tx) => {
      const [record] = await tx.withdrawals.lock([id])
      if (record)
        await tx.withdrawals.save([{ ...record, cancelAsked: { by: ANN, reason: 'x', at: 1 } }])
    })
    expect((await d.planNow()).cancelling).toEqual([spend])
    expect((await d.planNow()).cancelling).toEqual([])
    expect((await d.world.spending.get(spend))?.spend.cancelling).toBe(true)
  })
})

describe('a reorganisation', () => {
  test('takes a settled withdrawal back, and the books with it', async () => {
    const d = await desk({}, 1_000_000)
    const id = await d.ask({ amount: 250_000 })
    await d.plan()
    const txid = await d.world.send(await d.spendOf(id))
    await d.world.mine(6)
    expect(await d.status(id)).toBe('settled')
    const tip = d.world.devnet.view.tip()
    d.world.devnet.reorg(6)
    await d.world.look()
    expect([tip.height, await d.status(id)]).toEqual([tip.height, 'sending'])
    expect([await d.held(id), await d.fees(), await d.spent()]).toEqual([250_000n, 0n, 0n])
    await d.expectSound()
    await d.world.mine(6)
    expect(await d.get(id)).toMatchObject({ status: 'settled', txid })
    expect(await d.spent()).toBe(0n)
    expect((await d.events(id)).slice(-4)).toEqual(['settled', 'reorged', 'mined', 'settled'])
  })
})

test('a bump keeps every payment, and the version that is mined is the one that is booked', async () => {
  const d = await desk({}, 1_000_000)
  const id = await d.ask({ amount: 150_000 })
  await d.plan()
  const spend = await d.spendOf(id)
  const first = await d.world.send(spend)
  const bumped = await d.withdrawals.bump(id, { speed: d.world.rate(20_000) }, ANN)
  expect(bumped.ok).toBe(true)
  const second = await d.world.send(spend)
  expect(second).not.toBe(first)
  expect((await d.get(id)).txid).toBe(second)
  await d.world.mine(6)
  const version = await d.world.current(spend)
  expect([await d.fees(), await d.spent()]).toEqual([version.fee, 0n])
  expect(await d.get(id)).toMatchObject({ status: 'settled', txid: second, feeShare: version.fee })
})
