import { toHex } from '@kaccy/bitcoin/kernel'
import { afterEach, expect, test } from 'vitest'
import { expectSound } from './sound.ts'
import { MINUTE, World, type WorldOptions } from './world.ts'

let world: World
const open = async (options: WorldOptions = {}) => {
  world = await World.open(options)
  return world
}
afterEach(() => world.close())

test('a reorganisation takes the block away: the payout waits again, is offered again, and is mined again', async () => {
  await open()
  await world.fund(100_000)
  const spend = await world.pay(50_000)
  const txid = await world.send(spend.id)
  await world.mine(2)
  world.devnet.reorg(2, { drop: 'all' })
  await world.look()
  expect(await world.status(spend.id)).toBe('open: payment evicted')
  expect(world.inMempool(txid)).toBe(false)
  expect(await world.broadcast.sendDue()).toMatchObject({ accepted: 1 })
  expect(world.inMempool(txid)).toBe(true)
  await expectSound(world)
  await world.mine(6)
  expect(await world.status(spend.id)).toBe('settled: payment confirmed')
  const path = world.moves.map(({ after }) => after.status)
  expect(path.filter((status, i) => status !== path[i - 1])).toEqual([
    'open',
    'mined',
    'open',
    'mined',
    'settled',
  ])
})

test('a deep reorganisation opens what was settled, takes its coins back and tells people', async () => {
  await open()
  await world.fund(100_000, 70_000)
  const spend = await world.pay(50_000)
  await world.send(spend.id)
  await world.mine(7)
  expect(await world.status(spend.id)).toBe('settled: payment confirmed')
  world.devnet.reorg(7, { drop: 'all' })
  await world.look()
  expect(await world.status(spend.id)).toBe('open: payment evicted')
  expect(await world.alerts()).toContain('spend_reopened')
  await expectSound(world)
  await world.broadcast.sendDue()
  await world.mine(6)
  expect(await world.status(spend.id)).toBe('settled: payment confirmed')
  await expectSound(world)
})

test('the other version is mined in the other branch', async () => {
  await open()
  await world.fund(100_000)
  const spend = await world.pay(50_000)
  const v1 = await world.sign(spend.id)
  await world.broadcast.sendDue()
  await world.look()
  await world.spending.bump(spend.id, { speed: world.rate(9_000) }, 'operator:test')
  await world.send(spend.id)
  await world.mine(2)
  expect(await world.status(spend.id)).toBe('mined: payment replaced, bump confirmed')
  world.devnet.reorg(2, { blocks: [[toHex(v1.raw ?? new Uint8Array())], [], []] })
  await world.look()
  expect(await world.status(spend.id)).toBe('mined: payment confirmed, bump replaced')
  expect(world.moves.at(-1)?.version.number).toBe(1)
  await expectSound(world)
})

test('what falls out of the mempool is offered again at once, with the same bytes', async () => {
  await open()
  await world.fund(100_000)
  const spend = await world.pay(50_000)
  const txid = await world.send(spend.id)
  world.devnet.evict(txid)
  await world.look()
  expect(await world.status(spend.id)).toBe('open: payment evicted')
  expect(await world.told('psbt.evicted')).toHaveLength(1)
  expect((await world.free()).length).toBe(0)
  expect(await world.broadcast.sendDue()).toMatchObject({ accepted: 1 })
  await world.look()
  expect(world.inMempool(txid)).toBe(true)
  expect(await world.status(spend.id)).toBe('open: payment broadcast')
  await expectSound(world)
})

test('a node that restarted without its mempool is told again before it counts as evicted', async () => {
  await open()
  await world.fund(100_000)
  const spend = await world.pay(50_000)
  const txid = await world.send(spend.id)
  world.now += MINUTE
  await world.devnet.restart({ mempool: 'lost' })
  // The old connection breaks first.
  await expect(world.look()).rejects.toThrow()
  await world.look()
  expect(await world.status(spend.id)).toBe('open: payment broadcast')
  expect(await world.broadcast.sendDue()).toMatchObject({ accepted: 1 })
  expect(world.inMempool(txid)).toBe(true)
  await world.look()
  await world.look()
  expect(await world.broadcast.sendDue()).toMatchObject({ accepted: 0 })
})

test('what is not mined is offered again every now and then, and never after it is', async () => {
  await open()
  await world.fund(100_000)
  const spend = await world.pay(50_000)
  await world.send(spend.id)
  world.now += 9 * MINUTE
  expect(await world.broadcast.sendDue()).toMatchObject({ accepted: 0, already_known: 0 })
  world.now += 22 * MINUTE
  expect(await world.broadcast.sendDue()).toMatchObject({ accepted: 1 })
  await world.mine()
  world.now += 60 * MINUTE
  expect(await world.broadcast.sendDue()).toEqual({
    accepted: 0,
    already_known: 0,
    refused: 0,
    unknown: 0,
    held_back: 0,
  })
})

test('a thief with our keys: people know at once, coins are held until his block is buried, and a fork gives them back', async () => {
  await open()
  await world.fund(100_000)
  const spend = await world.pay(50_000)
  await world.send(spend.id)
  const theft = world.keys.rival(await world.current(spend.id))
  expect(world.devnet.trySend(theft.raw)).toBeUndefined()
  await world.look()
  expect(await world.alerts()).toContain('foreign_spend')
  expect(await world.status(spend.id)).toBe('open: payment replaced')
  await world.mine(5)
  expect(await world.status(spend.id)).toBe('open: payment replaced')
  await expectSound(world)
  await world.mine()
  expect(await world.status(spend.id)).toBe('lost: payment replaced')
  expect(await world.alerts()).toContain('spend_lost')
  expect(world.moves.at(-1)?.after.status).toBe('lost')
  await expectSound(world)
  // Seven blocks are gone, and with them the theft: a version of ours is mined after all.
  const raw = toHex((await world.current(spend.id)).raw ?? new Uint8Array())
  world.devnet.reorg(6, { drop: 'all', blocks: [[raw], [], [], [], [], [], []] })
  await world.look()
  expect(await world.status(spend.id)).toBe('settled: payment confirmed')
  expect(await world.alerts()).toContain('spend_reopened')
  await expectSound(world)
})

test('a lost payout whose thief left with a deep fork is open again: its coins are held, and nothing is sent by itself', async () => {
  await open()
  await world.fund(100_000)
  await world.mine(6)
  const spend = await world.pay(50_000)
  await world.send(spend.id)
  world.devnet.trySend(world.keys.rival(await world.current(spend.id)).raw)
  await world.mine(6)
  expect(await world.status(spend.id)).toBe('lost: payment replaced')
  world.devnet.reorg(6, { drop: 'all' })
  await world.look()
  expect(await world.status(spend.id)).toBe('open: payment replaced')
  expect(await world.alerts()).toContain('spend_reopened')
  await expectSound(world)
  // What was given back because of the loss has to be looked at by people first.
  world.now += 60 * MINUTE
  expect(await world.broadcast.sendDue()).toMatchObject({ accepted: 0 })
})

test('a legacy payout under an id that only its signer knew is recognised, and counts as nothing before', async () => {
  await open({ kind: 'p2pkh' })
  await world.fund(100_000)
  const spend = await world.pay(50_000)
  const version = await world.current(spend.id)
  expect(version.txid).toBeUndefined()
  // Signed and sent by a signer outside, of whom we hear nothing.
  const signed = await world.signedOutside(spend.id)
  expect(world.devnet.trySend(toHex(signed))).toBeUndefined()
  await world.mine(7)
  expect(await world.status(spend.id)).toBe('open: payment created')
  expect(await world.alerts()).toEqual([])
  expect(await world.spending.recognise()).toBe(1)
  expect(await world.status(spend.id)).toBe('settled: payment confirmed')
  expect(await world.spending.recognise()).toBe(0)
  await expectSound(world)
})

test('a version that nobody was asked to sign is mined all the same: the spend rises again', async () => {
  await open()
  await world.fund(100_000, 90_000)
  const spend = await world.pay(50_000)
  const signed = await world.signedOutside(spend.id)
  await world.spending.cancel(spend.id, 'operator:test')
  expect(await world.status(spend.id)).toBe('dropped: payment rejected')
  world.devnet.mineBlock({ transactions: [toHex(signed)] })
  await world.look()
  expect(await world.status(spend.id)).toBe('mined: payment confirmed')
  expect(await world.alerts()).toContain('spend_reopened')
})

test('the same chain in one look or in many gives the same spends and the same events', async () => {
  const told: string[][] = []
  for (const often of [true, false]) {
    await open()
    await world.fund(100_000)
    const spend = await world.pay(50_000)
    await world.send(spend.id)
    for (let i = 0; i < 6; i++) {
      world.devnet.mine(1)
      if (often) await world.look()
    }
    await world.look()
    expect(await world.status(spend.id)).toBe('settled: payment confirmed')
    told.push([...(await world.told('psbt.confirmed')), ...(await world.told('psbt.broadcast'))])
    if (often) await world.close()
  }
  expect(told[0]).toEqual(told[1])
})
