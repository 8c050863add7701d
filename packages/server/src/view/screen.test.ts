import { blockHash } from '@kaccy/bitcoin/kernel'
import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { STORY } from '../demo/story.ts'
import { grouped, satText, shortened, THIN } from './amount.ts'
import { clip, widthOf } from './card.ts'
import type { OrderView, PaymentView, Snapshot } from './model.ts'
import { colours, noColours } from './paint.ts'
import { renderScreen, type ScreenState, WIDTH } from './screen.ts'

const MAX = 2_100_000_000_000_000n
const hash = (digit: string) => digit.repeat(64)
const order: OrderView = {
  id: 'ord_0199aabbccdd',
  externalId: 'coffee-17',
  address: 'bcrt1q6rz28mcfaxtmd6v789l9rrlrusdprr9pz3cppk',
  amount: 150_000n,
  status: 'unconfirmed',
  verdict: 'underpaid',
  late: false,
  received: 100_000n,
  credited: 0n,
  missing: 50_000n,
  thresholds: { confirmed: 1, fullConfirmed: 3, finalized: 6 },
}
const payment: PaymentView = {
  txid: hash('a'),
  vout: 0,
  amount: 100_000n,
  place: 'block',
  height: 111,
  depth: 2,
  creditedAt: 3,
  booked: 'pending',
  late: false,
}
const event = {
  seq: 7,
  at: 0,
  type: 'order.payment_seen',
  subject: 'ord_1',
  data: { amount_sat: 100_000, txid: hash('a') },
}
const snapshot: Snapshot = {
  network: 'regtest',
  tip: { height: 112, hash: blockHash(hash('b')) },
  order,
  payments: [payment],
  events: [event],
  openAlerts: 0,
  orders: [],
}
const state: ScreenState = {
  command: 'kaccy demo',
  node: { url: 'http://127.0.0.1:18443' },
  snapshot,
  step: { number: 2, total: 8, id: 'x', title: 'A first payment', text: ['one', 'two'] },
  footer: 'Ctrl-C stops',
}

test('one state is drawn like this', () => {
  expect(renderScreen(state, 40, noColours).map((line) => line.trimEnd())).toMatchInlineSnapshot(`
    [
      " kaccy demo                                       regtest  block 112  …bbbbbbbb",
      "",
      " 2/8  A first payment",
      " one",
      " two",
      "",
      "╭─ order coffee-17 ──────────────────────────────────────────────── underpaid ─╮",
      "│                                                                              │",
      "│  ● ━━━━━━━━━━ ● ┄┄┄┄┄┄┄┄┄┄┄┄┄┄ ○ ┄┄┄┄┄┄┄┄┄┄┄┄ ○ ┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄ ○          │",
      "│  pending      unconfirmed      confirmed      full_confirmed      finalized  │",
      "│               seen             1 deep         3 deep, credit      6 deep     │",
      "│                                                                              │",
      "│  received             100 000 sat      to pay               150 000 sat      │",
      "│  credited                   0 sat      missing               50 000 sat      │",
      "│  pay to    bcrt1q6rz28mcfaxtmd6v789l9rrlrusdprr9pz3cppk                      │",
      "╰──────────────────────────────────────────────────────────────────────────────╯",
      "",
      " payments",
      "   aaaaaaaa…aaaa:0       100 000 sat  block 111      ●●○ 2 of 3     pending",
      "",
      " events",
      "     #7 order.payment_seen       100 000 sat by aaaaaaaa…aaaa",
      "",
      " Ctrl-C stops",
    ]
  `)
})

test('what is reversed, late, overpaid or failed is said in words, not in colours alone', () => {
  const text = (change: Partial<Snapshot>) =>
    renderScreen({ ...state, snapshot: { ...snapshot, ...change } }, 40, noColours).join('\n')
  expect(text({ openAlerts: 2 })).toContain('2 open alerts')
  expect(text({ openAlerts: 1 })).toMatch(/1 open alert\b(?!s)/)
  expect(text({ order: { ...order, late: true, verdict: 'overpaid' } })).toContain('late overpaid')
  expect(text({ order: { ...order, status: 'failed', failureReason: 'expired' } })).toContain(
    'failed: expired',
  )
  const gone = { ...payment, place: 'gone', reason: 'replaced', depth: -1, booked: 'none' } as const
  expect(text({ payments: [gone] })).toMatch(/replaced +not counted/)
  expect(text({ payments: [] })).toContain('none yet')
})

test('no line is wider than the screen, whatever comes', () => {
  const status = fc.constantFrom(
    'pending',
    'unconfirmed',
    'confirmed',
    'full_confirmed',
    'finalized',
    'failed',
  ) as fc.Arbitrary<OrderView['status']>
  const amount = fc.bigInt({ min: 0n, max: MAX })
  const anyOrder = fc.record({
    status,
    late: fc.boolean(),
    received: amount,
    credited: amount,
    missing: amount,
    externalId: fc.string({ maxLength: 255 }),
    address: fc.constantFrom(order.address, `bcrt1p${'q'.repeat(58)}`),
  })
  const anyPayment = fc.record({
    amount,
    place: fc.constantFrom('mempool', 'block', 'gone') as fc.Arbitrary<PaymentView['place']>,
    depth: fc.integer({ min: -1, max: 900_000 }),
    creditedAt: fc.integer({ min: 1, max: 100 }),
    height: fc.integer({ min: 0, max: 9_999_999 }),
    vout: fc.integer({ min: 0, max: 99_999 }),
  })
  fc.assert(
    fc.property(
      anyOrder,
      fc.array(anyPayment, { maxLength: 8 }),
      fc.string({ maxLength: 200 }),
      fc.integer({ min: 5, max: 60 }),
      (someOrder, payments, message, rows) => {
        const made: Snapshot = {
          ...snapshot,
          order: { ...order, ...someOrder },
          payments: payments.map((some) => ({ ...payment, ...some })),
          events: [{ ...event, type: 'alert.raised', data: { severity: 'info', message } }],
        }
        const plain = renderScreen({ ...state, snapshot: made }, rows, noColours)
        expect(plain.filter((line) => line.length > WIDTH)).toEqual([])
        expect(plain.filter((line) => /\p{Cc}/u.test(line))).toEqual([])
        const coloured = renderScreen({ ...state, snapshot: made }, rows, colours)
        expect(coloured.map(widthOf)).toEqual(plain.map((line) => line.length))
      },
    ),
    { numRuns: 200 },
  )
})

test('orders without a focus are a list', () => {
  const { order: _, ...rest } = snapshot
  const list = { ...state, snapshot: { ...rest, orders: [order] } }
  expect(renderScreen(list, 40, noColours).join('\n')).toMatch(
    /coffee-17 +150.000 sat +unconfirmed/,
  )
})

test('the words of the story fit the screen', () => {
  const long = STORY.flatMap(({ title, text }) => [title, ...text]).filter(
    (line) => line.length > WIDTH - 1,
  )
  expect(long).toEqual([])
  expect(STORY.every(({ text }) => text.length === 2)).toBe(true)
})

test('amounts are grouped, never rounded', () => {
  expect(satText(150_000n)).toBe(`150${THIN}000 sat`)
  expect(grouped(MAX).replaceAll(THIN, '')).toBe(String(MAX))
  fc.assert(
    fc.property(fc.bigInt({ min: 0n, max: MAX }), (value) => {
      expect(BigInt(grouped(value).replaceAll(THIN, ''))).toBe(value)
      expect(grouped(value)).toMatch(/^\d{1,3}(\u202f\d{3})*$/)
    }),
  )
  expect(shortened(hash('a'), 8, 4)).toBe('aaaaaaaa…aaaa')
  expect(shortened('short', 8, 4)).toBe('short')
})

test('clipping keeps colours whole', () => {
  const text = colours('bad', 'x'.repeat(30))
  expect(widthOf(clip(text, 10))).toBe(10)
  expect(clip(text, 10)).toContain('\u001b[39m')
  expect(clip('short', 10)).toBe('short')
})
