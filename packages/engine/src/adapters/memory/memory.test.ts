import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { appendAudit } from '../../capabilities/audit/index.ts'
import {
  addressOf,
  alertOf,
  auditOf,
  eventOf,
  headerOf,
  keychainOf,
  orderOf,
  paymentOf,
  postingOf,
  transactionOf,
  txidOf,
  walletOf,
} from '../../testing/store-conformance/index.ts'
import { copy } from './copy.ts'
import { createMemoryStore, type MemoryStore, type MemoryTx } from './index.ts'
import { compareKeys, compareText } from './order.ts'
import { SortedIndex, Table } from './table.ts'

/** A commit that touches every table, made anew from `n`. */
const work = (n: number) => async (tx: MemoryTx) => {
  await tx.chain.append([headerOf(100 + n)])
  await tx.chain.saveMemo('life', String(n))
  await tx.wallet.insertWallet(walletOf(n))
  await tx.wallet.saveKeychain(keychainOf(1, 0, { nextIndex: n }))
  await tx.wallet.insertAddresses([addressOf(1, n, { state: 'free' })])
  await tx.deposits.insertOrder(orderOf(n, { expiresAt: 5 }))
  await tx.deposits.saveTransactions([transactionOf(n)])
  await tx.deposits.savePayments([paymentOf(n, 0, { dueHeight: 7 })])
  await tx.deposits.appendFacts([{ txid: txidOf(n), kind: 'seen', at: n }])
  await tx.ledger.post(n, [postingOf(n)])
  await appendAudit(tx, n, [auditOf(n)])
  await tx.alerts.raise(n, [alertOf(n)])
  await tx.events.append(n, [eventOf(n), eventOf(n + 1)])
  await tx.events.saveCursor('mail', n)
}
/** Everything that can be seen of a store. */
const inventory = (store: MemoryStore) =>
  store.read(async (tx) => [
    await tx.chain.tip(),
    await tx.chain.memo('life'),
    await tx.wallet.wallets(),
    await tx.wallet.keychains(),
    await tx.wallet.listAddresses({ limit: 99 }),
    (await tx.wallet.scripts(undefined, 99)).next,
    await tx.deposits.listOrders({ limit: 99 }),
    await tx.deposits.dueOrders(9, 99),
    await tx.deposits.unconfirmed(),
    await tx.deposits.duePayments(9),
    await tx.deposits.facts([1, 2, 3].map(txidOf)),
    await tx.ledger.accounts('', undefined, 99),
    await tx.ledger.entries({ limit: 99 }),
    await tx.audit.list({ limit: 99 }),
    await tx.alerts.list({ limit: 99 }),
    await tx.events.list({ after: 0, limit: 99 }),
    await tx.events.cursor('mail'),
  ])

describe('a crash', () => {
  test('at any await leaves the store as it was, and the next commit as if nothing had been', async () => {
    const undisturbed = createMemoryStore()
    await undisturbed.transact(work(1))
    const before = await inventory(undisturbed)
    await undisturbed.transact(work(2))
    const after = await inventory(undisturbed)
    for (let dies = 1; ; dies++) {
      let calls = 0
      let armed = false
      const store = createMemoryStore({
        onCall() {
          calls += 1
          if (armed && calls === dies) throw new RangeError('the process died')
        },
      })
      await store.transact(work(1))
      calls = 0
      armed = true
      const outcome = await store.transact(work(2)).catch((error: unknown) => String(error))
      armed = false
      if (outcome === undefined) {
        expect(dies).toBeGreaterThan(14)
        return
      }
      expect(outcome).toBe('RangeError: the process died')
      expect(await inventory(store)).toEqual(before)
      await store.transact(work(2))
      expect(await inventory(store)).toEqual(after)
    }
  })

  test.each([
    ['before', 0],
    ['after', 2],
  ] as const)('%s the commit leaves %i events', async (when, events) => {
    const store = createMemoryStore({
      onCommit(moment) {
        if (moment === when) throw new RangeError('the process died')
      },
    })
    await expect(store.transact(work(1))).rejects.toThrow('the process died')
    expect(await store.read((tx) => tx.events.head())).toBe(events)
  })

  test('is told by the name of the row door', async () => {
    const doors: string[] = []
    const store = createMemoryStore({ onCall: (door) => void doors.push(door) })
    await store.transact((tx) => tx.events.append(1, []))
    await store.read((tx) => tx.chain.tip())
    expect(doors).toEqual(['events.append', 'chain.tip'])
  })
})

describe('order', () => {
  test('of text is that of its UTF-8 bytes', () => {
    const bytes = (text: string) => Buffer.from(text, 'utf8')
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), fc.string({ unit: 'binary' }), (a, b) => {
        expect(Math.sign(compareText(a, b))).toBe(Buffer.compare(bytes(a), bytes(b)))
      }),
    )
  })
  test('of keys goes part by part, numbers as numbers', () => {
    expect(compareKeys(['a', 2], ['a', 10])).toBeLessThan(0)
    expect(compareKeys(['a'], ['a', 0])).toBeLessThan(0)
    expect(compareKeys(['b'], ['a', 0])).toBeGreaterThan(0)
    expect(compareKeys(['a', 1], ['a', 1])).toBe(0)
  })
})

test('an index in order is a sorted list, whatever is put, replaced, removed and undone', () => {
  const row = fc.record({ key: fc.nat({ max: 8 }), place: fc.option(fc.nat({ max: 5 })) })
  const step = fc.record({ row, remove: fc.boolean(), undo: fc.boolean() })
  fc.assert(
    fc.property(fc.array(step), (steps) => {
      const index = new SortedIndex<{ key: number; place: number | null }>(({ key, place }) =>
        place === null ? undefined : [place, key],
      )
      const table = new Table('rows', ({ key }: { key: number }) => String(key), [index])
      const model = new Map<number, number | null>()
      for (const { row, remove, undo } of steps) {
        const undos: (() => void)[] = []
        const session = {
          requireWriter() {},
          undoable: (step: () => void) => void undos.push(step),
        }
        if (remove) table.remove(session, String(row.key))
        else table.put(session, row)
        if (undo) for (const step of undos.reverse()) step()
        else if (remove) model.delete(row.key)
        else model.set(row.key, row.place)
        const places = [...model].flatMap(([key, place]) => (place === null ? [] : [[place, key]]))
        const expected = places.sort((a, b) => compareKeys(a, b)).map(([, key]) => String(key))
        expect([...index.ascending()]).toEqual(expected)
        expect([...index.descending()]).toEqual([...expected].reverse())
        expect([...index.ascending([2])]).toEqual(
          [...index.ascending()].slice(places.filter(([place = 0]) => place < 2).length),
        )
      }
    }),
  )
})

test('a copy shares nothing and drops what is undefined', () => {
  const value = { a: [1n, { b: Uint8Array.of(1) }], c: undefined, d: null }
  const twin = copy(value)
  expect(twin).toStrictEqual({ a: [1n, { b: Uint8Array.of(1) }], d: null })
  const [, inner] = twin.a as [bigint, { b: Uint8Array }]
  inner.b[0] = 9
  expect(value.a[1]).toEqual({ b: Uint8Array.of(1) })
  const hostile = copy(JSON.parse('{"__proto__":{"polluted":1}}'))
  expect([Object.keys(hostile), ({} as Record<string, unknown>)['polluted']]).toEqual([
    ['__proto__'],
    undefined,
  ])
})
