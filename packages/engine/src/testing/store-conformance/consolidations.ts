import type { ConsolidationRecord } from '../../capabilities/consolidation/index.ts'
import { sat } from '../../kernel/index.ts'
import type { StoreTx } from '../../runtime/store.ts'
import { type Chapter, fails, same } from './check.ts'
import { txidOf, walletIdOf } from './samples.ts'
import { consolidationIdOf, consolidationOf } from './samples-consolidations.ts'
import { spendIdOf } from './samples-payouts.ts'

const insertAll = async (tx: StoreTx, runs: readonly ConsolidationRecord[]) => {
  for (const run of runs) await tx.consolidations.insert(run)
}

/** Runs that put coins together. */
export const CONSOLIDATIONS: Chapter = {
  'a run is kept with everything it has, and found by its spend': async ({ store, reopen }) => {
    const bare = consolidationOf(1)
    const full = consolidationOf(2, {
      status: 'completed',
      trigger: 'fee',
      group: 'mixed',
      saving: -2_082n,
      txid: txidOf(2),
      reachedAt: { planned: 5, consolidating: 6, completed: 7 },
    })
    await store.transact((tx) => insertAll(tx, [bare, full]))
    for (const one of [store, ...(reopen ? [await reopen()] : [])])
      await one.read(async ({ consolidations }) => {
        for (const run of [bare, full]) {
          same(await consolidations.consolidation(run.id), run, 'by id')
          same(await consolidations.bySpend(run.spend), run, 'by spend')
        }
        same(await consolidations.consolidation(consolidationIdOf(3)), undefined, 'unknown')
        same(await consolidations.bySpend(spendIdOf(3)), undefined, 'unknown spend')
      })
  },

  'an id and a spend have one run': async ({ store }) => {
    await store.transact((tx) => tx.consolidations.insert(consolidationOf(1)))
    const insert = (run: ConsolidationRecord) => () =>
      store.transact((tx) => tx.consolidations.insert(run))
    await fails(insert(consolidationOf(1, { spend: spendIdOf(9) })), 'STORE_CONFLICT', 'id')
    await fails(insert(consolidationOf(2, { spend: spendIdOf(1) })), 'STORE_CONFLICT', 'spend')
    const reading = () => store.read((tx) => tx.consolidations.insert(consolidationOf(3)))
    await fails(reading, 'assertion', 'in read')
  },

  'saving a run changes what became of it, never what was planned': async ({ store }) => {
    const planned = consolidationOf(1)
    await store.transact((tx) => tx.consolidations.insert(planned))
    const happened = {
      status: 'completed',
      txid: txidOf(1),
      reachedAt: { planned: 5, completed: 9 },
      updatedAt: 9,
    } as const
    const other = consolidationOf(1, {
      ...happened,
      spend: spendIdOf(7),
      fee: sat(1n),
      saving: 1n,
      inputs: 2,
    })
    await store.transact((tx) => tx.consolidations.save(other))
    const kept = await store.read((tx) => tx.consolidations.consolidation(planned.id))
    same(kept, { ...planned, ...happened }, 'what happened')
    await store.transact((tx) => tx.consolidations.save(planned))
    same(await store.read((tx) => tx.consolidations.consolidation(planned.id)), planned, 'back')
    const unknown = () => store.transact((tx) => tx.consolidations.save(consolidationOf(5)))
    await fails(unknown, 'assertion', 'an unknown one')
    await fails(() => store.read((tx) => tx.consolidations.save(planned)), 'assertion', 'in read')
  },

  'runs are listed newest first by every filter': async ({ store }) => {
    const statuses = ['planned', 'consolidating', 'completed', 'cancelled', 'failed'] as const
    const all = Array.from({ length: 30 }, (_, i) =>
      consolidationOf(i, { wallet: walletIdOf(i % 3), status: statuses[i % 5] ?? 'planned' }),
    )
    await store.transact((tx) => insertAll(tx, all))
    const check = async (
      filter: Partial<Parameters<StoreTx['consolidations']['list']>[0]>,
      keep: (run: ConsolidationRecord) => boolean,
    ) => {
      const found = await store.read((tx) => tx.consolidations.list({ limit: 99, ...filter }))
      const expected = all
        .filter(keep)
        .reverse()
        .slice(0, filter.limit ?? 99)
      same(found, expected, JSON.stringify(filter))
    }
    const [one, two] = [walletIdOf(1), walletIdOf(2)]
    await check({}, () => true)
    await check({ limit: 0 }, () => true)
    await check({ limit: 4, before: consolidationIdOf(20) }, ({ id }) => id < consolidationIdOf(20))
    await check({ wallet: one }, ({ wallet }) => wallet === one)
    await check({ wallets: [two, one, two] }, ({ wallet }) => wallet === one || wallet === two)
    await check({ wallets: [] }, () => false)
    await check({ wallets: [two], wallet: one }, () => false)
    await check({ status: 'planned', limit: 3 }, ({ status }) => status === 'planned')
    await check(
      { status: 'failed', wallet: two, before: consolidationIdOf(29) },
      ({ id, status, wallet }) =>
        status === 'failed' && wallet === two && id < consolidationIdOf(29),
    )
  },
}
