import type { ChainSource } from '@kaccy/bitcoin/chain'
import { sat, toHex } from '@kaccy/bitcoin/kernel'
import { expect, test } from 'vitest'
import { seededEntropy } from '../../tools/scenarios/engine.ts'
import { HOUR, THIEF, Till } from './till.ts'

/** A second engine on the same store and node, as another process would be; `between` stands before its node. */
const beside = (first: Till, between?: (source: ChainSource) => ChainSource) =>
  Till.open({
    store: first.store,
    devnet: first.devnet,
    registers: false,
    entropy: seededEntropy(1000),
    ...(between ? { between } : {}),
  })

test('a coin that one engine recorded and a block spends is found spent by the other', async () => {
  const first = await Till.open()
  const second = await beside(first)
  await second.look()
  const order = await first.order({ amount: 50_000 })
  const paid = first.pay('coin', [order, 50_000])
  await first.mine(6)
  const away = first.devnet.spend({
    from: { txid: paid.txid, vout: 0 },
    outs: [{ script: THIEF, amount: 40_000n }],
    change: false,
  })
  first.devnet.mineBlock({ txids: [away.raw] })
  await second.look()
  expect((await first.payment(paid)).spender).toBe(away.txid)
  await first.expectSound()
})

test('a payment that one engine has seen and a block makes impossible is lost for the other as well', async () => {
  const first = await Till.open()
  const second = await beside(first)
  await second.look()
  const order = await first.order({ amount: 50_000 })
  const paid = first.pay('coin', [order, 50_000])
  await first.look()
  const theft = first.spend('coin', [THIEF, 50_000])
  first.devnet.mineBlock({ txids: [theft.raw] })
  await second.look()
  const [record] = await first.store.read((tx) => tx.deposits.transactions([paid.txid as never]))
  expect(record?.view).toMatchObject({ state: 'gone', reason: 'conflicted', by: theft.txid })
  expect(await first.state(order)).toBe('pending none 0/0')
})

test('a payment that waits for keys which another process registers is seen before it is mined', async () => {
  const first = await Till.open()
  const second = await beside(first)
  // The keys are known from an installation of their own, so that their address can be paid before they are here.
  const elsewhere = await Till.open({ registers: false })
  await elsewhere.look()
  const wallet = await elsewhere.register({ account: 1 })
  const order = await elsewhere.order({ wallet, amount: 30_000 })
  const paid = first.pay('coin', [order.script, 30_000])
  await first.look()
  expect(await first.payments()).toEqual([])
  await second.register({ account: 1 })
  await first.look()
  expect(toHex((await first.payment(paid)).script)).toBe(toHex(order.script))
})

test('an older list of the mempool does not evict what a newer one has shown', async () => {
  const first = await Till.open()
  let release = () => {}
  let isAsked = () => {}
  const asked = new Promise<void>((resolve) => {
    isAsked = resolve
  })
  let holds = false
  const second = await beside(first, (source) => ({
    ...source,
    async mempool(previousEpoch) {
      const view = await source.mempool(previousEpoch)
      if (holds) {
        holds = false
        await new Promise<void>((resolve) => {
          release = resolve
          isAsked()
        })
      }
      return view
    },
  }))
  await second.look()
  const order = await first.order({ amount: 50_000 })
  holds = true
  const slow = second.look()
  await asked
  first.pay('coin', [order, 50_000])
  await first.look()
  release()
  await slow
  expect(await first.state(order)).toBe('unconfirmed exact 50000/0')
  expect((await first.told(order)).filter((type) => /seen|evicted/.test(type))).toEqual([
    'order.payment_seen',
  ])
})

test('what one engine evicted and the node shows again is seen again by the other', async () => {
  const first = await Till.open()
  const second = await beside(first)
  const order = await first.order({ amount: 50_000 })
  const paid = first.pay('coin', [order, 50_000])
  await first.look()
  await second.look()
  first.devnet.evict(paid.txid)
  await first.look()
  expect(await first.state(order)).toBe('pending none 0/0')
  first.devnet.trySend(paid.raw)
  await second.look()
  expect(await first.state(order)).toBe('unconfirmed exact 50000/0')
})

test('two engines that look, expire, settle and make the same order at one moment do each thing once', async () => {
  const first = await Till.open()
  const second = await beside(first)
  const input = {
    wallet: first.wallet,
    externalId: 'one',
    amount: sat(9_000n),
    expiresInMs: HOUR,
  }
  const make = async ({ engine }: Till) => {
    const created = await engine.orders.create(input, 'operator:test')
    if (!created.ok) throw new TypeError(created.error.message)
    return created.value.order
  }
  const [mine, yours] = await Promise.all([make(first), make(second)])
  expect(yours.id).toBe(mine.id)
  const settled = await first.order({ amount: 7_000 })
  const decisions = await Promise.all(
    [first, second].map((till) => till.engine.orders.settle(settled.id, 'anna', 'cash')),
  )
  expect(decisions.map((decision) => decision.ok).toSorted()).toEqual([false, true])
  first.pay('coin', [settled, 7_000])
  first.devnet.mine(8)
  first.now += 2 * HOUR
  second.now = first.now
  await Promise.all([first.look(), second.look(), first.look(), second.look()])
  expect(await first.state(mine)).toContain('failed')
  expect((await first.told(mine)).filter((type) => type === 'order.expired')).toHaveLength(1)
  await first.expectSound()
})
