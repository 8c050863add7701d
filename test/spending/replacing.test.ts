import { sat, satPerKvB, type SpendId } from '@kaccy/bitcoin/kernel'
import { afterEach, expect, test } from 'vitest'
import { expectSound } from './sound.ts'
import { World, type WorldOptions } from './world.ts'

let world: World
const open = async (options: WorldOptions = {}) => {
  world = await World.open(options)
  return world
}
afterEach(() => world.close())

const bumpTo = (id: SpendId, rate: number, more = {}) =>
  world.spending.bump(id, { speed: world.rate(rate), ...more }, 'operator:test')
const sum = (amounts: readonly bigint[]) => amounts.reduce((total, one) => total + one, 0n)

test('a bump keeps every payment, takes the place of the first in the mempool, and is mined', async () => {
  await open()
  await world.fund(100_000, 80_000)
  const spend = await world.pay(50_000, 30_000)
  const first = await world.send(spend.id)
  const bumped = await bumpTo(spend.id, 6_000)
  expect(bumped.ok).toBe(true)
  const [v1, v2] = await world.versions(spend.id)
  expect(v2?.fee).toBeGreaterThan(v1?.fee ?? 0n)
  expect(v2?.rate).toBeGreaterThanOrEqual(6_000n)
  await expectSound(world)
  // The first stays offered until the second is out.
  expect(await world.status(spend.id)).toBe('open: payment broadcast, bump created')
  const second = await world.send(spend.id)
  expect([world.inMempool(first), world.inMempool(second)]).toEqual([false, true])
  expect(await world.status(spend.id)).toBe('open: payment replaced, bump broadcast')
  await world.mine(6)
  expect(await world.status(spend.id)).toBe('settled: payment replaced, bump confirmed')
  await expectSound(world)
  expect(await world.alerts()).toEqual([])
  // The owner heard of the new txid when it was made, and of everything since.
  expect(world.moves.map(({ version, after }) => `${after.status} ${version.number}`)).toEqual([
    'open 1',
    'open 2',
    'open 2',
    'open 2',
    'mined 2',
    'settled 2',
  ])
})

test('a bump that the change cannot pay brings a coin, leased in the same commit', async () => {
  await open()
  await world.fund(50_000, 40_000)
  const spend = await world.payFrom(50_000, 49_000)
  const [v1] = await world.versions(spend.id)
  expect(v1?.transaction.inputs.length).toBe(1)
  await world.send(spend.id)
  const bumped = await bumpTo(spend.id, 20_000)
  expect(bumped.ok).toBe(true)
  const v2 = await world.current(spend.id)
  expect(v2.transaction.inputs.length).toBe(2)
  await expectSound(world)
  await world.send(spend.id)
  await world.mine()
  expect(await world.status(spend.id)).toBe('mined: payment replaced, bump confirmed')
})

test('the original wins the race: the books follow the chain, and the coin of the bump is free once that is buried', async () => {
  await open()
  await world.fund(50_000, 40_000)
  const spend = await world.payFrom(50_000, 49_000)
  const first = await world.sign(spend.id)
  await world.broadcast.sendDue()
  await bumpTo(spend.id, 20_000)
  await world.sign(spend.id)
  // A miner had the first one all along.
  world.devnet.mine(1)
  await world.look()
  expect(await world.status(spend.id)).toBe('mined: payment confirmed, bump replaced')
  expect((await world.spending.get(spend.id))?.spend.current).toBe(first.id)
  expect((await world.free(false)).length).toBe(0)
  expect((await world.broadcast.sendDue()).accepted).toBe(0)
  await world.mine(5)
  expect(await world.status(spend.id)).toBe('settled: payment confirmed, bump replaced')
  expect((await world.free(false)).map(({ amount }) => amount)).toContain(40_000n)
  await expectSound(world)
})

test('what a bump has to pay is within the ceilings, or refused with the figures', async () => {
  await open()
  await world.fund(100_000)
  const spend = await world.pay(50_000)
  await world.send(spend.id)
  const v1 = await world.current(spend.id)
  const tight = await bumpTo(spend.id, 50_000, { maxFee: sat(v1.fee + 10n) })
  expect(tight).toMatchObject({
    ok: false,
    error: {
      code: 'SPEND_NOT_REPLACEABLE',
      details: { paid_sat: Number(v1.fee), max_fee_sat: Number(v1.fee) + 10 },
    },
  })
  const needed = Number(tight.ok ? 0 : tight.error.details['needed_sat'])
  expect(needed).toBeGreaterThan(Number(v1.fee) + v1.weight / 4 - 1)
  expect(await bumpTo(spend.id, 1_000)).toMatchObject({ error: { code: 'BUMP_NOT_NEEDED' } })
  // A wish above the ceiling is served up to it.
  const capped = await bumpTo(spend.id, 900_000, { maxFee: sat(5_000n) })
  expect(capped.ok && capped.value.version?.fee).toBe(5_000n)
  await world.send(spend.id)
  await expectSound(world)
})

test('the least that the rules ask for is taken by the node, one satoshi less is not', async () => {
  await open()
  await world.fund(100_000)
  const spend = await world.pay(50_000)
  await world.send(spend.id)
  const v1 = await world.current(spend.id)
  // One above what is paid: the floor decides, not the wish.
  const bumped = await bumpTo(spend.id, Number(v1.rate) + 1)
  expect(bumped.ok).toBe(true)
  const v2 = await world.sign(spend.id)
  const vsize = BigInt(Math.ceil((v2.finalWeight ?? 0) / 4))
  expect(v2.fee).toBeGreaterThanOrEqual(v1.fee + vsize)
  expect(v2.fee).toBeLessThanOrEqual(v1.fee + BigInt(Math.ceil(v2.weight / 4)) + 2n)
  expect(await world.broadcast.sendDue()).toMatchObject({ accepted: 1 })
})

test('a payout before anybody signs is dropped: its coins are free at once', async () => {
  await open()
  await world.fund(100_000)
  const spend = await world.pay(50_000)
  expect((await world.free()).length).toBe(0)
  const cancelled = await world.spending.cancel(spend.id, 'operator:test')
  expect(cancelled.ok && cancelled.value.version).toBeUndefined()
  expect(await world.status(spend.id)).toBe('dropped: payment rejected')
  expect((await world.free()).length).toBe(1)
  expect(world.moves.at(-1)?.after.status).toBe('dropped')
  expect(await world.spending.cancel(spend.id, 'x')).toMatchObject({
    error: { code: 'SPEND_NOT_OPEN' },
  })
  await expectSound(world)
})

test('a payout that was signed is cancelled by a conflicting spend that pays only ourselves', async () => {
  await open()
  await world.fund(100_000, 60_000)
  const spend = await world.pay(50_000, 70_000)
  const first = await world.send(spend.id)
  const cancelled = await world.spending.cancel(spend.id, 'operator:test')
  expect(cancelled.ok && cancelled.value.version?.kind).toBe('cancel')
  const version = await world.current(spend.id)
  expect(version.transaction.outputs.map(({ role }) => role.kind)).toEqual(['change'])
  // Asked again it is the same one.
  const again = await world.spending.cancel(spend.id, 'operator:test')
  expect(again.ok && again.value.version?.id).toBe(version.id)
  // Its old change is still there to see, and nobody may build on it.
  const doubtful = await world.plan([world.payment(10_000)])
  expect(doubtful).toMatchObject({ error: { code: 'COINS_TAKEN' } })
  const second = await world.send(spend.id)
  expect([world.inMempool(first), world.inMempool(second)]).toEqual([false, true])
  // A cancel can be bumped, and stays one.
  expect((await bumpTo(spend.id, 30_000)).ok).toBe(true)
  expect((await world.current(spend.id)).kind).toBe('cancel')
  await world.send(spend.id)
  await world.mine(6)
  expect(await world.status(spend.id)).toBe(
    'settled: payment replaced, cancel replaced, cancel confirmed',
  )
  const free = await world.free()
  expect(sum(free.map(({ amount }) => amount))).toBeGreaterThan(140_000n)
  await expectSound(world)
})

test('a child pays for a parent that is too cheap, alone or as a package', async () => {
  await open()
  await world.fund(100_000)
  const spend = await world.pay(50_000)
  const parent = await world.send(spend.id)
  const child = await world.spending.childOf(
    spend.id,
    { speed: world.rate(10_000) },
    'operator:test',
  )
  expect(child.ok).toBe(true)
  if (!child.ok) return
  const { spend: second, version } = child.value
  const { fee, weight } = await world.current(spend.id)
  const vsize = BigInt(Math.ceil(weight / 4) + Math.ceil(version.weight / 4))
  expect(((fee + version.fee) * 1000n) / vsize).toBeGreaterThanOrEqual(9_900n)
  await expectSound(world)
  const txid = await world.send(second.id)
  expect(world.inMempool(parent) && world.inMempool(txid)).toBe(true)
  await world.mine(6)
  expect(await world.status(spend.id)).toBe('settled: payment confirmed')
  expect(await world.status(second.id)).toBe('settled: payment confirmed')
  await expectSound(world)
})

test('a parent below the floor of the mempool enters with its child', async () => {
  await open()
  await world.fund(100_000)
  const spend = await world.pay(50_000)
  await world.sign(spend.id)
  world.devnet.feeSpike(5n)
  expect(await world.broadcast.sendDue()).toMatchObject({ refused: 1 })
  expect(await world.alerts()).toEqual(['broadcast_refused'])
  const child = await world.spending.childOf(
    spend.id,
    { speed: world.rate(12_000) },
    'operator:test',
  )
  expect(child.ok).toBe(true)
  if (!child.ok) return
  await expectSound(world)
  await world.sign(child.value.spend.id)
  expect(await world.broadcast.sendDue()).toMatchObject({ accepted: 1 })
  await world.look()
  expect(await world.status(spend.id)).toBe('open: payment broadcast')
  await world.mine()
  expect(await world.status(child.value.spend.id)).toBe('mined: payment confirmed')
})

test('a bump that would throw out another payout of ours is refused; one that throws out a child pays for it', async () => {
  await open()
  await world.fund(100_000)
  const spend = await world.pay(20_000)
  await world.send(spend.id)
  const other = await world.pay(30_000)
  expect((await world.current(other.id)).transaction.inputs[0]?.txid).toBe(
    (await world.current(spend.id)).txid,
  )
  expect(await bumpTo(spend.id, 9_000)).toMatchObject({
    error: { code: 'SPEND_HAS_CHILDREN', details: { child: other.id } },
  })
  await world.spending.cancel(other.id, 'operator:test')
  const child = await world.spending.childOf(
    spend.id,
    { speed: world.rate(20_000) },
    'operator:test',
  )
  expect(child.ok).toBe(true)
  if (!child.ok) return
  await world.send(child.value.spend.id)
  const paid = (await world.current(spend.id)).fee + child.value.version.fee
  expect((await bumpTo(spend.id, 3_000)).ok).toBe(true)
  expect((await world.current(spend.id)).fee).toBeGreaterThan(paid)
  await world.send(spend.id)
  expect(await world.status(spend.id)).toBe('open: payment replaced, bump broadcast')
  await world.mine(6)
  // The child spent what was never made.
  expect(await world.status(child.value.spend.id)).toBe('lost: payment replaced')
  await expectSound(world)
})

test('a deadline bumps by itself, within its budget and never before the first sending', async () => {
  let deadline = 0
  await open({
    owner: {
      bumpLimits: async () => ({ deadline, maxFee: sat(4_000n), maxRate: satPerKvB(30_000n) }),
    },
  })
  await world.fund(100_000)
  const spend = await world.pay(50_000)
  deadline = world.now + 24 * 3_600_000
  world.devnet.posture.feeRate = 9_000n
  world.now += 31 * 60_000
  expect(await world.spending.bumpDue()).toMatchObject({ considered: 1, bumped: [] })
  await world.send(spend.id)
  expect(await world.spending.bumpDue()).toMatchObject({ considered: 0 })
  world.now += 31 * 60_000
  expect(await world.spending.bumpDue()).toMatchObject({ considered: 1, bumped: [spend.id] })
  const bumped = await world.current(spend.id)
  expect(bumped.createdBy).toBe('engine')
  expect(bumped.maxFee).toBe(4_000n)
  await world.send(spend.id)
  world.devnet.posture.feeRate = 900_000n
  world.now += 31 * 60_000
  await world.spending.bumpDue()
  expect((await world.current(spend.id)).fee).toBeLessThanOrEqual(4_000n)
  await expectSound(world)
})
