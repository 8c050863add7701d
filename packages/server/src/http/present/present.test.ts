import type { OrderRecord, PaymentRecord, WalletTransaction } from '@kaccy/bitcoin/deposits'
import type { EngineEvent } from '@kaccy/bitcoin/events'
import {
  AssertionError,
  blockHash,
  type OrderId,
  paymentId,
  sat,
  satPerKvB,
  txid,
  type WalletId,
} from '@kaccy/bitcoin/kernel'
import { expect, test } from 'vitest'
import { satoshi, time } from './basics.ts'
import { eventJson } from './events.ts'
import { orderJson, paymentUriOf } from './orders.ts'
import { paymentJson, standingOf } from './payments.ts'
import { transactionJson } from './wallets.ts'

const AT = Date.parse('2026-06-01T12:00:00.000Z')
const WALLET = 'wal_1' as WalletId
const TXID = txid('ab'.repeat(32))
const OTHER = txid('cd'.repeat(32))
const BLOCK = { height: 7, hash: blockHash('0f'.repeat(32)) }

const order: OrderRecord = {
  id: 'ord_1' as OrderId,
  wallet: WALLET,
  branch: 0,
  index: 4,
  address: 'bcrt1qexample',
  script: Uint8Array.of(0),
  amount: sat(150_000n),
  tolerance: { kind: 'relative', ppm: 500 },
  thresholds: { confirmed: 1, fullConfirmed: 3, finalized: 6 },
  metadata: { colour: 'red' },
  createdAt: AT,
  reachedAt: {},
  state: {
    status: 'unconfirmed',
    verdict: 'underpaid',
    late: false,
    received: sat(100_000n),
    confirmed: sat(0n),
    credited: sat(0n),
  },
}

const payment: PaymentRecord = {
  id: paymentId({ txid: TXID, vout: 2 }),
  point: { txid: TXID, vout: 2 },
  wallet: WALLET,
  branch: 0,
  index: 4,
  address: 'bcrt1qexample',
  script: Uint8Array.of(0),
  amount: sat(100_000n),
  coinbase: false,
  order: order.id,
  purpose: 'order',
  firstSeenAt: AT,
  late: false,
  booked: { state: 'pending' },
  posted: 0,
  spendBooked: false,
}

test('what an order does not have is null, and nothing of its inside comes out', () => {
  const json = orderJson(order)
  expect(json).toMatchObject({
    amount_sat: 150_000,
    missing_sat: 50_000,
    tolerance: { ppm: 500 },
    pay_url: null,
    price: null,
    expires_at: null,
    settled: null,
    created_at: '2026-06-01T12:00:00.000Z',
  })
  expect(Object.keys(json)).not.toContain('script')
  expect(Object.values(json)).not.toContain(undefined)
  expect(orderJson(order, 'https://pay.example/shop/').pay_url).toBe(
    'https://pay.example/shop/pay/ord_1',
  )
})

test('the link has amount and message, or the address alone', () => {
  expect(paymentUriOf({ ...order, description: 'a & b' })).toBe(
    'bitcoin:bcrt1qexample?amount=0.0015&message=a%20%26%20b',
  )
  const { amount: _, ...open } = order
  expect(paymentUriOf(open)).toBe('bitcoin:bcrt1qexample')
})

test('a payment stands in the mempool, in a block, credited, or is gone', () => {
  const shown = (view: Parameters<typeof standingOf>[1], depth: number, more = {}) => {
    const json = paymentJson(standingOf({ ...payment, ...more }, view, depth))
    return [json.status, json.confirmations, json.block, json.gone, json.booked]
  }
  expect(shown({ state: 'mempool' }, 0)).toEqual(['mempool', 0, null, null, 'pending'])
  const mined = { state: 'mined', block: BLOCK } as const
  expect(shown(mined, 2)).toEqual(['mined', 2, BLOCK, null, 'pending'])
  const credited = { booked: { state: 'credited', block: BLOCK } }
  expect(shown(mined, 3, credited)).toEqual(['credited', 3, BLOCK, null, 'credited'])
  const gone = { state: 'gone', reason: 'replaced', by: OTHER } as const
  expect(shown(gone, -1)).toEqual(['gone', 0, null, { reason: 'replaced', by: OTHER }, 'pending'])
})

test('a transaction that takes money away has a net below zero', () => {
  const seen: WalletTransaction = {
    transaction: {
      txid: OTHER,
      coinbase: false,
      inputs: [payment.point],
      vsize: 141,
      feeRate: satPerKvB(1_500n),
      firstSeenAt: AT,
      view: { state: 'mempool' },
    },
    confirmations: 0,
    payments: [],
    spent: [payment],
    received: sat(0n),
    sent: sat(100_000n),
    net: -100_000n,
  }
  expect(transactionJson(seen)).toMatchObject({
    net_sat: -100_000,
    spent: [payment.id],
    fee_rate_sat_kvb: 1_500,
    block: null,
  })
})

test('an event names its request where it has one', () => {
  const event: EngineEvent = {
    seq: 3,
    id: 'evt_3',
    type: 'order.created',
    at: AT,
    subject: 'ord_1',
    data: {},
  }
  expect(eventJson(event)).not.toHaveProperty('request_id')
  const caused = { ...event, origin: { requestId: 'req_1', traceparent: 'x' } }
  expect(eventJson(caused)).toMatchObject({ request_id: 'req_1', at: time(AT) })
  expect(JSON.stringify(eventJson(caused))).not.toContain('traceparent')
})

test('satoshi are exact or nothing', () => {
  expect(satoshi(2_100_000_000_000_000n)).toBe(2_100_000_000_000_000)
  expect(() => satoshi(2n ** 53n)).toThrow(AssertionError)
})
