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
import {
  bookingOf,
  creditDepth,
  depthOf,
  deriveOrder,
  dueHeightOf,
  FRESH,
  isClosed,
  levelOf,
  levelsBetween,
  missingOf,
  type Standing,
} from './machine.ts'
import { COINBASE_MATURITY, EXACT, leastOf } from './policy.ts'
import type { OrderRecord, OrderStatus, PaymentRecord, TxView } from './ports.ts'

const at = (height: number): BlockRef => ({ height, hash: `block ${height}` as BlockHash })
const mined = (height: number): TxView => ({ state: 'mined', block: at(height) })
const waiting: TxView = { state: 'mempool' }
const gone: TxView = { state: 'gone', reason: 'evicted' }
const wallet = 'wal_1' as WalletId
const LEVELS: readonly OrderStatus[] = [
  'pending',
  'unconfirmed',
  'confirmed',
  'full_confirmed',
  'finalized',
]

const orderOf = (change: Partial<OrderRecord> = {}): OrderRecord => ({
  id: 'ord_1' as OrderId,
  wallet,
  branch: 0,
  index: 0,
  address: 'bcrt1',
  script: Uint8Array.of(0),
  amount: sat(100n),
  tolerance: EXACT,
  thresholds: { confirmed: 1, fullConfirmed: 3, finalized: 6 },
  metadata: {},
  createdAt: 0,
  reachedAt: {},
  state: FRESH,
  ...change,
})
/** An open deposit address: an order without an amount. */
function openOrder(change: Partial<OrderRecord> = {}): OrderRecord {
  const { amount: _, ...open } = orderOf(change)
  return open
}
let made = 0
function standing(
  amount: number,
  view: TxView,
  change: Partial<PaymentRecord> = {},
  spenderView?: TxView,
): Standing {
  made += 1
  const payment: PaymentRecord = {
    id: `pay_${made}` as PaymentRecord['id'],
    point: { txid: `${made}` as Txid, vout: 0 },
    wallet,
    branch: 0,
    index: 0,
    address: 'bcrt1',
    script: Uint8Array.of(0),
    amount: sat(BigInt(amount)),
    coinbase: false,
    order: 'ord_1' as OrderId,
    purpose: 'order',
    firstSeenAt: 0,
    late: false,
    booked: { state: 'none' },
    posted: 0,
    spendBooked: false,
    ...change,
  }
  return { payment, view, ...(spenderView ? { spenderView } : {}) }
}

describe('deriveOrder: named stories at tip 110', () => {
  const tip = at(110)
  const part = standing(60, mined(105))
  test.each<[string, Partial<OrderRecord>, Standing[], string]>([
    ['nothing came', {}, [], 'pending none'],
    ['in the mempool', {}, [standing(100, waiting)], 'unconfirmed exact'],
    ['one block', {}, [standing(100, mined(110))], 'confirmed exact'],
    ['three', {}, [standing(100, mined(108))], 'full_confirmed exact'],
    ['six', {}, [standing(100, mined(105))], 'finalized exact'],
    ['it vanished', {}, [standing(100, gone)], 'pending none'],
    ['a part of it, deep', {}, [part], 'finalized underpaid'],
    ['the rest in the mempool', {}, [part, standing(40, waiting)], 'unconfirmed exact'],
    ['the rest has two blocks', {}, [part, standing(40, mined(109))], 'confirmed exact'],
    [
      'more than needed, the last not needed',
      {},
      [standing(100, mined(105)), standing(9, waiting)],
      'finalized overpaid',
    ],
    ['cancelled, nothing came', { cancelledAt: 1 }, [], 'failed(cancelled) none'],
    [
      'cancelled, money came',
      { cancelledAt: 1 },
      [standing(100, mined(105), { late: true })],
      'failed(cancelled) exact late',
    ],
    ['expired, nothing came', { expiredAt: 1 }, [], 'failed(expired) none'],
    [
      'expired, all came late',
      { expiredAt: 1 },
      [standing(100, mined(105), { late: true })],
      'failed(expired) exact late',
    ],
    [
      'expired, part came in time',
      { expiredAt: 1 },
      [standing(60, mined(109))],
      'confirmed underpaid',
    ],
    [
      'expired, the rest came late',
      { expiredAt: 1 },
      [part, standing(40, mined(110), { late: true })],
      'confirmed exact late',
    ],
    [
      'late, and not expired yet',
      {},
      [standing(100, waiting, { late: true })],
      'pending exact late',
    ],
    [
      'settled, nothing came',
      { settled: { at: 1, by: 'ann', reason: 'cash' } },
      [],
      'finalized none',
    ],
    [
      'settled after cancelling',
      { cancelledAt: 1, settled: { at: 2, by: 'ann', reason: 'cash' } },
      [],
      'finalized none',
    ],
    [
      'unassigned money counts for nobody',
      {},
      [standing(100, mined(105), { purpose: 'unassigned' })],
      'pending none',
    ],
    [
      'an immature coinbase is not deep',
      {},
      [standing(100, mined(105), { coinbase: true })],
      'confirmed exact',
    ],
    ['a mature one is', {}, [standing(100, mined(11), { coinbase: true })], 'finalized exact'],
    [
      'one block before maturity',
      {},
      [standing(100, mined(12), { coinbase: true })],
      'confirmed exact',
    ],
  ])('%s', (_, change, standings, expected) => {
    const { status, failureReason, verdict, late } = deriveOrder(orderOf(change), standings, tip)
    const reason = failureReason === undefined ? '' : `(${failureReason})`
    expect(`${status}${reason} ${verdict}${late ? ' late' : ''}`).toBe(expected)
  })

  test('the sums: received, confirmed, credited', () => {
    const credited = { booked: { state: 'credited', block: at(105) } } as const
    const state = deriveOrder(
      orderOf(),
      [
        standing(10, waiting),
        standing(20, mined(110)),
        standing(40, mined(105), credited),
        standing(80, gone),
        standing(160, mined(105), { ...credited, purpose: 'unassigned' }),
      ],
      tip,
    )
    expect(state).toMatchObject({ received: 70n, confirmed: 60n, credited: 40n })
  })

  test('an open address: the newest payment in time decides, any amount is exact', () => {
    const old = standing(5, mined(50))
    expect(deriveOrder(openOrder(), [old], tip)).toMatchObject({
      status: 'finalized',
      verdict: 'exact',
    })
    expect(deriveOrder(openOrder(), [old, standing(7, waiting)], tip).status).toBe('unconfirmed')
    expect(isClosed(openOrder({ state: { ...FRESH, status: 'finalized' } }))).toBe(false)
    expect(isClosed(orderOf({ state: { ...FRESH, status: 'finalized' } }))).toBe(true)
  })

  test('an open address with more payments than a call has room for', () => {
    const many = Array.from({ length: 200_000 }, () => standing(1, mined(100)))
    expect(deriveOrder(openOrder(), many, tip)).toMatchObject({
      received: 200_000n,
      status: 'finalized',
    })
  })

  test('what is missing', () => {
    const received = (value: bigint) => ({ state: { ...FRESH, received: sat(value) } })
    expect(missingOf(orderOf(received(30n)))).toBe(70n)
    expect(missingOf(orderOf(received(100n)))).toBe(0n)
    expect(
      missingOf(orderOf({ ...received(95n), tolerance: { kind: 'absolute', sat: sat(5n) } })),
    ).toBe(0n)
    expect(missingOf(openOrder())).toBe(0n)
  })
})

describe('deriveOrder: whatever the facts are', () => {
  const tip = at(200)
  const views = fc.oneof(
    fc.constant(waiting),
    fc.constant(gone),
    fc.integer({ min: 1, max: 200 }).map(mined),
  )
  const standings = fc.array(
    fc
      .record({
        amount: fc.integer({ min: 0, max: 120 }),
        view: views,
        late: fc.boolean(),
        coinbase: fc.boolean(),
      })
      .map(({ amount, view, ...rest }) => standing(amount, view, rest)),
    { maxLength: 8 },
  )
  const orders = fc
    .record({
      expired: fc.boolean(),
      cancelled: fc.boolean(),
      settled: fc.boolean(),
      open: fc.boolean(),
    })
    .map(({ expired, cancelled, settled, open }) =>
      (open ? openOrder : orderOf)({
        ...(expired ? { expiredAt: 1 } : {}),
        ...(cancelled ? { cancelledAt: 1 } : {}),
        ...(settled ? { settled: { at: 1, by: 'ann', reason: 'cash' } } : {}),
      }),
    )

  test('there is always exactly one answer, and it does not depend on the order of the payments', () => {
    fc.assert(
      fc.property(orders, standings, (order, list) => {
        const state = deriveOrder(order, list, tip)
        expect([...LEVELS, 'failed']).toContain(state.status)
        expect(state.status === 'failed').toBe(state.failureReason !== undefined)
        expect(state.confirmed).toBeLessThanOrEqual(state.received)
        expect(deriveOrder(order, [...list].reverse(), tip)).toEqual(state)
        if (order.settled) expect(state.status).toBe('finalized')
      }),
    )
  })

  test('another block on top never takes a level away', () => {
    fc.assert(
      fc.property(orders, standings, (order, list) => {
        const before = deriveOrder(order, list, tip)
        const after = deriveOrder(order, list, at(201))
        expect(levelOf(after.status)).toBeGreaterThanOrEqual(levelOf(before.status))
        expect(after).toMatchObject({
          verdict: before.verdict,
          received: before.received,
          late: before.late,
        })
      }),
    )
  })

  test('no level above pending without a payment in time, none above its depth', () => {
    fc.assert(
      fc.property(standings, (list) => {
        const order = orderOf()
        const { status } = deriveOrder(order, list, tip)
        const deepest = Math.max(-1, ...list.map(({ view }) => depthOf(view, tip)))
        const inTime = list.some(({ payment, view }) => !payment.late && view.state !== 'gone')
        expect(levelOf(status) > 0).toBe(inTime)
        if (status === 'finalized')
          expect(deepest).toBeGreaterThanOrEqual(order.thresholds.finalized)
        const covering = list.filter(
          ({ view }) => depthOf(view, tip) >= order.thresholds.fullConfirmed,
        )
        const covered = covering.reduce((sum, { payment }) => sum + payment.amount, 0n)
        const paid = list
          .filter(({ view }) => view.state !== 'gone')
          .reduce((sum, { payment }) => sum + payment.amount, 0n)
        // Whoever has paid enough is told so only when enough of it is deep.
        if (paid >= leastOf(order.amount, order.tolerance) && levelOf(status) >= 3)
          expect(covered).toBeGreaterThanOrEqual(100n)
      }),
    )
  })
})

describe('depth, credit and what is due', () => {
  const thresholds = { confirmed: 1, fullConfirmed: 3, finalized: 6 }

  test('depth counts the block itself', () => {
    expect(depthOf(mined(110), at(110))).toBe(1)
    expect(depthOf(mined(105), at(110))).toBe(6)
    expect(depthOf(waiting, at(110))).toBe(0)
    expect(depthOf(gone, at(110))).toBe(-1)
  })

  test.each<[string, TxView, Partial<PaymentRecord>, string]>([
    ['in the mempool', waiting, {}, 'pending'],
    ['two blocks', mined(109), {}, 'pending'],
    ['three blocks', mined(108), {}, 'credited'],
    ['a coinbase at 99', mined(12), { coinbase: true }, 'pending'],
    ['a coinbase at 100', mined(11), { coinbase: true }, 'credited'],
    ['change in the mempool is no income to wait for', waiting, { purpose: 'change' }, 'none'],
    ['change deep', mined(108), { purpose: 'change' }, 'credited'],
  ])('%s', (_, view, change, expected) => {
    expect(bookingOf(standing(5, view, change), thresholds, at(110)).state).toBe(expected)
  })

  test('a coinbase waits for whichever is later: maturity or the level', () => {
    expect(creditDepth(thresholds, true)).toBe(COINBASE_MATURITY)
    expect(creditDepth({ ...thresholds, fullConfirmed: 144 }, true)).toBe(144)
    expect(creditDepth(thresholds, false)).toBe(3)
  })

  test('nothing changes by depth alone before the height that is due', () => {
    const levels = fc
      .tuple(fc.integer({ min: 1, max: 8 }), fc.nat(8), fc.nat(120))
      .map(([a, b, c]) => ({ confirmed: a, fullConfirmed: a + b, finalized: a + b + c }))
    const spends = fc.option(fc.integer({ min: 50, max: 100 }).map(mined), { nil: undefined })
    fc.assert(
      fc.property(
        levels,
        fc.boolean(),
        fc.integer({ min: 1, max: 100 }),
        spends,
        (level, coinbase, height, spent) => {
          const order = orderOf({ thresholds: level })
          const one = standing(100, mined(height), { coinbase }, spent)
          const look = (tip: BlockRef) => ({
            status: deriveOrder(order, [one], tip).status,
            booked: bookingOf(one, level, tip).state,
            deep: spent !== undefined && depthOf(spent, tip) >= level.fullConfirmed,
          })
          let now = look(at(100))
          let due = dueHeightOf(one, level, at(100))
          for (let tip = 101; tip < 340; tip++) {
            const next = look(at(tip))
            if (due === undefined || tip < due) expect(next).toEqual(now)
            else due = dueHeightOf(one, level, at(tip))
            now = next
          }
          expect(due).toBeUndefined()
          expect(now).toMatchObject({ status: 'finalized', booked: 'credited' })
        },
      ),
      { numRuns: 60 },
    )
  })
})

describe('levelsBetween', () => {
  test.each<[OrderStatus, OrderStatus, string]>([
    ['pending', 'unconfirmed', 'unconfirmed'],
    ['pending', 'finalized', 'unconfirmed confirmed full_confirmed finalized'],
    ['confirmed', 'confirmed', ''],
    ['full_confirmed', 'confirmed', ''],
    ['finalized', 'pending', ''],
    ['failed', 'confirmed', 'unconfirmed confirmed'],
    ['confirmed', 'failed', ''],
  ])('%s to %s', (from, to, expected) => {
    expect(levelsBetween(from, to).join(' ')).toBe(expected)
  })

  test('any way up passes each level once, whatever stops it made', () => {
    fc.assert(
      fc.property(fc.array(fc.constantFrom(...LEVELS), { minLength: 1, maxLength: 6 }), (stops) => {
        const up = [...stops].sort((a, b) => levelOf(a) - levelOf(b))
        const steps = up.flatMap((to, i) =>
          levelsBetween(i === 0 ? 'pending' : (up[i - 1] ?? 'pending'), to),
        )
        expect(steps).toEqual(levelsBetween('pending', up.at(-1) ?? 'pending'))
      }),
    )
  })
})
