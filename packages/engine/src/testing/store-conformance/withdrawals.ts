import type { WithdrawalRecord, WithdrawalStatus } from '../../capabilities/withdrawals/index.ts'
import { satPerKvB } from '../../kernel/index.ts'
import type { Store, StoreTx } from '../../runtime/store.ts'
import { type Chapter, fails, same } from './check.ts'
import { digest, walletIdOf } from './samples.ts'
import { fullWithdrawalOf, spendIdOf, withdrawalIdOf, withdrawalOf } from './samples-payouts.ts'

type List = Parameters<StoreTx['withdrawals']['list']>[0]

const numbers = (rows: readonly WithdrawalRecord[]) => rows.map(({ id }) => Number(id.slice(4)))
const insertAll = async ({ withdrawals }: StoreTx, all: readonly WithdrawalRecord[]) => {
  for (const withdrawal of all) await withdrawals.insert(withdrawal)
}

const [ONE, TWO] = [walletIdOf(1), walletIdOf(2)]
const isOfBoth = ({ wallet }: WithdrawalRecord): boolean => wallet === ONE || wallet === TWO

/** A store with withdrawals of every kind, and a check of what a filter finds among them. */
async function listed(store: Store) {
  const statuses: readonly WithdrawalStatus[] = ['requested', 'approved', 'sending', 'settled']
  const all = Array.from({ length: 48 }, (_, i) =>
    withdrawalOf(i, {
      wallet: walletIdOf(i % 3),
      status: statuses[Math.floor(i / 2) % 4] ?? 'requested',
      address: `to${i % 5}`,
      metadata: { shop: `${i % 4}`, ...(i % 2 === 0 ? { even: '' } : {}) },
      ...(i % 4 === 0 ? {} : { customer: `cus_${i % 4}` }),
      ...(i % 5 === 0 ? {} : { user: `usr_${i % 5}` }),
    }),
  )
  await store.transact((tx) => insertAll(tx, all))
  return async (filter: Partial<List>, keep: (row: WithdrawalRecord) => boolean) => {
    const expected = all
      .filter(keep)
      .reverse()
      .slice(0, filter.limit ?? 99)
    const found = await store.read((tx) => tx.withdrawals.list({ limit: 99, ...filter }))
    same(numbers(found), numbers(expected), JSON.stringify(filter))
    same(found, expected, 'with everything')
  }
}

/** Requests to pay. */
export const WITHDRAWALS: Chapter = {
  'a withdrawal is kept with everything it has': async ({ store, reopen }) => {
    const all = [
      withdrawalOf(1),
      fullWithdrawalOf(9),
      withdrawalOf(2, { speed: { kind: 'deadline', at: 1_700_000_000_000 } }),
      withdrawalOf(3, { speed: { kind: 'rate', rate: satPerKvB(0n) }, feePayer: 'recipient' }),
    ]
    await store.transact((tx) => insertAll(tx, all))
    for (const one of [store, ...(reopen ? [await reopen()] : [])])
      await one.read(async ({ withdrawals }) => {
        for (const withdrawal of all) {
          same(await withdrawals.withdrawal(withdrawal.id), withdrawal, 'by id')
          same(await withdrawals.byExternalId(withdrawal.externalId), withdrawal, 'by external id')
        }
        same(await withdrawals.withdrawal(withdrawalIdOf(4)), undefined, 'unknown')
        same(await withdrawals.byExternalId(''), undefined, 'unknown external id')
      })
  },

  'an id and an external id are used once, for ever': async ({ store, reopen }) => {
    await store.transact((tx) => tx.withdrawals.insert(fullWithdrawalOf(1)))
    const insert = (withdrawal: WithdrawalRecord) => () =>
      store.transact((tx) => tx.withdrawals.insert(withdrawal))
    await fails(insert(withdrawalOf(1, { externalId: 'x' })), 'STORE_CONFLICT', 'id')
    const { externalId } = fullWithdrawalOf(1)
    await fails(insert(withdrawalOf(2, { externalId })), 'STORE_CONFLICT', 'external id')
    same(await store.read((tx) => tx.withdrawals.withdrawal(withdrawalIdOf(2))), undefined, 'none')
    const other = reopen ? await reopen() : store
    const results = await Promise.allSettled(
      Array.from({ length: 20 }, (_, i) =>
        (i % 2 === 0 ? store : other).transact((tx) =>
          tx.withdrawals.insert(withdrawalOf(10 + i, { externalId: 'the same' })),
        ),
      ),
    )
    same(results.filter(({ status }) => status === 'fulfilled').length, 1, 'winners')
    for (const result of results)
      if (result.status === 'rejected') same(result.reason.code, 'STORE_CONFLICT', 'the others')
  },

  'withdrawals are locked in the order of their ids': async ({ store, reopen }) => {
    await store.transact((tx) =>
      insertAll(
        tx,
        [3, 1, 2].map((n) => withdrawalOf(n)),
      ),
    )
    await store.transact(async ({ withdrawals }) => {
      const locked = await withdrawals.lock([3, 1, 9, 3].map(withdrawalIdOf))
      same(locked, [withdrawalOf(1), withdrawalOf(3)], 'once each')
      same(await withdrawals.lock([]), [], 'none')
    })
    const reading = () => store.read((tx) => tx.withdrawals.lock([withdrawalIdOf(1)]))
    await fails(reading, 'assertion', 'a lock in read')
    const other = reopen ? await reopen() : store
    await Promise.all(
      Array.from({ length: 20 }, (_, i) =>
        (i % 2 === 0 ? store : other).transact(async ({ withdrawals }) => {
          const ids = i % 3 === 0 ? [2, 1] : [1, 2, 3]
          const locked = await withdrawals.lock(ids.map(withdrawalIdOf))
          await withdrawals.save(locked.map((row) => ({ ...row, posted: row.posted + 1 })))
        }),
      ),
    )
    const posted = await store.read(async ({ withdrawals }) =>
      (await withdrawals.list({ limit: 9 })).map((row) => row.posted),
    )
    same(posted, [13, 20, 20], 'none is lost')
  },

  'saving changes what the engine does, never what was asked for': async ({ store }) => {
    const [bare, full] = [withdrawalOf(1), fullWithdrawalOf(2)]
    await store.transact((tx) => insertAll(tx, [bare, full]))
    const now = (of: WithdrawalRecord, from: WithdrawalRecord): WithdrawalRecord => ({
      ...from,
      id: of.id,
      digest: of.digest,
    })
    // Each takes over what happened to the other one.
    await store.transact((tx) => tx.withdrawals.save([now(bare, full), now(full, bare)]))
    const { ended, cancelAsked, spend, output, txid, paid, feeShare, planAt, waitsFor, ...rest } =
      full
    await store.read(async ({ withdrawals }) => {
      const happened = {
        ...{ ended, cancelAsked, spend, output, txid, paid, feeShare, planAt, waitsFor },
        status: full.status,
        reserved: full.reserved,
        reachedAt: full.reachedAt,
        posted: full.posted,
        updatedAt: full.updatedAt,
      }
      same(await withdrawals.withdrawal(bare.id), { ...bare, ...happened }, 'more')
      const { status, reserved, reachedAt, posted, updatedAt } = bare
      const before = { ...rest, status, reserved, reachedAt, posted, updatedAt }
      same(await withdrawals.withdrawal(full.id), before, 'less')
    })
    const saving = (rows: readonly WithdrawalRecord[]) => () =>
      store.transact((tx) => tx.withdrawals.save(rows))
    await fails(saving([withdrawalOf(5)]), 'assertion', 'an unknown one')
    await fails(saving([bare, { ...full, digest: digest(99) }]), 'assertion', 'another request')
    await saving([])()
    await saving([
      { ...bare, posted: 8 },
      { ...bare, posted: 9 },
    ])()
    const last = await store.read((tx) => tx.withdrawals.withdrawal(bare.id))
    same(last, { ...bare, posted: 9 }, 'the last of two stands')
    await fails(() => store.read((tx) => tx.withdrawals.save([bare])), 'assertion', 'in read')
    const reading = () => store.read((tx) => tx.withdrawals.insert(withdrawalOf(7)))
    await fails(reading, 'assertion', 'in read')
  },

  'withdrawals are listed newest first by every filter': async ({ store }) => {
    const check = await listed(store)
    await check({}, () => true)
    await check({ limit: 0 }, () => true)
    await check({ limit: 5, before: withdrawalIdOf(30) }, ({ id }) => id < withdrawalIdOf(30))
    await check({ wallet: ONE }, (w) => w.wallet === ONE)
    await check({ wallets: [] }, () => false)
    await check({ wallets: [TWO, ONE, TWO], limit: 9 }, isOfBoth)
    await check({ wallets: [TWO], wallet: ONE }, () => false)
    await check({ status: 'settled', limit: 4 }, (w) => w.status === 'settled')
    await check({ customer: 'cus_1' }, (w) => w.customer === 'cus_1')
    await check({ customer: '' }, () => false)
    await check({ user: 'usr_2', limit: 3 }, (w) => w.user === 'usr_2')
    await check({ externalId: 'payout 7 ☕' }, (w) => w.id === withdrawalIdOf(7))
    await check({ address: 'to3' }, (w) => w.address === 'to3')
    await check({ metadata: { key: 'shop', value: '2' } }, (w) => w.metadata['shop'] === '2')
    await check({ metadata: { key: 'even', value: '' } }, (w) => w.metadata['even'] === '')
    await check({ metadata: { key: 'odd', value: '' } }, () => false)
  },

  'filters of withdrawals hold together': async ({ store }) => {
    const check = await listed(store)
    const below = (number: number) => (w: WithdrawalRecord) => w.id < withdrawalIdOf(number)
    await check(
      { wallet: ONE, status: 'settled' },
      (w) => w.wallet === ONE && w.status === 'settled',
    )
    await check({ externalId: 'payout 8 ☕', wallets: [ONE] }, () => false)
    await check(
      {
        metadata: { key: 'shop', value: '2' },
        status: 'approved',
        before: withdrawalIdOf(40),
        wallets: [ONE, TWO],
      },
      (w) => w.metadata['shop'] === '2' && w.status === 'approved' && below(40)(w) && isOfBoth(w),
    )
    await check(
      { customer: 'cus_1', user: 'usr_2', wallet: ONE },
      (w) => w.customer === 'cus_1' && w.user === 'usr_2' && w.wallet === ONE,
    )
    const at = (number: number) => withdrawalOf(number).createdAt
    await check({ createdFrom: at(20) }, (w) => w.createdAt >= at(20))
    await check({ createdUntil: at(20) }, below(20))
    await check(
      { createdFrom: at(10), createdUntil: at(20), status: 'sending', before: withdrawalIdOf(19) },
      (w) => w.createdAt >= at(10) && w.status === 'sending' && below(19)(w),
    )
    await check(
      { createdFrom: at(10), createdUntil: at(20), metadata: { key: 'shop', value: '1' } },
      (w) => w.createdAt >= at(10) && below(20)(w) && w.metadata['shop'] === '1',
    )
    await check({ createdFrom: at(48) }, () => false)
    await check({ createdUntil: at(0) }, () => false)
  },

  'approved withdrawals whose time has come are planned, oldest first': async ({ store }) => {
    const approved = (number: number, planAt: number, more: Partial<WithdrawalRecord> = {}) =>
      withdrawalOf(number, { status: 'approved', planAt, ...more })
    const all = [
      approved(1, 90),
      approved(2, 120),
      approved(3, 80),
      approved(4, 70, { status: 'batched' }),
      withdrawalOf(5, { status: 'approved' }),
      approved(6, 60, { wallet: walletIdOf(2) }),
      approved(7, 100),
      approved(8, 300, { wallet: walletIdOf(3) }),
    ]
    await store.transact((tx) => insertAll(tx, all))
    await store.read(async ({ withdrawals }) => {
      const due = async (now: number, limit = 9) =>
        numbers(await withdrawals.plannable(walletIdOf(1), now, limit))
      same(await due(79), [], 'not yet')
      same(await due(100), [1, 3, 7], 'those whose time has come')
      same(await due(100, 2), [1, 3], 'so many')
      same(await due(120), [1, 2, 3, 7], 'all of them')
      same(await withdrawals.plannable(walletIdOf(2), 60, 1), [all[5]], 'with everything')
      same(await withdrawals.plannableWallets(59), [], 'of no wallet')
      same(await withdrawals.plannableWallets(60), [walletIdOf(2)], 'of one')
      const wallets = [1, 2, 3].map(walletIdOf)
      same(await withdrawals.plannableWallets(80), wallets.slice(0, 2), 'of two')
      same(await withdrawals.plannableWallets(300), wallets, 'of all')
    })
    const { planAt: _, ...waiting } = approved(1, 90)
    await store.transact((tx) => tx.withdrawals.save([{ ...waiting, status: 'batched' }]))
    const left = await store.read((tx) => tx.withdrawals.plannable(walletIdOf(1), 100, 9))
    same(numbers(left), [3, 7], 'without the one that was planned')
  },

  'withdrawals are found by the spends that pay them': async ({ store }) => {
    const all = [4, 1, 2, 3].map((n) =>
      withdrawalOf(n, n === 2 ? {} : { spend: spendIdOf(n % 2 === 0 ? 1 : 2) }),
    )
    await store.transact((tx) => insertAll(tx, all))
    await store.read(async ({ withdrawals }) => {
      const of = async (...spends: number[]) =>
        numbers(await withdrawals.ofSpends(spends.map(spendIdOf)))
      same(await of(2), [1, 3], 'of one')
      same(await of(2, 1, 9, 2), [1, 3, 4], 'of several, once each')
      same(await of(), [], 'of none')
      same(await withdrawals.ofSpends([spendIdOf(1)]), [all[0]], 'with everything')
    })
  },
}
