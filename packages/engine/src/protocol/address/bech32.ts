import { bech32, bech32m } from '@scure/base'
import { ok, type Refusal, type Result, refuse } from '../../kernel/index.ts'

export type Bech32Encoding = 'bech32' | 'bech32m'
export interface Bech32Text {
  readonly encoding: Bech32Encoding
  /** Human-readable part, lower case. */
  readonly prefix: string
  /** Five-bit groups without the checksum. */
  readonly words: readonly number[]
}
type Bech32Refusal = Refusal<'ADDRESS_INVALID' | 'ADDRESS_CHECKSUM'>

/** Limit of BIP 173; other uses of the encoding pass their own. */
const ADDRESS_LIMIT = 90
const CHECKSUM_WORDS = 6
const CODERS = { bech32, bech32m } as const

/** What is wrong with the text apart from the checksum; undefined when nothing is. Source: BIP 173. */
function shapeFault(text: string, limit: number): string | undefined {
  if (text.length > limit) return `is longer than ${limit} characters`
  if (!/^[\x21-\x7e]*$/.test(text)) return 'has characters outside printable ASCII'
  if (text !== text.toLowerCase() && text !== text.toUpperCase())
    return 'mixes upper and lower case'
  const separator = text.lastIndexOf('1')
  if (separator < 0) return 'has no separator 1'
  if (separator === 0) return 'has an empty prefix'
  if (text.length - separator - 1 < CHECKSUM_WORDS) return 'is too short for a checksum'
  if (!/^[ac-hj-np-z02-9]*$/i.test(text.slice(separator + 1))) {
    return 'has a character outside the Bech32 alphabet'
  }
  return undefined
}

/** Reads a Bech32 or Bech32m text and says which of the two it is. Source: BIP 173, BIP 350. */
export function decodeBech32(
  text: string,
  limit = ADDRESS_LIMIT,
): Result<Bech32Text, Bech32Refusal> {
  const fault = shapeFault(text, limit)
  if (fault !== undefined) return refuse('ADDRESS_INVALID', `the text ${fault}`)
  for (const encoding of ['bech32', 'bech32m'] as const) {
    const decoded = CODERS[encoding].decodeUnsafe(text, limit)
    if (decoded) return ok({ encoding, prefix: decoded.prefix, words: decoded.words })
  }
  return refuse('ADDRESS_CHECKSUM', 'the checksum does not match: a character is wrong or missing')
}

/** Writes the text in lower case. Refuses words above 31, a foreign prefix, too great a length. */
export function encodeBech32(
  { encoding, prefix, words }: Bech32Text,
  limit = ADDRESS_LIMIT,
): Result<string, Refusal<'ADDRESS_INVALID'>> {
  if (!/^[\x21-\x7e]+$/.test(prefix) || prefix !== prefix.toLowerCase()) {
    return refuse('ADDRESS_INVALID', 'the prefix is not lower-case printable ASCII')
  }
  if (words.some((word) => !Number.isInteger(word) || word < 0 || word > 31)) {
    return refuse('ADDRESS_INVALID', 'a word is not a five-bit number')
  }
  if (prefix.length + 1 + words.length + CHECKSUM_WORDS > limit) {
    return refuse('ADDRESS_INVALID', `the text would be longer than ${limit} characters`)
  }
  return ok(CODERS[encoding].encode(prefix, [...words], limit))
}

/** Five-bit groups to bytes. Undefined for padding of five bits or more, or padding that is not zero. */
export function bytesFromWords(words: readonly number[]): Uint8Array | undefined {
  const bytes = new Uint8Array(Math.floor((words.length * 5) / 8))
  let buffer = 0
  let bits = 0
  let at = 0
  for (const word of words) {
    buffer = ((buffer << 5) | word) & 0xfff
    bits += 5
    if (bits < 8) continue
    bits -= 8
    bytes[at++] = (buffer >> bits) & 0xff
  }
  const isPaddingBad = bits >= 5 || (buffer & ((1 << bits) - 1)) !== 0
  return isPaddingBad ? undefined : bytes
}

/** Bytes to five-bit groups, padded with zero bits. */
export const wordsFromBytes = (bytes: Uint8Array): number[] => bech32.toWords(bytes)
