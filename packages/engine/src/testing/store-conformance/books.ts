import { sat } from '../../kernel/index.ts'
import type { StoreTx } from '../../runtime/store.ts'
import { type Chapter, fails, same } from './check.ts'
import { blockOf, orderIdOf, paymentOf, postingOf, walletIdOf } from './samples.ts'

/** The ledger. */
export const LEDGER: Chapter = {
  'entries keep every field and are numbered': async ({ store }) => {
    const full = postingOf(1, {
      payment: paymentOf(1, 4).id,
      order: orderIdOf(3),
      block: blockOf(9),
      amount: sat(2_100_000_000_000_000n),
    })
    const posted = await store.transact((tx) => tx.ledger.post(55, [full, postingOf(2)]))
    const expected = [
      { ...full, number: 1, at: 55 },
      { ...postingOf(2), number: 2, at: 55 },
    ]
    same(posted, expected, 'what post answers')
    same(await store.transact((tx) => tx.ledger.post(55, [])), [], 'nothing to post')
    same(await store.read((tx) => tx.ledger.entries({ limit: 9 })), expected, 'what is stored')
  },

  'a key is booked once for ever': async ({ store }) => {
    await store.transact((tx) => tx.ledger.post(1, [postingOf(1)]))
    const again = (keys: number[]) => () =>
      store.transact((tx) =>
        tx.ledger.post(
          2,
          keys.map((n) => postingOf(n)),
        ),
      )
    await fails(again([1]), 'assertion', 'in a later transaction')
    await fails(again([2, 1]), 'assertion', 'beside a new one')
    await fails(again([3, 3]), 'assertion', 'twice in one call')
    await store.read(async (tx) => {
      same((await tx.ledger.entries({ limit: 9 })).length, 1, 'one entry')
      same((await tx.ledger.totals(['coins/wal_1']))[0]?.debits, 1001n, 'booked once')
    })
  },

  'totals run with the postings and equal a recount': async ({ store }) => {
    for (let i = 0; i < 3; i++)
      await store.transact((tx) =>
        tx.ledger.post(
          i,
          Array.from({ length: 7 }, (_, j) => postingOf(10 * i + j)),
        ),
      )
    await store.transact((tx) =>
      tx.ledger.post(9, [postingOf(99, { debit: 'house', credit: 'house' })]),
    )
    await store.read(async (tx) => {
      const kept = await tx.ledger.accounts('', undefined, 100)
      same(kept, await tx.ledger.recount(''), 'all accounts, in the same order')
      same(
        kept.map(({ account }) => account),
        ['coins/wal_1', 'house', 'owed/cus_0', 'owed/cus_1', 'owed/cus_2'],
        'in order of their path',
      )
      same(
        kept.reduce((sum, { debits, credits }) => sum + debits - credits, 0n),
        0n,
        'the books balance',
      )
      same(await tx.ledger.recount('owed/'), kept.slice(2), 'recount of a prefix')
      same(await tx.ledger.accounts('owed/', undefined, 2), kept.slice(2, 4), 'page of a prefix')
      same(await tx.ledger.accounts('owed/', 'owed/cus_1', 2), kept.slice(4), 'its second page')
      same(
        await tx.ledger.totals(['owed/cus_2', 'none', 'owed/cus_2']),
        [kept[4], { account: 'none', debits: 0n, credits: 0n }, kept[4]],
        'in the order asked',
      )
      same(await tx.ledger.totals([]), [], 'of no accounts')
    })
  },

  'entries are listed in pages by every filter': async ({ store }) => {
    await store.transact((tx) =>
      tx.ledger.post(
        1,
        Array.from({ length: 20 }, (_, i) =>
          postingOf(i, {
            ...(i % 2 === 0 ? { order: orderIdOf(1) } : {}),
            ...(i % 5 === 0 ? { payment: paymentOf(1).id } : {}),
            wallet: walletIdOf(1 + (i % 4 === 0 ? 1 : 0)),
            ...(i === 19 ? { debit: 'owed/cus_0', credit: 'coins/wal_1' } : {}),
            ...(i === 18 ? { debit: 'owed/cus_0', credit: 'owed/cus_0' } : {}),
          }),
        ),
      ),
    )
    await store.read(async (tx) => {
      const list = async (filter: Partial<Parameters<StoreTx['ledger']['entries']>[0]>) =>
        (await tx.ledger.entries({ limit: 100, ...filter })).map((entry) => entry.number)
      same(await list({ limit: 3 }), [1, 2, 3], 'first page')
      same(await list({ limit: 3, after: 3 }), [4, 5, 6], 'second page')
      same(await list({ account: 'owed/cus_0' }), [1, 4, 7, 10, 13, 16, 19, 20], 'both sides')
      same(await list({ account: 'owed/cus_0', after: 7, limit: 2 }), [10, 13], 'a page of it')
      same(await list({ order: orderIdOf(1), limit: 3 }), [1, 3, 5], 'order')
      same(await list({ payment: paymentOf(1).id }), [1, 6, 11, 16], 'payment')
      same(await list({ wallet: walletIdOf(2) }), [1, 5, 9, 13, 17], 'wallet')
      same(await list({ account: 'owed/cus_0', wallet: walletIdOf(2) }), [1, 13], 'together')
    })
  },
}
