import { fromHex, NETWORKS, toHex } from '@kaccy/bitcoin/kernel'
import {
  addressOf,
  type Bech32Encoding,
  bytesFromWords,
  decodeBech32,
  encodeBech32,
  parseAddress,
} from '@kaccy/bitcoin/protocol/address'
import {
  type Case,
  type CaseRecord,
  differs,
  isRecord,
  jsonShape,
  must,
  refused,
  runShapes,
  sections,
  type Verdict,
} from '../cases.ts'

export const topic = 'bech32'

/** The text has to be of this encoding; a text of the other one is refused for this one. */
function hasEncoding(text: string, encoding: Bech32Encoding, limit?: number): boolean {
  const decoded = decodeBech32(text, limit)
  return decoded.ok && decoded.value.encoding === encoding
}

function checkRoundTrip(text: string, encoding: Bech32Encoding, limit?: number): Verdict {
  const decoded = must(decodeBech32(text, limit))
  return differs({
    encoding: [decoded.encoding, encoding],
    written: [must(encodeBech32(decoded, limit)), text.toLowerCase()],
    upper: [decodeBech32(text.toUpperCase(), limit).ok, true],
  })
}

interface InvalidRow {
  readonly string?: string
  readonly stringHex?: string
  readonly prefix?: string
  readonly words?: readonly number[]
  readonly limit?: number
}
function checkInvalid(row: InvalidRow, encoding: Bech32Encoding): Verdict {
  const { prefix, words, limit } = row
  if (prefix !== undefined && words !== undefined)
    return refused(encodeBech32({ encoding, prefix, words }, limit))
  const text = row.string ?? String.fromCharCode(...fromHex(row.stringHex ?? ''))
  return hasEncoding(text, encoding, limit) ? 'was taken, has to be refused' : undefined
}

interface SegwitRow {
  readonly address: string
  readonly scriptPubKey?: string
}
function checkSegwit({ address, scriptPubKey }: SegwitRow): Verdict {
  const found = NETWORKS.map((network) => parseAddress(address, network)).find(
    (result) => result.ok,
  )
  if (!found?.ok) return 'was refused on every network'
  return differs({
    script: [toHex(found.value.script), scriptPubKey],
    written: [must(addressOf(found.value.script, found.value.network)), address.toLowerCase()],
  })
}
const checkNotSegwit = ({ address }: SegwitRow): Verdict =>
  NETWORKS.some((network) => parseAddress(address, network).ok)
    ? 'was taken, has to be refused'
    : undefined

const officialCases = (file: object): Iterable<Case> =>
  sections(file, {
    bech32_valid: (text: string) => checkRoundTrip(text, 'bech32'),
    bech32m_valid: (text: string) => checkRoundTrip(text, 'bech32m'),
    bech32_invalid: (row: InvalidRow) => checkInvalid(row, 'bech32'),
    bech32m_invalid: (row: InvalidRow) => checkInvalid(row, 'bech32m'),
    segwit_valid: checkSegwit,
    segwit_invalid: checkNotSegwit,
    segwit_invalid_bip173: checkNotSegwit,
    segwit_superseded: checkNotSegwit,
  })

interface ValidRow {
  readonly string: string
  readonly prefix: string
  readonly hex: string
  readonly words: readonly number[]
  readonly limit?: number
}
function checkValid(
  { string, prefix, hex, words, limit }: ValidRow,
  encoding: Bech32Encoding,
): Verdict {
  const decoded = must(decodeBech32(string, limit))
  // A few official texts are too short to hold whole bytes; the file then has no hex.
  const bytes = bytesFromWords(decoded.words)
  return (
    differs({
      prefix: [decoded.prefix, prefix.toLowerCase()],
      words: [decoded.words.join(), words.join()],
      hex: [bytes && toHex(bytes), hex],
      encoded: [
        must(encodeBech32({ encoding, prefix: prefix.toLowerCase(), words }, limit)),
        string.toLowerCase(),
      ],
    }) ?? checkRoundTrip(string, encoding, limit)
  )
}

function* scureCases(
  file: Readonly<Record<string, Readonly<Record<string, readonly never[]>>>>,
): Generator<Case> {
  for (const [section, lists] of Object.entries(file)) {
    const encoding = section === 'bech32' || section === 'bech32m' ? section : undefined
    const named = Object.fromEntries(
      Object.entries(lists).map(([list, rows]) => [`${section} ${list}`, rows]),
    )
    if (encoding) {
      yield* sections(named, {
        [`${section} valid`]: (row: ValidRow) => checkValid(row, encoding),
        [`${section} invalid`]: (row: InvalidRow) => checkInvalid(row, encoding),
      })
      continue
    }
    yield* sections(named, {
      'fromWords invalid': ({ words }: { words: readonly number[] }) =>
        bytesFromWords(words) ? 'was taken, has to be refused' : undefined,
    })
  }
}

const shapes = [
  jsonShape<object>((data) => isRecord(data, 'segwit_valid'), officialCases),
  jsonShape<Readonly<Record<string, Readonly<Record<string, readonly never[]>>>>>(
    (data) => isRecord(data, 'bech32', 'bech32m'),
    scureCases,
  ),
]

export const run = (dir: string): AsyncGenerator<CaseRecord> => runShapes(dir, shapes)
