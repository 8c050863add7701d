import { sat } from '@kaccy/bitcoin/kernel'
import { expect, test } from 'vitest'
import { THIEF, Till } from './till.ts'

const LEVELS = /^order\.(confirmed|full_confirmed|finalized)$/
const levelsOf = (types: readonly string[]) => types.filter((type) => LEVELS.test(type))

test('an order from end to end: each level once, credited at the third block', async () => {
  const till = await Till.open()
  const order = await till.order({ amount: 100_000 })
  expect(await till.state(order)).toBe('pending none 0/0')
  till.pay('a', [order, 100_000])
  await till.look()
  const states = [await till.state(order)]
  for (let i = 0; i < 6; i++) {
    await till.mine()
    states.push(await till.state(order))
  }
  expect(states).toEqual([
    'unconfirmed exact 100000/0',
    'confirmed exact 100000/0',
    'confirmed exact 100000/0',
    'full_confirmed exact 100000/100000',
    'full_confirmed exact 100000/100000',
    'full_confirmed exact 100000/100000',
    'finalized exact 100000/100000',
  ])
  expect(await till.told(order)).toEqual([
    'order.created',
    'order.payment_seen',
    'order.confirmed',
    'payment.credited',
    'order.full_confirmed',
    'order.finalized',
  ])
  expect(await till.entries()).toEqual(['seen 100000', 'unseen 100000', 'credit 100000'])
  expect(await till.audited()).toContain('engine deposit.credit')
  expect(await till.alerts()).toEqual([])
  expect(await till.balance()).toEqual({ coins: 100_000n, pending: 0n, unassigned: 0n, spent: 0n })
  await till.expectSound()
})

test('a look that finds nothing new writes nothing', async () => {
  const till = await Till.open()
  const order = await till.order({ amount: 5000 })
  till.pay('a', [order, 5000])
  await till.mine(4)
  const before = [await till.told(), await till.entries(), await till.audited()]
  for (let i = 0; i < 3; i++) await till.look()
  await till.restart()
  await till.look()
  expect([await till.told(), await till.entries(), await till.audited()]).toEqual(before)
})

test('blocks that came while we were away: every level is still told, once and in order', async () => {
  const till = await Till.open()
  const order = await till.order({ amount: 100_000 })
  till.pay('a', [order, 100_000])
  till.devnet.mine(10)
  await till.look()
  expect(await till.state(order)).toBe('finalized exact 100000/100000')
  expect(levelsOf(await till.told(order))).toEqual([
    'order.confirmed',
    'order.full_confirmed',
    'order.finalized',
  ])
  await till.expectSound()
})

test('two payments: underpaid, then exact; the shallower one decides the level', async () => {
  const till = await Till.open()
  const order = await till.order({ amount: 100_000 })
  till.pay('a', [order, 60_000])
  await till.mine(2)
  expect(await till.state(order)).toBe('confirmed underpaid 60000/0')
  till.pay('b', [order, 40_000])
  await till.look()
  expect(await till.state(order)).toBe('unconfirmed exact 100000/0')
  await till.mine(1)
  expect(await till.state(order)).toBe('confirmed exact 100000/60000')
  await till.mine(2)
  expect(await till.state(order)).toBe('full_confirmed exact 100000/100000')
  expect(await till.told(order)).toContain('order.underpaid')
  expect(await till.alerts('discrepancy')).toEqual([])
  await till.expectSound()
})

test('overpaid by one satoshi is overpaid, and people are told when it is credited', async () => {
  const till = await Till.open()
  const order = await till.order({ amount: 100_000 })
  till.pay('a', [order, 100_001])
  await till.mine(2)
  expect(await till.alerts('discrepancy')).toEqual([])
  await till.mine(1)
  expect(await till.state(order)).toBe('full_confirmed overpaid 100001/100001')
  expect(await till.told(order)).toContain('order.overpaid')
  expect(await till.alerts('discrepancy')).toEqual(['discrepancy'])
})

test('tolerance in parts per million: at the edge exact, one satoshi below not', async () => {
  const till = await Till.open()
  const ask = { amount: 100_000, tolerance: { kind: 'relative', ppm: 10_000 } } as const
  const [edge, below] = [await till.order(ask), await till.order(ask)]
  till.pay('a', [edge, 99_000], [below, 98_999])
  await till.mine(3)
  expect(await till.state(edge)).toBe('full_confirmed exact 99000/99000')
  expect(await till.state(below)).toBe('full_confirmed underpaid 98999/98999')
})

test('two outputs to one address are two payments (D9); one transaction pays two orders (D10)', async () => {
  const till = await Till.open()
  const [one, two] = [await till.order({ amount: 30_000 }), await till.order({ amount: 7000 })]
  till.pay('a', [one, 15_000], [two, 7000], [one, 15_000])
  await till.mine(3)
  expect(await till.state(one)).toBe('full_confirmed exact 30000/30000')
  expect(await till.state(two)).toBe('full_confirmed exact 7000/7000')
  expect((await till.payments(one)).map(({ point }) => point.vout)).toEqual([0, 2])
  await till.expectSound()
})

test('dust and zero outputs are counted to the satoshi and break nothing (D14)', async () => {
  const till = await Till.open()
  const order = await till.order({ amount: 1000 })
  const spend = till.spend('a', [order, 999], [order, 0], [order, 1])
  till.devnet.mineBlock({ transactions: [spend.raw] })
  await till.look()
  expect(await till.state(order)).toBe('confirmed exact 1000/0')
  await till.mine(3)
  expect(await till.state(order)).toBe('full_confirmed exact 1000/1000')
  await till.expectSound()
})

test('an open deposit address credits every payment to its customer, for ever', async () => {
  const till = await Till.open()
  const open = await till.order({ customer: 'ann' })
  expect(open.expiresAt).toBeUndefined()
  for (const [i, amount] of [5000, 700_000, 600].entries()) {
    till.pay(`coin ${i}`, [open, amount])
    await till.mine(8)
  }
  expect(await till.state(open)).toBe('finalized exact 705600/705600')
  expect((await till.payments(open)).map(({ purpose }) => purpose)).toEqual(Array(3).fill('order'))
  const accounts = await till.engine.ledger.accounts('owed/', undefined, 10)
  expect(accounts.map(({ account, credits }) => [account, credits])).toEqual([
    ['owed/ann', 705_600n],
  ])
  expect(await till.alerts()).toEqual([])
})

test('the level of an open address follows its newest payment, down and up again', async () => {
  const till = await Till.open()
  const open = await till.order({})
  till.pay('a', [open, 5000])
  await till.mine(6)
  expect(await till.state(open)).toBe('finalized exact 5000/5000')
  till.pay('b', [open, 5000])
  await till.look()
  expect(await till.state(open)).toBe('unconfirmed exact 10000/5000')
  await till.mine(6)
  expect(await till.state(open)).toBe('finalized exact 10000/10000')
})

test('two orders of one customer share one account', async () => {
  const till = await Till.open()
  const [a, b] = [
    await till.order({ amount: 1000, customer: 'c 1' }),
    await till.order({ amount: 2000, customer: 'c 1' }),
  ]
  till.pay('a', [a, 1000], [b, 2000])
  await till.mine(3)
  const accounts = await till.engine.ledger.accounts('owed/', undefined, 10)
  expect(accounts).toMatchObject([{ account: 'owed/c 1', debits: 0n, credits: 3000n }])
})

test('money to an address that nobody was given is unassigned, and people are told', async () => {
  const till = await Till.open()
  const order = await till.order({ amount: 1000 })
  const ahead = await till.store.read((tx) => tx.wallet.address(till.wallet, 0, order.index + 5))
  const spend = till.pay('a', [ahead?.script ?? THIEF, 4000])
  await till.mine(3)
  expect(await till.payment(spend)).toMatchObject({ purpose: 'unassigned', late: false })
  expect(await till.balance()).toMatchObject({ coins: 4000n, unassigned: 4000n })
  expect(await till.alerts('unmatched_payment')).toHaveLength(1)
  expect((await till.told()).filter((type) => type === 'payment.unmatched')).toHaveLength(1)
  // Whoever paid had the address from somewhere: no order may get it, or one below it, again.
  expect((await till.order({ amount: 1000 })).index).toBe(order.index + 6)
  await till.expectSound()
})

test('a complete order takes nothing more: its address used again is unassigned (D13)', async () => {
  const till = await Till.open()
  const order = await till.order({ amount: 1000 })
  till.pay('a', [order, 1000])
  await till.mine(6)
  till.pay('b', [order, 5000])
  await till.mine(3)
  expect(await till.state(order)).toBe('finalized exact 1000/1000')
  expect(await till.balance()).toMatchObject({ coins: 6000n, unassigned: 5000n })
  expect(await till.alerts()).toEqual(['address_reuse'])
  const { because } = await till.explain(order.id)
  expect(because).toContain('booked as unassigned: the order was complete')
  await till.expectSound()
})

test('a deposit at the limit is announced as large, one satoshi below is not', async () => {
  const till = await Till.open({ largeDeposit: sat(1_000_000n) })
  const open = await till.order({})
  till.pay('a', [open, 999_999])
  await till.look()
  expect(await till.alerts('large_deposit')).toEqual([])
  till.pay('b', [open, 1_000_000])
  await till.mine(2)
  expect(await till.alerts('large_deposit')).toEqual(['large_deposit'])
})

test('a coinbase output is credited at 100 blocks and never before (D16)', async () => {
  const till = await Till.open()
  const order = await till.order({})
  till.devnet.mineBlock({ coinbaseTo: order.address })
  await till.look()
  expect(await till.state(order)).toMatch(/^confirmed exact \d+\/0$/)
  till.devnet.mine(98)
  await till.look()
  expect(await till.state(order)).toMatch(/^confirmed exact \d+\/0$/)
  expect(await till.balance()).toMatchObject({ coins: 0n })
  await till.mine(1)
  const [payment] = await till.payments(order)
  expect(payment?.booked.state).toBe('credited')
  expect(await till.state(order)).toBe(`finalized exact ${payment?.amount}/${payment?.amount}`)
})
