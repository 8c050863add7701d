import { outPointKey, sat, satPerKvB, type WithdrawalId } from '@kaccy/bitcoin/kernel'
import { parsePsbt } from '@kaccy/bitcoin/protocol/psbt'
import { encodeTransaction, txidOf } from '@kaccy/bitcoin/protocol/transaction'
import { previousOf } from '@kaccy/bitcoin/spending'
import { afterEach, expect, test } from 'vitest'
import { recipient } from './keys.ts'
import { expectSound } from './sound.ts'
import { World, type WorldOptions } from './world.ts'

let world: World
const open = async (options: WorldOptions = {}) => {
  world = await World.open(options)
  return world
}
afterEach(() => world.close())

test('two plans that chose the same coin: the second is refused, names it, and wrote nothing', async () => {
  await open()
  await world.fund(100_000)
  const coins = await world.free()
  expect((await world.plan([world.payment(10_000)], { coins })).ok).toBe(true)
  const before = await world.store.read((tx) => tx.events.head())
  const second = await world.plan([world.payment(20_000)], { coins })
  const [coin] = coins
  expect(second).toMatchObject({
    error: { code: 'COINS_TAKEN', details: { point: coin && outPointKey(coin.point) } },
  })
  expect(await world.store.read((tx) => tx.events.head())).toBe(before)
  expect((await world.spending.list({ limit: 10 })).length).toBe(1)
  await expectSound(world)
})

test('twenty plans at once on one coin: one has it, and fences only grow', async () => {
  await open()
  await world.fund(100_000)
  const coins = await world.free()
  const plans = await Promise.all(
    Array.from({ length: 20 }, (_, i) => world.plan([world.payment(10_000 + i)], { coins })),
  )
  expect(plans.filter(({ ok }) => ok).length).toBe(1)
  const funds = await world.store.read((tx) => tx.coins.funds(world.wallet))
  const [lease] = await world.store.read((tx) => tx.coins.leases(coins.map(({ point }) => point)))
  expect(lease?.fence).toBe(funds.fence)
  await expectSound(world)
})

test.each<readonly [string, () => Promise<unknown>]>([
  [
    'frozen',
    async () => {
      const [coin] = await world.free()
      if (!coin) return
      const { point, wallet, amount } = coin
      const freeze = { point, wallet, amount, reason: 'asked', by: 'operator:test', at: world.now }
      await world.store.transact((tx) => tx.coins.freeze([freeze]))
    },
  ],
  [
    'spent by somebody with our keys',
    async () => {
      const spend = await world.pay(10_000)
      const theft = world.keys.rival(await world.current(spend.id))
      world.devnet.mineBlock({ transactions: [theft.raw] })
      await world.spending.cancel(spend.id, 'operator:test')
      await world.look()
    },
  ],
  [
    'gone with its block',
    async () => {
      world.devnet.reorg(3, { drop: 'all' })
      await world.look()
    },
  ],
])('a coin that is %s since it was chosen is refused', async (_, happens) => {
  await open()
  await world.fund(100_000)
  const coins = await world.free()
  await happens()
  expect(await world.plan([world.payment(10_000)], { coins })).toMatchObject({
    error: { code: 'COINS_TAKEN' },
  })
})

test('a plan has its change at the next address of the change branch, proven to devices, and previous transactions', async () => {
  await open()
  await world.fund(100_000, 90_000, 80_000)
  const first = await world.current((await world.payFrom(100_000, 20_000)).id)
  const second = await world.current((await world.payFrom(90_000, 20_000)).id)
  const places = [first, second].map(({ transaction }) =>
    transaction.outputs.flatMap(({ role }) => (role.kind === 'change' ? [role] : [])),
  )
  expect(places).toEqual([
    [{ kind: 'change', branch: 1, index: 0 }],
    [{ kind: 'change', branch: 1, index: 1 }],
  ])
  const parsed = parsePsbt(second.psbt)
  if (!parsed.ok) throw new TypeError(parsed.error.message)
  const { inputs, outputs } = parsed.value
  expect(inputs.every(({ previous, origins }) => previous && origins.length === 1)).toBe(true)
  expect(outputs.flatMap(({ origins }) => origins.map(({ path }) => path.slice(-2)))).toEqual([
    [1, 1],
  ])
  expect(txidOf(parsed.value.transaction)).toBe(second.hash)
})

test('taproot does without previous transactions', async () => {
  await open({ kind: 'p2tr' })
  await world.fund(100_000)
  const parsed = parsePsbt((await world.current((await world.pay(20_000)).id)).psbt)
  expect(parsed.ok && parsed.value.inputs.every(({ previous }) => previous === undefined)).toBe(
    true,
  )
  expect(parsed.ok && parsed.value.outputs.some(({ tapOrigins }) => tapOrigins.length > 0)).toBe(
    true,
  )
})

test('recipients who bear the fee get less by equal parts, and the books add up', async () => {
  await open()
  await world.fund(100_000)
  const payments = [world.payment(30_000), world.payment(20_000), world.payment(10_000)]
  const drafted = await world.draft(payments, { feeFrom: 'payments' })
  if (!drafted.ok) throw new TypeError(drafted.error.message)
  const { shares, fee, change } = drafted.value
  expect(shares.reduce((sum, share) => sum + share, 0n)).toBe(fee)
  expect(Number(shares[0]) - Number(shares[2])).toBeLessThanOrEqual(1)
  expect(change).toBe(40_000n)
})

test('one address that is paid for several requests has one output', async () => {
  await open()
  await world.fund(100_000)
  const withdrawals = ['wdr_a', 'wdr_b'] as WithdrawalId[]
  const committed = await world.plan([{ script: recipient(1), amount: sat(30_000n), withdrawals }])
  const outputs = committed.ok ? committed.value.version.transaction.outputs : []
  expect(outputs.filter(({ role }) => role.kind === 'payment').length).toBe(1)
  expect(committed.ok && committed.value.version.rate).toBeGreaterThanOrEqual(satPerKvB(2_000n))
})

test('what the node gives for a previous transaction is believed by its hash only', async () => {
  await open()
  await world.fund(100_000)
  const points = (await world.free()).map(({ point }) => point)
  const good = await previousOf(world, points)
  expect(good.ok && good.value.size).toBe(1)
  const lies: readonly (Uint8Array | undefined)[] = [
    undefined,
    new Uint8Array(),
    Uint8Array.of(1, 2, 3),
    encodeTransaction({ version: 2, lockTime: 0, inputs: [], outputs: [] }),
  ]
  for (const lie of lies) {
    const source = { transaction: async () => lie, mempoolTransactions: async () => [lie] }
    expect(await previousOf({ store: world.store, source }, points)).toMatchObject({
      error: { code: 'PREVIOUS_MISSING', details: { txid: points[0]?.txid } },
    })
  }
})
