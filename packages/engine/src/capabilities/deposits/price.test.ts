import fc from 'fast-check'
import { expect, test } from 'vitest'
import { fixedRates } from './fixed-rates.ts'
import type { Rate } from './ports.ts'
import { checkPrice, priceNow, samePrice, satoshisFor } from './price.ts'

const NOW = 1_780_000_000_000
const MINUTE = 60_000
const EUR = { currency: 'EUR', amount: '19.90' }

/** Digits with a point somewhere, and what they mean: value * 10^scale. */
const decimal = fc
  .tuple(fc.bigInt({ min: 1n, max: 10n ** 18n - 1n }), fc.nat({ max: 18 }))
  .map(([units, places]) => {
    const digits = units.toString().padStart(places + 1, '0')
    const whole = digits.slice(0, digits.length - places)
    const text = places === 0 ? whole : `${whole}.${digits.slice(digits.length - places)}`
    return { text, units, scale: 10n ** BigInt(places) }
  })

test('the satoshi of a price never come to less than it, and to less than one satoshi more', () => {
  fc.assert(
    fc.property(decimal, decimal, (amount, rate) => {
      const satoshi = satoshisFor(amount.text, rate.text)
      if (satoshi === undefined) throw new RangeError('not read')
      // Both sides of `satoshi * rate / 10^8 >= amount`, over one denominator.
      const worth = (some: bigint) => some * rate.units * amount.scale
      const price = amount.units * rate.scale * 100_000_000n
      expect(worth(satoshi) >= price).toBe(true)
      expect(worth(satoshi - 1n) < price).toBe(true)
    }),
    { numRuns: 2000 },
  )
})

test.each([
  ['19.90', '57000.00', 34_913n],
  ['57000', '57000.00', 100_000_000n],
  ['0.01', '57000', 18n],
  ['0.000000000000000001', '999999999999999999', 1n],
  ['1', '3', 33_333_334n],
])('%s at %s are %s sat', (amount, rate, satoshi) => {
  expect(satoshisFor(amount, rate)).toBe(satoshi)
})

test.each([
  '',
  '0',
  '0.00',
  '-1',
  '+1',
  '1e3',
  '1.',
  '.5',
  '01',
  ' 1',
  '1 ',
  '1,5',
  '٣',
  '0x10',
  'NaN',
  'Infinity',
  '1_000',
  '1234567890123456789',
  '1.0000000000000000001',
  '1\n',
])('%j is no amount and no rate', (text) => {
  expect(checkPrice({ currency: 'EUR', amount: text }, undefined)?.code).toBe('ORDER_PRICE_INVALID')
  expect(satoshisFor(text, '1')).toBe(undefined)
  expect(satoshisFor('1', text)).toBe(undefined)
  expect(() => fixedRates({ EUR: text })).toThrow('EUR')
})

test.each(['', 'eur', 'EU', 'E-R', '€€€', 'EUREUREUREU', '1EU', 'EUR\n'])(
  '%j is no currency',
  (currency) => {
    expect(checkPrice({ currency, amount: '1' }, undefined)).toMatchObject({
      code: 'ORDER_PRICE_INVALID',
      param: 'price',
    })
    expect(() => fixedRates({ [currency]: '1' })).toThrow('not a currency')
  },
)

test('values that are no texts are refused, not coerced', () => {
  const odd = { currency: 'EUR', amount: 19.9 } as never
  expect(checkPrice(odd, undefined)?.code).toBe('ORDER_PRICE_INVALID')
  expect(checkPrice({ currency: ['EUR'], amount: '1' } as never, undefined)?.code).toBe(
    'ORDER_PRICE_INVALID',
  )
  expect(checkPrice(EUR, 5n)).toMatchObject({ code: 'ORDER_AMOUNT_CONFLICT', param: 'price' })
})

test('a price is compared by its value', () => {
  expect(samePrice(EUR, { currency: 'EUR', amount: '19.9' })).toBe(true)
  expect(samePrice(EUR, { currency: 'EUR', amount: '19.91' })).toBe(false)
  expect(samePrice(EUR, { currency: 'USD', amount: '19.90' })).toBe(false)
  expect(samePrice(EUR, undefined)).toBe(false)
  expect(samePrice(undefined, undefined)).toBe(true)
})

const priced = (answer: () => Promise<Rate | undefined>) =>
  priceNow(
    {
      clock: { now: () => NOW },
      rates: { name: 'desk', rate: answer },
      maxAgeMs: 5 * MINUTE,
    },
    EUR,
  )

test('what is kept says what, at which rate, by whom and when', async () => {
  expect(await priced(async () => ({ rate: '57000.00', at: NOW - MINUTE }))).toEqual({
    ok: true,
    value: {
      sat: 34_913n,
      price: { ...EUR, rate: '57000.00', source: 'desk', at: NOW - MINUTE },
    },
  })
  expect(await priced(async () => ({ rate: '57000.00' }))).toMatchObject({
    value: { price: { at: NOW } },
  })
})

test.each<readonly [string, Rate | undefined]>([
  ['no rate', undefined],
  ['one that has run out', { rate: '57000', validUntil: NOW - 1 }],
  ['one that is too old', { rate: '57000', at: NOW - 5 * MINUTE - 1 }],
  ['one from the future', { rate: '57000', at: NOW + MINUTE + 1 }],
  ['one without a time', { rate: '57000', at: Number.NaN }],
  ['zero', { rate: '0' }],
  ['text', { rate: 'much' }],
])('%s is not used', async (_, rate) => {
  expect(await priced(async () => rate)).toMatchObject({
    ok: false,
    error: { code: 'RATE_UNAVAILABLE', details: { currency: 'EUR', source: 'desk' } },
  })
})

test('the last moments of a rate still count', async () => {
  const edge = { rate: '57000', at: NOW - 5 * MINUTE, validUntil: NOW }
  expect(await priced(async () => edge)).toMatchObject({ ok: true })
})

test('a source that throws has no rate, and no source has none', async () => {
  const broken = priced(async () => {
    throw new TypeError('the desk is closed')
  })
  expect(await broken).toMatchObject({ error: { code: 'RATE_UNAVAILABLE' } })
  const nobody = { clock: { now: () => NOW }, rates: undefined, maxAgeMs: 1 }
  expect(await priceNow(nobody, EUR)).toMatchObject({ error: { code: 'RATE_UNAVAILABLE' } })
})

test('a price above all the money there is, is refused', async () => {
  expect(await priced(async () => ({ rate: '0.000000000001' }))).toMatchObject({
    error: { code: 'ORDER_PRICE_INVALID' },
  })
})

test('fixed rates answer for what they have', async () => {
  const rates = fixedRates({ EUR: '57000.00' })
  expect(await rates.rate('EUR')).toEqual({ rate: '57000.00' })
  expect(await rates.rate('USD')).toBe(undefined)
  expect(await rates.rate('constructor')).toBe(undefined)
  expect(rates.name).toBe('fixed')
})
