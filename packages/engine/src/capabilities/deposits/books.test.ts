import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  type BlockHash,
  type BlockRef,
  type OrderId,
  sat,
  type Txid,
  type WalletId,
} from '../../kernel/index.ts'
import type { Posting } from '../ledger/index.ts'
import { book } from './books.ts'
import { bookingOf, FRESH, type Standing, spendingIsDeep } from './machine.ts'
import { EXACT } from './policy.ts'
import type { OrderRecord, PaymentRecord, TxView } from './ports.ts'

const thresholds = { confirmed: 1, fullConfirmed: 3, finalized: 6 }
const wallet = 'wal_1' as WalletId
const at = (height: number, branch = 'a'): BlockRef => ({
  height,
  hash: `${branch}${height}` as BlockHash,
})
const mined = (height: number, branch?: string): TxView => ({
  state: 'mined',
  block: at(height, branch),
})
const order: OrderRecord = {
  id: 'ord_1' as OrderId,
  wallet,
  branch: 0,
  index: 0,
  address: 'bcrt1',
  script: Uint8Array.of(0),
  amount: sat(700n),
  tolerance: EXACT,
  thresholds,
  metadata: {},
  createdAt: 0,
  reachedAt: {},
  state: FRESH,
}
const payment: PaymentRecord = {
  id: 'pay_1' as PaymentRecord['id'],
  point: { txid: 'f'.repeat(64) as Txid, vout: 1 },
  wallet,
  branch: 0,
  index: 0,
  address: 'bcrt1',
  script: Uint8Array.of(0),
  amount: sat(700n),
  coinbase: false,
  order: order.id,
  purpose: 'order',
  firstSeenAt: 0,
  late: false,
  booked: { state: 'none' },
  posted: 0,
  spendBooked: false,
}
const line = ({ kind, debit, credit }: Posting) => `${kind}: ${credit} > ${debit}`

/** Books the views one after another; `what` changes the payment first. */
function story(
  views: readonly (readonly [TxView, number, TxView?])[],
  what: Partial<PaymentRecord> = {},
  owner: OrderRecord | undefined = order,
) {
  const postings: Posting[] = []
  let now: PaymentRecord = { ...payment, ...what }
  for (const [view, tip, spenderView] of views) {
    const standing: Standing = { payment: now, view, ...(spenderView ? { spenderView } : {}) }
    const booking = book(standing, owner, thresholds, at(tip))
    postings.push(...booking.postings)
    now = booking.payment
  }
  return { lines: postings.map(line), postings, payment: now }
}
const waiting: TxView = { state: 'mempool' }
const gone: TxView = { state: 'gone', reason: 'evicted' }

describe('book', () => {
  test('seen, then credited to the order', () => {
    expect(
      story([
        [waiting, 10],
        [mined(11), 11],
        [mined(11), 13],
      ]).lines,
    ).toEqual([
      'seen: expected/ord_1 > pending/wal_1',
      'unseen: pending/wal_1 > expected/ord_1',
      'credit: owed/ord_1 > coins/wal_1',
    ])
  })
  test('to the customer, where there is one; nobody and complete orders go to unassigned', () => {
    const deep = [[mined(1), 9]] as const
    expect(story(deep, {}, { ...order, customer: 'ann' }).lines).toEqual([
      'credit: owed/ann > coins/wal_1',
    ])
    const { order: _, ...orderless } = payment
    const nobody = book(
      { payment: { ...orderless, purpose: 'unassigned' }, view: mined(1) },
      undefined,
      thresholds,
      at(9),
    )
    expect(nobody.postings.map(line)).toEqual(['credit: unassigned/wal_1 > coins/wal_1'])
    expect(nobody.postings[0]).not.toHaveProperty('order')
    expect(story(deep, { purpose: 'unassigned' }).lines).toEqual([
      'credit: unassigned/wal_1 > coins/wal_1',
    ])
  })
  test('a credit names its outpoint and the block it rests on (I2)', () => {
    const { postings, payment: booked } = story([[mined(1), 9]])
    expect(postings[0]).toMatchObject({ payment: 'pay_1', block: at(1), order: 'ord_1' })
    expect(postings[0]?.key).toBe(`${'f'.repeat(64)}:1/1`)
    expect(booked.booked).toEqual({ state: 'credited', block: at(1) })
  })
  test('gone before and after the credit', () => {
    expect(
      story([
        [waiting, 9],
        [gone, 9],
      ]).lines.at(-1),
    ).toBe('unseen: pending/wal_1 > expected/ord_1')
    expect(
      story([
        [mined(1), 9],
        [gone, 9],
      ]).lines,
    ).toEqual(['credit: owed/ord_1 > coins/wal_1', 'reversal: coins/wal_1 > owed/ord_1'])
  })
  test('another block at the same depth: the old credit is reversed first', () => {
    expect(
      story([
        [mined(1), 9],
        [mined(1, 'b'), 9],
      ]).lines,
    ).toEqual([
      'credit: owed/ord_1 > coins/wal_1',
      'reversal: coins/wal_1 > owed/ord_1',
      'credit: owed/ord_1 > coins/wal_1',
    ])
  })
  test('spent deep, then the spending is undone, then the payment as well', () => {
    const { lines } = story([
      [mined(1), 9, mined(8)],
      [mined(1), 10, mined(8)],
      [mined(1), 10, waiting],
      [mined(1), 12, mined(10)],
      [gone, 12, gone],
    ])
    expect(lines).toEqual([
      'credit: owed/ord_1 > coins/wal_1',
      'spent: coins/wal_1 > spent/wal_1',
      'unspent: spent/wal_1 > coins/wal_1',
      'spent: coins/wal_1 > spent/wal_1',
      'unspent: spent/wal_1 > coins/wal_1',
      'reversal: coins/wal_1 > owed/ord_1',
    ])
  })
  test("change is nobody's income and nothing to wait for", () => {
    expect(
      story(
        [
          [waiting, 9],
          [mined(10), 12],
          [gone, 12],
        ],
        { purpose: 'change' },
      ).lines,
    ).toEqual(['change: spent/wal_1 > coins/wal_1', 'unchange: coins/wal_1 > spent/wal_1'])
  })
})

describe('book: whatever happens to a payment', () => {
  const views = fc.oneof(
    fc.constant(waiting),
    fc.constant(gone),
    fc
      .tuple(fc.integer({ min: 1, max: 12 }), fc.constantFrom('a', 'b'))
      .map(([h, b]) => mined(h, b)),
  )
  const steps = fc.array(
    fc.record({
      view: views,
      spender: fc.option(views, { nil: undefined }),
      tip: fc.integer({ min: 12, max: 16 }),
    }),
    { maxLength: 20 },
  )
  const payments = fc.record({
    purpose: fc.constantFrom('order' as const, 'unassigned' as const, 'change' as const),
    coinbase: fc.boolean(),
  })
  const balances = (postings: readonly Posting[]) => {
    const net = new Map<string, bigint>()
    for (const { debit, credit, amount } of postings) {
      net.set(debit, (net.get(debit) ?? 0n) + amount)
      net.set(credit, (net.get(credit) ?? 0n) - amount)
    }
    return net
  }

  test('the books always say what the view says, keys are never used twice, booking again books nothing', () => {
    fc.assert(
      fc.property(steps, payments, (list, what) => {
        const all: Posting[] = []
        let now: PaymentRecord = { ...payment, ...what }
        for (const { view, spender, tip } of list) {
          const standing: Standing = {
            payment: now,
            view,
            ...(spender ? { spenderView: spender } : {}),
          }
          const booking = book(standing, order, thresholds, at(tip))
          all.push(...booking.postings)
          now = booking.payment
          const after: Standing = { ...standing, payment: now }
          expect(now.booked).toEqual(bookingOf(after, thresholds, at(tip)))
          expect(book(after, order, thresholds, at(tip)).postings).toEqual([])
          const net = balances(all)
          const credited = now.booked.state === 'credited'
          const spent = credited && spendingIsDeep(after, thresholds, at(tip))
          expect(now.spendBooked).toBe(spent)
          expect(net.get('coins/wal_1') ?? 0n).toBe(credited && !spent ? 700n : 0n)
          expect(net.get('pending/wal_1') ?? 0n).toBe(now.booked.state === 'pending' ? 700n : 0n)
          const owner = { order: 'owed/ord_1', unassigned: 'unassigned/wal_1', change: 'none' }[
            what.purpose
          ]
          expect(-(net.get(owner) ?? 0n)).toBe(credited && what.purpose !== 'change' ? 700n : 0n)
          expect([...net.values()].reduce((sum, value) => sum + value, 0n)).toBe(0n)
        }
        expect(new Set(all.map(({ key }) => key)).size).toBe(all.length)
        expect(now.posted).toBe(all.length)
      }),
    )
  })
})
