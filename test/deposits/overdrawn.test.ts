import { HOUSE, owedAccount } from '@kaccy/bitcoin/ledger'
import { sat } from '@kaccy/bitcoin/kernel'
import { expect, test } from 'vitest'
import { Till } from './till.ts'

test('a deposit that leaves after its money was paid out stops nothing, and people are told', async () => {
  const till = await Till.open()
  const order = await till.order({ amount: 100_000, customer: 'cus' })
  const paid = till.pay('alice', [order, 100_000])
  await till.mine(3)
  await till.store.transact((tx) =>
    tx.ledger.post(till.now, [
      {
        key: 'out/1',
        kind: 'release',
        debit: owedAccount('cus'),
        credit: HOUSE,
        amount: sat(70_000n),
        wallet: till.wallet,
      },
    ]),
  )
  till.devnet.reorg(3, { drop: [paid.txid], blocks: 4 })
  await till.look()
  expect(await till.state(order)).toBe('pending none 0/0')
  expect(await till.alerts('account_overdrawn')).toHaveLength(1)
  const [owed] = await till.store.read((tx) => tx.ledger.totals([owedAccount('cus')]))
  expect(owed && owed.debits - owed.credits).toBe(70_000n)
  const verdict = await till.engine.ledger.verify()
  expect(verdict.differences).toEqual([{ kind: 'below_zero', account: 'owed/cus', by: 70_000n }])
  // What comes later fills it up again, and stops nothing either.
  const later = await till.order({ amount: 20_000, customer: 'cus' })
  till.pay('bob', [later, 20_000])
  await till.mine(3)
  expect(await till.state(later)).toBe('full_confirmed exact 20000/20000')
  expect(await till.alerts('account_overdrawn')).toHaveLength(1)
})
