import { formatBtc, type Sat } from '@kaccy/bitcoin/kernel'
import type { PayPrice } from './view.ts'
import type { Language } from './words.ts'

/** Groups digits without letting them break apart. */
const THIN = '\u202f'
const NO_BREAK = '\u00a0'

/** Bitcoins as wallets take them: no zeros at the end, a point. */
export const btcNumber = (amount: Sat): string => formatBtc(amount).replace(/\.?0+$/, '')

/** Bitcoins as a reader of the language writes them. */
export const btcText = (amount: Sat, language: Language): string =>
  `${language === 'de' ? btcNumber(amount).replace('.', ',') : btcNumber(amount)}${NO_BREAK}BTC`

/** Satoshi in groups of three. */
export const satText = (amount: Sat): string =>
  `${amount.toString().replace(/\B(?=(\d{3})+$)/g, THIN)}${NO_BREAK}sat`

/** A price as a reader of the language writes it; exact, because decimals are formatted as text. Source: ECMA-402. */
export function priceText(
  { currency, amount }: Pick<PayPrice, 'currency' | 'amount'>,
  language: Language,
): string {
  const plain = `${amount}${NO_BREAK}${currency}`
  if (!/^[A-Z]{3}$/.test(currency) || !/^\d{1,15}(\.\d{1,8})?$/.test(amount)) return plain
  const places = amount.split('.')[1]?.length ?? 0
  const usual = new Intl.NumberFormat(language, { style: 'currency', currency })
  const least = usual.resolvedOptions().maximumFractionDigits ?? 2
  const format = new Intl.NumberFormat(language, {
    style: 'currency',
    currency,
    maximumFractionDigits: Math.max(places, least),
  })
  return format.format(amount as `${number}`)
}
