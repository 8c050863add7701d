import { createEngine } from '@kaccy/bitcoin'
import { createBitcoindSource } from '@kaccy/bitcoin/adapters/bitcoind'
import { createMemoryStore } from '@kaccy/bitcoin/adapters/memory'
import { systemClock, systemEntropy } from '@kaccy/bitcoin/adapters/system'
import { sat } from '@kaccy/bitcoin/kernel'
import { createDevnet } from '@kaccy/devnet'
import { expect, test } from 'vitest'

const VPUB =
  'vpub5Y6cjg78GGuNLsaPhmYsiw4gYX3HoQiRBiSwDaBXKUafCt9bNwWQiitDk5VZ5BVxYnQdwoTyXSs2JHRPAgjAvtbBrf8ZhDYe2jWAqvZVnsc'

test('coins are held against the node both ways, and a difference is named to the satoshi', async () => {
  const devnet = await createDevnet()
  const store = createMemoryStore()
  const source = createBitcoindSource({
    url: devnet.rpcUrl,
    auth: { cookieFile: devnet.cookiePath },
  })
  const engine = await createEngine({
    network: 'regtest',
    store,
    source,
    clock: systemClock,
    entropy: systemEntropy,
  })
  await engine.sync()
  const registered = await engine.wallets.register(
    { name: 'books', xpub: VPUB, anyDepth: true },
    'operator:test',
  )
  if (!registered.ok) throw new TypeError(registered.error.message)
  const wallet = registered.value.wallet.id
  const created = await engine.orders.create({ wallet, amount: sat(70_000n) }, 'operator:test')
  if (!created.ok) throw new TypeError(created.error.message)
  devnet.pay(created.value.order.address, 70_000, { feeRate: 7n })
  await engine.sync()
  devnet.mine(3)
  await engine.sync()

  const clean = await engine.reconcile(wallet)
  expect(clean).toMatchObject({ coins: 1, searched: true, drifts: [], booked: 70_000n })

  // The fee rate of a payment seen in the mempool comes from the node.
  const payments = await engine.orders.payments({ wallet, limit: 10 })
  const txids = payments.map((payment) => payment.point.txid)
  const [transaction] = await store.read((tx) => tx.deposits.transactions(txids))
  expect(Number(transaction?.feeRate)).toBeGreaterThanOrEqual(6_900)

  // What we believe of a coin differs from what the node has.
  const [payment] = payments
  if (!payment) throw new TypeError('no payment')
  await store.transact((tx) => tx.deposits.savePayments([{ ...payment, amount: sat(70_001n) }]))
  const drifted = await engine.reconcile(wallet)
  expect(drifted.drifts).toEqual([{ point: payment.point, ours: 70_001n, node: 70_000n }])
  expect(await engine.alerts.list({ kind: 'drift', limit: 10 })).toHaveLength(1)

  // A coin that we do not know at all is found by the node.
  await store.transact((tx) =>
    tx.deposits.savePayments([
      { ...payment, point: { ...payment.point, vout: 7 }, amount: sat(70_000n) },
    ]),
  )
  const lost = await engine.reconcile(wallet)
  expect(lost.drifts).toContainEqual({ point: payment.point, ours: 0n, node: 70_000n })
  await source.close()
  await devnet.close()
})
