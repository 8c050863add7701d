import type { AddressRecord } from '../../capabilities/wallet/index.ts'
import { type Chapter, fails, same } from './check.ts'
import { addressOf, keychainOf, orderIdOf, scriptOf, walletIdOf, walletOf } from './samples.ts'

const addresses = (wallet: number, count: number, more: Partial<AddressRecord> = {}) =>
  Array.from({ length: count }, (_, i) => addressOf(wallet, i, more))

/** Wallets, keychains, addresses and labels. */
export const WALLET: Chapter = {
  'wallets are found by id and descriptor, oldest first': async ({ store }) => {
    const rescan = { next: 10, from: 5, to: 90 }
    const long = walletOf(3, { descriptor: `wsh(sortedmulti(2,${'k'.repeat(5000)}))`, rescan })
    await store.transact(async (tx) => {
      await tx.wallet.insertWallet(walletOf(2, { createdAt: 5 }))
      await tx.wallet.insertWallet(walletOf(1, { createdAt: 4 }))
      await tx.wallet.insertWallet(long)
    })
    await store.transact(async (tx) => {
      same(
        (await tx.wallet.wallets()).map((wallet) => wallet.id),
        [walletIdOf(1), walletIdOf(2), walletIdOf(3)],
        'oldest first',
      )
      same(await tx.wallet.wallet(long.id), long, 'by id, a descriptor of many keys')
      same(await tx.wallet.lockWallet(long.id), long, 'locked')
      same(await tx.wallet.walletByDescriptor(long.descriptor), long, 'by descriptor')
      same(await tx.wallet.wallet(walletIdOf(9)), undefined, 'unknown id')
      same(await tx.wallet.walletByDescriptor('addr(x)'), undefined, 'unknown descriptor')
    })
    const { rescan: _, ...without } = long
    await store.transact((tx) => tx.wallet.saveWallet({ ...without, status: 'retired' }))
    same(
      await store.read((tx) => tx.wallet.wallet(long.id)),
      { ...without, status: 'retired' },
      'saved, the rescan over',
    )
  },

  'a wallet is unique by id and by descriptor': async ({ store }) => {
    const insert = (wallet: ReturnType<typeof walletOf>) => () =>
      store.transact((tx) => tx.wallet.insertWallet(wallet))
    await insert(walletOf(1))()
    const same1 = walletOf(1).descriptor
    await fails(insert(walletOf(1, { descriptor: 'other' })), 'STORE_CONFLICT', 'the same id')
    await fails(insert(walletOf(2, { descriptor: same1 })), 'STORE_CONFLICT', 'same descriptor')
    await fails(
      () => store.transact((tx) => tx.wallet.saveWallet(walletOf(5))),
      'assertion',
      'saving an unknown wallet',
    )
  },

  'keychains are inserted, replaced and listed in order': async ({ store }) => {
    const grown = keychainOf(1, 0, { nextIndex: 7, watchedTo: 100, lastUsed: 3, reach: 3 })
    await store.transact(async (tx) => {
      await tx.wallet.saveKeychain(keychainOf(1, 1))
      await tx.wallet.saveKeychain(keychainOf(1, 0))
      await tx.wallet.saveKeychain(keychainOf(2, 0))
      await tx.wallet.saveKeychain(grown)
    })
    await store.transact(async (tx) => {
      same(await tx.wallet.keychains(walletIdOf(1)), [grown, keychainOf(1, 1)], 'of one wallet')
      same(
        await tx.wallet.keychains(),
        [grown, keychainOf(1, 1), keychainOf(2, 0)],
        'of all wallets',
      )
      same(await tx.wallet.lockKeychain(walletIdOf(1), 0), grown, 'locked')
      same(await tx.wallet.lockKeychain(walletIdOf(1), 2), undefined, 'unknown')
    })
  },

  'addresses keep every field and are found by place and by script': async ({ store }) => {
    const full = addressOf(1, 3, {
      state: 'revealed',
      shown: true,
      order: orderIdOf(4),
      label: 'für Ann',
      revealedAt: 12,
      firstUsedAt: 13,
    })
    await store.transact((tx) => tx.wallet.insertAddresses([...addresses(1, 3), full]))
    await store.transact((tx) => tx.wallet.insertAddresses([]))
    await store.read(async (tx) => {
      same(await tx.wallet.address(walletIdOf(1), 0, 3), full, 'by place')
      same(await tx.wallet.address(walletIdOf(1), 1, 3), undefined, 'on another branch')
      const found = await tx.wallet.addressesByScripts([
        full.script,
        scriptOf(77),
        addressOf(1, 0).script,
        full.script,
      ])
      same(
        [...found].sort((a, b) => a.index - b.index),
        [addressOf(1, 0), full],
        'by script, once each',
      )
      same(await tx.wallet.addressesByScripts([]), [], 'no scripts')
    })
    const freed = addressOf(1, 3, { state: 'free' })
    await store.transact((tx) => tx.wallet.saveAddresses([freed]))
    same(await store.read((tx) => tx.wallet.address(walletIdOf(1), 0, 3)), freed, 'saved')
  },

  'an address is unique by place and by script': async ({ store }) => {
    const insert = (records: readonly AddressRecord[]) => () =>
      store.transact((tx) => tx.wallet.insertAddresses(records))
    await insert([addressOf(1, 0)])()
    await fails(insert([addressOf(1, 0, { script: scriptOf(5) })]), 'STORE_CONFLICT', 'the place')
    const twin = addressOf(2, 0, { script: addressOf(1, 0).script })
    await fails(insert([addressOf(2, 1), twin]), 'STORE_CONFLICT', 'the script, in another wallet')
    await fails(insert([addressOf(3, 1), addressOf(3, 1)]), 'STORE_CONFLICT', 'within one call')
    same(
      await store.read((tx) => tx.wallet.address(walletIdOf(2), 0, 1)),
      undefined,
      'its neighbour was undone',
    )
    await fails(
      () => store.transact((tx) => tx.wallet.saveAddresses([addressOf(8, 8)])),
      'assertion',
      'saving an unknown address',
    )
  },

  'the next addresses are the lowest free ones, and those from the index on': async ({ store }) => {
    await store.transact((tx) =>
      tx.wallet.insertAddresses([
        addressOf(1, 5, { state: 'free' }),
        addressOf(1, 4, { state: 'free', branch: 1, script: scriptOf(900) }),
        addressOf(1, 3),
        addressOf(1, 6),
        addressOf(1, 7),
        addressOf(2, 1, { state: 'free' }),
      ]),
    )
    await store.transact(async (tx) => {
      const next = async (index: number, count: number) => {
        const found = await tx.wallet.nextAddresses(walletIdOf(1), 0, index, count)
        return [found.free.map((row) => row.index), found.next.map((row) => row.index)]
      }
      same(await next(6, 3), [[5], [6, 7]], 'free ones of this branch, and as many as are stored')
      await tx.wallet.saveAddresses([addressOf(1, 3, { state: 'free' })])
      same(await next(6, 1), [[3], [6]], 'the lowest of two free ones')
      same(await next(7, 2), [[3, 5], [7]], 'both of them, in order')
      await tx.wallet.saveAddresses([
        addressOf(1, 3, { state: 'revealed' }),
        addressOf(1, 5, { state: 'revealed' }),
      ])
      same(await next(6, 2), [[], [6, 7]], 'none is free')
      same(await next(8, 2), [[], []], 'nothing is at the index')
      const { next: found } = await tx.wallet.nextAddresses(walletIdOf(1), 0, 7, 1)
      same(found, [addressOf(1, 7)], 'with every field')
    })
  },

  'addresses are listed in pages by wallet, branch and state': async ({ store }) => {
    await store.transact(async (tx) => {
      await tx.wallet.insertAddresses(addresses(2, 12))
      await tx.wallet.insertAddresses(addresses(1, 12))
      await tx.wallet.insertAddresses([
        addressOf(1, 0, { branch: 1, script: scriptOf(901), state: 'free' }),
      ])
      await tx.wallet.saveAddresses([addressOf(2, 7, { state: 'revealed' })])
    })
    await store.read(async (tx) => {
      const keys = (rows: readonly AddressRecord[]) =>
        rows.map((row) => `${row.wallet}/${row.branch}/${row.index}`)
      const first = await tx.wallet.listAddresses({ wallet: walletIdOf(1), limit: 10 })
      same(first.length, 10, 'a full page')
      const after = first.at(-1)
      const rest = await tx.wallet.listAddresses({
        wallet: walletIdOf(1),
        ...(after ? { after } : {}),
        limit: 10,
      })
      same(keys(rest), ['wal_1/0/10', 'wal_1/0/11', 'wal_1/1/0'], 'numbers, not texts')
      const all = await tx.wallet.listAddresses({ limit: 100 })
      same(keys(all).slice(12, 14), ['wal_1/1/0', 'wal_2/0/0'], 'all wallets in order')
      const branch = await tx.wallet.listAddresses({ branch: 1, limit: 5 })
      same(keys(branch), ['wal_1/1/0'], 'by branch')
      const revealed = await tx.wallet.listAddresses({ state: 'revealed', limit: 5 })
      same(keys(revealed), ['wal_2/0/7'], 'by state')
      same(await tx.wallet.listAddresses({ limit: 0 }), [], 'an empty page')
    })
  },

  'scripts come in pages in the order of insertion, also those inserted later': async ({
    store,
  }) => {
    await store.transact((tx) => tx.wallet.insertAddresses(addresses(2, 5)))
    const load = async (from: string | undefined) => {
      const scripts: Uint8Array[] = []
      let after = from
      for (;;) {
        const page = await store.read((tx) => tx.wallet.scripts(after, 2))
        scripts.push(...page.scripts)
        if (page.next === undefined) return { scripts, after }
        after = page.next
      }
    }
    const first = await load(undefined)
    same(
      first.scripts,
      addresses(2, 5).map((address) => address.script),
      'all of them',
    )
    await store.transact((tx) => tx.wallet.insertAddresses(addresses(1, 2)))
    same(
      (await load(first.after)).scripts,
      addresses(1, 2).map((address) => address.script),
      'from the cursor on, only what is new',
    )
  },

  'labels are inserted, replaced and listed in pages': async ({ store }) => {
    const label = (type: string, ref: string, json = '{}') => ({
      wallet: walletIdOf(1),
      type,
      ref,
      json,
    })
    await store.transact(async (tx) => {
      await tx.wallet.saveLabels([label('tx', 'b'), label('addr', 'z'), label('tx', 'a')])
      await tx.wallet.saveLabels([label('tx', 'b', '{"old":1}'), label('tx', 'b', '{"new":1}')])
      await tx.wallet.saveLabels([{ ...label('tx', 'b'), wallet: walletIdOf(2) }])
    })
    await store.read(async (tx) => {
      const first = await tx.wallet.labels(walletIdOf(1), undefined, 2)
      same(first, [label('addr', 'z'), label('tx', 'a')], 'first page')
      const next = await tx.wallet.labels(walletIdOf(1), { type: 'tx', ref: 'a' }, 2)
      same(next, [label('tx', 'b', '{"new":1}')], 'second page, the last value')
    })
  },

  'what comes out is the caller’s: changing it changes nothing': async ({ store }) => {
    const given = addressOf(1, 0)
    const original = Uint8Array.from(given.script)
    await store.transact((tx) => tx.wallet.insertAddresses([given]))
    given.script.fill(1)
    const read = () => store.read((tx) => tx.wallet.address(walletIdOf(1), 0, 0))
    same((await read())?.script, original, 'the object that went in')
    ;(await read())?.script.fill(2)
    same((await read())?.script, original, 'the object that came out')
  },
}
