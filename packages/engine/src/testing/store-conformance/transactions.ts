import { AssertionError } from '../../kernel/index.ts'
import type { Store } from '../../runtime/store.ts'
import { type Chapter, fails, same } from './check.ts'
import { alertOf, eventOf, keychainOf, orderOf, postingOf, trailOf, walletIdOf } from './samples.ts'

/** Numbers of everything that is numbered, read in one snapshot. */
const numbersOf = (store: Store) =>
  store.read(async (tx) => ({
    events: (await tx.events.list({ after: 0, limit: 1000 })).map((event) => event.seq),
    entries: (await tx.ledger.entries({ limit: 1000 })).map((entry) => entry.number),
    alerts: (await tx.alerts.list({ limit: 1000 })).map((alert) => alert.id).reverse(),
    audit: (await tx.audit.list({ limit: 1000 })).map((entry) => entry.number),
  }))
const upTo = (count: number) => Array.from({ length: count }, (_, i) => i + 1)

/** Raises the keychain's next index by one: loses a step when two transactions read the same row. */
const reveal = (store: Store) =>
  store.transact(async (tx) => {
    const keychain = await tx.wallet.lockKeychain(walletIdOf(1), 0)
    if (!keychain) throw new AssertionError('no keychain')
    // Lets others run between the reading and the writing.
    await Promise.resolve()
    await tx.wallet.saveKeychain({ ...keychain, nextIndex: keychain.nextIndex + 1 })
    return keychain.nextIndex
  })

/** What `Transactor` promises. */
export const TRANSACTIONS: Chapter = {
  'a throw undoes everything, numbers included': async ({ store }) => {
    const write = async (fail: boolean) =>
      store.transact(async (tx) => {
        await tx.deposits.insertOrder(orderOf(fail ? 1 : 2))
        await tx.ledger.post(1, [postingOf(fail ? 1 : 2)])
        await tx.events.append(1, [eventOf(1), eventOf(2)])
        await tx.audit.insert(trailOf(1))
        await tx.alerts.raise(1, [alertOf(1)])
        await tx.chain.saveMemo('life', fail ? 'no' : 'yes')
        if (fail) throw new RangeError('undo this')
      })
    await fails(() => write(true), 'any', 'the throw reaches the caller')
    same(
      await numbersOf(store),
      { events: [], entries: [], alerts: [], audit: [] },
      'nothing is left of a transaction that threw',
    )
    await write(false)
    same(
      await numbersOf(store),
      { events: [1, 2], entries: [1], alerts: ['alr_1'], audit: [1] },
      'numbers are dense after a rollback',
    )
    await store.read(async (tx) => {
      same(await tx.deposits.order(orderOf(1).id), undefined, 'the undone order is gone')
      same(
        await tx.ledger.totals(['owed/cus_1']),
        [{ account: 'owed/cus_1', debits: 0n, credits: 0n }],
        'the undone total is gone',
      )
      same(await tx.chain.memo('life'), 'yes', 'the memo of the commit stands')
    })
  },

  'the error of the work reaches the caller unchanged': async ({ store }) => {
    const error = new RangeError('mine')
    const got = await store
      .transact(async () => {
        throw error
      })
      .catch((reason: unknown) => reason)
    if (got !== error) throw new AssertionError('another error came out', { cause: got })
  },

  'the value of the work reaches the caller': async ({ store }) => {
    same(await store.transact(async () => 42), 42, 'transact')
    same(await store.read(async () => 43), 43, 'read')
  },

  'what a commit acknowledged, a new store on the same data has': async ({ store, reopen }) => {
    if (!reopen) return
    await store.transact((tx) => tx.events.append(7, [eventOf(1)]))
    await store.transact((tx) => tx.ledger.post(7, [postingOf(1)]))
    const again = await reopen()
    same(
      await numbersOf(again),
      { events: [1], entries: [1], alerts: [], audit: [] },
      'after reopening',
    )
    await again.transact((tx) => tx.events.append(8, [eventOf(2)]))
    same((await numbersOf(store)).events, [1, 2], 'the first store sees what the second committed')
    await again.close()
  },

  'a locked row is read by one transaction at a time': async ({ store }) => {
    await store.transact((tx) => tx.wallet.saveKeychain(keychainOf(1)))
    const indexes = await Promise.all(upTo(40).map(() => reveal(store)))
    same(
      indexes.sort((a, b) => a - b),
      upTo(40).map((n) => n - 1),
      'every index was given once',
    )
  },

  'two stores on the same data never read one row at once': async ({ store, reopen }) => {
    if (!reopen) return
    const other = await reopen()
    await store.transact((tx) => tx.wallet.saveKeychain(keychainOf(1)))
    const both = upTo(40).map((n) => reveal(n % 2 === 0 ? store : other))
    const indexes = (await Promise.all(both)).sort((a, b) => a - b)
    same(
      indexes,
      upTo(40).map((n) => n - 1),
      'every index was given once',
    )
    await other.close()
  },

  'numbers are dense under 50 transactions at once, some of which fail': async ({ store }) => {
    const write = (n: number) =>
      store.transact(async (tx) => {
        await tx.ledger.post(n, [postingOf(n)])
        await tx.alerts.raise(n, [alertOf(n)])
        await tx.events.append(n, [eventOf(n)])
        if (n % 5 === 0) throw new RangeError('every fifth')
      })
    const outcomes = await Promise.allSettled(upTo(50).map(write))
    same(outcomes.filter(({ status }) => status === 'fulfilled').length, 40, 'forty committed')
    const numbers = await numbersOf(store)
    same(numbers.events, upTo(40), 'events')
    same(numbers.entries, upTo(40), 'entries')
    same(
      numbers.alerts,
      upTo(40).map((n) => `alr_${n}`),
      'alerts',
    )
  },

  'a reader sees one snapshot, however long it reads': async ({ store, reopen }) => {
    await store.transact((tx) => tx.events.append(1, [eventOf(1)]))
    const writer = reopen ? await reopen() : store
    let start = () => {}
    const started = new Promise<void>((resolve) => {
      start = resolve
    })
    // Begun out here: a transaction begun by the reader itself would be one inside another.
    const writing = started.then(() => writer.transact((tx) => tx.events.append(2, [eventOf(2)])))
    await store.read(async (tx) => {
      same(await tx.events.head(), 1, 'before')
      start()
      if (reopen) await writing
      same(await tx.events.head(), 1, 'while another transaction commits')
      same((await tx.events.list({ after: 0, limit: 10 })).length, 1, 'rows of the snapshot')
    })
    await writing
    same(await store.read((tx) => tx.events.head()), 2, 'afterwards')
    if (writer !== store) await writer.close()
  },

  'a reader never sees half of a transaction': async ({ store }) => {
    const write = (n: number) =>
      store.transact(async (tx) => {
        await tx.ledger.post(n, [postingOf(n)])
        await Promise.resolve()
        await tx.events.append(n, [eventOf(n)])
      })
    const look = () =>
      store.read(async (tx) => {
        const events = await tx.events.head()
        const entries = await tx.ledger.entries({ limit: 1000 })
        same(entries.length, events, 'as many entries as events')
      })
    await Promise.all(upTo(30).map((n) => Promise.all([write(n), look()])))
  },

  'reading refuses to write and to lock': async ({ store }) => {
    await fails(
      () => store.read((tx) => tx.events.append(1, [eventOf(1)])),
      'assertion',
      'writing in read',
    )
    await fails(
      () => store.read((tx) => tx.wallet.lockKeychain(walletIdOf(1), 0)),
      'assertion',
      'locking in read',
    )
    same(await store.read((tx) => tx.events.head()), 0, 'nothing was written')
  },

  'a row door that threw dooms its transaction': async ({ store }) => {
    await store.transact((tx) => tx.deposits.insertOrder(orderOf(1)))
    const careless = store.transact(async (tx) => {
      await tx.events.append(1, [eventOf(1)])
      // Swallowed on purpose: that must not save the commit.
      await tx.deposits.insertOrder(orderOf(1)).catch(() => {})
    })
    await fails(() => careless, 'STORE_CONFLICT', 'catching the error does not save the commit')
    same(await store.read((tx) => tx.events.head()), 0, 'nothing of it is left')
  },

  'a transaction is over when its work is': async ({ store }) => {
    const leaked = await store.transact(async (tx) => tx)
    await fails(() => leaked.events.append(1, [eventOf(1)]), 'assertion', 'a leaked transaction')
    await fails(() => leaked.events.head(), 'assertion', 'reading through it')
  },

  'a transaction inside a transaction is refused instead of waiting for itself': async ({
    store,
  }) => {
    await fails(
      () => store.transact(() => store.transact(async () => 1)),
      'assertion',
      'transact in transact',
    )
    await fails(
      () => store.transact(() => store.read(async () => 1)),
      'assertion',
      'read in transact',
    )
  },

  'closing lets running work end and refuses new work': async ({ store }) => {
    const running = store.transact((tx) => tx.events.append(1, [eventOf(1)]))
    const closing = store.close()
    same((await running).length, 1, 'what ran came to its end')
    await closing
    await fails(() => store.transact(async () => 1), 'STORE_UNAVAILABLE', 'transact')
    await fails(() => store.read(async () => 1), 'STORE_UNAVAILABLE', 'read')
  },
}
