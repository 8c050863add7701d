import { sha256 } from '@noble/hashes/sha2.js'
import { base58 } from '@scure/base'
import { equalBytes, ok, type Refusal, type Result, refuse } from '../../kernel/index.ts'

const CHECKSUM_LENGTH = 4
/** The longest text that any Bitcoin use of Base58 has (an extended key), with room; Base58 is quadratic. */
const MAX_LENGTH = 256

/** Bytes as Base58. */
export const encodeBase58 = (bytes: Uint8Array): string => base58.encode(bytes)

/** Undefined unless every character is of the Base58 alphabet and the text is not absurdly long. */
export function decodeBase58(text: string): Uint8Array | undefined {
  if (text.length > MAX_LENGTH) return undefined
  try {
    return base58.decode(text)
  } catch {
    return undefined
  }
}

const checksum = (payload: Uint8Array): Uint8Array =>
  sha256(sha256(payload)).subarray(0, CHECKSUM_LENGTH)

/** Payload with its four bytes of double SHA-256, as Base58. */
export function encodeBase58Check(payload: Uint8Array): string {
  const bytes = new Uint8Array(payload.length + CHECKSUM_LENGTH)
  bytes.set(payload)
  bytes.set(checksum(payload), payload.length)
  return base58.encode(bytes)
}

/** The payload of a Base58Check text; the refusal tells a foreign character from a wrong checksum. */
export function decodeBase58Check(
  text: string,
): Result<Uint8Array, Refusal<'ADDRESS_INVALID' | 'ADDRESS_CHECKSUM'>> {
  const bytes = decodeBase58(text)
  if (!bytes) return refuse('ADDRESS_INVALID', 'the text has characters outside Base58')
  if (bytes.length < CHECKSUM_LENGTH) return refuse('ADDRESS_INVALID', 'the text is too short')
  const payload = bytes.slice(0, -CHECKSUM_LENGTH)
  if (!equalBytes(checksum(payload), bytes.subarray(-CHECKSUM_LENGTH))) {
    return refuse(
      'ADDRESS_CHECKSUM',
      'the checksum does not match: a character is wrong or missing',
    )
  }
  return ok(payload)
}
