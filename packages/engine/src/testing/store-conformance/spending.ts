import type {
  SpendRecord,
  VersionRecord,
  VersionStatus,
} from '../../capabilities/spending/index.ts'
import type { StoreTx } from '../../runtime/store.ts'
import { type Chapter, fails, same } from './check.ts'
import { blockOf, digest, txidOf, walletIdOf } from './samples.ts'
import {
  fullVersionOf,
  plannedInputOf,
  psbtIdOf,
  spendIdOf,
  spendOf,
  versionOf,
  withdrawalIdOf,
} from './samples-payouts.ts'

type SpendList = Parameters<StoreTx['spending']['listSpends']>[0]
type VersionList = Parameters<StoreTx['spending']['listVersions']>[0]

const minedAt = (number: number, height: number): Pick<SpendRecord, 'mined'> => ({
  mined: { psbt: psbtIdOf(number), txid: txidOf(number), block: blockOf(height) },
})
const full = spendOf(9, {
  purpose: 'child',
  parent: spendIdOf(4),
  status: 'settled',
  fence: 9_007_199_254_740_991,
  versions: 3,
  ...minedAt(9, 100),
  cancelling: true,
  bumpAt: 1_700_000_000_500,
  createdBy: 'operator:ann',
})
const numbers = (rows: readonly { readonly id: string }[]) =>
  rows.map(({ id }) => Number(id.slice(4)))

/** Spends: what the wallet's coins are being moved for. */
const SPENDS: Chapter = {
  'a spend is kept with everything it has': async ({ store, reopen }) => {
    const bare = spendOf(1)
    await store.transact(async ({ spending }) => {
      await spending.insertSpend(bare)
      await spending.insertSpend(full)
    })
    for (const one of [store, ...(reopen ? [await reopen()] : [])])
      await one.read(async ({ spending }) => {
        same(await spending.spend(bare.id), bare, 'the least')
        same(await spending.spend(full.id), full, 'the most')
        same(await spending.spend(spendIdOf(2)), undefined, 'unknown')
      })
    const insert = () => store.transact((tx) => tx.spending.insertSpend(bare))
    await fails(insert, 'STORE_CONFLICT', 'twice')
    const lost = () => store.transact((tx) => tx.spending.saveSpend(spendOf(5)))
    await fails(lost, 'assertion', 'saving an unknown one')
    const { mined: _, bumpAt: __, parent: ___, ...less } = full
    await store.transact((tx) => tx.spending.saveSpend({ ...less, status: 'open' }))
    same(
      await store.read((tx) => tx.spending.spend(full.id)),
      { ...less, status: 'open' },
      'less again',
    )
  },

  'spends are locked in the order of their ids': async ({ store }) => {
    await store.transact(async ({ spending }) => {
      for (const n of [3, 1, 2]) await spending.insertSpend(spendOf(n))
      const locked = await spending.lockSpends([3, 1, 9, 3].map(spendIdOf))
      same(locked, [spendOf(1), spendOf(3)], 'once each')
      same(await spending.lockSpends([]), [], 'none')
    })
    const reading = () => store.read((tx) => tx.spending.lockSpends([spendIdOf(1)]))
    await fails(reading, 'assertion', 'a lock in read')
  },

  'what was read under the lock of a spend is not overtaken': async ({ store, reopen }) => {
    const other = reopen ? await reopen() : store
    await store.transact((tx) => tx.spending.insertSpend(spendOf(1, { versions: 0 })))
    await Promise.all(
      Array.from({ length: 20 }, (_, i) =>
        (i % 2 === 0 ? store : other).transact(async ({ spending }) => {
          const [spend] = await spending.lockSpends([spendIdOf(1)])
          if (spend) await spending.saveSpend({ ...spend, versions: spend.versions + 1 })
        }),
      ),
    )
    same((await store.read((tx) => tx.spending.spend(spendIdOf(1))))?.versions, 20, 'none is lost')
  },

  'spends are listed newest first by every filter': async ({ store }) => {
    const statuses = ['open', 'mined', 'settled', 'dropped', 'lost'] as const
    const purposes = ['payout', 'consolidation', 'child'] as const
    const all = Array.from({ length: 40 }, (_, i) =>
      spendOf(i, {
        wallet: walletIdOf(i % 4),
        purpose: purposes[i % 3] ?? 'payout',
        status: statuses[Math.floor(i / 3) % 5] ?? 'open',
      }),
    )
    await store.transact(async ({ spending }) => {
      for (const spend of all) await spending.insertSpend(spend)
    })
    await store.read(async ({ spending }) => {
      const check = async (filter: Partial<SpendList>, keep: (spend: SpendRecord) => boolean) => {
        const expected = all
          .filter(keep)
          .reverse()
          .slice(0, filter.limit ?? 99)
        const found = await spending.listSpends({ limit: 99, ...filter })
        same(found, expected, JSON.stringify(filter))
      }
      const [one, two] = [walletIdOf(1), walletIdOf(2)]
      await check({}, () => true)
      await check({ limit: 0 }, () => true)
      await check({ limit: 7, before: spendIdOf(20) }, ({ id }) => id < spendIdOf(20))
      await check({ wallet: one }, (s) => s.wallet === one)
      await check({ wallets: [] }, () => false)
      await check({ wallets: [two, one, two] }, (s) => s.wallet === one || s.wallet === two)
      await check({ wallets: [two], wallet: one }, () => false)
      await check({ wallets: [two, one], wallet: one }, (s) => s.wallet === one)
      await check({ purpose: 'child' }, (s) => s.purpose === 'child')
      await check({ status: 'settled', limit: 3 }, (s) => s.status === 'settled')
      await check(
        { wallets: [one, two], purpose: 'payout', limit: 4 },
        (s) => s.purpose === 'payout' && (s.wallet === one || s.wallet === two),
      )
      await check(
        { wallet: one, purpose: 'payout', status: 'open', before: spendIdOf(30) },
        (s) =>
          s.wallet === one && s.purpose === 'payout' && s.status === 'open' && s.id < spendIdOf(30),
      )
    })
  },

  'spends that the chain may still change are found': async ({ store }) => {
    const all = [
      spendOf(1, { bumpAt: 100 }),
      spendOf(2, { status: 'mined', bumpAt: 90, ...minedAt(2, 50) }),
      spendOf(3, { status: 'settled', ...minedAt(3, 50) }),
      spendOf(4, { status: 'settled', ...minedAt(4, 40) }),
      spendOf(5, { status: 'dropped', bumpAt: 1 }),
      spendOf(6, { status: 'lost' }),
      spendOf(7, { bumpAt: 80 }),
      spendOf(8, { status: 'settled', ...minedAt(8, 41) }),
      spendOf(10, { bumpAt: 80 }),
      spendOf(11),
    ]
    await store.transact(async ({ spending }) => {
      for (const spend of all) await spending.insertSpend(spend)
    })
    await store.read(async ({ spending }) => {
      const live = async (after: number | undefined, limit: number) =>
        numbers(await spending.liveSpends(after === undefined ? after : spendIdOf(after), limit))
      same(await live(undefined, 9), [1, 2, 7, 10, 11], 'live')
      same(await live(1, 2), [2, 7], 'a page')
      same(await live(11, 2), [], 'after the last')
      const settled = async (height: number) => numbers(await spending.settledAbove(height))
      same(await settled(50), [], 'above the highest')
      same(await settled(40), [3, 8], 'above a height, by id')
      same(await settled(0), [3, 4, 8], 'all of them')
      const due = async (now: number, limit = 9) => numbers(await spending.dueBumps(now, limit))
      same(await due(79), [], 'not yet')
      same(await due(100), [7, 10, 1], 'soonest first')
      same(await due(100, 2), [7, 10], 'so many')
      same((await spending.dueBumps(99, 1))[0], all[6], 'with everything')
    })
  },
}

/** The transactions of spends. */
const VERSIONS: Chapter = {
  'a version is kept with everything it has': async ({ store, reopen }) => {
    const bare = versionOf(1, {
      transaction: { version: 2, lockTime: 0, inputs: [], outputs: [] },
    })
    const most = fullVersionOf(9)
    await store.transact(async ({ spending }) => {
      await spending.insertVersion(bare)
      await spending.insertVersion(most)
      await spending.insertVersion(versionOf(3))
    })
    for (const one of [store, ...(reopen ? [await reopen()] : [])])
      await one.read(async ({ spending }) => {
        same(await spending.version(bare.id), bare, 'the least')
        same(await spending.version(most.id), most, 'the most')
        same(await spending.version(psbtIdOf(3)), versionOf(3), 'the usual')
        same(await spending.version(psbtIdOf(2)), undefined, 'unknown')
      })
    const insert = (version: VersionRecord) => () =>
      store.transact((tx) => tx.spending.insertVersion(version))
    await fails(insert(bare), 'STORE_CONFLICT', 'twice')
    const second = versionOf(20, { spend: spendIdOf(1) })
    await fails(insert(second), 'STORE_CONFLICT', 'a number twice')
    await insert({ ...second, number: 2 })()
    const lost = () => store.transact((tx) => tx.spending.saveVersion(versionOf(5)))
    await fails(lost, 'assertion', 'saving an unknown one')
    const { raw: _, lastSend: __, rejected: ___, txid: ____, ...less } = most
    await store.transact((tx) => tx.spending.saveVersion(less))
    same(await store.read((tx) => tx.spending.version(most.id)), less, 'less again')
  },

  'a version with 2,000 inputs and outputs is kept': async ({ store }) => {
    const many = Array.from({ length: 2000 }, (_, i) => i)
    const output = { script: Uint8Array.from([0x6a]), amount: plannedInputOf(1).amount }
    const version = versionOf(1, {
      transaction: {
        version: 2,
        lockTime: 4_294_967_295,
        inputs: many.map(plannedInputOf),
        outputs: many.map((i) => ({
          ...output,
          role: { kind: 'payment', withdrawals: [withdrawalIdOf(i)] },
        })),
      },
    })
    await store.transact((tx) => tx.spending.insertVersion(version))
    same(await store.read((tx) => tx.spending.version(version.id)), version, 'all of it')
  },

  'versions are found by spend and by txid': async ({ store }) => {
    const of = (number: number, spend: number, more: Partial<VersionRecord> = {}) =>
      versionOf(number, { spend: spendIdOf(spend), ...more })
    const all = [
      of(1, 1, { txid: txidOf(1) }),
      of(2, 2),
      of(3, 1, { number: 10, txid: txidOf(2) }),
      of(4, 1, { number: 2, txid: txidOf(1), hash: digest(7) }),
      of(5, 3),
    ]
    await store.transact(async ({ spending }) => {
      for (const version of all) await spending.insertVersion(version)
    })
    await store.read(async ({ spending }) => {
      const found = await spending.versionsOf([2, 1, 9, 1].map(spendIdOf))
      same(found, [all[0], all[3], all[2], all[1]], 'by (spend, number)')
      same(await spending.versionsOf([]), [], 'none')
      same(await spending.versionByTxid(txidOf(2)), all[2], 'by txid')
      same(await spending.versionByTxid(txidOf(1)), all[3], 'the newest with it')
      same(await spending.versionByTxid(txidOf(3)), undefined, 'unknown')
    })
  },

  'versions are listed newest first by every filter': async ({ store }) => {
    const statuses: readonly VersionStatus[] = ['created', 'signed', 'broadcast', 'confirmed']
    const all = Array.from({ length: 24 }, (_, i) =>
      versionOf(i, { wallet: walletIdOf(i % 3), status: statuses[i % 4] ?? 'created' }),
    )
    await store.transact(async ({ spending }) => {
      for (const version of all) await spending.insertVersion(version)
    })
    await store.read(async ({ spending }) => {
      const check = async (
        filter: Partial<VersionList>,
        keep: (version: VersionRecord) => boolean,
      ) => {
        const expected = all
          .filter(keep)
          .reverse()
          .slice(0, filter.limit ?? 99)
        same(
          await spending.listVersions({ limit: 99, ...filter }),
          expected,
          JSON.stringify(filter),
        )
      }
      const [one, two] = [walletIdOf(1), walletIdOf(2)]
      await check({}, () => true)
      await check({ limit: 0 }, () => true)
      await check({ limit: 5, before: psbtIdOf(20) }, ({ id }) => id < psbtIdOf(20))
      await check({ wallet: one }, (v) => v.wallet === one)
      await check({ status: 'signed', limit: 2 }, (v) => v.status === 'signed')
      await check(
        { wallet: one, status: 'signed' },
        (v) => v.wallet === one && v.status === 'signed',
      )
      await check({ wallets: [two, one], limit: 6 }, (v) => v.wallet === one || v.wallet === two)
      await check({ wallets: [two], wallet: one }, () => false)
      await check({ wallets: [] }, () => false)
    })
  },

  'versions that wait for somebody are found, but not those that somebody has': async ({
    store,
  }) => {
    const all = [
      versionOf(1, { status: 'created', nextAt: 100 }),
      versionOf(2, { status: 'finalized', nextAt: 90 }),
      versionOf(3, { status: 'created' }),
      versionOf(4, { status: 'created', nextAt: 50, claimedUntil: 110 }),
      versionOf(5, { status: 'created', nextAt: 60, claimedUntil: 99 }),
      versionOf(6, { status: 'broadcast', nextAt: 1 }),
      versionOf(7, { status: 'finalized', nextAt: 90 }),
    ]
    await store.transact(async ({ spending }) => {
      for (const version of all) await spending.insertVersion(version)
    })
    await store.read(async ({ spending }) => {
      const due = async (statuses: readonly VersionStatus[], now: number, limit = 9) =>
        numbers(await spending.dueVersions(statuses, now, limit))
      const both = ['created', 'finalized'] as const
      same(await due(both, 100), [5, 2, 7, 1], 'soonest first')
      same(await due(both, 100, 2), [5, 2], 'so many')
      same(await due(both, 109), [5, 2, 7, 1], 'one is claimed')
      same(await due(both, 110), [4, 5, 2, 7, 1], 'until its time is over')
      same(await due(both, 98), [2, 7], 'claimed, and not due')
      same(await due(['created', 'created'], 100), [5, 1], 'of one status, once each')
      same(await due([], 100), [], 'of none')
      same(await due(both, 100, 0), [], 'an empty page')
      same(await spending.dueVersions(['broadcast'], 1, 1), [all[5]], 'with everything')
    })
  },

  'readers change no spends': async ({ store }) => {
    const tries: readonly ((tx: StoreTx) => Promise<unknown>)[] = [
      ({ spending }) => spending.insertSpend(spendOf(1)),
      ({ spending }) => spending.insertVersion(versionOf(1)),
      ({ spending }) => spending.saveSpend(spendOf(1)),
      ({ spending }) => spending.saveVersion(versionOf(1)),
    ]
    for (const attempt of tries) await fails(() => store.read(attempt), 'assertion', 'in read')
  },
}

export const SPENDING: Chapter = { ...SPENDS, ...VERSIONS }
