import { readFileSync } from 'node:fs'
import { sat, ZERO } from '@kaccy/bitcoin/kernel'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { noticesOf } from './notices.ts'
import { type PageOptions, renderMissing, renderPay } from './page.ts'
import type { Phase } from './phase.ts'
import { qrSide, qrSvg, qrText } from './qr.ts'
import { type PayPayment, type PayView, payJson, revisionOf } from './view.ts'
import { LANGUAGES } from './words.ts'

const vectors = process.env['KACCY_SHARED'] ?? '../shared'
const HOSTILE: readonly string[] = JSON.parse(
  readFileSync(`${vectors}/vectors/hostile/labels.json`, 'utf8'),
).cases.map((one: { readonly text: string }) => one.text)

const ADDRESS = 'bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4'
const VIEW: PayView = {
  id: `ord_${'0'.repeat(32)}`,
  network: 'main',
  address: ADDRESS,
  amount: sat(150_000n),
  phase: 'waiting',
  status: 'pending',
  verdict: 'none',
  late: false,
  received: ZERO,
  missing: sat(150_000n),
  excess: ZERO,
  confirmations: 0,
  required: 3,
  payments: [],
  earlier: 0,
  payable: true,
  uri: `bitcoin:${ADDRESS}?amount=0.0015`,
  expiresAt: 3_600_000,
  createdAt: 0,
  now: 0,
  final: false,
}
const PAYMENT: PayPayment = {
  txid: 'ab'.repeat(32),
  amount: sat(150_000n),
  place: 'mempool',
  confirmations: 0,
  late: false,
  extra: false,
}
const OPTIONS: PageOptions = {
  language: 'en',
  assets: { style: 'pay.a.css', script: 'pay.a.js', icon: 'icon.a.svg' },
}
const PHASES: readonly Phase[] = [
  'waiting',
  'underpaid',
  'seen',
  'confirming',
  'paid',
  'expired',
  'expired_underpaid',
  'late',
  'cancelled',
]
const isSafe = (page: string): void => {
  // The only scripts and images are ours, nothing is inline, every attribute is quoted.
  expect(page.match(/<script/g)).toHaveLength(1)
  expect(page).toContain('<script type="module" src="assets/pay.a.js"></script>')
  // Within quotes nothing of HTML is left, so a tag ends at its first bracket.
  for (const tag of page.match(/<[a-z][^>]*>/g) ?? []) {
    const names = tag.replace(/="[^"]*"/g, '')
    expect(names).toMatch(/^<[a-z0-9]+( [a-z-]+)*\/?>$/i)
    expect(names).not.toMatch(/ (on[a-z]+|style)\b|^<(style|iframe|form|base|object)/)
    expect(tag).not.toMatch(/^<a [^>]*href="(?!"|bitcoin:)/)
  }
  expect(page).not.toMatch(/(?![\t\n])\p{Cc}/u)
}

describe('texts of strangers', () => {
  test.each(HOSTILE.map((text) => [JSON.stringify(text), text]))('%s is text', (_, text) => {
    for (const language of LANGUAGES) {
      const page = renderPay({ ...VIEW, description: text }, { ...OPTIONS, language })
      isSafe(page)
      expect(page.match(/<p class="description"><bdi>[^<]*<\/bdi><\/p>/g)).toHaveLength(1)
    }
  })
  test('there are as many as the vectors say', () => expect(HOSTILE.length).toBeGreaterThan(15))

  test('whatever it is, in every place that takes one', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: 'binary', maxLength: 60 }),
        fc.constantFrom(...PHASES),
        (text, phase) => {
          const view = {
            ...VIEW,
            phase,
            description: text,
            price: { currency: text, amount: text, rate: text },
          }
          const plain = renderPay(
            { ...VIEW, phase, description: '', price: { currency: '', amount: '', rate: '' } },
            OPTIONS,
          )
          const page = renderPay(view, { ...OPTIONS, merchant: text })
          isSafe(page)
          // The same elements, whatever was written into them.
          const tags = (from: string) => from.match(/<\/?[a-z0-9]+/g)
          expect(tags(page)).toEqual(tags(plain))
        },
      ),
      { numRuns: 60 },
    )
  })
})

describe.each(PHASES)('%s', (phase) => {
  const payable = phase === 'waiting' || phase === 'underpaid'
  const page = renderPay({ ...VIEW, phase, payable, payments: [PAYMENT] }, OPTIONS)

  test('shows where to pay only while paying is right', () => {
    const shows = [ADDRESS, 'bitcoin:', 'qr.svg'].map((word) => page.includes(word))
    // In groups of four the address has tags in between: as an attribute it has none.
    expect(shows).toEqual([payable, payable, payable])
  })
  test('has one heading of each kind and landmarks', () => {
    expect(page.match(/<main /g)).toHaveLength(1)
    expect(page.match(/<h1/g)).toHaveLength(1)
    expect(page.match(/<h2/g)).toHaveLength(1)
    expect(page).toContain('aria-live="polite"')
    isSafe(page)
  })
  test('fills every blank in, in every language', () => {
    for (const language of LANGUAGES)
      expect(renderPay({ ...VIEW, phase }, { ...OPTIONS, language })).not.toMatch(/\{\w+\}/)
  })
})

test('underpaid: code, link and amount are of what is missing', () => {
  const missing = sat(50_000n)
  const page = renderPay(
    { ...VIEW, phase: 'underpaid', missing, uri: `bitcoin:${ADDRESS}?amount=0.0005` },
    OPTIONS,
  )
  expect(page).toContain('0.0005\u00a0BTC still missing')
  expect(page).toContain(`href="bitcoin:${ADDRESS}?amount=0.0005"`)
  expect(page).toContain('qr.svg?due=50000"')
})

test('a price stands before the bitcoins', () => {
  const page = renderPay(
    { ...VIEW, price: { currency: 'EUR', amount: '49.00', rate: '32666.67' } },
    OPTIONS,
  )
  expect(page).toContain('<p class="amount">€49.00</p><p class="amount-beside">0.0015\u00a0BTC')
  expect(page).toContain('Rate: €32,666.67 for 1 BTC')
})

test('money of a test network says so', () => {
  expect(renderPay(VIEW, OPTIONS)).not.toContain('class="network"')
  expect(renderPay({ ...VIEW, network: 'signet' }, OPTIONS)).toContain('Test network (signet)')
})

test('what an unknown link shows holds nothing of the link', () => {
  const page = renderMissing(OPTIONS)
  expect(page).toContain('There is no such order')
  expect(page).not.toContain('<script')
})

test('warnings', () => {
  const gone: PayPayment = { ...PAYMENT, place: 'gone', reason: 'replaced', confirmations: -1 }
  const of = (more: Partial<PayView>) => noticesOf({ ...VIEW, ...more })
  expect(of({ payments: [gone] })).toEqual(['lost'])
  expect(of({ payments: [gone, PAYMENT], phase: 'seen' }), 'a fee bump').toEqual([])
  expect(of({ verdict: 'overpaid', phase: 'paid' })).toEqual(['overpaid'])
  expect(of({ late: true, phase: 'confirming' })).toEqual(['late'])
  expect(of({ late: true, phase: 'late' }), 'the heading says it').toEqual([])
  expect(of({ phase: 'paid', payments: [PAYMENT, { ...PAYMENT, extra: true }] })).toEqual(['extra'])
})

test('the revision follows what is shown, not the clock', () => {
  const revision = revisionOf(VIEW)
  expect(revisionOf({ ...VIEW, now: 1_000 })).toBe(revision)
  for (const more of [{ phase: 'expired' }, { confirmations: 1 }, { missing: sat(1n) }] as const)
    expect(revisionOf({ ...VIEW, ...more })).not.toBe(revision)
})

test('the status has what its payer may know, and these words only', () => {
  const json = payJson({ ...VIEW, payments: [PAYMENT] })
  expect(Object.keys(json).sort()).toEqual(
    [
      ...['address', 'amount_sat', 'amount_verdict', 'confirmations', 'confirmations_required'],
      ...['excess_sat', 'expires_at', 'expires_in_ms', 'final', 'late', 'missing_sat', 'network'],
      ...['order', 'payment_uri', 'payments', 'phase', 'price', 'received_sat', 'revision'],
      ...['server_time', 'status'],
    ].sort(),
  )
})

describe('the code', () => {
  test('is in capitals where that makes it smaller', () => {
    expect(qrText(`bitcoin:${ADDRESS}`)).toBe(`BITCOIN:${ADDRESS.toUpperCase()}`)
    expect(qrText(VIEW.uri)).toBe(VIEW.uri)
    // Base58 has both cases: capitals would be another address.
    expect(qrText('bitcoin:1BoatSLRHtKNngkdXEeobR76b53LETtpyT')).toContain('1BoatSL')
  })
  test('has whole pixels and one path', () => {
    const bare = 'bitcoin:bcrt1q'.padEnd(60, 'a')
    // Of each length one of either alphabet, and again: the size is known then, and must be the one of this code.
    const lengths = Array.from({ length: 120 }, (_, i) => bare.slice(0, 16) + 'q'.repeat(i))
    for (const uri of [
      VIEW.uri,
      bare,
      ...lengths,
      ...lengths.map((one) => `${one}?`),
      ...lengths,
    ]) {
      const side = qrSide(uri, 240)
      expect(side).toBeLessThanOrEqual(240)
      const modules = Number(/viewBox="-4 -4 (\d+) /.exec(qrSvg(uri))?.[1])
      expect([uri, side]).toEqual([uri, modules * Math.floor(240 / modules)])
    }
    expect(qrSvg(VIEW.uri)).not.toMatch(/<script|href|style/)
  })
})

test('a deadline of another day says which day', () => {
  const until = (expiresAt: number, language: 'en' | 'de') =>
    /role="timer"[^>]*>([^<]*)</.exec(
      renderPay({ ...VIEW, expiresAt }, { ...OPTIONS, language }),
    )?.[1]
  expect(until(3_600_000, 'en')).toBe('Pay by 01:00 UTC')
  expect(until(3_600_000, 'de')).toBe('Zahlen Sie bis 01:00 UTC')
  expect(until(48 * 3_600_000, 'en')).toBe('Pay by 3 Jan 1970, 00:00 UTC')
  expect(until(48 * 3_600_000, 'de')).toBe('Zahlen Sie bis 03.01.1970, 00:00 UTC')
})
