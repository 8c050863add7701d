import type { Coin } from '../../capabilities/coins/index.ts'
import type { PaymentRecord, TxView } from '../../capabilities/deposits/index.ts'
import { type OutPoint, outPointKey, type PaymentId, sat } from '../../kernel/index.ts'
import type { Store, StoreTx } from '../../runtime/store.ts'
import { type Chapter, fails, same } from './check.ts'
import { blockOf, paymentOf, pointOf, transactionOf, txidOf, walletIdOf } from './samples.ts'
import { freezeOf, leaseOf, spendIdOf } from './samples-payouts.ts'

const byPoint = (points: readonly OutPoint[]) =>
  points.toSorted((a, b) => (a.txid === b.txid ? a.vout - b.vout : a.txid < b.txid ? -1 : 1))
const wallet = walletIdOf(1)
const credited = { booked: { state: 'credited', block: blockOf(7) } } as const

/** A coin as it is stored: a payment, and the transaction that makes it. */
const stored = (
  number: number,
  view: TxView,
  more: Partial<PaymentRecord> = {},
): { readonly view: TxView; readonly payment: PaymentRecord } => ({
  view,
  payment: paymentOf(number, 0, { amount: sat(10n ** BigInt(number)), ...more }),
})
const mined = { state: 'mined', block: blockOf(7) } as const
const mempool = { state: 'mempool' } as const
const change = { purpose: 'change', branch: 1 } as const

/** Every kind of money that a wallet can have, with amounts of one decimal place each. */
const MONEY = [
  stored(0, mined, credited),
  stored(1, mined, { ...credited, coinbase: true }),
  stored(2, mined, { ...credited, ...change }),
  stored(3, mempool, change),
  stored(4, { state: 'mined', block: blockOf(9) }, { ...change, dueHeight: 12 }),
  stored(5, { state: 'mempool', missingSince: 5 }, change),
  stored(6, { state: 'gone', reason: 'replaced', by: txidOf(3) }, change),
  stored(7, mempool, { booked: { state: 'pending' } }),
  stored(8, mined, { ...credited, spender: txidOf(90) }),
  stored(9, mempool, { ...change, spender: txidOf(91) }),
  stored(10, mined, { ...credited, wallet: walletIdOf(2) }),
  stored(11, mempool, { ...change, wallet: walletIdOf(2) }),
]
const save = (store: Store, money: readonly (typeof MONEY)[number][]) =>
  store.transact(async ({ deposits }) => {
    const at = ({ payment }: (typeof MONEY)[number]) => payment.index
    await deposits.saveTransactions(money.map((one) => transactionOf(at(one), { view: one.view })))
    await deposits.savePayments(money.map(({ payment }) => payment))
  })
const coinFrom = (number: number, more: Partial<Coin>): Coin => {
  const { payment } = MONEY[number] ?? MONEY[0] ?? stored(0, mined)
  const { point, branch, index, script, address, amount, coinbase, firstSeenAt } = payment
  return {
    ...{ point, wallet, branch, index, script, address, amount, coinbase, firstSeenAt },
    kind: 'credited',
    ...more,
  }
}
const CREDITED = [0, 1, 2].map((number) => coinFrom(number, { height: 7 }))
const OWN = [coinFrom(3, { kind: 'own_change' }), coinFrom(4, { kind: 'own_change', height: 9 })]
const inOrder = (coins: readonly Coin[]) =>
  byPoint(coins.map(({ point }) => point)).flatMap(
    (point) => coins.find((coin) => outPointKey(coin.point) === outPointKey(point)) ?? [],
  )

/** The sums and the free coins of the first wallet, by the place of their digit. */
async function standing(tx: StoreTx) {
  const numbers = async (ownChange: boolean) => {
    const coins = await tx.coins.freeCoins({ wallet, ownChange, limit: 99 })
    return coins.map(({ index }) => index).sort((a, b) => a - b)
  }
  return {
    free: await numbers(false),
    withChange: await numbers(true),
    encumbered: await tx.coins.encumbered(wallet),
    ownChange: await tx.coins.ownChange(wallet),
  }
}
const look = (store: Store) => store.read(standing)

/** Coins, what a wallet has promised, leases and freezes. */
export const COINS: Chapter = {
  'free coins are credited ones, and our own change where asked': async ({ store }) => {
    await save(store, MONEY)
    await store.read(async ({ coins }) => {
      const free = (ownChange: boolean) => coins.freeCoins({ wallet, ownChange, limit: 99 })
      same(await free(false), inOrder(CREDITED), 'credited')
      same(await free(true), inOrder([...CREDITED, ...OWN]), 'with our own change')
      const other = await coins.freeCoins({ wallet: walletIdOf(2), ownChange: true, limit: 9 })
      same(
        other.map(({ index }) => index).sort((a, b) => a - b),
        [10, 11],
        'another wallet',
      )
      same(await coins.freeCoins({ wallet, ownChange: true, limit: 0 }), [], 'an empty page')
      const asked = [9, 4, 0, 0, 7, 50, 3, 8, 6, 5].map((number) => pointOf(number))
      const [own3, own4] = OWN
      same(
        await coins.coins(asked),
        [
          undefined,
          own4,
          CREDITED[0],
          CREDITED[0],
          undefined,
          undefined,
          own3,
          undefined,
          undefined,
          undefined,
        ],
        'in the order asked',
      )
      same(await coins.coins([]), [], 'none')
      same(await coins.ownChange(wallet), 11_000n, 'sum of our own change')
      same(await coins.ownChange(walletIdOf(3)), 0n, 'of an unknown wallet')
      same(await coins.encumbered(wallet), 0n, 'nothing is held')
    })
  },

  'free coins come in pages, in the order of their place': async ({ store }) => {
    const money = Array.from({ length: 30 }, (_, i) => {
      const number = Math.floor(i / 12)
      const more = number === 1 ? change : credited
      return { view: mined, payment: paymentOf(number, i % 12, more) }
    })
    await save(store, money)
    await store.transact((tx) => tx.coins.lease([leaseOf(pointOf(0, 3), 1)]))
    const all = byPoint(money.map(({ payment }) => payment.point)).filter(
      (point) => outPointKey(point) !== outPointKey(pointOf(0, 3)),
    )
    await store.read(async ({ coins }) => {
      const found: OutPoint[] = []
      let after: PaymentId | undefined
      for (;;) {
        const filter = { wallet, ownChange: true, limit: 7, ...(after ? { after } : {}) }
        const page = await coins.freeCoins(filter)
        found.push(...page.map(({ point }) => point))
        const last = page.at(-1)
        if (!last) break
        after = `pay_${last.point.txid}_${last.point.vout}` as PaymentId
      }
      same(found, all, 'every page, outputs by their number')
    })
  },

  'own change follows the view of its transaction': async ({ store }) => {
    const one = stored(3, mempool, change)
    const moves = [
      [mempool, 1000n],
      [{ state: 'mempool', missingSince: 9 }, 0n],
      [mempool, 1000n],
      [mined, 1000n],
      [{ state: 'gone', reason: 'evicted' }, 0n],
      [mined, 1000n],
      [{ state: 'gone', reason: 'conflicted', by: txidOf(5), block: blockOf(9) }, 0n],
    ] as const
    await save(store, [one])
    for (const [view, expected] of moves) {
      // The transaction alone: its payment is not written again.
      await store.transact((tx) => tx.deposits.saveTransactions([transactionOf(3, { view })]))
      same((await look(store)).ownChange, expected, JSON.stringify(view))
      same((await look(store)).withChange, expected === 0n ? [] : [3], 'and is free')
    }
    await store.transact((tx) => tx.deposits.saveTransactions([transactionOf(3, { view: mined })]))
    const save3 = (more: Partial<PaymentRecord>) =>
      store.transact((tx) => tx.deposits.savePayments([{ ...one.payment, ...more }]))
    await save3(credited)
    same(
      await look(store),
      { free: [3], withChange: [3], encumbered: 0n, ownChange: 0n },
      'credited',
    )
    await save3({ spender: txidOf(8) })
    same(await look(store), { free: [], withChange: [], encumbered: 0n, ownChange: 0n }, 'spent')
    await save3({})
    same((await look(store)).ownChange, 1000n, 'unspent again')
    await save3({ purpose: 'unassigned' })
    same((await look(store)).ownChange, 0n, 'no change at all')
    const before = paymentOf(77, 0, { ...change, amount: sat(5n) })
    await store.transact((tx) => tx.deposits.savePayments([before]))
    same((await look(store)).ownChange, 0n, 'without its transaction')
  },

  'leased and frozen coins are not free, and count once': async ({ store }) => {
    await save(store, MONEY)
    await store.transact(async ({ coins }) => {
      await coins.lease([leaseOf(pointOf(0), 1), leaseOf(pointOf(3), 1), leaseOf(pointOf(8), 1)])
      await coins.freeze([freezeOf(pointOf(0)), freezeOf(pointOf(1)), freezeOf(pointOf(4))])
      await coins.freeze([freezeOf(pointOf(10), { wallet: walletIdOf(2) })])
    })
    const held = { free: [2], withChange: [2], encumbered: 11n, ownChange: 0n }
    same(await look(store), held, 'one leased and frozen, one frozen, one leased and spent')
    await store.read(async ({ coins }) => {
      const [first] = await coins.coins([pointOf(0)])
      same(first, CREDITED[0], 'a held coin is still one')
      same(await coins.encumbered(walletIdOf(2)), 10_000_000_000n, 'of another wallet')
    })
    await store.transact((tx) => tx.coins.unfreeze([pointOf(1), pointOf(4), pointOf(50)]))
    const thawed = { free: [1, 2], withChange: [1, 2, 4], encumbered: 1n, ownChange: 10_000n }
    same(await look(store), thawed, 'not frozen any more')
    await store.transact((tx) => tx.coins.release(spendIdOf(1)))
    const free = { free: [1, 2], withChange: [1, 2, 3, 4], encumbered: 1n, ownChange: 11_000n }
    same(await look(store), free, 'released, but still frozen')
  },

  'sums are exact': async ({ store }) => {
    const most = sat(2_100_000_000_000_000n - 1n)
    const money = [
      { view: mined, payment: paymentOf(1, 0, { ...credited, amount: most }) },
      { view: mined, payment: paymentOf(1, 1, { ...credited, amount: sat(1n) }) },
      { view: mempool, payment: paymentOf(2, 0, { ...change, amount: most }) },
      { view: mempool, payment: paymentOf(2, 1, { ...change, amount: sat(1n) }) },
    ]
    await save(store, money)
    await store.transact((tx) =>
      tx.coins.freeze([freezeOf(pointOf(1, 0)), freezeOf(pointOf(1, 1))]),
    )
    await store.read(async ({ coins }) => {
      same(await coins.encumbered(wallet), most + 1n, 'of held coins')
      same(await coins.ownChange(wallet), most + 1n, 'of our own change')
    })
  },

  'a lease is kept with everything, and only its spend ends it': async ({ store }) => {
    const mine = [3, 1, 2].map((number) => leaseOf(pointOf(number, number), 1, { amount: sat(7n) }))
    const other = leaseOf(pointOf(9), 2, { wallet: walletIdOf(2), fence: 9_007_199_254_740_991 })
    const ordered = byPoint(mine.map(({ point }) => point)).flatMap(
      (point) => mine.find((lease) => lease.point.txid === point.txid) ?? [],
    )
    await store.transact((tx) => tx.coins.lease([...mine, other]))
    await store.transact((tx) => tx.coins.lease([]))
    await store.read(async ({ coins }) => {
      same(await coins.leasesOf(spendIdOf(1)), ordered, 'of a spend')
      same(await coins.leases([pointOf(9), pointOf(9), pointOf(50)]), [other], 'of outpoints')
      const asked = [pointOf(1, 1), pointOf(2, 2), pointOf(3, 3), pointOf(1, 2)]
      same(await coins.leases(asked), ordered, 'of several, by place')
      same(await coins.leases([]), [], 'none')
    })
    const left = () => store.read((tx) => tx.coins.leasesOf(spendIdOf(1)))
    await store.transact((tx) => tx.coins.release(spendIdOf(2), [pointOf(1, 1)]))
    same((await left()).length, 3, 'a lease of another spend stays')
    await store.transact((tx) => tx.coins.release(spendIdOf(1), []))
    same((await left()).length, 3, 'no points are none')
    await store.transact((tx) => tx.coins.release(spendIdOf(1), [pointOf(1, 1), pointOf(9)]))
    same((await left()).length, 2, 'one of them')
    await store.transact((tx) => tx.coins.release(spendIdOf(1)))
    same(await left(), [], 'all of them')
    same(await store.read((tx) => tx.coins.leases([pointOf(9)])), [other], 'that of another stays')
  },

  'a coin has one lease': async ({ store, reopen }) => {
    await store.transact((tx) => tx.coins.lease([leaseOf(pointOf(1), 1)]))
    const twice = [
      [leaseOf(pointOf(2), 2), leaseOf(pointOf(1), 2)],
      [leaseOf(pointOf(1), 1)],
      [leaseOf(pointOf(3), 3), leaseOf(pointOf(3), 3)],
    ]
    for (const leases of twice)
      await fails(() => store.transact((tx) => tx.coins.lease(leases)), 'STORE_CONFLICT', 'again')
    same(await store.read((tx) => tx.coins.leases([pointOf(2), pointOf(3)])), [], 'nothing of it')
    const other = reopen ? await reopen() : store
    const results = await Promise.allSettled(
      Array.from({ length: 20 }, (_, i) =>
        (i % 2 === 0 ? store : other).transact((tx) =>
          // Each asks for them in an order of its own.
          tx.coins.lease(
            (i % 3 === 0 ? [5, 6, 7] : [7, 5, 6]).map((n) => leaseOf(pointOf(n), 10 + i)),
          ),
        ),
      ),
    )
    same(results.filter(({ status }) => status === 'fulfilled').length, 1, 'winners')
    for (const result of results)
      if (result.status === 'rejected') same(result.reason.code, 'STORE_CONFLICT', 'the others')
    const held = await store.read((tx) => tx.coins.leases([5, 6, 7].map((n) => pointOf(n))))
    same(new Set(held.map(({ spend }) => spend)).size, 1, 'all three are of one spend')
  },

  'a freeze is kept with everything, replaced and listed in pages': async ({ store }) => {
    const points = [0, 1].flatMap((n) => [0, 2, 10, 4_294_967_295].map((vout) => pointOf(n, vout)))
    const all = byPoint(points).map((point) => freezeOf(point))
    await store.transact(async ({ coins }) => {
      await coins.freeze([...all].reverse())
      await coins.freeze([freezeOf(pointOf(5), { wallet: walletIdOf(2) })])
      await coins.freeze([])
    })
    await store.read(async ({ coins }) => {
      same(await coins.listFrozen(wallet, undefined, 5), all.slice(0, 5), 'the first page')
      const key = outPointKey(all[4]?.point ?? pointOf(0))
      same(await coins.listFrozen(wallet, key, 5), all.slice(5), 'the second, by number')
      same(await coins.listFrozen(walletIdOf(3), undefined, 5), [], 'of nobody')
      same(
        await coins.frozen([pointOf(1, 10), pointOf(1, 11), pointOf(1, 10)]),
        [freezeOf(pointOf(1, 10))],
        'by outpoint',
      )
      same(await coins.frozen([]), [], 'none')
    })
    const again = freezeOf(pointOf(0, 2), { reason: 'another', by: 'operator:bob', at: 5 })
    await store.transact((tx) => tx.coins.freeze([freezeOf(pointOf(0, 2), { at: 4 }), again]))
    same(await store.read((tx) => tx.coins.frozen([pointOf(0, 2)])), [again], 'the last stands')
    await store.transact((tx) => tx.coins.unfreeze(points))
    same(await store.read((tx) => tx.coins.listFrozen(wallet, undefined, 9)), [], 'none are left')
  },

  'funds begin empty, and are saved by who locked them': async ({ store, reopen }) => {
    const none = { wallet, queued: sat(0n), fence: 0 }
    same(await store.read((tx) => tx.coins.funds(wallet)), none, 'nothing yet')
    const saving = store.transact((tx) => tx.coins.saveFunds({ ...none, fence: 1 }))
    await fails(() => saving, 'assertion', 'saved without being locked')
    const most = { wallet, queued: sat(2_100_000_000_000_000n), fence: 9_007_199_254_740_991 }
    await store.transact(async ({ coins }) => {
      same(await coins.lockFunds(wallet), none, 'made by locking')
      await coins.saveFunds(most)
      same(await coins.lockFunds(wallet), most, 'locked again')
    })
    for (const one of [store, ...(reopen ? [await reopen()] : [])])
      same(await one.read((tx) => tx.coins.funds(wallet)), most, 'kept')
    same((await store.read((tx) => tx.coins.funds(walletIdOf(2)))).fence, 0, 'of another wallet')
  },

  'the lock of the funds orders all who plan, also those that make the row': async (subject) => {
    const { store, reopen } = subject
    const other = reopen ? await reopen() : store
    const plan = (from: Store) =>
      from.transact(async ({ coins }) => {
        const funds = await coins.lockFunds(wallet)
        const next = { ...funds, queued: sat(funds.queued + 3n), fence: funds.fence + 1 }
        await coins.saveFunds(next)
        return next.fence
      })
    const fences = await Promise.all(
      Array.from({ length: 20 }, (_, i) => plan(i % 2 === 0 ? store : other)),
    )
    const expected = Array.from({ length: 20 }, (_, i) => i + 1)
    same(
      fences.toSorted((a, b) => a - b),
      expected,
      'each fence once',
    )
    same((await store.read((tx) => tx.coins.funds(wallet))).queued, 60n, 'nothing is lost')
  },

  'readers change no coins': async ({ store }) => {
    const tries: readonly ((tx: StoreTx) => Promise<unknown>)[] = [
      ({ coins }) => coins.lockFunds(wallet),
      ({ coins }) => coins.saveFunds({ wallet, queued: sat(0n), fence: 0 }),
      ({ coins }) => coins.lease([leaseOf(pointOf(1), 1)]),
      ({ coins }) => coins.release(spendIdOf(1)),
      ({ coins }) => coins.freeze([freezeOf(pointOf(1))]),
      ({ coins }) => coins.unfreeze([pointOf(1)]),
    ]
    for (const attempt of tries) await fails(() => store.read(attempt), 'assertion', 'in read')
    const lost = store.transact(async (tx) => {
      await tx.coins.lease([leaseOf(pointOf(1), 1)])
      await tx.coins.freeze([freezeOf(pointOf(1))])
      await tx.coins.lockFunds(wallet)
      throw new RangeError('undo')
    })
    await fails(() => lost, 'any', 'undone')
    await store.read(async ({ coins }) => {
      same(await coins.leases([pointOf(1)]), [], 'no lease')
      same(await coins.frozen([pointOf(1)]), [], 'no freeze')
    })
  },
}
