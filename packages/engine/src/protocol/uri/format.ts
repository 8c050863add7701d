import { assert, formatBtc, type Sat } from '../../kernel/index.ts'
import type { PaymentUri } from './payment-uri.ts'

/** Bitcoins as links write them: no zeros at the end, no exponent. */
const formatAmount = (amount: Sat): string => formatBtc(amount).replace(/\.?0+$/, '')

/** A lone half of a surrogate pair has no percent code; the replacement character stands for it. */
const encode = (text: string): string =>
  encodeURIComponent(text.replace(/\p{Surrogate}/gu, '\uFFFD'))

/**
 * Writes a `bitcoin:` link: amount, label and message first, then the other ways to pay.
 * @throws AssertionError for an address that is not plain letters and digits. Source: BIP 21, BIP 321.
 */
export function formatPaymentUri(uri: PaymentUri): string {
  const { address = '', amount, label, message, lightning, lno, sp, pay, segwit, pop, others } = uri
  assert(/^[0-9a-zA-Z]*$/.test(address), 'an address with other characters than letters and digits')
  const list = (key: string, values: readonly string[] = []) =>
    values.map((value) => [key, value] as const)
  const parameters = [
    ...(amount === undefined ? [] : [['amount', formatAmount(amount)] as const]),
    ...(label === undefined ? [] : [['label', label] as const]),
    ...(message === undefined ? [] : [['message', message] as const]),
    ...list('lightning', lightning),
    ...list('lno', lno),
    ...list('sp', sp),
    ...list('pay', pay),
    ...(segwit ?? []).map(
      (text) => [text.slice(0, text.lastIndexOf('1')).toLowerCase(), text] as const,
    ),
    ...(pop ? [[pop.isRequired ? 'req-pop' : 'pop', pop.uri] as const] : []),
    ...(others ?? []),
  ]
  const query = parameters.map(([key, value]) => `${encode(key)}=${encode(value)}`).join('&')
  return `bitcoin:${address}${query === '' ? '' : '?'}${query}`
}
