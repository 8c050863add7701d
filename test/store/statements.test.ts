import { openStore } from '@kaccy/bitcoin/adapters/sql'
import { sat } from '@kaccy/bitcoin/kernel'
import { digest } from '@kaccy/bitcoin/testing'
import Database from 'better-sqlite3'
import { expect, test } from 'vitest'
import { openShop, order, payAll } from '../../tools/bench/shop.ts'
import { recordingSqlite } from './recorded.ts'

/** An engine on SQLite, and how many statements a piece of work runs. */
async function countedShop() {
  let statements = 0
  const database = recordingSqlite(new Database(':memory:'), () => {
    statements += 1
  })
  const store = await openStore({ dialect: 'sqlite', database, migrate: true })
  const shop = await openShop({ store })
  const count = async (work: () => Promise<unknown>): Promise<number> => {
    const before = statements
    await work()
    return statements - before
  }
  return { shop, count }
}

test('reading a block costs as many statements with 1,000 payments as with 1', async () => {
  const { shop, count } = await countedShop()
  // The first look after a registration reads older blocks too.
  await order(shop, 1)
  await payAll(shop)
  const costs: number[] = []
  for (const payments of [1, 100, 1000]) {
    await order(shop, payments)
    costs.push(await count(() => payAll(shop)))
  }
  const [one = 0, hundred = 0, thousand = 0] = costs
  process.stdout.write(`statements a block of 1, 100, 1,000 payments: ${costs.join(', ')}\n`)
  // A warning of the gap limit or a further page of facts may come with it; nothing that grows with the payments.
  expect(hundred - one).toBeLessThanOrEqual(6)
  expect(thousand - one).toBeLessThanOrEqual(10)
  expect(one).toBeLessThan(90)
})

test('orders that are made at the same moment share their statements', async () => {
  const { shop, count } = await countedShop()
  // The first orders stand beside warnings of the gap limit; the window grows at every five hundredth.
  await order(shop, 40)
  const one = await count(() => order(shop, 1))
  const many = await count(() => order(shop, 32))
  process.stdout.write(`statements for 1 order and for 32 at once: ${one}, ${many}\n`)
  expect(many).toBe(one)
  expect(one).toBeLessThan(20)
})

test('idempotency keys of a shared commit cost two statements, however many there are', async () => {
  const { shop, count } = await countedShop()
  await order(shop, 40)
  let keys = 0
  const make = (size: number) => {
    const made = Array.from({ length: size }, () => {
      const request = { scope: 'key_1', key: `${++keys}`, digest: digest(1) }
      const answer = () => ({ status: 201, body: '{}' })
      const input = { wallet: shop.wallet, amount: sat(5_000n) }
      return shop.engine.orders.create(input, 'api:key_1', { request, answer })
    })
    return Promise.all(made)
  }
  const without = await count(() => order(shop, 1))
  const one = await count(() => make(1))
  const many = await count(() => make(32))
  const [first] = await make(1)
  expect(first?.ok).toBe(true)
  expect([one, many]).toEqual([without + 2, without + 2])
})
