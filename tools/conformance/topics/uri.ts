import { parseBtc } from '@kaccy/bitcoin/kernel'
import {
  formatPaymentUri,
  type PaymentUri,
  parsePaymentUri,
  popCallback,
} from '@kaccy/bitcoin/protocol/uri'
import {
  type Case,
  type CaseRecord,
  differs,
  isRecord,
  isTable,
  jsonShape,
  must,
  refused,
  runShapes,
  sections,
  type Verdict,
} from '../cases.ts'

export const topic = 'uri'

/** What is written is read as the same. */
function checkRoundTrip(uri: PaymentUri): Verdict {
  const shown = (value: PaymentUri) =>
    JSON.stringify(value, (_, part: unknown) => (typeof part === 'bigint' ? `${part}` : part))
  const text = formatPaymentUri(uri)
  const again = must(parsePaymentUri(text))
  return differs({
    again: [
      [...Object.entries(again)].sort().map(String).join(),
      [...Object.entries(uri)].sort().map(String).join(),
    ],
    text: [formatPaymentUri(again), text],
    shown: [shown(again).length, shown(uri).length],
  })
}

interface JsRow {
  readonly address?: string
  readonly uri: string
  readonly compliant?: boolean
  readonly urnScheme?: string
  readonly options?: Readonly<Record<string, string | number>>
}

/** The field of a link under the name that the vector file gives it. */
function field(uri: PaymentUri, name: string): string | undefined {
  if (name === 'label') return uri.label
  if (name === 'message') return uri.message
  return uri.others?.find(([key]) => key === name)?.[1]
}

function checkJsValid({
  address,
  uri: text,
  compliant = true,
  urnScheme,
  options = {},
}: JsRow): Verdict {
  if (urnScheme !== undefined) return refused(parsePaymentUri(text))
  if (Object.keys(options).some((name) => name.startsWith('req-'))) {
    // The library behind the file lets every program decide; BIP 321 does not.
    return refused(parsePaymentUri(text))
  }
  const uri = must(parsePaymentUri(text))
  const pairs = Object.entries(options).map(([name, value]) => {
    const isAmount = name === 'amount'
    return [
      name,
      isAmount ? [uri.amount, must(parseBtc(String(value)))] : [field(uri, name), value],
    ] as const
  })
  // Canonical: the scheme in lower case and no zeros at the end of the amount.
  const canonical = text
    .replace(/^bitcoin:/i, 'bitcoin:')
    .replace(/amount=(\d+)\.?0*(&|$)/, 'amount=$1$2')
  return (
    differs({
      address: [uri.address, address],
      ...Object.fromEntries(pairs),
      ...(compliant ? { written: [formatPaymentUri(uri), canonical] as const } : {}),
    }) ?? checkRoundTrip(uri)
  )
}

/** Printing has to fail too: our printer takes satoshis, so the amount must not become any. */
function checkJsInvalid({ uri, options }: JsRow): Verdict {
  const amount = options?.['amount']
  return (
    refused(parsePaymentUri(uri)) ??
    (amount === undefined ? undefined : refused(parseBtc(String(amount))))
  )
}

interface PopRow {
  readonly uri: string
  readonly paid?: 'onchain' | 'lightning'
  readonly callback: string | null
  readonly must_pay?: boolean
}
function checkPop({ uri: text, paid = 'onchain', callback, must_pay = true }: PopRow): Verdict {
  const uri = parsePaymentUri(text)
  if (!must_pay) return refused(uri)
  const proof = paid === 'onchain' ? '$HEX_ENCODED_TRANSACTION' : '$HEX_ENCODED_PAYMENT_PREIMAGE'
  return differs({ callback: [popCallback(must(uri), paid, proof) ?? null, callback] })
}

interface NoteRow {
  readonly uri: string
}

function* cases(file: object): Generator<Case> {
  const isJs =
    isRecord(file, 'valid') && isTable((file as { valid: unknown }).valid, 'address', 'uri')
  yield* sections(file, {
    valid: isJs ? checkJsValid : ({ uri }: NoteRow) => checkRoundTrip(must(parsePaymentUri(uri))),
    invalid: isJs ? checkJsInvalid : ({ uri }: NoteRow) => refused(parsePaymentUri(uri)),
    rules: checkPop,
  })
}

const shapes = [
  jsonShape<object>(
    (data) =>
      ['valid', 'invalid', 'rules'].some((section) =>
        isTable((data as Record<string, unknown>)[section], 'uri'),
      ),
    cases,
  ),
]

export const run = (dir: string): AsyncGenerator<CaseRecord> => runShapes(dir, shapes)
