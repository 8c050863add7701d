import fc from 'fast-check'
import { expect, test } from 'vitest'
import { createMemoryStore } from '../../adapters/memory/index.ts'
import {
  type BlockRef,
  blockHash,
  outPointKey,
  paymentId,
  type SpendId,
  sat,
  sumSat,
  txid,
  type WalletId,
} from '../../kernel/index.ts'
import type { PaymentRecord, TxRecord } from '../deposits/index.ts'
import { coinsAccount, unassignedAccount } from '../ledger/index.ts'
import { candidatesOf, createCoins, layersOf, meansOf } from './index.ts'

const wallet = 'wal_1' as WalletId
const block: BlockRef = { height: 10, hash: blockHash('b'.repeat(64)) }
const id = (n: number) => txid(n.toString(16).padStart(64, '0'))

/** One coin of a random wallet: where it stands, and who holds it. */
interface Made {
  readonly amount: number
  readonly kind: 'credited' | 'change' | 'foreign' | 'gone'
  readonly spent: boolean
  readonly held: 'no' | 'leased' | 'frozen' | 'both'
  readonly confirmed: boolean
}
const made: fc.Arbitrary<Made> = fc.record({
  amount: fc.integer({ min: 1, max: 1_000_000 }),
  kind: fc.constantFrom('credited', 'change', 'foreign', 'gone'),
  spent: fc.boolean(),
  held: fc.constantFrom('no', 'leased', 'frozen', 'both'),
  confirmed: fc.boolean(),
})
const isCredited = ({ kind }: Made) => kind === 'credited'

function recordsOf(coin: Made, n: number): { payment: PaymentRecord; transaction: TxRecord } {
  const point = { txid: id(n + 1), vout: 0 }
  const mined = isCredited(coin) || coin.confirmed
  const payment: PaymentRecord = {
    id: paymentId(point),
    point,
    wallet,
    branch: 0,
    index: n,
    address: `a${n}`,
    script: Uint8Array.of(0, n % 256, n >> 8),
    amount: sat(BigInt(coin.amount)),
    coinbase: false,
    purpose: coin.kind === 'change' ? 'change' : 'unassigned',
    firstSeenAt: n,
    late: false,
    booked: isCredited(coin) ? { state: 'credited', block } : { state: 'none' },
    posted: 0,
    ...(coin.spent ? { spender: id(n + 100_000) } : {}),
    spendBooked: false,
  }
  const view =
    coin.kind === 'gone'
      ? ({ state: 'gone', reason: 'evicted' } as const)
      : mined
        ? ({ state: 'mined', block } as const)
        : ({ state: 'mempool' } as const)
  const transaction = {
    txid: point.txid,
    coinbase: false,
    inputs: [],
    vsize: 100,
    firstSeenAt: n,
    view,
  }
  return { payment, transaction }
}

async function storeOf(coins: readonly Made[], queued: number) {
  const store = createMemoryStore()
  const rows = coins.map(recordsOf)
  await store.transact(async (tx) => {
    await tx.deposits.saveTransactions(rows.map(({ transaction }) => transaction))
    await tx.deposits.savePayments(rows.map(({ payment }) => payment))
    await tx.ledger.post(
      1,
      rows.flatMap(({ payment }, n) =>
        payment.booked.state === 'credited'
          ? [
              {
                key: `k${n}`,
                kind: 'credit' as const,
                debit: coinsAccount(wallet),
                credit: unassignedAccount(wallet),
                amount: payment.amount,
                wallet,
              },
            ]
          : [],
      ),
    )
    const funds = await tx.coins.lockFunds(wallet)
    await tx.coins.saveFunds({ ...funds, queued: sat(BigInt(queued)) })
    for (const [n, { payment }] of rows.entries()) {
      const { point, amount } = payment
      const held = coins[n]?.held ?? 'no'
      if (held === 'leased' || held === 'both')
        await tx.coins.lease([
          { point, wallet, amount, spend: 'spd_1' as SpendId, fence: 1, at: 1 },
        ])
      if (held === 'frozen' || held === 'both')
        await tx.coins.freeze([{ point, wallet, amount, reason: 'r', by: 'x', at: 1 }])
    }
  })
  return { store, rows }
}

test('the means are what a naive sum over all coins says', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(made, { maxLength: 25 }),
      fc.integer({ min: 0, max: 2_000_000 }),
      fc.boolean(),
      async (coins, queued, ownChange) => {
        const { store } = await storeOf(coins, queued)
        const policy = { ownChange, chainLimit: 10 }
        const sum = (fits: (coin: Made) => boolean) =>
          coins.filter(fits).reduce((total, { amount }) => total + BigInt(amount), 0n)
        const isFree = (coin: Made) => !coin.spent && coin.held === 'no'
        const naive =
          sum((coin) => isFree(coin) && isCredited(coin)) +
          (ownChange ? sum((coin) => isFree(coin) && coin.kind === 'change') : 0n) -
          BigInt(queued)
        const { means, layers } = await store.read(async (tx) => ({
          means: await meansOf(tx, wallet, policy),
          layers: await layersOf(tx, wallet, policy),
        }))
        expect(means.spendable - means.missing).toBe(naive)
        expect(means.spendable === 0n || means.missing === 0n).toBe(true)
        expect(means.confirmed).toBe(sum(isCredited))
        expect(layers.spendable).toBe(means.spendable)
        expect(layers.reserved).toBe(
          means.confirmed > means.spendable ? means.confirmed - means.spendable : 0n,
        )
      },
    ),
    { numRuns: 60 },
  )
})

test('what a plan may choose from is exactly what is free, in pages as well', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(made, { maxLength: 25 }), fc.boolean(), async (coins, ownChange) => {
      const { store, rows } = await storeOf(coins, 0)
      const found = await store.read((tx) =>
        candidatesOf(tx, wallet, { ownChange, chainLimit: 10 }),
      )
      const wanted = rows.filter((_, n) => {
        const { kind, spent, held } = coins[n] as Made
        return !spent && held === 'no' && (kind === 'credited' || (ownChange && kind === 'change'))
      })
      expect(found.map(({ point }) => outPointKey(point)).sort()).toEqual(
        wanted.map(({ payment }) => outPointKey(payment.point)).sort(),
      )
    }),
    { numRuns: 60 },
  )
})

/** A chain of unconfirmed change, each made of the one before; the first of a confirmed coin of ours, or of a stranger's. */
async function chainOf(length: number, foreign: boolean) {
  const { store } = await storeOf(
    [{ amount: 1, kind: 'credited', spent: true, held: 'no', confirmed: true }],
    0,
  )
  const links = Array.from({ length }, (_, n) =>
    recordsOf(
      { amount: 1000, kind: 'change', spent: n < length - 1, held: 'no', confirmed: false },
      n + 1,
    ),
  )
  await store.transact(async (tx) => {
    await tx.deposits.saveTransactions(
      links.map(({ transaction }, n) => ({
        ...transaction,
        inputs: [{ txid: n === 0 && foreign ? id(77_777) : id(n + 1), vout: 0 }],
      })),
    )
    await tx.deposits.savePayments(links.map(({ payment }) => payment))
  })
  return store.read((tx) => candidatesOf(tx, wallet, { ownChange: true, chainLimit: 10 }))
}
test('own change is spent up to ten unconfirmed transactions deep, and never on top of a stranger', async () => {
  expect(await chainOf(1, false)).toHaveLength(1)
  expect(await chainOf(10, false)).toHaveLength(1)
  expect(await chainOf(11, false)).toHaveLength(0)
  expect(await chainOf(30, false)).toHaveLength(0)
  expect(await chainOf(3, true)).toHaveLength(0)
})

test('people freeze coins and let them go, each written down once', async () => {
  const coin: Made = { amount: 500, kind: 'credited', spent: false, held: 'no', confirmed: true }
  const { store, rows } = await storeOf([coin, coin, { ...coin, spent: true }], 0)
  await store.transact((tx) =>
    tx.wallet.insertWallet({
      id: wallet,
      name: 'w',
      network: 'regtest',
      descriptor: 'd',
      status: 'active',
      gapLimit: 20,
      lookahead: 20,
      birthday: 0,
      createdAt: 1,
    }),
  )
  const coins = createCoins({ store, clock: { now: () => 7 } })
  const points = rows.map(({ payment }) => payment.point)
  const [first, second, spent] = points
  if (!first || !second || !spent) throw new RangeError('three coins')
  expect((await coins.means(wallet)).spendable).toBe(1000n)
  expect(await coins.freeze(wallet, [first, first], 'stolen?', 'operator:ann')).toMatchObject({
    ok: true,
    value: [{ point: first, amount: 500n, reason: 'stolen?', by: 'operator:ann', at: 7 }],
  })
  await coins.freeze(wallet, [first], 'stolen?', 'operator:bob')
  expect((await coins.means(wallet)).spendable).toBe(500n)
  expect(await coins.frozen(wallet, undefined, 10)).toHaveLength(1)
  const refusals = await Promise.all([
    coins.freeze(wallet, [second, spent], 'x', 'operator:ann'),
    coins.freeze(wallet, [second], '', 'operator:ann'),
    coins.freeze(wallet, [], 'x', 'operator:ann'),
    coins.freeze('wal_2' as WalletId, [second], 'x', 'operator:ann'),
  ])
  expect(refusals.map((one) => !one.ok && one.error.code)).toEqual([
    'COIN_UNKNOWN',
    'COIN_REASON_INVALID',
    'COINS_TOO_MANY',
    'WALLET_NOT_FOUND',
  ])
  expect(await coins.unfreeze(wallet, [first, second], 'operator:bob')).toMatchObject({
    ok: true,
    value: [{ point: first }],
  })
  expect((await coins.means(wallet)).spendable).toBe(1000n)
  const trail = await store.read((tx) => tx.audit.list({ limit: 100 }))
  expect(trail.map(({ actor, action }) => `${actor} ${action}`)).toEqual([
    'operator:ann coin.freeze',
    'operator:bob coin.unfreeze',
  ])
  const events = await store.read((tx) => tx.events.list({ after: 0, limit: 100 }))
  expect(events.map(({ type, data }) => `${type} ${data['amount_sat']}`)).toEqual([
    'coin.frozen 500',
    'coin.unfrozen 500',
  ])
  expect(sumSat((await coins.candidates(wallet)).map(({ amount }) => amount))).toBe(1000n)
})
