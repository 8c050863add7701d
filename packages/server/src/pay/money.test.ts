import { sat } from '@kaccy/bitcoin/kernel'
import { expect, test } from 'vitest'
import { btcNumber, btcText, priceText, satText } from './money.ts'

const plain = (text: string) => text.replace(/[\u00a0\u202f]/g, ' ')

test.each([
  [1n, '0.00000001', '1 sat'],
  [150_000n, '0.0015', '150 000 sat'],
  [100_000_000n, '1', '100 000 000 sat'],
  [1_000_000_000n, '10', '1 000 000 000 sat'],
  [2_100_000_000_000_000n, '21000000', '2 100 000 000 000 000 sat'],
])('%d', (amount, btc, satoshi) => {
  expect(btcNumber(sat(amount))).toBe(btc)
  expect(plain(satText(sat(amount)))).toBe(satoshi)
})

test('a German reader sees a comma, a wallet gets a point', () => {
  expect(plain(btcText(sat(150_000n), 'de'))).toBe('0,0015 BTC')
  expect(plain(btcText(sat(150_000n), 'en'))).toBe('0.0015 BTC')
  expect(btcNumber(sat(150_000n))).toBe('0.0015')
})

test.each([
  ['EUR', '49.00', 'en', '€49.00'],
  ['EUR', '1234.5', 'de', '1.234,50 €'],
  ['JPY', '5000', 'en', '¥5,000'],
  ['USD', '0.125', 'en', '$0.125'],
  // A double would show 9007199254740992.
  ['USD', '9007199254740993', 'en', '9007199254740993 USD'],
  ['USD', '900719925474099.31', 'en', '$900,719,925,474,099.31'],
  ['<b>', '1', 'en', '1 <b>'],
  ['USD', '1e5', 'en', '1e5 USD'],
] as const)('%s %s in %s', (currency, amount, language, text) => {
  expect(plain(priceText({ currency, amount }, language))).toBe(text)
})
