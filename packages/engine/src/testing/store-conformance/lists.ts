import type { AuditFilter } from '../../capabilities/audit/index.ts'
import type {
  NewestPaymentsFilter,
  OrderFilter,
  PaymentRecord,
  TxRecord,
  WalletTransactionsFilter,
} from '../../capabilities/deposits/index.ts'
import { sat } from '../../kernel/index.ts'
import type { Store } from '../../runtime/store.ts'
import { type Chapter, same } from './check.ts'
import {
  blockOf,
  orderIdOf,
  orderOf,
  paymentOf,
  trailOf,
  transactionOf,
  txidOf,
  walletIdOf,
} from './samples.ts'

const PRICE = { currency: 'EUR', amount: '19.90', rate: '57000.00', source: 'fixed', at: 77 }

const down = (a: string, b: string) => (a < b ? 1 : -1)
const newestFirst = (payments: readonly PaymentRecord[]) =>
  [...payments].sort(
    (a, b) =>
      b.firstSeenAt - a.firstSeenAt ||
      (a.point.txid === b.point.txid
        ? b.point.vout - a.point.vout
        : down(a.point.txid, b.point.txid)),
  )

/** Payments of every purpose in every place, several of them seen in one millisecond. */
const BOOKED = [
  { state: 'none' },
  { state: 'pending' },
  { state: 'credited', block: blockOf(7) },
] as const
/** As the ledger has it: change is not booked before it is credited. */
const bookedOf = (i: number, purpose: PaymentRecord['purpose']) =>
  BOOKED[i % 3 === 1 && purpose === 'change' ? 0 : i % 3] ?? { state: 'none' }
const VIEWS: readonly TxRecord['view'][] = [
  { state: 'gone', reason: 'evicted' },
  { state: 'mempool' },
  { state: 'mined', block: blockOf(7) },
]
const PURPOSES = ['order', 'unassigned', 'change'] as const
/** Where the transaction of payment `i` is; a pending payment is in the mempool or in a young block. */
const viewOf = (i: number) => (i % 6 === 4 ? VIEWS[2] : VIEWS[i % 3]) ?? { state: 'mempool' }
const purposeOf = (i: number) => PURPOSES[Math.floor(i / 3) % 3] ?? 'order'
const statusOf = (i: number) => {
  const { state } = viewOf(i)
  return state === 'mined' && i % 3 === 2 ? 'credited' : state
}
const transactions = Array.from({ length: 36 }, (_, i) => transactionOf(i, { view: viewOf(i) }))
const payments = transactions.map(({ view }, i) =>
  paymentOf(i, i % 2, {
    wallet: walletIdOf(1 + (i % 4)),
    purpose: purposeOf(i),
    booked: bookedOf(i, purposeOf(i)),
    ...(statusOf(i) === 'mined' ? { dueHeight: 9 } : {}),
    firstSeenAt: 1000 + Math.floor(i / 3),
    ...(view.state !== 'gone' && i % 5 === 0 ? { spender: txidOf(90) } : {}),
    ...(i % 7 === 0 ? { order: orderIdOf(5) } : {}),
  }),
)

async function storePayments(store: Store): Promise<void> {
  await store.transact(async (tx) => {
    await tx.deposits.saveTransactions(transactions)
    await tx.deposits.savePayments(payments)
  })
}
const newest = (store: Store, filter: Partial<NewestPaymentsFilter>) =>
  store.read((tx) => tx.deposits.newestPayments({ limit: 100, ...filter }))
const only = (keep: (payment: PaymentRecord, i: number) => boolean) =>
  newestFirst(payments.filter((payment, i) => keep(payment, i)))

/** Lists for the outside: newest first, in pages, by every filter. */
export const LISTS: Chapter = {
  'an order keeps the price it was made from': async ({ store }) => {
    const priced = orderOf(1, { amount: sat(34_913n), price: PRICE })
    await store.transact((tx) => tx.deposits.insertOrder(priced, orderOf(2)))
    same(await store.read((tx) => tx.deposits.order(priced.id)), priced, 'inserted')
    const later = { ...priced, customer: 'cus_1' }
    await store.transact((tx) => tx.deposits.saveOrders([later]))
    same(await store.read((tx) => tx.deposits.order(priced.id)), later, 'saved')
    same(await store.read((tx) => tx.deposits.order(orderIdOf(2))), orderOf(2), 'without a price')
  },

  'orders of several wallets are one list': async ({ store }) => {
    await store.transact((tx) =>
      tx.deposits.insertOrder(
        ...Array.from({ length: 12 }, (_, i) =>
          orderOf(i, {
            wallet: walletIdOf(i % 4),
            externalId: `shop-${i}`,
            createdAt: 1000 + i,
            metadata: { parity: i % 2 === 0 ? 'even' : 'odd' },
            state: { ...orderOf(i).state, status: i < 6 ? 'finalized' : 'pending' },
          }),
        ),
      ),
    )
    const list = async (filter: Partial<OrderFilter>) =>
      (await store.read((tx) => tx.deposits.listOrders({ limit: 100, ...filter }))).map((order) =>
        Number(order.id.slice(4)),
      )
    const both = [walletIdOf(1), walletIdOf(2)]
    same(await list({ wallets: both }), [10, 9, 6, 5, 2, 1], 'two wallets')
    same(await list({ wallets: [...both, ...both], limit: 3 }), [10, 9, 6], 'named twice, a page')
    same(await list({ wallets: both, before: orderIdOf(6) }), [5, 2, 1], 'the next page')
    same(await list({ wallets: [] }), [], 'no wallet')
    same(await list({ wallets: both, wallet: walletIdOf(2) }), [10, 6, 2], 'one of them')
    same(await list({ wallets: both, wallet: walletIdOf(3) }), [], 'none of them')
    same(await list({ wallets: both, status: 'finalized' }), [5, 2, 1], 'with a status')
    same(await list({ wallet: walletIdOf(1), status: 'finalized' }), [5, 1], 'wallet and status')
    same(await list({ externalId: 'shop-7' }), [7], 'external id')
    same(await list({ externalId: 'shop-7', wallets: both }), [], 'external id of another wallet')
    const odd = { key: 'parity', value: 'odd' }
    same(await list({ metadata: odd, wallets: both }), [9, 5, 1], 'metadata of wallets')
    same(await list({ metadata: odd, before: orderIdOf(9), limit: 2 }), [7, 5], 'metadata, a page')
    same(
      await list({ metadata: odd, createdFrom: 1003, createdUntil: 1008 }),
      [7, 5, 3],
      'metadata and time',
    )
    same(await list({ wallets: both, createdFrom: 1002, createdUntil: 1006 }), [5, 2], 'time')
    same(await list({ createdFrom: 1010 }), [11, 10], 'from a time on')
    same(await list({ createdUntil: 1002 }), [1, 0], 'until a time')
    same(await list({ createdFrom: 2000 }), [], 'after all of them')
    same(await list({ createdUntil: 1000 }), [], 'before all of them')
    same(await list({ createdUntil: 1009, before: orderIdOf(3) }), [2, 1, 0], 'time and cursor')
    same(
      await list({ createdUntil: 1002, before: orderIdOf(9) }),
      [1, 0],
      'a cursor above the time',
    )
    same(await list({ limit: 0 }), [], 'an empty page')
  },

  'payments come newest first by every filter': async ({ store }) => {
    await storePayments(store)
    same(await newest(store, {}), newestFirst(payments), 'all')
    same(await newest(store, { limit: 0 }), [], 'an empty page')
    const wallets = [walletIdOf(1), walletIdOf(3)]
    same(
      await newest(store, { wallets }),
      only(({ wallet }) => wallets.includes(wallet)),
      'wallets',
    )
    same(await newest(store, { wallets: [] }), [], 'no wallet')
    const mine = only(({ wallet }) => wallet === 'wal_3')
    same(await newest(store, { wallet: walletIdOf(3) }), mine, 'wallet')
    same(await newest(store, { wallet: walletIdOf(3), wallets }), mine, 'one of the wallets')
    same(await newest(store, { wallet: walletIdOf(2), wallets }), [], 'none of the wallets')
    same(
      await newest(store, { order: orderIdOf(5) }),
      only(({ order }) => order !== undefined),
      'order',
    )
    same(
      await newest(store, { order: orderIdOf(5), wallets, purposes: ['order', 'change'] }),
      only(
        ({ order, wallet, purpose }) =>
          order !== undefined && wallets.includes(wallet) && purpose !== 'unassigned',
      ),
      'order, wallets and purposes',
    )
    same(
      await newest(store, { order: orderIdOf(5), statuses: ['mempool', 'credited'] }),
      only(({ order }, i) => order !== undefined && ['mempool', 'credited'].includes(statusOf(i))),
      'order and statuses',
    )
    same(await newest(store, { order: orderIdOf(5), wallets: [] }), [], 'order and no wallet')
    same(
      await newest(store, { purposes: ['unassigned', 'change'] }),
      only(({ purpose }) => purpose !== 'order'),
      'purposes',
    )
    same(
      await newest(store, { seenFrom: 1003, seenUntil: 1005 }),
      only(({ firstSeenAt }) => firstSeenAt === 1003 || firstSeenAt === 1004),
      'time',
    )
    same(
      await newest(store, { unspent: true, wallet: walletIdOf(2) }),
      only(({ spender, wallet }) => spender === undefined && wallet === 'wal_2'),
      'unspent of a wallet',
    )
    same(
      await newest(store, { unspent: true }),
      only(({ spender }) => spender === undefined),
      'unspent',
    )
  },

  'payments are found by where they stand now': async ({ store }) => {
    await storePayments(store)
    for (const status of ['mempool', 'mined', 'credited', 'gone'] as const) {
      const expected = only((_, i) => statusOf(i) === status)
      same(expected.length > 2, true, `there are some: ${status}`)
      same(await newest(store, { statuses: [status] }), expected, status)
      const change = only((_, i) => statusOf(i) === status && purposeOf(i) === 'change')
      same(change.length > 0, true, `there is some change: ${status}`)
      same(
        await newest(store, { statuses: [status], purposes: ['change'], limit: 2 }),
        change.slice(0, 2),
        `change: ${status}`,
      )
    }
    same(
      await newest(store, { statuses: ['mined', 'mempool', 'credited'], wallet: walletIdOf(1) }),
      only(({ wallet }, i) => wallet === 'wal_1' && statusOf(i) !== 'gone'),
      'several of a wallet',
    )
    same(await newest(store, { statuses: [] }), [], 'nowhere')
    const moved = transactionOf(1, { view: { state: 'gone', reason: 'evicted' } })
    await store.transact((tx) => tx.deposits.saveTransactions([moved]))
    const stays = (await newest(store, { statuses: ['mempool'] })).some(
      ({ id }) => id === payments[1]?.id,
    )
    same(stays, false, 'a status follows the transaction')
  },

  'pages of payments meet without a gap and without a repeat': async ({ store }) => {
    await storePayments(store)
    for (const filter of [{}, { wallets: [walletIdOf(1), walletIdOf(2)] }, { unspent: true }]) {
      const whole = await newest(store, filter)
      const paged: PaymentRecord[] = []
      for (;;) {
        const last = paged.at(-1)
        const before = last && { firstSeenAt: last.firstSeenAt, id: last.id }
        const page = await newest(store, { ...filter, ...(before ? { before } : {}), limit: 5 })
        paged.push(...page)
        if (page.length < 5) break
      }
      same(paged, whole, `pages of ${JSON.stringify(filter)}`)
    }
  },

  'credited coins on their way out are found until that is booked': async ({ store }) => {
    const leaving = (number: number, more: Partial<PaymentRecord> = {}) =>
      paymentOf(number, 0, {
        booked: { state: 'credited', block: blockOf(7) },
        spender: txidOf(90),
        ...more,
      })
    const { spender: _, ...kept } = leaving(1)
    const all = [
      kept,
      leaving(2),
      leaving(3, { spendBooked: true }),
      leaving(4, { booked: { state: 'pending' } }),
      leaving(5, { wallet: walletIdOf(2) }),
      leaving(6),
    ]
    await store.transact((tx) => tx.deposits.savePayments(all))
    const found = await store.read((tx) => tx.deposits.leavingPayments(walletIdOf(1)))
    const expected = [leaving(2), leaving(6)].sort((a, b) => (a.id < b.id ? -1 : 1))
    same(found, expected, 'by id')
    same(await store.read((tx) => tx.deposits.leavingPayments(walletIdOf(9))), [], 'none')
  },

  'transactions of a wallet come newest first, spends that vanished among them': async ({
    store,
  }) => {
    const seen = (number: number, at: number) => transactionOf(number, { firstSeenAt: at })
    const all = [seen(1, 100), seen(2, 300), seen(3, 200), seen(4, 300), seen(5, 400)]
    await store.transact(async (tx) => {
      await tx.deposits.saveTransactions(all)
      await tx.deposits.savePayments([
        paymentOf(1, 0, { spender: txidOf(2) }),
        paymentOf(1, 1),
        paymentOf(3, 0),
        paymentOf(4, 0, { wallet: walletIdOf(2) }),
      ])
    })
    // The spend leaves the view, another one comes; a payment of an unknown transaction is nobody's.
    await store.transact((tx) =>
      tx.deposits.savePayments([paymentOf(1, 0), paymentOf(1, 1, { spender: txidOf(4) })]),
    )
    await store.transact((tx) => tx.deposits.savePayments([paymentOf(8, 0)]))
    const list = async (filter: Partial<WalletTransactionsFilter> = {}) =>
      (
        await store.read((tx) =>
          tx.deposits.walletTransactions({ wallet: walletIdOf(1), limit: 100, ...filter }),
        )
      ).map(({ txid }) => txid)
    const [first, second] = [txidOf(2), txidOf(4)].sort(down)
    const expected = [first, second, txidOf(3), txidOf(1)]
    same(await list(), expected, 'newest first')
    same(await list({ limit: 2 }), expected.slice(0, 2), 'a page')
    const before = { firstSeenAt: 300, txid: first ?? txidOf(2) }
    same(await list({ before }), expected.slice(1), 'the next page')
    same(await list({ wallet: walletIdOf(2) }), [txidOf(4)], 'of another wallet')
    same(await list({ wallet: walletIdOf(3) }), [], 'of none')
    const whole = await store.read((tx) =>
      tx.deposits.walletTransactions({ wallet: walletIdOf(2), limit: 1 }),
    )
    same(whole, [seen(4, 300)], 'with every field')
  },

  'the audit trail is read from its newest entry too': async ({ store }) => {
    const trail = trailOf(12)
    await store.transact((tx) => tx.audit.insert(trail))
    const list = async (filter: Partial<AuditFilter>) =>
      (await read({ limit: 100, newestFirst: true, ...filter })).map(({ number }) => number)
    const read = (filter: AuditFilter) => store.read((tx) => tx.audit.list(filter))
    same(await list({ limit: 3 }), [12, 11, 10], 'first page')
    same(await list({ limit: 3, before: 10 }), [9, 8, 7], 'second page')
    same(await list({ before: 4, after: 1 }), [3, 2], 'between two numbers')
    same(await list({ before: 4, newestFirst: false }), [1, 2, 3], 'ascending below a number')
    const engine = trail.filter(({ actor }) => actor === 'engine').map(({ number }) => number)
    same(await list({ actor: 'engine' }), engine.reverse(), 'by actor')
    const from = trail[4]?.at ?? 0
    same(await list({ from, until: from + 3000 }), [7, 6, 5], 'by time')
  },
}
