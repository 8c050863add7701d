import { expect, test } from 'vitest'
import { MAX_SAT, sat, type WalletId } from '../../kernel/index.ts'
import { checkInput, DEFAULT_EXPIRY_MS, type OrderInput } from './order-input.ts'

const DUST = sat(294n)
const wallet = 'wal_1' as WalletId
const check = (input: Partial<OrderInput>) =>
  checkInput({ wallet, amount: sat(100_000n), ...input }, DUST)
const MINUTE = 60_000

test('defaults: an hour to pay, exact, levels 1, 3 and 6; an open address never ends', () => {
  expect(check({})).toMatchObject({
    ok: true,
    value: {
      expiresInMs: DEFAULT_EXPIRY_MS,
      tolerance: { kind: 'absolute', sat: 0n },
      thresholds: { confirmed: 1, fullConfirmed: 3, finalized: 6 },
      metadata: {},
    },
  })
  const open = checkInput({ wallet }, DUST)
  expect(open.ok && open.value.expiresInMs).toBeUndefined()
})

test.each<[string, Partial<OrderInput>]>([
  ['the least amount', { amount: DUST }],
  ['all bitcoin', { amount: sat(MAX_SAT) }],
  ['one minute', { expiresInMs: MINUTE }],
  ['a tolerance just below the amount', { tolerance: { kind: 'absolute', sat: sat(99_999n) } }],
  ['the largest share', { tolerance: { kind: 'relative', ppm: 999_999 } }],
  ['names of 255 characters', { externalId: 'é'.repeat(255), customer: 'c'.repeat(255) }],
  ['the longest description', { description: 'd'.repeat(1000) }],
  [
    'fifty pairs',
    { metadata: Object.fromEntries(Array.from({ length: 50 }, (_, i) => [`${i}`, 'v'])) },
  ],
  ['the longest pair', { metadata: { ['k'.repeat(40)]: 'v'.repeat(500) } }],
])('takes %s', (_, input) => {
  expect(check(input).ok).toBe(true)
})

test.each<[string, Partial<OrderInput>, string, string]>([
  ['dust', { amount: sat(293n) }, 'ORDER_AMOUNT_DUST', 'amount_sat'],
  ['nothing', { amount: sat(0n) }, 'ORDER_AMOUNT_DUST', 'amount_sat'],
  ['an empty external id', { externalId: '' }, 'ORDER_EXTERNAL_ID_INVALID', 'external_id'],
  ['a line feed', { externalId: 'a\nb' }, 'ORDER_EXTERNAL_ID_INVALID', 'external_id'],
  ['256 characters', { externalId: 'x'.repeat(256) }, 'ORDER_EXTERNAL_ID_INVALID', 'external_id'],
  ['hidden characters', { customer: 'a\u202eb' }, 'ORDER_CUSTOMER_INVALID', 'customer'],
  ['an account path', { customer: 'a/b' }, 'ORDER_CUSTOMER_INVALID', 'customer'],
  ['the name of an order', { customer: 'ord_1' }, 'ORDER_CUSTOMER_INVALID', 'customer'],
  ['NUL in a description', { description: 'a\u0000b' }, 'ORDER_METADATA_INVALID', 'description'],
  ['an escape in metadata', { metadata: { k: '\u001b[2J' } }, 'ORDER_METADATA_INVALID', 'metadata'],
  ['half a character', { metadata: { k: '\ud800' } }, 'ORDER_METADATA_INVALID', 'metadata'],
  ['a number', { amount: JSON.parse('100000') }, 'AMOUNT_INVALID', 'amount_sat'],
  [
    'a negative tolerance',
    { tolerance: { kind: 'absolute', sat: JSON.parse('-1') } },
    'ORDER_TOLERANCE_INVALID',
    'tolerance',
  ],
  [
    'a tolerance of everything',
    { tolerance: { kind: 'absolute', sat: sat(100_000n) } },
    'ORDER_TOLERANCE_INVALID',
    'tolerance',
  ],
  [
    'a million ppm',
    { tolerance: { kind: 'relative', ppm: 1_000_000 } },
    'ORDER_TOLERANCE_INVALID',
    'tolerance',
  ],
  [
    'a fraction of ppm',
    { tolerance: { kind: 'relative', ppm: 0.5 } },
    'ORDER_TOLERANCE_INVALID',
    'tolerance',
  ],
  ['less than a minute', { expiresInMs: MINUTE - 1 }, 'ORDER_EXPIRY_INVALID', 'expires_in'],
  ['for ever', { expiresInMs: Number.MAX_SAFE_INTEGER }, 'ORDER_EXPIRY_INVALID', 'expires_in'],
  ['no number', { expiresInMs: Number.NaN }, 'ORDER_EXPIRY_INVALID', 'expires_in'],
  [
    'a long description',
    { description: 'd'.repeat(1001) },
    'ORDER_METADATA_INVALID',
    'description',
  ],
  ['a long key', { metadata: { ['k'.repeat(41)]: 'v' } }, 'ORDER_METADATA_INVALID', 'metadata'],
  ['an empty key', { metadata: { '': 'v' } }, 'ORDER_METADATA_INVALID', 'metadata'],
  [
    'levels that fall',
    { thresholds: { confirmed: 4, fullConfirmed: 3 } },
    'ORDER_THRESHOLDS_INVALID',
    'confirmations',
  ],
])('refuses %s', (_, input, code, param) => {
  expect(check(input)).toMatchObject({ ok: false, error: { code, param } })
})

test('an open address has nothing to tolerate', () => {
  const tolerance = { kind: 'absolute', sat: sat(1n) } as const
  expect(checkInput({ wallet, tolerance }, DUST)).toMatchObject({
    ok: false,
    error: { code: 'ORDER_TOLERANCE_INVALID' },
  })
})
