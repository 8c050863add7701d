import type { PaymentRecord, TxFact, TxRecord } from '../../capabilities/deposits/index.ts'
import { sat } from '../../kernel/index.ts'
import type { StoreTx } from '../../runtime/store.ts'
import { type Chapter, same } from './check.ts'
import {
  blockOf,
  orderIdOf,
  paymentOf,
  pointOf,
  transactionOf,
  txidOf,
  walletIdOf,
} from './samples.ts'

const byTxid = (records: readonly TxRecord[]) =>
  [...records].sort((a, b) => (a.txid < b.txid ? -1 : 1))
const byPlace = (records: readonly PaymentRecord[]) =>
  [...records].sort((a, b) => {
    const [left, right] = [a.point, b.point]
    return left.txid === right.txid ? left.vout - right.vout : left.txid < right.txid ? -1 : 1
  })

/** Transactions, payments and facts. */
export const PAYMENTS: Chapter = {
  'transactions keep every field in every view': async ({ store }) => {
    const { feeRate: _, ...feeless } = transactionOf(4)
    const all = [
      transactionOf(1),
      transactionOf(2, { view: { state: 'mempool', missingSince: 77 } }),
      transactionOf(3, { view: { state: 'mined', block: blockOf(100) } }),
      {
        ...feeless,
        coinbase: true,
        inputs: [],
        view: { state: 'gone', reason: 'evicted' } as const,
      },
      transactionOf(5, { view: { state: 'gone', reason: 'replaced', by: txidOf(1) } }),
      transactionOf(6, {
        view: { state: 'gone', reason: 'conflicted', by: txidOf(2), block: blockOf(200) },
      }),
    ]
    await store.transact((tx) => tx.deposits.saveTransactions(all))
    await store.transact((tx) => tx.deposits.saveTransactions([]))
    await store.read(async (tx) => {
      const asked = [6, 5, 4, 3, 2, 1, 9, 1].map(txidOf)
      same(await tx.deposits.transactions(asked), byTxid(all), 'in txid order, once each')
      same(await tx.deposits.transactions([]), [], 'none')
      same(await tx.deposits.unconfirmed(), byTxid(all.slice(0, 2)), 'in the mempool')
      same(await tx.deposits.minedFrom(100), all.slice(2, 3), 'mined at this height')
      same(await tx.deposits.minedFrom(101), [], 'mined above')
    })
    const moved = transactionOf(3, { view: { state: 'mempool' } })
    await store.transact((tx) => tx.deposits.saveTransactions([moved]))
    await store.read(async (tx) => {
      same(await tx.deposits.minedFrom(0), [], 'no longer mined')
      same(await tx.deposits.transactions([moved.txid]), [moved], 'replaced')
    })
  },

  'transactions are found by what they spend': async ({ store }) => {
    const shared = pointOf(900, 3)
    const rivals = [1, 2].map((n) => transactionOf(n, { inputs: [shared, pointOf(n + 700)] }))
    await store.transact((tx) => tx.deposits.saveTransactions([...rivals, transactionOf(3)]))
    await store.transact((tx) => tx.deposits.saveTransactions(rivals))
    await store.read(async (tx) => {
      same(await tx.deposits.spendersOf([shared]), byTxid(rivals), 'both rivals')
      same(await tx.deposits.spendersOf([pointOf(900, 4)]), [], 'another output')
      same(
        await tx.deposits.spendersOf([pointOf(701), shared, pointOf(503, 4_294_967_295)]),
        byTxid([...rivals, transactionOf(3)]),
        'several, once each',
      )
      same(await tx.deposits.spendersOf([]), [], 'none')
    })
  },

  'payments keep every field and are found by every key': async ({ store }) => {
    const full = paymentOf(1, 2, {
      order: orderIdOf(1),
      amount: sat(2_100_000_000_000_000n),
      coinbase: true,
      purpose: 'change',
      late: true,
      booked: { state: 'credited', block: blockOf(7) },
      posted: 3,
      spender: txidOf(8),
      spendBooked: true,
      dueHeight: 106,
    })
    const all = [
      paymentOf(1, 10, { order: orderIdOf(2), booked: { state: 'pending' }, dueHeight: 105 }),
      full,
      paymentOf(2, 0, { purpose: 'unassigned' }),
      paymentOf(3, 0, { order: orderIdOf(1) }),
    ]
    await store.transact((tx) => tx.deposits.savePayments(all))
    await store.transact((tx) => tx.deposits.savePayments([]))
    await store.read(async ({ deposits }) => {
      same(await deposits.payments([full.id, full.id]), [full], 'by id')
      same(await deposits.payments([paymentOf(9).id]), [], 'unknown id')
      same(
        await deposits.paymentsOfTransactions([txidOf(1), txidOf(1)]),
        byPlace(all.slice(0, 2)),
        'of a transaction, by number',
      )
      same(
        await deposits.paymentsOfOrders([orderIdOf(1), orderIdOf(3)]),
        byPlace([full, paymentOf(3, 0, { order: orderIdOf(1) })]),
        'of orders',
      )
      same(await deposits.duePayments(104), [], 'not due yet')
      same(await deposits.duePayments(105), all.slice(0, 1), 'due')
      same(await deposits.duePayments(106), byPlace(all.slice(0, 2)), 'both due')
      same(await deposits.paymentsOfOrders([]), [], 'no orders')
      same(await deposits.paymentsOfTransactions([]), [], 'no transactions')
    })
    const { dueHeight: _, ...settled } = full
    await store.transact((tx) => tx.deposits.savePayments([settled]))
    same(await store.read((tx) => tx.deposits.duePayments(1000)), all.slice(0, 1), 'no longer due')
  },

  'payments are listed in pages by every filter': async ({ store }) => {
    const purposes = ['order', 'unassigned', 'change'] as const
    const all = byPlace(
      Array.from({ length: 24 }, (_, i) =>
        paymentOf(Math.floor(i / 12), i % 12, {
          wallet: walletIdOf(1 + (i % 2)),
          purpose: purposes[i % 3] ?? 'order',
          ...(i % 4 === 0 ? { spender: txidOf(90) } : {}),
          ...(i % 5 === 0 ? { order: orderIdOf(5) } : {}),
        }),
      ),
    )
    await store.transact((tx) => tx.deposits.savePayments(all))
    await store.read(async (tx) => {
      const list = (filter: Partial<Parameters<StoreTx['deposits']['listPayments']>[0]>) =>
        tx.deposits.listPayments({ limit: 100, ...filter })
      const first = await list({ limit: 10 })
      same(first, all.slice(0, 10), 'first page')
      const after = first.at(-1)?.id
      same(
        await list(after === undefined ? {} : { after, limit: 10 }),
        all.slice(10, 20),
        'second page: outputs in order of their number',
      )
      const only = (keep: (payment: PaymentRecord) => boolean) => all.filter(keep)
      same(
        await list({ wallet: walletIdOf(2) }),
        only((p) => p.wallet === 'wal_2'),
        'wallet',
      )
      same(
        await list({ order: orderIdOf(5) }),
        only((p) => p.order !== undefined),
        'order',
      )
      same(
        await list({ purpose: 'change' }),
        only((p) => p.purpose === 'change'),
        'purpose',
      )
      same(
        await list({ unspentOnly: true }),
        only((p) => p.spender === undefined),
        'unspent',
      )
      same(
        await list({ unspentOnly: true, wallet: walletIdOf(1), purpose: 'order' }),
        only((p) => p.spender === undefined && p.wallet === 'wal_1' && p.purpose === 'order'),
        'together',
      )
    })
  },

  'facts are numbered in the order they came': async ({ store }) => {
    const fact = (n: number, more: Partial<TxFact> = {}): TxFact => ({
      txid: txidOf(n),
      kind: 'seen',
      at: 1000 + n,
      ...more,
    })
    const facts = [
      fact(2),
      fact(1),
      fact(2, { kind: 'mined', block: blockOf(5) }),
      fact(2, { kind: 'replaced', by: txidOf(1) }),
    ]
    same(await store.read((tx) => tx.deposits.newestFact()), 0, 'none yet')
    await store.transact((tx) => tx.deposits.appendFacts(facts.slice(0, 2)))
    await store.transact((tx) => tx.deposits.appendFacts([]))
    await store.transact((tx) => tx.deposits.appendFacts(facts.slice(2)))
    await store.read(async (tx) => {
      same(
        await tx.deposits.facts([txidOf(2), txidOf(2)]),
        [1, 3, 4].map((number) => ({ ...facts[number - 1], number })),
        'of one transaction',
      )
      same((await tx.deposits.facts([txidOf(2), txidOf(1)])).length, 4, 'of several')
      same(await tx.deposits.facts([]), [], 'of none')
      same(await tx.deposits.newestFact(), 4, 'the newest number')
      const numbers = async (after: number, limit: number) =>
        (await tx.deposits.factsAfter(after, limit)).map((stored) => stored.number)
      same(await numbers(0, 3), [1, 2, 3], 'a page from the first')
      same(await numbers(3, 3), [4], 'the last page')
      same(await numbers(4, 3), [], 'after the newest')
      same(await numbers(0, 0), [], 'an empty page')
      same(await tx.deposits.factsAfter(2, 1), [{ ...facts[2], number: 3 }], 'with every field')
    })
  },

  'a block with 3,000 payments is written and read like one with three': async ({ store }) => {
    const payments = Array.from({ length: 3000 }, (_, i) =>
      paymentOf(i >> 1, i & 1, { dueHeight: 100, script: Uint8Array.from([i & 255, i >> 8, 7]) }),
    )
    const transactions = Array.from({ length: 1500 }, (_, i) => transactionOf(i))
    await store.transact(async (tx) => {
      await tx.deposits.saveTransactions(transactions)
      await tx.deposits.savePayments(payments)
    })
    await store.read(async (tx) => {
      const txids = transactions.map(({ txid }) => txid)
      same((await tx.deposits.duePayments(100)).length, 3000, 'due')
      same((await tx.deposits.paymentsOfTransactions(txids)).length, 3000, 'of transactions')
      same((await tx.deposits.payments(payments.map(({ id }) => id))).length, 3000, 'by id')
      same((await tx.deposits.transactions(txids)).length, 1500, 'transactions')
    })
  },
}
