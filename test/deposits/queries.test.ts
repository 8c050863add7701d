import { paymentCursor, transactionCursor } from '@kaccy/bitcoin/deposits'
import type { PaymentId, WalletId } from '@kaccy/bitcoin/kernel'
import { expect, test } from 'vitest'
import { MINUTE, THIEF, Till } from './till.ts'

/** A wallet with an income of 9000 that is credited, and of 700 that waits. */
async function funded() {
  const till = await Till.open()
  const [first, second] = [await till.order({ amount: 9000 }), await till.order({ amount: 700 })]
  const income = till.pay('a', [first, 9000])
  await till.mine(3)
  till.now += MINUTE
  const waiting = till.pay('b', [second, 700])
  await till.look()
  return { till, first, second, income, waiting }
}
const spendOf = (till: Till, txid: string, script: Uint8Array, back: number) =>
  till.devnet.spend({
    from: { txid, vout: 0 },
    change: false,
    outs: [
      { script: THIEF, amount: 3000 },
      { script, amount: back },
    ],
  })
async function changeScript(till: Till): Promise<Uint8Array> {
  const found = await till.store.read((tx) => tx.wallet.address(till.wallet, 1, 0))
  if (!found) throw new TypeError('no change address')
  return found.script
}

test('payments are read newest first with what the tip makes of them', async () => {
  const { till, first, income, waiting } = await funded()
  const all = await till.engine.orders.paymentsNewest({ limit: 10 })
  expect(
    all.map(({ payment, status, confirmations }) => [payment.amount, status, confirmations]),
  ).toEqual([
    [700n, 'mempool', 0],
    [9000n, 'credited', 3],
  ])
  const [newest] = await till.engine.orders.paymentsNewest({ limit: 1 })
  if (!newest) throw new TypeError('nothing')
  const rest = await till.engine.orders.paymentsNewest({
    limit: 1,
    before: paymentCursor(newest),
  })
  expect(rest.map(({ payment }) => payment.point.txid)).toEqual([income.txid])
  const detail = await till.engine.orders.payment((await till.payment(income)).id)
  expect(detail).toMatchObject({
    status: 'credited',
    confirmations: 3,
    order: { id: first.id },
    transaction: { txid: income.txid, view: { state: 'mined' } },
  })
  const found = (statuses: readonly ('mempool' | 'mined' | 'credited' | 'gone')[]) =>
    till.engine.orders
      .paymentsNewest({ statuses, limit: 10 })
      .then((list) => list.map(({ payment }) => payment.amount))
  expect(await found(['mempool'])).toEqual([700n])
  till.devnet.evict(waiting.txid)
  await till.look()
  expect(await found(['gone'])).toEqual([700n])
  expect(await found(['mempool', 'mined'])).toEqual([])
})

test('an id that is no payment of ours has no answer', async () => {
  const { till } = await funded()
  for (const id of [`pay_${'0'.repeat(64)}_0`, 'pay_x', '', `pay_${'0'.repeat(64)}_99999999999`])
    expect(await till.engine.orders.payment(id as PaymentId)).toBeUndefined()
})

test('layers: what a spend under way holds is reserved but for the change that comes back; nothing is counted twice', async () => {
  const { till, income } = await funded()
  const layers = () => till.engine.wallets.layers(till.wallet)
  expect(await layers()).toEqual({
    confirmed: 9000n,
    pending: 700n,
    reserved: 0n,
    spendable: 9000n,
  })
  till.devnet.send(spendOf(till, income.txid, await changeScript(till), 5500).raw)
  await till.look()
  expect(await layers()).toEqual({
    confirmed: 9000n,
    pending: 700n,
    reserved: 3500n,
    spendable: 5500n,
  })
  await till.mine(2)
  expect(await layers()).toMatchObject({ confirmed: 9000n, reserved: 3500n })
  await till.mine(1)
  expect(await layers()).toEqual({
    confirmed: 6200n,
    pending: 0n,
    reserved: 0n,
    spendable: 6200n,
  })
  expect(await till.engine.wallets.layers('wal_none' as WalletId)).toMatchObject({ confirmed: 0n })
})

test('coins are what no transaction of the view spends, with change and without what is gone', async () => {
  const { till, income } = await funded()
  const coins = async () =>
    (await till.engine.wallets.coins(till.wallet, { limit: 10 })).map(
      ({ payment, confirmations }) => `${payment.amount} ${confirmations}`,
    )
  expect(await coins()).toEqual(['700 0', '9000 3'])
  const outgoing = spendOf(till, income.txid, await changeScript(till), 5500)
  till.devnet.send(outgoing.raw)
  await till.look()
  expect((await coins()).toSorted()).toEqual(['5500 0', '700 0'])
  const [newest] = await till.engine.wallets.coins(till.wallet, { limit: 1 })
  if (!newest) throw new TypeError('nothing')
  const next = await till.engine.wallets.coins(till.wallet, {
    limit: 5,
    before: paymentCursor(newest),
  })
  expect(next).toHaveLength(1)
  till.devnet.evict(outgoing.txid)
  await till.look()
  expect(await coins()).toEqual(['700 0', '9000 3'])
})

test('transactions of a wallet show what they moved, also those that vanished', async () => {
  const { till, income, waiting } = await funded()
  till.now += MINUTE
  const outgoing = spendOf(till, income.txid, await changeScript(till), 5500)
  till.devnet.send(outgoing.raw)
  await till.look()
  const list = () => till.engine.wallets.transactions(till.wallet, { limit: 10 })
  const shown = async () =>
    (await list()).map(({ transaction, net, received, sent, confirmations }) => ({
      txid: transaction.txid,
      state: transaction.view.state,
      moves: `${received} - ${sent} = ${net}`,
      confirmations,
    }))
  const before = [
    { txid: waiting.txid, state: 'mempool', moves: '700 - 0 = 700', confirmations: 0 },
    { txid: income.txid, state: 'mined', moves: '9000 - 0 = 9000', confirmations: 3 },
  ]
  const spent = { txid: outgoing.txid, moves: '5500 - 9000 = -3500', confirmations: 0 }
  expect(await shown()).toEqual([{ ...spent, state: 'mempool' }, ...before])
  till.devnet.evict(outgoing.txid)
  await till.look()
  expect(await shown()).toEqual([{ ...spent, state: 'gone' }, ...before])
  const [newest] = await list()
  if (!newest) throw new TypeError('nothing')
  const next = await till.engine.wallets.transactions(till.wallet, {
    before: transactionCursor(newest),
    limit: 1,
  })
  expect(next.map(({ transaction }) => transaction.txid)).toEqual([waiting.txid])
  const other = await till.register({ account: 1 })
  expect(await till.engine.wallets.transactions(other, { limit: 10 })).toEqual([])
})
