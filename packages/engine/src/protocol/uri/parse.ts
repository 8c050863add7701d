import {
  type Network,
  ok,
  parseBtc,
  type Refusal,
  type Result,
  refuse,
} from '../../kernel/index.ts'
import { parseAddress } from '../address/index.ts'
import { isCallbackAllowed, type PaymentUri } from './payment-uri.ts'

export type PaymentUriCode =
  | 'URI_INVALID'
  | 'URI_REQUIREMENT'
  | 'AMOUNT_INVALID'
  | 'ADDRESS_INVALID'
  | 'ADDRESS_CHECKSUM'
  | 'ADDRESS_NETWORK'
type UriResult<T> = Result<T, Refusal<PaymentUriCode>>

/** Invoices and offers are long; a QR code or a hostile text is not longer than this. */
const MAX_LENGTH = 20_000
const ONCE = ['amount', 'label', 'message', 'pop']
const LISTS = ['lightning', 'lno', 'sp', 'pay'] as const
const SEGWIT_PREFIXES = ['bc', 'tb', 'bcrt']

const no = (reason: string) => refuse('URI_INVALID', `the payment link ${reason}`, { param: 'uri' })

type Parameter = readonly [key: string, value: string]

function readParameters(query: string): UriResult<Parameter[]> {
  const parameters: Parameter[] = []
  for (const part of query.split('&')) {
    if (part === '') continue
    const at = part.indexOf('=')
    const [rawKey, rawValue] = at < 0 ? [part, ''] : [part.slice(0, at), part.slice(at + 1)]
    try {
      // Keys are compared without case, for QR codes in capitals; values keep theirs.
      parameters.push([decodeURIComponent(rawKey).toLowerCase(), decodeURIComponent(rawValue)])
    } catch {
      return no('has a wrong percent code')
    }
  }
  return ok(parameters)
}

/** Doubles are refused even when equal: two programs could read different ones. Source: BIP 321. */
function checkParameters(parameters: readonly Parameter[]): UriResult<undefined> {
  const seen = new Set<string>()
  for (const [key, value] of parameters) {
    if (key.startsWith('req-') && key !== 'req-pop') {
      return refuse(
        'URI_REQUIREMENT',
        `the payment link requires ${key.slice(0, 60)}, which is not known here`,
        {
          param: 'uri',
          details: { key: key.slice(0, 60) },
        },
      )
    }
    if (key === 'req-pop' && !isCallbackAllowed(value)) {
      return refuse(
        'URI_REQUIREMENT',
        'the payment link requires a report to a place that must not be opened',
        {
          param: 'uri',
          details: { key },
        },
      )
    }
    const name = key === 'req-pop' ? 'pop' : key
    if (ONCE.includes(name) && seen.has(name)) return no(`has ${name} twice`)
    seen.add(name)
  }
  return ok(undefined)
}

/** `.5` and `5.` are decimal numbers by the grammar of BIP 21; the digits stay exact. */
function normalAmount(text: string): string {
  const match = /^(\d*)\.?(\d*)$/.exec(text)
  if (!match || (match[1] === '' && match[2] === '')) return text
  return `${match[1] || '0'}${match[2] === '' ? '' : `.${match[2]}`}`
}

function collect(parameters: readonly Parameter[]): UriResult<PaymentUri> {
  const first = (name: string) => parameters.find(([key]) => key === name)?.[1]
  const all = (names: readonly string[]) =>
    parameters.filter(([key]) => names.includes(key)).map(([, value]) => value)
  const known = [...ONCE, 'req-pop', ...LISTS, ...SEGWIT_PREFIXES]
  const amountText = first('amount')
  const amount = amountText === undefined ? undefined : parseBtc(normalAmount(amountText))
  if (amount && !amount.ok) return amount
  const pop = first('pop')
  const requiredPop = first('req-pop')
  const popUri = requiredPop ?? pop
  const label = first('label')
  const message = first('message')
  const lists = LISTS.map((name) => [name, all([name])] as const).filter(
    ([, values]) => values.length > 0,
  )
  const segwit = all(SEGWIT_PREFIXES)
  const others = parameters.filter(([key]) => !known.includes(key))
  return ok({
    ...(amount ? { amount: amount.value } : {}),
    ...(label === undefined ? {} : { label }),
    ...(message === undefined ? {} : { message }),
    ...Object.fromEntries(lists),
    ...(segwit.length > 0 ? { segwit } : {}),
    ...(popUri === undefined
      ? {}
      : { pop: { uri: popUri, isRequired: requiredPop !== undefined } }),
    ...(others.length > 0 ? { others } : {}),
  })
}

function checkAddresses(uri: PaymentUri, network: Network): UriResult<PaymentUri> {
  const segwit: string[] = []
  for (const text of uri.segwit ?? []) {
    const parsed = parseAddress(text, network)
    // Parameters for other networks stand beside ours on purpose; they are not ours to judge.
    if (parsed.ok) segwit.push(parsed.value.text)
    else if (parsed.error.code !== 'ADDRESS_NETWORK') return parsed
  }
  const { segwit: _, address: text, ...rest } = uri
  const address = text === undefined ? undefined : parseAddress(text, network)
  if (address && !address.ok) return address
  return ok({
    ...(address ? { address: address.value.text } : {}),
    ...rest,
    ...(segwit.length > 0 ? { segwit } : {}),
  })
}

/**
 * Reads a `bitcoin:` link. Without `network` only the grammar is checked; with it the addresses are too, and come
 * back in canonical form. Amounts are exact. Refuses unknown `req-` parameters, doubles, other schemes.
 * `bitcoin://` is taken, because programs write it. Source: BIP 21, BIP 321.
 */
export function parsePaymentUri(
  text: string,
  options: { readonly network?: Network } = {},
): UriResult<PaymentUri> {
  if (text.length > MAX_LENGTH) return no(`is longer than ${MAX_LENGTH} characters`)
  const match = /^bitcoin:(?:\/\/)?([^?#]*)(?:\?([^#]*))?$/i.exec(text)
  if (!match) return no('does not begin with bitcoin:, or has a #')
  const path = match[1] ?? ''
  if (!/^[0-9a-zA-Z]*$/.test(path)) return no('has something that is not an address before the ?')
  const parameters = readParameters(match[2] ?? '')
  if (!parameters.ok) return parameters
  const checked = checkParameters(parameters.value)
  if (!checked.ok) return checked
  const collected = collect(parameters.value)
  if (!collected.ok) return collected
  const uri: PaymentUri = { ...(path === '' ? {} : { address: path }), ...collected.value }
  const { address, lightning, lno, sp, pay, segwit } = uri
  const ways = [address, lightning, lno, sp, pay, segwit]
  if (ways.every((way) => way === undefined)) return no('names nothing that could be paid')
  return options.network === undefined ? ok(uri) : checkAddresses(uri, options.network)
}
