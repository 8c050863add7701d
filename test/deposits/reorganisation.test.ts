import { expect, test } from 'vitest'
import { MINUTE, THIEF, Till } from './till.ts'

const count = (list: readonly string[], word: string) => list.filter((type) => type === word).length

test('before the credit: back to the mempool, then mined again elsewhere (D3)', async () => {
  const till = await Till.open()
  const order = await till.order({ amount: 5000 })
  till.pay('a', [order, 5000])
  await till.mine(2)
  till.devnet.reorg(2)
  await till.look()
  expect(await till.state(order)).toBe('unconfirmed exact 5000/0')
  expect(count(await till.told(order), 'order.reorged')).toBe(1)
  expect(await till.told(order)).not.toContain('payment.reversed')
  await till.mine(3)
  expect(await till.state(order)).toBe('full_confirmed exact 5000/5000')
  expect(await till.entries()).toEqual(['seen 5000', 'unseen 5000', 'credit 5000'])
  expect(await till.alerts()).toEqual([])
  await till.expectSound()
})

test('after the credit, spent otherwise: reversed once, reported, never edited (D1)', async () => {
  const till = await Till.open()
  const order = await till.order({ amount: 5000 })
  till.pay('a', [order, 5000])
  await till.mine(3)
  const theft = till.spend('a', [THIEF, 5000])
  till.devnet.reorg(3, { blocks: [[theft.raw], [], [], []] })
  // The coin that it spent was watched by a process that is gone.
  await till.restart()
  await till.look()
  expect(await till.state(order)).toBe('pending none 0/0')
  expect(await till.entries()).toEqual(['seen 5000', 'unseen 5000', 'credit 5000', 'reversal 5000'])
  expect(await till.alerts()).toEqual(['deposit_reversed'])
  expect(await till.audited()).toContain('engine deposit.reverse')
  expect((await till.explain(order.id)).because).toContain(`conflicted by ${theft.txid}`)
  await till.expectSound()
})

test('deeper than final: undone all the same, and a person is told how deep (D2)', async () => {
  const till = await Till.open()
  const order = await till.order({ amount: 5000 })
  const spend = till.pay('a', [order, 5000])
  await till.mine(8)
  expect(await till.state(order)).toBe('finalized exact 5000/5000')
  till.devnet.reorg(8, { drop: [spend.txid] })
  await till.look()
  expect(await till.state(order)).toBe('pending none 0/0')
  expect((await till.alerts()).toSorted()).toEqual(['deep_reorg', 'deposit_reversed'])
  await till.expectSound()
})

test('the credit moves to another block at the same depth: two entries, both in the trail, no alarm', async () => {
  const till = await Till.open()
  const order = await till.order({ amount: 5000 })
  const spend = till.pay('a', [order, 5000])
  await till.mine(4)
  const before = (await till.payment(spend)).booked
  till.devnet.reorg(4, { blocks: [[spend.txid], [], [], []] })
  await till.look()
  expect(await till.state(order)).toBe('full_confirmed exact 5000/5000')
  const after = (await till.payment(spend)).booked
  expect(after).not.toEqual(before)
  expect((await till.entries()).slice(2)).toEqual(['credit 5000', 'reversal 5000', 'credit 5000'])
  expect(count(await till.audited(), 'engine deposit.reverse')).toBe(1)
  expect(count(await till.audited(), 'engine deposit.credit')).toBe(2)
  expect(await till.alerts()).toEqual([])
  await till.expectSound()
})

test('a branch on which the payment is deep at once: every level on the way is told', async () => {
  const till = await Till.open()
  const order = await till.order({ amount: 5000 })
  const spend = till.spend('a', [order, 5000])
  await till.mine(6)
  till.devnet.reorg(6, { blocks: [[spend.raw], [], [], [], [], [], []] })
  await till.look()
  expect(await till.told(order)).toEqual([
    'order.created',
    'order.payment_seen',
    'payment.credited',
    'order.confirmed',
    'order.full_confirmed',
    'order.finalized',
  ])
})

test('another block at the same height (equal-height fork)', async () => {
  const till = await Till.open()
  const order = await till.order({ amount: 5000 })
  const spend = till.pay('a', [order, 5000])
  await till.mine(1)
  till.devnet.reorg(1, { blocks: [[spend.txid]] })
  await till.look()
  expect(await till.state(order)).toBe('confirmed exact 5000/0')
  expect(count(await till.told(order), 'order.reorged')).toBe(1)
  await till.expectSound()
})

test('invalidateblock to a shorter chain: depth falls, and credits with it', async () => {
  const till = await Till.open()
  const [deep, fresh] = [await till.order({ amount: 5000 }), await till.order({ amount: 6000 })]
  till.pay('a', [deep, 5000])
  await till.mine(2)
  till.pay('b', [fresh, 6000])
  await till.mine(2)
  expect(await till.state(deep)).toBe('full_confirmed exact 5000/5000')
  const hash = till.devnet.view.hashAt(till.devnet.tip.height - 1)
  till.devnet.call('invalidateblock', [hash])
  await till.look()
  expect(await till.state(deep)).toBe('confirmed exact 5000/0')
  expect(await till.state(fresh)).toBe('unconfirmed exact 6000/0')
  expect(await till.alerts()).toEqual(['deposit_reversed'])
  till.devnet.call('reconsiderblock', [hash])
  await till.look()
  expect(await till.state(deep)).toBe('full_confirmed exact 5000/5000')
  expect(await till.state(fresh)).toBe('confirmed exact 6000/0')
  await till.expectSound()
})

test('a reorganisation of more than a hundred blocks takes several commits and ends right', async () => {
  const till = await Till.open({ blocksPerCommit: 16 })
  const [lost, kept] = [await till.order({ amount: 5000 }), await till.order({ amount: 6000 })]
  till.pay('a', [lost, 5000])
  const again = till.pay('b', [kept, 6000])
  till.devnet.mine(130)
  await till.look()
  const theft = till.spend('a', [THIEF, 5000])
  const branch: string[][] = Array.from({ length: 131 }, () => [])
  branch[0]?.push(theft.raw)
  branch[110]?.push(again.txid)
  till.devnet.reorg(130, { blocks: branch })
  const report = await till.look()
  expect(report).toMatchObject({ disconnected: 130, blocks: 131 })
  expect(await till.state(lost)).toBe('pending none 0/0')
  expect(await till.state(kept)).toBe('finalized exact 6000/6000')
  await till.expectSound()
})

test('reorganised while we were down, and again before we look', async () => {
  const till = await Till.open()
  const order = await till.order({ amount: 5000 })
  const spend = till.pay('a', [order, 5000])
  await till.mine(3)
  till.now += 30 * MINUTE
  till.devnet.reorg(3, { drop: [spend.txid] })
  till.devnet.reorg(2, { blocks: [[spend.raw], [], []] })
  await till.restart()
  await till.look()
  expect(await till.state(order)).toBe('full_confirmed exact 5000/5000')
  expect((await till.payment(spend)).booked).toMatchObject({ state: 'credited' })
  await till.expectSound()
})

test('a coinbase that leaves the chain is gone for good', async () => {
  const till = await Till.open()
  const order = await till.order({})
  till.devnet.mineBlock({ coinbaseTo: order.address })
  await till.look()
  till.devnet.reorg(1)
  await till.look()
  expect(await till.state(order)).toBe('pending none 0/0')
  // It can never be mined again, so no mempool has to be asked about it.
  expect((await till.explain(order.id)).because).toContain('the transaction was conflicted')
  await till.mine(1)
  expect(await till.balance()).toMatchObject({ coins: 0n, pending: 0n })
})

test('a payment that came with the other branch after the order was complete there: same purpose as block by block', async () => {
  const scene = async (steps: 'one look' | 'a look per block') => {
    const till = await Till.open()
    const order = await till.order({ amount: 5000 })
    const first = till.pay('a', [order, 5000])
    await till.mine(7)
    // The other branch holds another transaction with the same coin, and much later a second payment.
    const twin = till.spend('a', [order, 5000])
    const second = till.spend('b', [order, 700])
    const branch: string[][] = Array.from({ length: 9 }, () => [])
    branch[0]?.push(twin.raw)
    branch[7]?.push(second.raw)
    if (steps === 'one look') till.devnet.reorg(7, { blocks: branch })
    else {
      till.devnet.reorg(7, { blocks: [], drop: [first.txid] })
      await till.look()
      for (const transactions of branch) {
        till.devnet.mineBlock({ transactions })
        await till.look()
      }
    }
    await till.look()
    await till.expectSound()
    const purposes = new Map(
      (await till.payments()).map(({ point, purpose }) => [point.txid, purpose]),
    )
    return [
      await till.state(order),
      purposes.get(twin.txid as never),
      purposes.get(second.txid as never),
    ]
  }
  const expected = ['finalized exact 5000/5000', 'order', 'unassigned']
  expect(await scene('a look per block')).toEqual(expected)
  expect(await scene('one look')).toEqual(expected)
})
