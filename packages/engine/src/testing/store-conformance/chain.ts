import { type Chapter, fails, same } from './check.ts'
import { headerOf } from './samples.ts'

const range = (from: number, to: number, fork = 0) =>
  Array.from({ length: to - from + 1 }, (_, i) => headerOf(from + i, fork))

/** Headers and memos. */
export const CHAIN: Chapter = {
  'an empty chain has no tip and no base': async ({ store }) => {
    await store.read(async (tx) => {
      same(await tx.chain.tip(), undefined, 'tip')
      same(await tx.chain.base(), undefined, 'base')
      same(await tx.chain.headerAt(0), undefined, 'a height')
      same(await tx.chain.headersAt([0, 1]), [], 'heights')
      same(await tx.chain.headersAt([]), [], 'no heights')
    })
  },

  'headers are appended, found by height, cut and appended anew': async ({ store }) => {
    await store.transact((tx) => tx.chain.append(range(10, 20)))
    await store.transact(async (tx) => {
      same(await tx.chain.tip(), headerOf(20), 'tip')
      same(await tx.chain.base(), headerOf(10), 'base')
      same(await tx.chain.headerAt(15), headerOf(15), 'in between')
      same(await tx.chain.headerAt(9), undefined, 'below')
      const some = await tx.chain.headersAt([12, 11, 99, 11])
      same(
        [...some].sort((a, b) => a.height - b.height),
        range(11, 12),
        'those that are kept, once each',
      )
      await tx.chain.truncateTo(14)
      same(await tx.chain.tip(), headerOf(14), 'after the cut')
      await tx.chain.append([])
      await tx.chain.append([{ ...headerOf(15, 3), prev: headerOf(14).hash }])
    })
    await store.read(async (tx) => {
      same((await tx.chain.tip())?.hash, headerOf(15, 3).hash, 'the other branch')
      same(await tx.chain.headerAt(16), undefined, 'nothing of the old branch above it')
    })
  },

  'what does not link is refused': async ({ store }) => {
    await store.transact((tx) => tx.chain.append(range(10, 12)))
    const append = (headers: ReturnType<typeof range>) => () =>
      store.transact((tx) => tx.chain.append(headers))
    const prepend = (headers: ReturnType<typeof range>) => () =>
      store.transact((tx) => tx.chain.prepend(headers))
    await fails(append([headerOf(13, 1)]), 'assertion', 'another parent')
    await fails(append([headerOf(14)]), 'assertion', 'a gap')
    await fails(append([headerOf(13), headerOf(15)]), 'assertion', 'a gap further up')
    await fails(append([headerOf(12)]), 'assertion', 'the tip once more')
    await fails(prepend([headerOf(9, 1)]), 'assertion', 'another child')
    await fails(prepend([headerOf(8)]), 'assertion', 'a gap below')
    await fails(prepend([headerOf(7), headerOf(9)]), 'assertion', 'a gap inside')
    await store.read(async (tx) => {
      same(await tx.chain.tip(), headerOf(12), 'tip unchanged')
      same(await tx.chain.base(), headerOf(10), 'base unchanged')
    })
  },

  'headers are put below the base': async ({ store }) => {
    await store.transact((tx) => tx.chain.append(range(10, 12)))
    await store.transact((tx) => tx.chain.prepend(range(7, 9)))
    await store.transact((tx) => tx.chain.prepend([]))
    await store.read(async (tx) => {
      same(await tx.chain.base(), headerOf(7), 'base')
      same(await tx.chain.tip(), headerOf(12), 'tip')
      same((await tx.chain.headersAt([7, 8, 9, 10])).length, 4, 'all of them')
    })
  },

  'a cut below the base empties the chain': async ({ store }) => {
    await store.transact((tx) => tx.chain.append(range(10, 12)))
    await store.transact((tx) => tx.chain.truncateTo(5))
    same(await store.read((tx) => tx.chain.tip()), undefined, 'no tip')
    await store.transact((tx) => tx.chain.append(range(3, 4)))
    same(await store.read((tx) => tx.chain.base()), headerOf(3), 'a new beginning')
  },

  'the cursor is moved by one transaction at a time, from the very first on': async ({
    store,
    reopen,
  }) => {
    const other = reopen ? await reopen() : store
    const extend = (through: typeof store) =>
      through.transact(async (tx) => {
        const tip = await tx.chain.lockCursor()
        // Lets others run between the reading and the writing.
        await Promise.resolve()
        await tx.chain.append([headerOf((tip?.height ?? 9) + 1)])
      })
    await Promise.all(range(10, 29).map(({ height }) => extend(height % 2 === 0 ? store : other)))
    same(
      await store.read((tx) => tx.chain.tip()),
      headerOf(29),
      'every one extended the one before',
    )
    await fails(() => store.read((tx) => tx.chain.lockCursor()), 'assertion', 'locking in read')
    if (other !== store) await other.close()
  },

  'a memo is the last value of its key': async ({ store }) => {
    await store.transact((tx) => tx.chain.saveMemo('node', 'first'))
    await store.transact((tx) => tx.chain.saveMemo('node', '{"epoch":"2"}'))
    await store.transact((tx) => tx.chain.saveMemo('other', ''))
    await store.read(async (tx) => {
      same(await tx.chain.memo('node'), '{"epoch":"2"}', 'the last value')
      same(await tx.chain.memo('other'), '', 'an empty value is a value')
      same(await tx.chain.memo('none'), undefined, 'an unknown key')
    })
  },
}
