import { sat } from '@kaccy/bitcoin/kernel'
import { expect, test } from 'vitest'
import { MINUTE, THIEF, Till } from './till.ts'

test('replaced by one that does not pay us: back to pending, told as replaced (D4)', async () => {
  const till = await Till.open()
  const order = await till.order({ amount: 5000 })
  const first = till.pay('a', [order, 5000])
  await till.look()
  const second = till.pay('a', [THIEF, 5000])
  await till.look()
  expect(await till.state(order)).toBe('pending none 0/0')
  expect(await till.told(order)).toEqual([
    'order.created',
    'order.payment_seen',
    'order.payment_replaced',
  ])
  const { because } = await till.explain(order.id)
  expect(because).toContain(`the transaction was replaced by ${second.txid}`)
  await till.mine(3)
  expect(await till.balance()).toMatchObject({ coins: 0n, pending: 0n })
  expect(await till.entries()).toEqual(['seen 5000', 'unseen 5000'])
  expect(await till.payment(first)).toMatchObject({ booked: { state: 'none' } })
  await till.expectSound()
})

test('a fee bump that keeps our output counts once, not twice (D6)', async () => {
  const till = await Till.open()
  const order = await till.order({ amount: 5000 })
  till.pay('a', [order, 5000])
  await till.look()
  till.pay('a', [order, 5000])
  await till.look()
  expect(await till.state(order)).toBe('unconfirmed exact 5000/0')
  await till.mine(3)
  expect(await till.state(order)).toBe('full_confirmed exact 5000/5000')
  expect(await till.balance()).toMatchObject({ coins: 5000n })
  await till.expectSound()
})

test('a bump that lowers the amount makes the order underpaid', async () => {
  const till = await Till.open()
  const order = await till.order({ amount: 5000 })
  till.pay('a', [order, 5000])
  await till.look()
  till.pay('a', [order, 4999])
  await till.look()
  expect(await till.state(order)).toBe('unconfirmed underpaid 4999/0')
})

test('evicted is not replaced, and what comes back counts again (D18)', async () => {
  const till = await Till.open()
  const order = await till.order({ amount: 5000 })
  const spend = till.pay('a', [order, 5000])
  await till.look()
  till.devnet.evict(spend.txid)
  await till.look()
  expect(await till.state(order)).toBe('pending none 0/0')
  expect(await till.told(order)).toContain('order.payment_evicted')
  till.devnet.send(spend.raw)
  await till.look()
  expect(await till.state(order)).toBe('unconfirmed exact 5000/0')
  await till.mine(3)
  expect(await till.state(order)).toBe('full_confirmed exact 5000/5000')
  await till.expectSound()
})

test('an evicted payment that a block holds after all', async () => {
  const till = await Till.open()
  const order = await till.order({ amount: 5000 })
  const spend = till.pay('a', [order, 5000])
  await till.look()
  till.devnet.evict(spend.txid)
  await till.look()
  till.devnet.mineBlock({ transactions: [spend.raw] })
  await till.look()
  expect(await till.state(order)).toBe('confirmed exact 5000/0')
})

test('a block with another spend of the same coin: conflicted, never seen in the mempool', async () => {
  const till = await Till.open()
  const order = await till.order({ amount: 5000 })
  const spend = till.pay('a', [order, 5000])
  await till.look()
  const other = till.spend('a', [THIEF, 5000])
  till.devnet.mineBlock({ transactions: [other.raw] })
  await till.look()
  expect(await till.state(order)).toBe('pending none 0/0')
  expect(await till.told(order)).toContain('order.payment_replaced')
  expect((await till.explain(order.id)).because).toContain(
    `the transaction was conflicted by ${other.txid}`,
  )
  expect(await till.payment(spend)).toMatchObject({ booked: { state: 'none' } })
})

test('replaced while we were dead: the watch on its coins is known again after the start', async () => {
  const till = await Till.open()
  const order = await till.order({ amount: 5000 })
  till.pay('a', [order, 5000])
  await till.look()
  await till.restart()
  const other = till.spend('a', [THIEF, 5000])
  till.devnet.mineBlock({ transactions: [other.raw] })
  await till.look()
  expect((await till.explain(order.id)).because).toContain(`conflicted by ${other.txid}`)
})

test('an ancestor is replaced: the payment that stood on it drops with it (D7, D17)', async () => {
  const till = await Till.open()
  const order = await till.order({ amount: 5000 })
  const parent = till.pay('a', [THIEF, 1000])
  const child = till.devnet.spend({
    from: { txid: parent.txid, vout: 1 },
    rbf: false,
    outs: [{ script: order.script, amount: 5000 }],
  })
  till.devnet.send(child.raw)
  await till.look()
  expect(await till.state(order)).toBe('unconfirmed exact 5000/0')
  till.pay('a', [THIEF, 1000])
  await till.look()
  expect(await till.state(order)).toBe('pending none 0/0')
  await till.mine(3)
  expect(await till.balance()).toMatchObject({ coins: 0n, pending: 0n })
  await till.expectSound()
})

test('the same payment under another txid in a block counts once (D8)', async () => {
  const till = await Till.open()
  const order = await till.order({ amount: 5000 })
  const first = till.pay('a', [order, 5000])
  await till.look()
  // Same coin, same outputs, another id: what a malleated signature made of old inputs.
  const twin = till.devnet.spend({
    from: 'a',
    fee: first.fee,
    locktime: 1,
    outs: [{ script: order.script, amount: 5000 }],
  })
  expect(twin.txid).not.toBe(first.txid)
  till.devnet.mineBlock({ transactions: [twin.raw] })
  await till.look()
  expect(await till.state(order)).toBe('confirmed exact 5000/0')
  await till.mine(2)
  expect(await till.balance()).toMatchObject({ coins: 5000n, pending: 0n })
  await till.expectSound()
})

test('a chain of unconfirmed payments, each on the one before: all mined, all credited', async () => {
  const till = await Till.open()
  const order = await till.order({})
  let from: string | { txid: string; vout: number } = 'a'
  for (let i = 0; i < 10; i++) {
    const spend = till.devnet.spend({ from, outs: [{ script: order.script, amount: 1000 }] })
    till.devnet.send(spend.raw)
    from = { txid: spend.txid, vout: 1 }
  }
  await till.mine(3)
  expect(await till.state(order)).toBe('full_confirmed exact 10000/10000')
})

for (const mempool of ['lost', 'loading'] as const)
  test(`a node that restarted with its mempool ${mempool} has evicted nothing yet`, async () => {
    const till = await Till.open()
    const order = await till.order({ amount: 5000 })
    const spend = till.pay('a', [order, 5000])
    await till.look()
    till.now += MINUTE
    await till.devnet.restart({ mempool })
    await till.look()
    await till.look()
    expect(await till.state(order)).toBe('unconfirmed exact 5000/0')
    expect((await till.explain(order.id)).because).toContain('the restarted node has not shown')
    if (mempool === 'loading') till.devnet.finishLoading()
    else till.devnet.send(spend.raw)
    await till.look()
    expect((await till.explain(order.id)).because).not.toContain('the restarted node')
    // It was shown again, so its next absence is proof.
    till.devnet.evict(spend.txid)
    await till.look()
    expect(await till.state(order)).toBe('pending none 0/0')
  })

test('what a restarted node does not show for ten minutes counts as evicted', async () => {
  const till = await Till.open()
  const order = await till.order({ amount: 5000 })
  till.pay('a', [order, 5000])
  await till.look()
  till.now += MINUTE
  await till.devnet.restart({ mempool: 'lost' })
  await till.look()
  till.now += 10 * MINUTE - 1
  await till.look()
  expect(await till.state(order)).toBe('unconfirmed exact 5000/0')
  till.now += 1
  await till.look()
  expect(await till.state(order)).toBe('pending none 0/0')
})

test('node and engine restart together: the life of the node is known from before', async () => {
  const till = await Till.open()
  const order = await till.order({ amount: 5000 })
  till.pay('a', [order, 5000])
  await till.look()
  till.now += MINUTE
  await till.devnet.restart({ mempool: 'lost' })
  await till.restart()
  await till.look()
  expect(await till.state(order)).toBe('unconfirmed exact 5000/0')
})

test('a mempool that is nearly empty at once is a loss, also when the uptime says nothing', async () => {
  let hidden = false
  const till = await Till.open({
    between: (source) => ({
      ...source,
      mempool: async (epoch) => {
        const view = await source.mempool(epoch)
        return { ...view, txids: hidden ? [] : view.txids }
      },
    }),
  })
  const order = await till.order({ amount: 5000 })
  till.pay('a', [order, 5000])
  for (let i = 0; i < 50; i++) till.pay(`crowd ${i}`, [THIEF, 1000])
  await till.look()
  hidden = true
  await till.look()
  expect(await till.state(order)).toBe('unconfirmed exact 5000/0')
  hidden = false
  await till.look()
  expect((await till.explain(order.id)).because).not.toContain('the restarted node')
})

test('a mempool answer older than the chain takes no block away (D21, D29)', async () => {
  const stale: string[] = []
  const raws = new Map<string, Uint8Array>()
  const till = await Till.open({
    between: (source) => ({
      ...source,
      mempool: async (epoch) => {
        const view = await source.mempool(epoch)
        return { ...view, txids: [...view.txids, ...(stale as unknown as typeof view.txids)] }
      },
      mempoolTransactions: async (txids) => {
        const found = await source.mempoolTransactions(txids)
        return found.map((raw, i) => raw ?? raws.get(txids[i] ?? ''))
      },
    }),
  })
  const order = await till.order({ amount: 5000 })
  const spend = till.pay('a', [order, 5000])
  raws.set(spend.txid, Uint8Array.from(Buffer.from(spend.raw, 'hex')))
  await till.mine(3)
  expect(await till.state(order)).toBe('full_confirmed exact 5000/5000')
  // Another node behind the same balancer still has it in its mempool.
  stale.push(spend.txid)
  await till.look()
  expect(await till.state(order)).toBe('full_confirmed exact 5000/5000')
  expect(await till.told(order)).not.toContain('payment.reversed')
  stale.length = 0
  await till.look()
  expect(await till.state(order)).toBe('full_confirmed exact 5000/5000')
  await till.expectSound()
})

test('a child that the node lists before its parent: both are ours, the change is no income', async () => {
  const till = await Till.open({
    between: (source) => ({
      ...source,
      mempool: async (epoch) => {
        const view = await source.mempool(epoch)
        return { ...view, txids: [...view.txids].reverse() }
      },
    }),
  })
  const order = await till.order({ amount: 9000 })
  const change = await till.store.read((tx) => tx.wallet.address(till.wallet, 1, 0))
  const income = till.pay('a', [order, 9000])
  const outgoing = till.devnet.spend({
    from: { txid: income.txid, vout: 0 },
    change: false,
    outs: [
      { script: THIEF, amount: 3000 },
      { script: change?.script ?? THIEF, amount: 5000 },
    ],
  })
  till.devnet.send(outgoing.raw)
  await till.look()
  expect(await till.payment(outgoing, 1)).toMatchObject({ purpose: 'change' })
  expect(await till.payment(income)).toMatchObject({ spender: outgoing.txid })
  await till.mine(3)
  expect(await till.balance()).toMatchObject({ coins: 5000n, spent: 4000n, unassigned: 0n })
  expect((await till.get(order)).state.credited).toBe(sat(9000n))
  await till.expectSound()
})
