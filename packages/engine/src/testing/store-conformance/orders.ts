import type { OrderRecord } from '../../capabilities/deposits/index.ts'
import { sat } from '../../kernel/index.ts'
import type { StoreTx } from '../../runtime/store.ts'
import { type Chapter, fails, same } from './check.ts'
import { orderIdOf, orderOf, scriptOf, walletIdOf } from './samples.ts'

const ids = (orders: readonly OrderRecord[]) => orders.map((order) => order.id)
const full = orderOf(9, {
  externalId: 'shop-9',
  customer: 'cus_1',
  amount: sat(2_100_000_000_000_000n),
  tolerance: { kind: 'relative', ppm: 5000 },
  thresholds: { confirmed: 0, fullConfirmed: 2, finalized: 100 },
  description: 'Two "cups", one\nplate',
  metadata: { table: '7', note: '=1+1', __proto__x: 'x' },
  expiresAt: 50,
  expiredAt: 60,
  cancelledAt: 70,
  settled: { at: 80, by: 'operator:ann', reason: 'paid in cash' },
  reachedAt: { pending: 1, finalized: 9 },
  state: {
    status: 'failed',
    failureReason: 'expired',
    verdict: 'underpaid',
    late: true,
    received: sat(1n),
    confirmed: sat(2n),
    credited: sat(3n),
  },
})

/** Orders. */
export const ORDERS: Chapter = {
  'orders keep every field and are found by id, external id and script': async ({ store }) => {
    await store.transact(async (tx) => {
      await tx.deposits.insertOrder(full)
      await tx.deposits.insertOrder(orderOf(2))
      await tx.deposits.insertOrder(orderOf(1))
    })
    await store.transact(async (tx) => {
      same(await tx.deposits.order(full.id), full, 'by id')
      same(await tx.deposits.order(orderIdOf(8)), undefined, 'unknown id')
      same(await tx.deposits.orderByExternalId('shop-9'), full, 'by external id')
      same(await tx.deposits.orderByExternalId('shop-8'), undefined, 'unknown external id')
      same(
        await tx.deposits.ordersByExternalIds(['shop-8', 'shop-9', 'shop-9']),
        [full],
        'by external ids, once each',
      )
      same(await tx.deposits.ordersByExternalIds([]), [], 'no external ids')
      const locked = await tx.deposits.lockOrders([
        orderIdOf(2),
        orderIdOf(7),
        orderIdOf(1),
        orderIdOf(2),
      ])
      same(locked, [orderOf(1), orderOf(2)], 'locked in id order, once each')
      const scripts = [full.script, orderOf(2).script, scriptOf(5), full.script]
      same(await tx.deposits.ordersByScripts(scripts), [orderOf(2), full], 'by script')
      same(await tx.deposits.lockOrders([]), [], 'no ids')
      same(await tx.deposits.ordersByScripts([]), [], 'no scripts')
    })
  },

  'an order is unique by id, external id and script': async ({ store }) => {
    const insert = (order: OrderRecord) => () =>
      store.transact((tx) => tx.deposits.insertOrder(order))
    await insert(full)()
    await fails(insert(orderOf(3, { id: full.id })), 'STORE_CONFLICT', 'id')
    await fails(insert(orderOf(3, { externalId: 'shop-9' })), 'STORE_CONFLICT', 'external id')
    await fails(insert(orderOf(3, { script: full.script })), 'STORE_CONFLICT', 'script')
    await insert(orderOf(4))()
    await insert(orderOf(5))()
    same(await store.read((tx) => tx.deposits.order(orderIdOf(3))), undefined, 'nothing is left')
  },

  'saved orders replace what was there': async ({ store }) => {
    await store.transact(async (tx) => {
      await tx.deposits.insertOrder(full)
      await tx.deposits.insertOrder(orderOf(1, { metadata: { table: '1' } }))
    })
    const bare = orderOf(9, { metadata: { table: '8' } })
    await store.transact(async (tx) => {
      await tx.deposits.saveOrders([])
      await tx.deposits.saveOrders([
        orderOf(1, { customer: 'cus_x', metadata: { table: '1' } }),
        bare,
      ])
    })
    await store.read(async (tx) => {
      same(await tx.deposits.order(full.id), bare, 'fields that went are gone')
      same(await tx.deposits.orderByExternalId('shop-9'), undefined, 'and their keys')
      const list = (value: string) =>
        tx.deposits.listOrders({ metadata: { key: 'table', value }, limit: 9 })
      same(ids(await list('8')), [full.id], 'new metadata')
      same(ids(await list('7')), [], 'old metadata')
      same(ids(await list('1')), [orderIdOf(1)], 'unchanged metadata')
    })
    await fails(
      () => store.transact((tx) => tx.deposits.saveOrders([orderOf(1), orderOf(99)])),
      'assertion',
      'saving an unknown order',
    )
    same((await store.read((tx) => tx.deposits.order(orderIdOf(1))))?.customer, 'cus_x', 'undone')
  },

  'orders are listed newest first, in pages, by every filter': async ({ store }) => {
    await store.transact(async (tx) => {
      for (let i = 1; i <= 12; i++)
        await tx.deposits.insertOrder(
          orderOf(i, {
            wallet: walletIdOf(1 + (i % 2)),
            customer: `cus_${i % 3}`,
            createdAt: 1000 + i,
            metadata: { parity: i % 2 === 0 ? 'even' : 'odd', same: 'x' },
            state: { ...orderOf(i).state, status: i > 8 ? 'finalized' : 'pending' },
          }),
        )
    })
    await store.read(async (tx) => {
      const list = async (filter: Partial<Parameters<StoreTx['deposits']['listOrders']>[0]>) =>
        (await tx.deposits.listOrders({ limit: 100, ...filter })).map((order) =>
          Number(order.id.slice(4)),
        )
      same(await list({ limit: 3 }), [12, 11, 10], 'first page')
      same(await list({ limit: 3, before: orderIdOf(10) }), [9, 8, 7], 'second page')
      same(await list({ wallet: walletIdOf(2), limit: 2 }), [11, 9], 'wallet')
      same(await list({ status: 'finalized' }), [12, 11, 10, 9], 'status')
      same(await list({ customer: 'cus_1' }), [10, 7, 4, 1], 'customer')
      same(await list({ address: orderOf(5).address }), [5], 'address')
      same(await list({ metadata: { key: 'parity', value: 'odd' }, limit: 2 }), [11, 9], 'metadata')
      same(await list({ metadata: { key: 'parity', value: 'none' } }), [], 'no such value')
      same(await list({ createdFrom: 1003, createdUntil: 1006 }), [5, 4, 3], 'time')
      same(
        await list({ customer: 'cus_1', wallet: walletIdOf(1), before: orderIdOf(10) }),
        [4],
        'several filters',
      )
    })
  },

  'due orders come by expiry until something settles their time': async ({ store }) => {
    await store.transact(async (tx) => {
      await tx.deposits.insertOrder(orderOf(1, { expiresAt: 300 }))
      await tx.deposits.insertOrder(orderOf(2, { expiresAt: 100 }))
      await tx.deposits.insertOrder(orderOf(3))
      await tx.deposits.insertOrder(orderOf(4, { expiresAt: 100 }))
      await tx.deposits.insertOrder(orderOf(5, { expiresAt: 100, cancelledAt: 50 }))
      await tx.deposits.insertOrder(
        orderOf(6, { expiresAt: 100, settled: { at: 1, by: 'a', reason: 'b' } }),
      )
      await tx.deposits.insertOrder(orderOf(7, { expiresAt: 301 }))
    })
    const due = async (now: number, limit = 10) =>
      ids(await store.read((tx) => tx.deposits.dueOrders(now, limit)))
    same(await due(300), [orderIdOf(2), orderIdOf(4), orderIdOf(1)], 'oldest expiry first')
    same(await due(300, 2), [orderIdOf(2), orderIdOf(4)], 'limited')
    same(await due(99), [], 'not yet')
    await store.transact((tx) =>
      tx.deposits.saveOrders([orderOf(2, { expiresAt: 100, expiredAt: 300 })]),
    )
    same(await due(300), [orderIdOf(4), orderIdOf(1)], 'an expired one no longer')
  },

  'text that no database keeps the same is refused or kept the same': async ({ store }) => {
    const odd = orderOf(1, { description: 'zero-width \u200b, astral 🟧, quote \', "$1", %s, \\' })
    await store.transact((tx) => tx.deposits.insertOrder(odd))
    same(await store.read((tx) => tx.deposits.order(odd.id)), odd, 'kept')
  },
}
