import { sat, type WalletId } from '@kaccy/bitcoin/kernel'
import { expect, test } from 'vitest'
import { seededEntropy } from '../../tools/scenarios/engine.ts'
import { THIEF, Till } from './till.ts'

const scriptAt = async (till: Till, index: number, wallet?: WalletId, branch = 0) => {
  const id = wallet ?? till.wallet
  const found = await till.store.read((tx) => tx.wallet.address(id, branch, index))
  if (!found) throw new TypeError(`address ${index} is not watched`)
  return found.script
}

test('the owner spends: leaves the books when deep, the change comes back, reorganised it is undone', async () => {
  const till = await Till.open()
  const order = await till.order({ amount: 9000 })
  const income = till.pay('a', [order, 9000])
  await till.mine(3)
  const outgoing = till.devnet.spend({
    from: { txid: income.txid, vout: 0 },
    change: false,
    outs: [
      { script: THIEF, amount: 3000 },
      { script: await scriptAt(till, 0, undefined, 1), amount: 5500 },
    ],
  })
  till.devnet.send(outgoing.raw)
  await till.look()
  expect(await till.balance()).toEqual({ coins: 9000n, pending: 0n, unassigned: 0n, spent: 0n })
  await till.mine(3)
  expect(await till.balance()).toEqual({ coins: 5500n, pending: 0n, unassigned: 0n, spent: 3500n })
  expect((await till.entries()).slice(3).toSorted()).toEqual(['change 5500', 'spent 9000'])
  // What is owed does not shrink because the coins moved.
  expect(await till.state(order)).toBe('finalized exact 9000/9000')
  await till.expectSound()
  till.devnet.reorg(3, { drop: [outgoing.txid] })
  await till.look()
  expect(await till.balance()).toEqual({ coins: 9000n, pending: 0n, unassigned: 0n, spent: 0n })
  expect((await till.entries()).slice(5).toSorted()).toEqual(['unchange 5500', 'unspent 9000'])
  expect((await till.payment(income)).spender).toBeUndefined()
  expect(await till.alerts('unmatched_payment')).toEqual([])
  await till.expectSound()
})

test('a coin that was spent before we looked is credited all the same (D24)', async () => {
  const till = await Till.open()
  const order = await till.order({ amount: 9000 })
  const income = till.pay('a', [order, 9000])
  const spent = till.devnet.spend({
    from: { txid: income.txid, vout: 0 },
    outs: [{ script: THIEF, amount: 5000 }],
    change: false,
  })
  till.devnet.mine(1)
  till.devnet.mineBlock({ transactions: [spent.raw] })
  till.devnet.mine(5)
  await till.look()
  expect(await till.state(order)).toBe('finalized exact 9000/9000')
  expect(await till.balance()).toMatchObject({ coins: 0n, spent: 9000n })
  await till.expectSound()
})

test('the owner pays an order of his own from his own coins: the order is paid', async () => {
  const till = await Till.open()
  const [first, second] = [await till.order({ amount: 9000 }), await till.order({ amount: 8000 })]
  const income = till.pay('a', [first, 9000])
  await till.mine(3)
  const moved = till.devnet.spend({
    from: { txid: income.txid, vout: 0 },
    outs: [{ script: second.script, amount: 8000 }],
    change: false,
  })
  till.devnet.send(moved.raw)
  await till.mine(3)
  expect(await till.state(second)).toBe('full_confirmed exact 8000/8000')
  expect(await till.balance()).toMatchObject({ coins: 8000n, spent: 9000n })
  await till.expectSound()
})

test('two wallets, one transaction: each has its own books', async () => {
  const till = await Till.open()
  const other = await till.register({ account: 1 })
  await till.look()
  const mine = await till.order({ amount: 1000 })
  const theirs = await till.order({ amount: 2000, wallet: other })
  till.pay('a', [mine, 1000], [theirs, 2000])
  await till.mine(3)
  expect(await till.balance()).toMatchObject({ coins: 1000n })
  expect(await till.balance(other)).toMatchObject({ coins: 2000n })
  for (const wallet of [till.wallet, other])
    expect(await till.engine.reconcile(wallet)).toMatchObject({ drifts: [] })
  await till.expectSound()
})

test('a wallet registered while its payment waits in the mempool: seen at the next look (D32)', async () => {
  const till = await Till.open()
  // The address of another wallet over the same keys, known to the payer before we watch it.
  const twin = await Till.open()
  const other = await twin.register({ account: 1 })
  const script = await scriptAt(twin, 3, other)
  till.pay('a', [script, 7000])
  await till.look()
  expect(await till.payments()).toEqual([])
  await till.register({ account: 1 })
  await till.look()
  expect(await till.payments()).toMatchObject([{ amount: 7000n, purpose: 'unassigned' }])
  await till.mine(3)
  expect(await till.alerts('unmatched_payment')).toHaveLength(1)
})

test('the same, when another process registers the wallet', async () => {
  const till = await Till.open()
  const twin = await Till.open()
  const script = await scriptAt(twin, 3, await twin.register({ account: 1 }))
  till.pay('a', [script, 7000])
  await till.look()
  const api = await Till.open({
    devnet: till.devnet,
    store: till.store,
    registers: false,
    entropy: seededEntropy(77),
  })
  await api.register({ account: 1 })
  await till.look()
  expect(await till.payments()).toMatchObject([{ amount: 7000n }])
})

test('a payment mined between the registration and the first look is found', async () => {
  const till = await Till.open()
  const twin = await Till.open()
  const script = await scriptAt(twin, 3, await twin.register({ account: 1 }))
  till.pay('a', [script, 7000])
  await till.register({ account: 1 })
  till.devnet.mine(1)
  await till.look()
  expect(await till.payments()).toMatchObject([{ amount: 7000n }])
})

test('a transaction that is known by one wallet pays another that is registered later: told in full', async () => {
  const till = await Till.open()
  const start = till.devnet.tip.height
  const twin = await Till.open()
  const script = await scriptAt(twin, 2, await twin.register({ account: 1 }))
  const order = await till.order({ amount: 1000 })
  till.pay('a', [order, 1000], [script, 2000])
  await till.mine(4)
  const late = await till.register({ account: 1, birthday: start })
  await till.look()
  expect(await till.balance(late)).toMatchObject({ coins: 2000n, unassigned: 2000n })
  expect(await till.alerts()).toEqual(['unmatched_payment'])
  expect((await till.told()).filter((type) => type === 'payment.unmatched')).toHaveLength(1)
  expect((await till.told()).filter((type) => type === 'payment.credited')).toHaveLength(2)
  await till.expectSound()
})

test('keys in use elsewhere: payments beyond the window in the same blocks are found', async () => {
  const till = await Till.open({ lookahead: 20 })
  const twin = await Till.open({ lookahead: 200 })
  const far = [15, 32, 50, 70, 90]
  const scripts = await Promise.all(far.map((index) => scriptAt(twin, index)))
  till.devnet.mine(1)
  for (const [i, script] of scripts.entries())
    till.devnet.mineBlock({ transactions: [till.spend(`c${i}`, [script, 1000]).raw] })
  till.devnet.mine(3)
  await till.look()
  expect((await till.payments()).map(({ index }) => index).toSorted((a, b) => a - b)).toEqual(far)
  expect(await till.balance()).toMatchObject({ coins: 5000n })
  await till.expectSound()
})

test('reconciling names an altered amount to the satoshi and raises an alert, once a height', async () => {
  const till = await Till.open()
  const order = await till.order({ amount: 9000 })
  const spend = till.pay('a', [order, 9000])
  await till.mine(3)
  const payment = await till.payment(spend)
  await till.store.transact((tx) => tx.deposits.savePayments([{ ...payment, amount: sat(9001n) }]))
  const checked = await till.engine.reconcile(till.wallet)
  expect(checked).toMatchObject({
    ours: 9001n,
    node: 9000n,
    booked: 9000n,
    bookable: 9001n,
    drifts: [{ point: payment.point, ours: 9001n, node: 9000n }],
  })
  await till.engine.reconcile(till.wallet)
  expect(await till.alerts()).toEqual(['drift'])
})

test('reconciling refuses to compare two different moments', async () => {
  const till = await Till.open()
  till.devnet.mine(1)
  await expect(till.engine.reconcile(till.wallet)).rejects.toMatchObject({ code: 'CHAIN_MOVED' })
})

test('the spending of every coin is still watched after a restart', async () => {
  const till = await Till.open()
  const order = await till.order({})
  const spends = []
  for (let i = 0; i < 5; i++) spends.push(till.pay(`c${i}`, [order, 1000 + i]))
  await till.mine(3)
  await till.restart()
  for (const { txid } of spends) {
    const from = { txid, vout: 0 }
    const theft = till.devnet.spend({ from, outs: [{ script: THIEF, amount: 500 }], change: false })
    till.devnet.send(theft.raw)
  }
  await till.mine(3)
  expect(await till.balance()).toMatchObject({ coins: 0n, spent: 5010n })
  await till.expectSound()
})

test('how long people waited, by level', async () => {
  const till = await Till.open()
  const order = await till.order({ amount: 1000 })
  till.pay('a', [order, 1000])
  await till.look()
  for (let i = 0; i < 6; i++) {
    till.now += 600_000
    await till.mine(1)
  }
  await till.order({ amount: 1000 })
  const span = { from: 0, until: till.now + 1 }
  const found = await till.engine.orders.statistics(span)
  expect(found.orders).toBe(2)
  expect(found.byLevel.confirmed).toEqual({
    count: 1,
    medianMs: 600_000,
    p90Ms: 600_000,
    maxMs: 600_000,
  })
  expect(found.byLevel.finalized?.maxMs).toBe(3_600_000)
  expect(await till.engine.orders.statistics({ from: 0, until: 1 })).toMatchObject({ orders: 0 })
})

test('explaining says what is, and what would change it', async () => {
  const till = await Till.open()
  const order = await till.order({
    amount: 1000,
    tolerance: { kind: 'absolute', sat: sat(10n) },
  })
  const fresh = await till.explain(order.id)
  expect(fresh.because).toContain('no payment to its address has been seen')
  expect(fresh.next).toContain('1000 sat more make it paid (least 990 sat)')
  expect(fresh.next).toMatch(/without a payment it expires at 20\d\d-\d\d-\d\d \d\d:\d\d:\d\d UTC/)
  till.pay('a', [order, 600])
  await till.look()
  const part = await till.explain(order.id)
  expect(part.because).toContain('are unconfirmed')
  expect(part.because).toContain('600 of 1000 sat came, 10 sat more or less are tolerated')
  expect(part.next).toContain('400 sat more make it paid')
  await till.mine(2)
  const mined = await till.explain(order.id)
  expect(mined.because).toContain('with 2 confirmations')
  expect(mined.next).toMatch(/1 more blocks? brings? .* to 3 confirmations, where it is credited/)
  const gone = await till.engine.orders.explain('ord_none' as typeof order.id)
  expect(gone).toBeUndefined()
})
