import { sha256 as portableSha256 } from '@noble/hashes/sha2.js'
import { utf8ToBytes } from '@noble/hashes/utils.js'
import { base64urlnopad } from '@scure/base'
import { type Entropy, type Sha256, toHex } from '../../kernel/index.ts'
import type { KeyMode } from './ports.ts'

/** `kc_<mode>_` and 256 random bits in base64url (RFC 4648 5) without padding. */
const TOKEN = /^kc_(dev|test|live)_[A-Za-z0-9_-]{43}$/
const SECRET_BYTES = 32

export const newToken = (mode: KeyMode, entropy: Entropy): string =>
  `kc_${mode}_${base64urlnopad.encode(entropy.bytes(SECRET_BYTES))}`

/** What the token says of itself; undefined for a text that is no token. */
export const modeOfToken = (token: string): KeyMode | undefined =>
  TOKEN.exec(token)?.[1] as KeyMode | undefined

/** SHA-256 of the whole token, 64 hex digits. A token has 256 random bits: a slow hash would add nothing. */
export const hashOfToken = (token: string, sha256: Sha256 = portableSha256): string =>
  toHex(sha256(utf8ToBytes(token)))

/** Compares two hashes of the same length in a time that does not tell where they differ. */
export function isSameHash(ours: string, theirs: string): boolean {
  let difference = ours.length ^ theirs.length
  for (let i = 0; i < ours.length; i++) difference |= ours.charCodeAt(i) ^ theirs.charCodeAt(i)
  return difference === 0
}

/** The last characters, by which people tell keys apart. */
export const hintOf = (token: string): string => token.slice(-4)
