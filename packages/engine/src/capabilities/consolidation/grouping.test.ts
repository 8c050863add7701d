import fc from 'fast-check'
import { expect, test } from 'vitest'
import { feeFor, sat, satPerKvB, toHex, txid, type WalletId, weight } from '../../kernel/index.ts'
import type { Coin } from '../coins/index.ts'
import {
  chooseGroup,
  groupsOf,
  type KnownCoin,
  notAbove,
  spareCoins,
  worthSpending,
} from './grouping.ts'

const coinOf = (n: number, amount: number, script = n): Coin => ({
  point: { txid: txid(n.toString(16).padStart(64, '0')), vout: 0 },
  wallet: 'wal_1' as WalletId,
  branch: 0,
  index: script,
  script: Uint8Array.of(script >> 8, script & 255),
  address: `to${script}`,
  amount: sat(BigInt(amount)),
  coinbase: false,
  kind: 'credited',
  height: 1,
  firstSeenAt: 0,
})
type Owner = 'change' | 'nobody' | 'once' | `cus_${number}`
const known = (coin: Coin, owner: Owner): KnownCoin => ({
  coin,
  isChange: owner === 'change',
  ...(owner === 'once' ? { order: {} } : {}),
  ...(owner.startsWith('cus_') ? { order: { customer: owner } } : {}),
})
const show = (groups: ReturnType<typeof groupsOf>) =>
  groups.map(({ kind, coins }) => `${kind} ${coins.map(({ amount }) => amount).join(' ')}`)
const STRICT = { linksCustomers: false }

const owner = fc.constantFrom<Owner>('change', 'nobody', 'once', 'cus_1', 'cus_2', 'cus_3')
const pool = fc.array(
  fc.record({
    amount: fc.integer({ min: 1, max: 1_000_000 }),
    script: fc.integer({ min: 0, max: 12 }),
    owner,
  }),
  { maxLength: 40 },
)
const sum = (coins: readonly Coin[]) => coins.reduce((all, { amount }) => all + amount, 0n)

test('groups say as little as they can: a script, change, nobody, one customer', () => {
  const coins = [
    known(coinOf(1, 90, 1), 'cus_1'),
    known(coinOf(2, 80, 1), 'cus_1'),
    known(coinOf(3, 70), 'cus_1'),
    known(coinOf(4, 60), 'cus_2'),
    known(coinOf(5, 50), 'change'),
    known(coinOf(6, 40), 'change'),
    known(coinOf(7, 30), 'nobody'),
    known(coinOf(8, 20), 'once'),
  ]
  const wide = show(groupsOf(coins, STRICT)).filter((line) => !line.startsWith('script'))
  expect(wide).toEqual(['change 40 50', 'unassigned 30', 'customer 70 80 90', 'customer 60'])
  expect(show(groupsOf(coins, STRICT))[0]).toBe('script 80 90')
  const linked = show(groupsOf(coins, { linksCustomers: true })).at(-1)
  expect(linked).toBe('mixed 20 30 40 50 60 70 80 90')
})

test('the group that says least wins as soon as it has enough, not the largest one', () => {
  const coins = [
    ...[1, 2, 3].map((n) => known(coinOf(n, n), 'change')),
    ...[4, 5, 6, 7, 8].map((n) => known(coinOf(n, n), 'cus_1')),
  ]
  const groups = groupsOf(coins, { linksCustomers: true })
  const choose = (minInputs: number, most = 99) => {
    const chosen = chooseGroup(groups, { minInputs, most })
    return chosen && `${chosen.kind} ${chosen.coins.length}`
  }
  expect([choose(2), choose(3), choose(4), choose(6), choose(9)]).toEqual([
    'change 3',
    'change 3',
    'customer 5',
    'mixed 8',
    undefined,
  ])
  expect([choose(4, 4), choose(4, 3)]).toEqual(['customer 4', undefined])
})

test('what was paid to the address of an order stays with its customer, also by a stranger', () => {
  const coins = [known(coinOf(1, 5, 7), 'nobody'), known(coinOf(2, 6, 7), 'cus_1')]
  const groups = groupsOf([...coins, known(coinOf(3, 7), 'nobody')], STRICT)
  expect(show(groups)).toContain('customer 5 6')
  expect(show(groups)).toContain('unassigned 7')
})

test('no group links two customers, an order of nobody, or change and deposits, unless that is allowed', () => {
  fc.assert(
    fc.property(pool, (made) => {
      const coins = made.map(({ amount, script, owner: whose }, n) =>
        known(coinOf(n + 1, amount, script), whose),
      )
      const owners = new Map(
        [...Map.groupBy(coins, ({ coin }) => toHex(coin.script))].map(([script, all]) => {
          const order = all.find((one) => one.order)?.order
          const whose = order
            ? (order.customer ?? `alone ${script}`)
            : all.some(({ isChange }) => isChange)
              ? 'change'
              : 'nobody'
          return [script, whose]
        }),
      )
      for (const { kind, coins: members } of groupsOf(coins, STRICT)) {
        expect(kind).not.toBe('mixed')
        const linked = new Set(members.map(({ script }) => owners.get(toHex(script))))
        expect(linked.size).toBe(1)
        expect(members.map(({ amount }) => amount)).toEqual(
          members.map(({ amount }) => amount).toSorted((a, b) => Number(a - b)),
        )
      }
    }),
  )
})

test('a run never takes a coin that payouts need, in any wallet', () => {
  fc.assert(
    fc.property(
      pool,
      fc.bigInt({ min: 0n, max: 5_000_000n }),
      fc.integer({ min: 2, max: 8 }),
      fc.integer({ min: 0, max: 12 }),
      fc.boolean(),
      (made, keep, minInputs, most, linksCustomers) => {
        const coins = made.map(({ amount, script }, n) => coinOf(n + 1, amount, script))
        const spare = spareCoins(coins, keep)
        const facts = spare.map((coin, n) => known(coin, made[n]?.owner ?? 'nobody'))
        const group = chooseGroup(groupsOf(facts, { linksCustomers }), { minInputs, most })
        const taken = new Set(group?.coins)
        const left = coins.filter((coin) => !taken.has(coin))
        if (group) expect(sum(left) >= keep).toBe(true)
        expect(taken.size === 0 || (taken.size >= minInputs && taken.size <= most)).toBe(true)
        // The large ones stay: they pay with the fewest inputs.
        const kept = coins.filter((coin) => !spare.includes(coin))
        for (const coin of kept)
          for (const other of spare) expect(coin.amount >= other.amount).toBe(true)
        const [smallest] = kept.toSorted((a, b) => Number(a.amount - b.amount))
        if (smallest && spare.length > 0) expect(sum(kept) - smallest.amount < keep).toBe(true)
      },
    ),
  )
})

test('the reserve is kept to the satoshi, with the largest coins', () => {
  const coins = [30, 10, 20].map((amount, n) => coinOf(n + 1, amount))
  const left = (keep: bigint) => spareCoins(coins, keep).map(({ amount }) => Number(amount))
  expect([0n, 1n, 30n, 31n, 50n, 51n, 60n, 61n].map(left)).toEqual([
    [10, 20, 30],
    [10, 20],
    [10, 20],
    [10],
    [10],
    [],
    [],
    [],
  ])
})

test('a coin that costs what it is worth is left alone, and so is a large one', () => {
  const rate = satPerKvB(1_000n)
  const cost = Number(feeFor(rate, weight(272)))
  const coins = [cost - 1, cost, cost + 1, 1_000].map((amount, n) => coinOf(n + 1, amount))
  const worth = worthSpending(coins, rate, weight(272))
  expect(worth.map(({ amount }) => Number(amount))).toEqual([cost + 1, 1_000])
  expect(notAbove(worth, sat(999n)).map(({ amount }) => Number(amount))).toEqual([cost + 1])
  expect(notAbove(worth, undefined)).toEqual(worth)
})
