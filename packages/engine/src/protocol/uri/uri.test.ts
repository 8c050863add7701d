import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { MAX_SAT, sat } from '../../kernel/index.ts'
import { formatPaymentUri, type PaymentUri, parsePaymentUri, popCallback } from './index.ts'

const address = 'bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4'
const parsed = (text: string) => {
  const uri = parsePaymentUri(text)
  if (!uri.ok) throw new Error(uri.error.message)
  return uri.value
}
const code = (text: string, network?: 'main' | 'test') => {
  const uri = parsePaymentUri(text, network ? { network } : {})
  return uri.ok ? 'taken' : uri.error.code
}
const text = fc.string({ unit: 'binary' })

describe('payment links', () => {
  it('are read as they were written', () => {
    const link = fc.record(
      {
        address: fc.constant(address),
        amount: fc.bigInt({ min: 0n, max: MAX_SAT }).map(sat),
        label: text,
        message: text,
        lightning: fc.array(text, { minLength: 1 }),
        lno: fc.array(text, { minLength: 1 }),
      },
      { requiredKeys: ['address'] },
    )
    fc.assert(
      fc.property(link, (uri) => {
        expect(parsed(formatPaymentUri(uri))).toEqual(uri)
      }),
      { numRuns: 500 },
    )
  })
  it('write amounts exactly and without zeros at the end', () => {
    const amounts: [bigint, string][] = [
      [0n, '0'],
      [1n, '0.00000001'],
      [100_000_000n, '1'],
      [1_000_000_000n, '10'],
      [2_030_000_000n, '20.3'],
      [MAX_SAT, '21000000'],
      [9_007_199_254_740_993n / 10n, '9007199.25474099'],
    ]
    for (const [amount, digits] of amounts) {
      expect(formatPaymentUri({ address, amount: sat(amount) })).toBe(
        `bitcoin:${address}?amount=${digits}`,
      )
    }
  })
  it('refuse amounts that are not exact', () => {
    for (const amount of [
      '1e8',
      '-1',
      '+1',
      '0x1',
      '1,5',
      '0.000000001',
      '21000000.00000001',
      '',
      '.',
      'NaN',
      ' 1',
      '1 ',
      '١',
    ]) {
      expect(code(`bitcoin:${address}?amount=${encodeURIComponent(amount)}`)).toBe('AMOUNT_INVALID')
    }
    expect(parsed(`bitcoin:${address}?amount=.5`).amount).toBe(50_000_000n)
    expect(parsed(`bitcoin:${address}?amount=5.`).amount).toBe(500_000_000n)
  })
  it('refuse doubles, also across case, and unknown demands', () => {
    expect(code(`bitcoin:${address}?amount=1&AMOUNT=1`)).toBe('URI_INVALID')
    expect(code(`bitcoin:${address}?label=a&l%61bel=b`)).toBe('URI_INVALID')
    expect(code(`bitcoin:${address}?pop=a%3A&req-pop=a%3A`)).toBe('URI_INVALID')
    expect(code(`bitcoin:${address}?REQ-future=1`)).toBe('URI_REQUIREMENT')
    expect(code(`bitcoin:${address}?r%65q-future=1`)).toBe('URI_REQUIREMENT')
  })
  it('never send the payer to a page', () => {
    for (const scheme of ['http', 'HTTPS', 'File', 'javascript', 'mailto']) {
      const uri = parsed(`bitcoin:${address}?pop=${scheme}%3Ax`)
      expect(popCallback(uri, 'onchain', '00')).toBeUndefined()
      expect(code(`bitcoin:${address}?req-pop=${scheme}%3Ax`)).toBe('URI_REQUIREMENT')
    }
    expect(code(`bitcoin:${address}?req-pop=app%3Ax`)).toBe('taken')
    expect(popCallback(parsed(`bitcoin:${address}?pop=relative`), 'onchain', '00')).toBeUndefined()
  })
  it('are held against the network where one is given', () => {
    expect(code(`bitcoin:${address}`, 'main')).toBe('taken')
    expect(code(`bitcoin:${address}`, 'test')).toBe('ADDRESS_NETWORK')
    expect(code(`bitcoin:${address.slice(0, -1)}q`, 'main')).toBe('ADDRESS_CHECKSUM')
    const upper = parsePaymentUri(
      `BITCOIN:${address.toUpperCase()}?BC=${address.toUpperCase()}&TB=TB1QW508D6QEJXTDG4Y5R3ZARVARY0C5XW7KXPJZSX`,
      { network: 'main' },
    )
    expect(upper.ok && upper.value).toEqual({ address, segwit: [address] })
  })
  it('that name nothing to pay are refused', () => {
    for (const link of [
      'bitcoin:',
      'bitcoin:?',
      'bitcoin:?label=x',
      'bitcoin://',
      'bitcoin',
      '',
      'bitcoin:a b',
      `bitcoin:${address}#x`,
      `http:${address}`,
      `bitcoin:${address}?a=%`,
      `bitcoin:${address}?a=%ff`,
    ]) {
      expect(code(link)).toBe('URI_INVALID')
    }
  })
  it('never throw, whatever the text', () => {
    const piece = fc.constantFrom(
      'bitcoin:',
      '?',
      '&',
      '=',
      '%',
      '%41',
      'amount',
      'req-',
      'pop',
      'label',
      '1',
      '.',
      '#',
      '/',
      address,
      'lightning=',
      '\ud800',
    )
    fc.assert(
      fc.property(
        fc.array(fc.oneof(piece, fc.string({ maxLength: 4, unit: 'binary' })), { maxLength: 12 }),
        (pieces) => {
          const result = parsePaymentUri(`bitcoin:${pieces.join('')}`, { network: 'main' })
          if (!result.ok) expect(result.error.code).toMatch(/^(URI|ADDRESS|AMOUNT)_/)
        },
      ),
      { numRuns: 3000 },
    )
    const lone: PaymentUri = { address, label: 'a\ud800b' }
    expect(formatPaymentUri(lone)).toContain('label=a%EF%BF%BDb')
  })
})
