import { createMemoryStore } from '@kaccy/bitcoin/adapters/memory'
import { EngineError, METRICS, type Metrics, type Tracer } from '@kaccy/bitcoin/kernel'
import { expect, test } from 'vitest'
import { MINUTE, Till } from './till.ts'

/** What was counted, with every label held against the definition. */
function counters() {
  const sums = new Map<string, number>()
  const note =
    (kind: 'counter' | 'gauge' | 'histogram') =>
    (name: string, value = 1, labels: Readonly<Record<string, string>> = {}) => {
      const definition = METRICS.find((one) => one.name === name)
      expect(definition?.kind).toBe(kind)
      expect(Object.keys(labels).sort()).toEqual([...(definition?.labels ?? [])].sort())
      const key = [name.replace(/^kaccy_/, ''), ...Object.values(labels)].join(' ')
      const before = kind === 'counter' ? (sums.get(key) ?? 0) : 0
      sums.set(key, before + value)
    }
  const metrics: Metrics = {
    count: note('counter'),
    gauge: note('gauge'),
    observe: note('histogram'),
  }
  return { metrics, of: (key: string) => sums.get(key) ?? 0 }
}

test('a payment is counted when it is seen and when it is credited, the order at each level', async () => {
  const { metrics, of } = counters()
  const till = await Till.open({ metrics })
  const order = await till.order({ amount: 9000 })
  await till.order({ amount: 9000, externalId: 'one' })
  await till.order({ amount: 9000, externalId: 'one' })
  expect(of('orders_created_total')).toBe(2)
  till.pay('a', [order, 9000])
  await till.look()
  await till.look()
  expect(of('payments_seen_total')).toBe(1)
  expect(of('payment_volume_sat_total seen')).toBe(9000)
  expect(of('payment_volume_sat_total credited')).toBe(0)
  till.now += 10 * MINUTE
  const blocks = of('chain_blocks_total')
  await till.mine(1)
  expect(of('order_confirmation_seconds confirmed')).toBe(600)
  till.now += 10 * MINUTE
  await till.mine(2)
  expect(of('order_confirmation_seconds full_confirmed')).toBe(1200)
  expect(of('payments_credited_total')).toBe(1)
  expect(of('payment_volume_sat_total credited')).toBe(9000)
  expect(of('chain_blocks_total') - blocks).toBe(3)
  expect(of('chain_lag_blocks')).toBe(0)
})

test('a credit that leaves the chain is counted as reversed', async () => {
  const { metrics, of } = counters()
  const till = await Till.open({ metrics })
  const order = await till.order({ amount: 9000 })
  const spend = till.pay('a', [order, 9000])
  await till.mine(3)
  till.devnet.reorg(3, { drop: [spend.txid] })
  await till.look()
  expect(of('payment_volume_sat_total reversed')).toBe(9000)
  expect(of('payment_volume_sat_total credited')).toBe(9000)
  expect(of('payments_seen_total')).toBe(1)
})

test('nothing is counted of a commit that failed, and once of one that came at the second try', async () => {
  const { metrics, of } = counters()
  let dies = false
  const store = createMemoryStore({
    onCommit: (moment) => {
      if (dies && moment === 'before') throw new EngineError('STORE_UNAVAILABLE', 'no disk')
    },
  })
  const till = await Till.open({ metrics, store })
  const order = await till.order({ amount: 9000 })
  till.pay('a', [order, 9000])
  dies = true
  for (let i = 0; i < 3; i++) await expect(till.look()).rejects.toThrow('no disk')
  await expect(till.order({ amount: 1000 })).rejects.toThrow('no disk')
  expect(of('payments_seen_total')).toBe(0)
  expect(of('orders_created_total')).toBe(1)
  dies = false
  await till.look()
  expect(of('payments_seen_total')).toBe(1)
  expect(of('payment_volume_sat_total seen')).toBe(9000)
})

test('a transaction that the store runs twice is counted once', async () => {
  const { metrics, of } = counters()
  const memory = createMemoryStore()
  const undone = new RangeError('a conflict')
  let twice = false
  const till = await Till.open({
    metrics,
    store: {
      ...memory,
      async transact(work) {
        // As a database does that finds a conflict at the commit: all of it again.
        if (twice)
          await memory
            .transact(async (tx) => {
              await work(tx)
              throw undone
            })
            .catch((error: unknown) => {
              if (error !== undone) throw error
            })
        return memory.transact(work)
      },
    },
  })
  twice = true
  const order = await till.order({ amount: 9000 })
  till.pay('a', [order, 9000])
  await till.mine(3)
  expect(of('orders_created_total')).toBe(1)
  expect(of('payments_seen_total')).toBe(1)
  expect(of('payments_credited_total')).toBe(1)
})

test('work is traced from the outside in, with its outcome', async () => {
  const spans: string[] = []
  const open: string[] = []
  const tracer: Tracer = {
    async span(name, attributes, work, outcome) {
      open.push(name)
      try {
        const value = await work()
        const told = JSON.stringify({ ...attributes, ...outcome?.(value) })
        spans.push(`${open.join(' > ')} ${told}`)
        return value
      } finally {
        open.pop()
      }
    },
  }
  const till = await Till.open({ tracer })
  spans.length = 0
  await till.order({ amount: 9000 })
  const refused = await till.engine.orders.create({ wallet: till.wallet, amount: 1n as never }, 'x')
  expect(refused.ok).toBe(false)
  till.devnet.mine(1)
  const height = till.devnet.view.tip().height
  await till.look()
  expect(spans).toEqual([
    `orders.create {"wallet":"${till.wallet}","outcome":"ok"}`,
    `orders.create {"wallet":"${till.wallet}","outcome":"ORDER_AMOUNT_DUST"}`,
    `engine.sync > chain.apply_blocks {"blocks":1,"disconnected":0,"height":${height}}`,
    'engine.sync {"blocks":1,"disconnected":0,"outcome":"ok"}',
  ])
})
