import { sha256 } from '@noble/hashes/sha2.js'
import { base58, bech32, bech32m, createBase58check } from '@scure/base'

const base58check = createBase58check(sha256)
const PREFIX = 'bcrt'
const ALPHABET = 'qpzry9x8gf2tvdw0s3jn54khce6mua7l'
const plural = (count: number): string => `${count} ${count === 1 ? 'byte' : 'bytes'}`

function base58Fault(text: string): string {
  try {
    const [version] = base58check.decode(text)
    const known = version === 0x6f || version === 0xc4
    return known
      ? 'Invalid length for Base58 address (P2PKH or P2SH)'
      : 'Invalid or unsupported Base58-encoded address.'
  } catch {
    // Not base58 with a checksum: perhaps base58 at least.
  }
  try {
    base58.decode(text)
    return 'Invalid checksum or length of Base58 address (P2PKH or P2SH)'
  } catch {
    return 'Invalid or unsupported Segwit (Bech32) or Base58 encoding.'
  }
}
function programFault(codec: typeof bech32 | typeof bech32m, words: readonly number[]): string {
  const [version = 0, ...rest] = words
  if (version === 0 && codec === bech32m) return 'Version 0 witness address must use Bech32 checksum'
  if (version !== 0 && codec === bech32) return 'Version 1+ witness address must use Bech32m checksum'
  const program = codec.fromWordsUnsafe(rest)
  if (!program) return 'Invalid padding in Bech32 data section'
  if (version === 0) {
    return `Invalid Bech32 v0 address program size (${plural(program.length)}), per BIP141`
  }
  if (version > 16) return 'Invalid Bech32 address witness version'
  return `Invalid Bech32 address program size (${plural(program.length)})`
}
function bech32Fault(text: string): string {
  if (text.length > 90) return 'Bech32 string too long'
  if (text !== text.toLowerCase() && text !== text.toUpperCase()) {
    return 'Invalid character or mixed case'
  }
  const at = text.lastIndexOf('1')
  if (at < 0) return 'Missing separator'
  if (at === 0 || at + 7 > text.length) return 'Invalid separator position'
  const data = text.toLowerCase().slice(at + 1)
  if ([...data].some((letter) => !ALPHABET.includes(letter))) return 'Invalid Base 32 character'
  // Core guesses the kind of checksum from the likelier error; the version says as much.
  return data.startsWith('q') ? 'Invalid Bech32 checksum' : 'Invalid Bech32m checksum'
}
/** Why a text is no regtest address, in Core's words. */
export function addressFault(text: string): string {
  if (text.slice(0, PREFIX.length).toLowerCase() !== PREFIX) return base58Fault(text)
  for (const codec of [bech32, bech32m]) {
    const decoded = codec.decodeUnsafe(text)
    if (!decoded) continue
    if (decoded.words.length === 0) return 'Empty Bech32 data section'
    if (decoded.prefix !== PREFIX) {
      const got = `(expected ${PREFIX}, got ${decoded.prefix})`
      return `Invalid or unsupported prefix for Segwit (Bech32) address ${got}.`
    }
    return programFault(codec, decoded.words)
  }
  return bech32Fault(text)
}
